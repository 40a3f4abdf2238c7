//! Ways in which a loader, a rollup or an exporter ends green and wrong, each as a test.
//! docs/explanation/guarantees.md lists them all, with those that other rooms show.

use std::collections::BTreeMap;

use serde_json::json;

use crate::kit::World;

const ROWS: &str = "SELECT created_at, value FROM kalends_raw.entity ORDER BY 1, 2";

/// What the business sees of all levels: the views, as `level|period…|sum|min|max|mean`.
fn views(world: &World) -> Vec<String> {
    world.ask_warehouse(
        "SELECT 'day', d.* FROM (SELECT concat_ws('-', year, month, day), sum_values, min_values, max_values, mean_values
                                 FROM kalends_stats.entity_stats_daily ORDER BY year, month, day) AS d
         UNION ALL SELECT 'month', m.* FROM (SELECT concat_ws('-', year, month), sum_values, min_values, max_values, mean_values
                                 FROM kalends_stats.entity_stats_monthly ORDER BY year, month) AS m
         UNION ALL SELECT 'year', y.* FROM (SELECT year::text, sum_values, min_values, max_values, mean_values
                                 FROM kalends_stats.entity_stats_yearly ORDER BY year) AS y",
    )
}

fn daily(year: u16, month: u8, day: u8) -> String {
    format!("year={year}/month={month}/day={day}/entity_stats_daily_{year}_{month}_{day}.csv")
}

/// The daily file of a day says these statistics.
fn day_says(world: &World, (year, month, day): (u16, u8, u8), statistics: &str) {
    let header = "year,month,day,sum_values,min_values,max_values,mean_values";
    world.file(&daily(year, month, day), &format!("{header}\n{year},{month},{day},{statistics}"));
}

#[test]
fn rows_alike_to_the_newest_are_counted_each_in_whichever_run_they_come() {
    let world = World::new();
    let newest = "INSERT INTO entity VALUES ('2024-01-31 10:00:00', 7)";
    for copies in 1..=4_u8 {
        world.production_sql(newest);
        world.heals();
        let rows = vec!["2024-01-31 10:00:00|7".to_string(); copies.into()];
        assert_eq!(world.ask_warehouse(ROWS), rows);
        day_says(&world, (2024, 1, 31), &format!("{},7,7,7.000000", 7 * copies));
    }
}

#[test]
fn a_month_that_is_asked_for_has_its_first_and_its_last_microsecond() {
    let world = World::new();
    world.production(
        "created_at                 | value
         2024-01-31 23:59:59.999999 | 1
         2024-02-01 00:00:00        | 20
         2024-02-29 00:00:00        | 300
         2024-02-29 00:00:00.000001 | 4000
         2024-02-29 23:59:59.999999 | 50000
         2024-03-01 00:00:00        | 600000",
    );
    world.kalends("prepare").succeeds();
    world.kalends("export 2024 2").succeeds();
    let files: Vec<String> = world.files().into_keys().collect();
    let february = "year=2024/month=2/entity_stats_monthly_2024_2.csv";
    let year = "year=2024/entity_stats_yearly_2024.csv";
    assert_eq!(files, [year, &daily(2024, 2, 1), &daily(2024, 2, 29), february]);
    day_says(&world, (2024, 2, 1), "20,20,20,20.000000");
    day_says(&world, (2024, 2, 29), "54300,300,50000,18100.000000");
    world.file(february, "year,month,sum_values,min_values,max_values,mean_values\n2024,2,54320,20,50000,13580.000000");
    world.kalends("export").succeeds();
    day_says(&world, (2024, 1, 31), "1,1,1,1.000000");
    day_says(&world, (2024, 3, 1), "600000,600000,600000,600000.000000");
    world.settles();
}

#[test]
fn a_row_comes_when_it_gets_a_time_and_goes_when_it_loses_it() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 1\n NULL | 20\n NULL | 300");
    world.settles();
    day_says(&world, (2024, 1, 2), "1,1,1,1.000000");
    world.production_sql("UPDATE entity SET created_at = '2019-07-01 12:00' WHERE value = 20");
    world.heals();
    day_says(&world, (2019, 7, 1), "20,20,20,20.000000");
    assert_eq!(world.ask_warehouse(ROWS), ["2019-07-01 12:00:00|20", "2024-01-02 00:00:00|1"]);
    world.kalends("verify").succeeds().says("set aside   1 row without a time");
    world.production_sql("UPDATE entity SET created_at = NULL WHERE value = 1");
    world.heals_when_accepted();
    assert_eq!(world.ask_warehouse(ROWS), ["2019-07-01 12:00:00|20"]);
    assert!(!world.exports.join("year=2024").exists());
}

#[test]
fn a_month_regenerated_between_its_old_ends_keeps_nothing_of_them() {
    let world = World::new();
    let month = "INSERT INTO entity SELECT timestamp '2024-05-01' + n * interval '1 day', 1 + n FROM generate_series(0, 30) AS n";
    world.production_sql(&format!("INSERT INTO entity VALUES ('2024-04-30', 9), ('2024-06-01', 9); {month}"));
    world.settles();
    world.production_sql(
        "BEGIN; DELETE FROM entity WHERE created_at >= '2024-05-01' AND created_at < '2024-06-01';
         INSERT INTO entity VALUES ('2024-05-10', 100), ('2024-05-12', 200); COMMIT",
    );
    world.heals_when_accepted();
    assert_eq!(
        world.ask_warehouse(ROWS),
        ["2024-04-30 00:00:00|9", "2024-05-10 00:00:00|100", "2024-05-12 00:00:00|200", "2024-06-01 00:00:00|9"]
    );
    let may: Vec<String> = world.files().into_keys().filter(|path| path.contains("month=5")).collect();
    assert_eq!(
        may,
        [daily(2024, 5, 10), daily(2024, 5, 12), "year=2024/month=5/entity_stats_monthly_2024_5.csv".into()]
    );
}

#[test]
fn what_vanishes_leaves_no_account_at_any_level() {
    let world = World::new();
    world.production("created_at | value\n 2023-12-31 | 4\n 2024-01-01 | 6\n 2024-02-02 | 8\n 2024-02-03 | 10");
    world.settles();
    world.production_sql("DELETE FROM entity WHERE value = 10");
    world.heals();
    assert_eq!(
        views(&world),
        [
            "day|2023-12-31|4|4|4|4.000000",
            "day|2024-1-1|6|6|6|6.000000",
            "day|2024-2-2|8|8|8|8.000000",
            "month|2023-12|4|4|4|4.000000",
            "month|2024-1|6|6|6|6.000000",
            "month|2024-2|8|8|8|8.000000",
            "year|2023|4|4|4|4.000000",
            "year|2024|14|6|8|7.000000",
        ]
    );
    world.production_sql("DELETE FROM entity WHERE value IN (4, 8)");
    world.heals_when_accepted();
    assert_eq!(
        views(&world),
        ["day|2024-1-1|6|6|6|6.000000", "month|2024-1|6|6|6|6.000000", "year|2024|6|6|6|6.000000"]
    );
}

#[test]
fn a_day_that_is_loaded_again_and_again_is_replaced_and_never_added_to() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 0\n 2024-01-02 23:59:59.999999 | 0\n 2024-01-03 | 5");
    world.settles();
    for value in 1..=5_u8 {
        world.production_sql(&format!("UPDATE entity SET value = {value} WHERE created_at = '2024-01-02'"));
        world.kalends("run").succeeds();
        world.kalends("run").succeeds().says("nothing to do");
        let first = format!("2024-01-02 00:00:00|{value}");
        assert_eq!(world.ask_warehouse(ROWS), [&first, "2024-01-02 23:59:59.999999|0", "2024-01-03 00:00:00|5"]);
        day_says(&world, (2024, 1, 2), &format!("{value},0,{value},{}.{}00000", value / 2, 5 * (value % 2)));
    }
    world.settles();
}

#[test]
fn partitions_that_are_dropped_emptied_or_attached_are_seen() {
    let world = World::new();
    world.production_sql(
        "DROP TABLE entity;
         CREATE TABLE entity (created_at timestamp, value integer) PARTITION BY RANGE (created_at);
         CREATE TABLE january PARTITION OF entity FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
         CREATE TABLE february PARTITION OF entity FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
         CREATE TABLE march PARTITION OF entity FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
         CREATE TABLE april (created_at timestamp, value integer);
         INSERT INTO entity VALUES ('2024-01-05', 1), ('2024-02-05', 20), ('2024-03-05', 300);
         INSERT INTO april VALUES ('2024-04-05', 4000)",
    );
    world.settles();
    world.production_sql(
        "DROP TABLE january; TRUNCATE february;
         ALTER TABLE entity ATTACH PARTITION april FOR VALUES FROM ('2024-04-01') TO ('2024-05-01')",
    );
    world.heals_when_accepted();
    assert_eq!(world.ask_warehouse(ROWS), ["2024-03-05 00:00:00|300", "2024-04-05 00:00:00|4000"]);
    assert_eq!(
        views(&world),
        [
            "day|2024-3-5|300|300|300|300.000000",
            "day|2024-4-5|4000|4000|4000|4000.000000",
            "month|2024-3|300|300|300|300.000000",
            "month|2024-4|4000|4000|4000|4000.000000",
            "year|2024|4300|300|4000|2150.000000",
        ]
    );
}

#[test]
fn history_that_production_purges_goes_here_as_well_and_what_it_was_is_noted() {
    let world = World::new();
    world.production("created_at | value\n 2022-06-01 | 5\n 2022-06-02 | 7\n 2024-01-01 | 1");
    world.settles();
    world.production_sql("DELETE FROM entity WHERE created_at < '2023-01-01'");
    world.kalends("run --accept-loss").succeeds().says("2 vanished");
    world.is_exact();
    let noted = world.ask_warehouse(
        "SELECT level, period, cause, before->'rows', before->'sum_values', before->'min_values', before->'max_values', after
         FROM kalends.restatement ORDER BY 1, 2",
    );
    assert_eq!(
        noted,
        [
            "day|2022-06-01|vanished|1|5|5|5|",
            "day|2022-06-02|vanished|1|7|7|7|",
            "month|2022-06-01||2|12|5|7|",
            "year|2022-01-01||2|12|5|7|",
        ]
    );
}

#[test]
fn times_keep_their_microseconds_so_none_is_ever_loaded_twice() {
    let world = World::new();
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-31 23:59:59.999990' + n * interval '1 microsecond', n
         FROM generate_series(0, 19) AS n",
    );
    world.settles();
    world.production_sql("INSERT INTO entity VALUES ('2024-02-01 00:00:00.000010', 20)");
    world.heals();
    let exactly: Vec<String> = (0..=20_u8)
        .map(|n| match n {
            // Printed without zeros behind the last digit.
            0 => "2024-01-31 23:59:59.99999|0".to_string(),
            1..=9 => format!("2024-01-31 23:59:59.99999{n}|{n}"),
            10 => "2024-02-01 00:00:00|10".to_string(),
            20 => "2024-02-01 00:00:00.00001|20".to_string(),
            _ => format!("2024-02-01 00:00:00.00000{}|{n}", n - 10),
        })
        .collect();
    assert_eq!(world.ask_warehouse(ROWS), exactly);
    day_says(&world, (2024, 1, 31), "45,0,9,4.500000");
    day_says(&world, (2024, 2, 1), "165,10,20,15.000000");
}

#[test]
fn a_sum_of_floats_is_exact_again_when_the_large_one_is_gone() {
    let world = World::new();
    world.production_sql("ALTER TABLE entity ALTER value TYPE double precision");
    let settings = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    world.settings(settings);
    world.production("created_at | value\n 2024-01-01 | 0.1\n 2024-01-01 | 0.2\n 2024-01-01 | 1e16\n 2024-01-02 | 0.3");
    world.kalends("run").succeeds();
    day_says(&world, (2024, 1, 1), "10000000000000000.3,0.1,1e+16,3333333333333333.433333");
    world.production_sql("DELETE FROM entity WHERE value = 1e16");
    world.kalends("run").succeeds();
    day_says(&world, (2024, 1, 1), "0.3,0.1,0.2,0.150000");
    let year = "year,sum_values,min_values,max_values,mean_values\n2024,0.6,0.1,0.3,0.200000";
    world.file("year=2024/entity_stats_yearly_2024.csv", year);
    world.kalends("verify").succeeds();
}

#[test]
fn the_file_of_a_day_with_a_late_row_holds_the_whole_day() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 08:00 | 5\n 2024-01-02 09:00 | 7\n 2024-03-01 | 1");
    world.settles();
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02 10:00', 30)");
    world.heals();
    day_says(&world, (2024, 1, 2), "42,5,30,14.000000");
    // Nothing of it is where the day of the run would be.
    assert_eq!(world.files().len(), 2 + 2 + 1);
}

/// Whoever reads all files of a level adds these up: the sums, by level.
fn added_up(world: &World) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for (path, bytes) in world.files() {
        let level = path.rsplit('/').next().unwrap().split('_').nth(2).unwrap().to_string();
        let text = String::from_utf8(bytes).unwrap();
        let column = text.lines().next().unwrap().split(',').position(|name| name == "sum_values").unwrap();
        for line in text.lines().skip(1) {
            *sums.entry(level.clone()).or_default() += line.split(',').nth(column).unwrap().parse::<i64>().unwrap();
        }
    }
    sums
}

#[test]
fn whoever_adds_up_all_files_of_a_level_has_every_row_once() {
    let world = World::new();
    for change in [
        "INSERT INTO entity SELECT timestamp '2023-11-20' + n * interval '5 hours', n FROM generate_series(1, 300) AS n",
        "UPDATE entity SET value = value + 1000 WHERE value % 7 = 0",
        "DELETE FROM entity WHERE created_at >= '2023-12-01' AND created_at < '2024-01-01'",
        "INSERT INTO entity SELECT created_at + interval '11 days', 3 FROM entity WHERE value < 60",
    ] {
        world.production_sql(change);
        world.kalends("run --accept-loss").succeeds();
        let sum: i64 = world.ask_production("SELECT sum(value) FROM entity")[0].parse().unwrap();
        let all = ["daily", "monthly", "yearly"].map(|level| (level.to_string(), sum));
        assert_eq!(added_up(&world), BTreeMap::from(all));
    }
    world.settles();
}

#[test]
fn verify_sees_one_unit_and_one_microsecond_in_the_oldest_of_many_rows() {
    let world = World::new();
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2014-03-04 05:06:07' + n * interval '17 minutes', 2000000000
         FROM generate_series(0, 200000) AS n",
    );
    world.settles();
    let oldest = "WHERE created_at = (SELECT min(created_at) FROM entity)";
    let difference = |layer: &str| json!({"layer": layer, "what": "2014-03-04", "how": "changed"});
    for change in ["value = value + 1", "created_at = created_at + interval '1 microsecond'"] {
        world.production_sql(&format!("UPDATE entity SET {change} {oldest}"));
        let found = world.kalends("verify --json").fails_with(3).json();
        assert_eq!(found["differences"], json!([difference("rows"), difference("accounts")]), "{change}");
        world.kalends("run").succeeds();
        world.kalends("verify").succeeds();
    }
    let rows = "SELECT created_at, value FROM %s ORDER BY 1, 2 LIMIT 2";
    assert_eq!(
        world.ask_warehouse(&rows.replace("%s", "kalends_raw.entity")),
        ["2014-03-04 05:06:07.000001|2000000001", "2014-03-04 05:23:07|2000000000"]
    );
    day_says(&world, (2014, 3, 4), "134000000001,2000000000,2000000001,2000000000.014925");
}

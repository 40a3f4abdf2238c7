//! Hours, weeks and quarters.

use super::{Asked, settles, settles_by};
use crate::kit::World;

const LEVELS: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];

fn asked() -> Asked<'static> {
    Asked { measures: &[("n", "integer")], levels: &LEVELS, ..Asked::default() }
}

fn world(kind: &str, rows: &str) -> World {
    let world = World::new();
    world.production_sql(&format!(
        "CREATE TABLE t (at {kind}, n integer); SET TimeZone = 'UTC'; INSERT INTO t VALUES {rows}"
    ));
    world
}

fn names(world: &World, adverb: &str) -> Vec<String> {
    let files = world.files().into_keys().filter(|path| path.contains(adverb));
    files.map(|path| path.rsplit('/').next().unwrap().to_string()).collect()
}

#[test]
fn weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday() {
    let world = world(
        "timestamp",
        "('2020-12-31 23:59:59', 1), ('2021-01-03 23:59:59.999999', 2), ('2021-01-04', 4), ('2024-12-30', 8), ('2025-01-05', 16),
         ('2026-12-31', 32), ('2027-01-01', 64)",
    );
    world.settings(asked().settings());
    settles(&world);
    asked().is_exact(&world);
    let header = "iso_year,week,sum_n,min_n,max_n,mean_n,count_n";
    world.file("iso_year=2020/week=53/t_stats_weekly_2020_53.csv", &format!("{header}\n2020,53,3,1,2,1.500000,2"));
    world.file("iso_year=2021/week=1/t_stats_weekly_2021_1.csv", &format!("{header}\n2021,1,4,4,4,4.000000,1"));
    world.file("iso_year=2025/week=1/t_stats_weekly_2025_1.csv", &format!("{header}\n2025,1,24,8,16,12.000000,2"));
    world.file("iso_year=2026/week=53/t_stats_weekly_2026_53.csv", &format!("{header}\n2026,53,96,32,64,48.000000,2"));
    // A row moves over the end of its week, which is of the month before.
    world.production_sql("UPDATE t SET at = '2021-01-04' WHERE n = 2; DELETE FROM t WHERE n IN (32, 64)");
    world.kalends("verify").fails_with(3);
    settles_by(&world, "run --accept-loss");
    asked().is_exact(&world);
    assert!(!world.exports.join("iso_year=2026").exists());
}

#[test]
fn an_hour_that_the_clock_goes_through_twice_is_one_and_one_that_it_leaves_out_has_no_file() {
    let world = world(
        "timestamptz",
        "('2024-10-27 00:30+00', 1), ('2024-10-27 01:30+00', 2), ('2024-10-27 02:00+00', 4),
         ('2024-03-31 00:59:59.999999+00', 8), ('2024-03-31 01:00+00', 16)",
    );
    let asked = Asked { zone: Some("Europe/Paris"), ..asked() };
    world.settings(asked.settings());
    settles(&world);
    asked.is_exact(&world);
    let header = "year,month,day,hour,sum_n,min_n,max_n,mean_n,count_n";
    let twice = "year=2024/month=10/day=27/hour=2/t_stats_hourly_2024_10_27_2.csv";
    world.file(twice, &format!("{header}\n2024,10,27,2,3,1,2,1.500000,2"));
    assert_eq!(
        names(&world, "hourly"),
        [
            "t_stats_hourly_2024_10_27_2.csv",
            "t_stats_hourly_2024_10_27_3.csv",
            "t_stats_hourly_2024_3_31_1.csv",
            "t_stats_hourly_2024_3_31_3.csv"
        ]
    );
    assert_eq!(
        world.ask_warehouse("SELECT * FROM kalends_stats.t_stats_hourly WHERE hour = 2"),
        ["2024|10|27|2|3|1|2|1.500000|2|2024-10-27 02:00:00|t"]
    );
    // Within the same hour on the wall clock nothing that is published changes, and yet the row is another.
    world.production_sql("UPDATE t SET at = at + interval '1 hour' WHERE n = 1");
    let before = world.files();
    world.kalends("run").succeeds().says("settled     1 day (1 changed), 1 month");
    assert_eq!(world.files(), before);
    asked.is_exact(&world);
}

#[test]
fn a_zone_of_half_hours_has_hours_of_its_own() {
    let world = world("timestamptz", "('2024-01-01 18:29+00', 1), ('2024-01-01 18:30+00', 2)");
    let asked = Asked { zone: Some("Asia/Kolkata"), ..asked() };
    world.settings(asked.settings());
    settles(&world);
    asked.is_exact(&world);
    assert_eq!(names(&world, "hourly"), ["t_stats_hourly_2024_1_1_23.csv", "t_stats_hourly_2024_1_2_0.csv"]);
}

#[test]
fn years_before_christ_and_those_that_only_a_date_has_have_weeks_and_quarters() {
    let world = world("date", "('0044-03-15 BC', 1), ('4713-01-01 BC', 2), ('300000-12-31', 4), ('0001-12-31 BC', 8)");
    let asked = Asked { levels: &["week", "quarter"], ..asked() };
    world.settings(asked.settings());
    settles(&world);
    let paths: Vec<String> = world.files().into_keys().collect();
    assert_eq!(
        paths,
        [
            "iso_year=-1/week=52/t_stats_weekly_-1_52.csv",
            "iso_year=-44/week=11/t_stats_weekly_-44_11.csv",
            "iso_year=-4713/week=1/t_stats_weekly_-4713_1.csv",
            "iso_year=300000/week=52/t_stats_weekly_300000_52.csv",
            "year=-1/quarter=4/t_stats_quarterly_-1_4.csv",
            "year=-44/quarter=1/t_stats_quarterly_-44_1.csv",
            "year=-4713/quarter=1/t_stats_quarterly_-4713_1.csv",
            "year=300000/quarter=4/t_stats_quarterly_300000_4.csv",
        ]
    );
    world.file(&paths[2], "iso_year,week,sum_n,min_n,max_n,mean_n,count_n\n-4713,1,2,2,2,2.000000,1");
    world.file(&paths[5], "year,quarter,sum_n,min_n,max_n,mean_n,count_n\n-44,1,1,1,1,1.000000,1");
    world.production_sql("DELETE FROM t");
    settles_by(&world, "run --accept-loss");
    assert_eq!(world.files().len(), 0);
}

#[test]
fn a_month_is_exported_with_the_weeks_and_the_quarter_that_it_touches() {
    let world = world("timestamp", "('2024-01-31', 1), ('2024-02-15 05:00', 2), ('2024-03-03', 4), ('2024-03-04', 8)");
    world.settings(asked().settings());
    world.kalends("prepare").succeeds();
    world.kalends("export 2024 2").succeeds();
    assert_eq!(
        names(&world, "weekly"),
        ["t_stats_weekly_2024_5.csv", "t_stats_weekly_2024_7.csv", "t_stats_weekly_2024_9.csv"]
    );
    assert_eq!(names(&world, "quarterly"), ["t_stats_quarterly_2024_1.csv"]);
    assert_eq!(names(&world, "hourly"), ["t_stats_hourly_2024_2_15_5.csv"]);
    assert_eq!(names(&world, "daily"), ["t_stats_daily_2024_2_15.csv"]);
    world.kalends("export").succeeds();
    asked().is_exact(&world);
    // Files of a week that no longer holds rows go with either of its months.
    world.production_sql("DELETE FROM t WHERE at = '2024-01-31'");
    world.kalends("prepare --accept-loss").succeeds();
    world.kalends("export 2024 2").succeeds();
    assert!(!names(&world, "weekly").contains(&"t_stats_weekly_2024_5.csv".to_string()));
    assert!(names(&world, "daily").contains(&"t_stats_daily_2024_1_31.csv".to_string()));
}

#[test]
fn accounts_of_hours_weeks_and_quarters_that_somebody_changes_are_found_and_mended() {
    let world = world("timestamp", "('2024-01-31 01:00', 1), ('2024-01-31 02:00', 2), ('2024-02-01', 2)");
    world.settings(asked().settings());
    settles(&world);
    let good = (world.files(), world.ask_warehouse("SELECT * FROM kalends_stats.t_hour ORDER BY 1"));
    for (sql, period) in [
        ("UPDATE kalends_stats.t_hour SET sum_n = 7 WHERE n_hour(hour) = 1", "2024-01-31"),
        ("DELETE FROM kalends_stats.t_hour WHERE n_hour(hour) = 2", "2024-01-31"),
        (
            "INSERT INTO kalends_stats.t_hour SELECT hour + interval '9 years', rows, count_n, sum_n, min_n, max_n FROM kalends_stats.t_hour ORDER BY hour LIMIT 1",
            "2033-01-31",
        ),
        ("UPDATE kalends_stats.t_week SET max_n = 3", "2024-W05"),
        ("DELETE FROM kalends_stats.t_week", "2024-W05"),
        ("UPDATE kalends_stats.t_quarter SET rows = 4", "2024-Q1"),
        (
            "INSERT INTO kalends_stats.t_quarter SELECT date '2023-01-01', rows, count_n, sum_n, min_n, max_n FROM kalends_stats.t_quarter",
            "2023-Q1",
        ),
    ] {
        world.warehouse_sql(&sql.replace("n_hour(hour)", "extract(hour FROM hour)"));
        world.kalends("verify").fails_with(3).says(&format!("accounts    {period} changed"));
        world.kalends("run").succeeds().says(&format!("repaired    {period}"));
        world.kalends("verify").succeeds();
        assert_eq!(
            (world.files(), world.ask_warehouse("SELECT * FROM kalends_stats.t_hour ORDER BY 1")),
            good,
            "{sql}"
        );
    }
    // What adds up again all the same is seen by `verify`, which looks at the rows.
    world.warehouse_sql("UPDATE kalends_stats.t_hour SET sum_n = 3 - sum_n, min_n = 3 - min_n, max_n = 3 - max_n WHERE hour < '2024-02-01'");
    world.kalends("run").succeeds();
    world.kalends("verify").fails_with(3).says("accounts    2024-01-31 changed");
}

#[test]
fn what_levels_cannot_mean_is_refused() {
    let world = world("date", "('2024-01-31', 1)");
    world.settings(asked().settings());
    world.kalends("run").fails_with(4).says("column \"at\" of table \"public.t\" is of type date, which has no hours");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_%'"), ["0"]);
}

//! Whatever happens to production, one run makes rows, accounts and files equal to it.

use crate::kit::World;

/// Two months, with duplicates, settled and published.
fn settled() -> World {
    World::settled(
        "created_at          | value
         2024-01-02 08:00:00 | 5
         2024-01-02 08:00:00 | 5
         2024-01-31 10:00:00 | 10
         2024-02-01 00:00:00 | -3
         2024-02-29 23:59:59.999999 | 8",
    )
}

#[test]
fn a_first_load_is_exact_to_the_last_digit() {
    let world = settled();
    world.file(
        "year=2024/entity_stats_yearly_2024.csv",
        "year,sum_values,min_values,max_values,mean_values
         2024,25,-3,10,5.000000",
    );
    world.file(
        "year=2024/month=2/day=29/entity_stats_daily_2024_2_29.csv",
        "year,month,day,sum_values,min_values,max_values,mean_values
         2024,2,29,8,8,8,8.000000",
    );
    assert_eq!(world.files().len(), 4 + 2 + 1);
}

#[test]
fn an_empty_production_is_nothing_to_do() {
    let world = World::new();
    world.kalends("run").succeeds().says("nothing to do");
    assert!(!world.exports.exists());
}

#[test]
fn new_rows_are_added() {
    let world = settled();
    world.production_sql("INSERT INTO entity VALUES ('2024-03-01', 7), ('2024-03-02', 9)");
    world.heals();
}

#[test]
fn a_row_that_is_40_days_late_reaches_every_account_and_file() {
    let world = settled();
    world.production_sql("INSERT INTO entity VALUES (timestamp '2024-02-29' - interval '40 days', 100)");
    world.heals();
}

#[test]
fn a_row_that_is_10_years_late_reaches_every_account_and_file() {
    let world = settled();
    world.production_sql("INSERT INTO entity VALUES (timestamp '2024-02-29' - interval '10 years', 100)");
    world.heals();
    world.file(
        "year=2014/entity_stats_yearly_2014.csv",
        "year,sum_values,min_values,max_values,mean_values
         2014,100,100,100,100.000000",
    );
}

#[test]
fn a_row_tied_with_the_newest_is_not_lost() {
    let world = settled();
    world.production_sql("INSERT INTO entity VALUES ('2024-02-29 23:59:59.999999', 1)");
    world.heals();
}

#[test]
fn a_second_identical_row_counts_twice() {
    let world = settled();
    world.production_sql("INSERT INTO entity VALUES ('2024-02-29 23:59:59.999999', 8)");
    world.heals();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_raw.entity WHERE value = 8"), ["2"]);
}

#[test]
fn an_updated_value_is_updated() {
    let world = settled();
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.heals();
}

#[test]
fn one_of_two_identical_rows_deleted_leaves_one() {
    let world = settled();
    world.production_sql("DELETE FROM entity WHERE ctid = (SELECT min(ctid) FROM entity WHERE value = 5)");
    world.heals();
}

#[test]
fn a_day_that_is_emptied_loses_its_account_its_file_and_its_folder() {
    let world = settled();
    world.production_sql("DELETE FROM entity WHERE created_at = '2024-01-31 10:00:00'");
    world.heals();
    assert!(!world.exports.join("year=2024/month=1/day=31").exists());
    assert!(world.exports.join("year=2024/month=1/day=2").exists());
}

#[test]
fn a_month_deleted_and_regenerated_with_as_many_rows_is_reloaded() {
    let world = settled();
    world.production_sql(
        "BEGIN; DELETE FROM entity WHERE created_at < '2024-02-01';
         INSERT INTO entity VALUES ('2024-01-03', 4), ('2024-01-04', 6), ('2024-01-05', 10); COMMIT",
    );
    world.heals();
}

#[test]
fn a_month_that_vanishes_takes_its_files_along_and_a_year_as_well() {
    let world = settled();
    world.production_sql("DELETE FROM entity WHERE created_at < '2024-02-01'");
    world.heals_when_accepted();
    assert!(!world.exports.join("year=2024/month=1").exists());

    world.production_sql("DELETE FROM entity; INSERT INTO entity VALUES ('2025-01-01', 1)");
    world.heals_when_accepted();
    assert!(!world.exports.join("year=2024").exists());
}

#[test]
fn a_truncated_table_empties_warehouse_and_folder() {
    let world = settled();
    world.production_sql("TRUNCATE entity");
    world.heals_when_accepted();
    assert!(world.files().is_empty());
}

#[test]
fn a_detached_partition_is_gone() {
    let world = World::new();
    world.production_sql(
        "DROP TABLE entity;
         CREATE TABLE entity (created_at timestamp, value integer) PARTITION BY RANGE (created_at);
         CREATE TABLE january PARTITION OF entity FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
         CREATE TABLE february PARTITION OF entity FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
         CREATE TABLE march PARTITION OF entity FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
         INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 hour', n FROM generate_series(0, 2000) AS n",
    );
    world.settles();
    world.production_sql("ALTER TABLE entity DETACH PARTITION february");
    world.heals_when_accepted();
    assert!(!world.exports.join("year=2024/month=2").exists());
}

#[test]
fn a_transaction_with_an_old_time_that_commits_after_our_run_is_loaded_by_the_next() {
    let world = settled();
    let mut late = postgres::Client::connect(&world.production_url, postgres::NoTls).unwrap();
    let mut open = late.transaction().unwrap();
    open.batch_execute("INSERT INTO entity VALUES ('2024-01-15', 42)").unwrap();
    world.production_sql("INSERT INTO entity VALUES ('2024-03-01', 1)");
    world.settles();
    open.commit().unwrap();
    world.heals();
}

#[test]
fn rows_swapped_between_days_are_seen() {
    let world = settled();
    world.production_sql(
        "UPDATE entity SET created_at = CASE value WHEN -3 THEN timestamp '2024-02-29 23:59:59.999999' ELSE '2024-02-01' END
         WHERE value IN (-3, 8)",
    );
    world.heals();
}

#[test]
fn the_same_count_and_sum_of_other_rows_are_seen() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-01 | 1\n 2024-01-01 | 3\n 2024-01-01 | 5\n 2024-01-01 | 5");
    world.settles();
    world.production_sql("UPDATE entity SET value = 2 WHERE value IN (1, 3)");
    world.heals();
    // A pair of equal rows cancels out of an XOR of hashes; not out of a sum.
    world.production_sql("UPDATE entity SET value = 4 WHERE value = 5; INSERT INTO entity VALUES ('2024-01-01', 2)");
    world.heals();
    world.production_sql(
        "UPDATE entity SET value = 7 WHERE ctid IN (SELECT ctid FROM entity WHERE value = 4 LIMIT 1);
                          UPDATE entity SET value = 1 WHERE ctid IN (SELECT ctid FROM entity WHERE value = 4 LIMIT 1)",
    );
    world.heals();
}

#[test]
fn each_of_the_two_sums_of_hashes_changes_with_the_rows() {
    let world = World::settled("created_at | value\n 2024-01-01 | 1\n 2024-01-01 | 3");
    let hash = |which| world.ask_warehouse(&format!("SELECT hash_{which} FROM kalends_stats.entity_day"));
    let mut before = ["a", "b"].map(hash);
    for value in ["2", "0", "NULL"] {
        world.production_sql(&format!("UPDATE entity SET value = {value}"));
        world.heals();
        let after = ["a", "b"].map(hash);
        assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{value}: {before:?} {after:?}");
        before = after;
    }
}

#[test]
fn rows_of_the_other_days_of_a_month_stay_where_they_are() {
    let world = World::settled("created_at | value\n 2024-01-01 | 1\n 2024-01-02 | 2");
    let rows = || world.ask_warehouse("SELECT ctid, xmin, * FROM kalends_raw.entity WHERE created_at < '2024-01-02'");
    let before = rows();
    assert_eq!(before.len(), 1);
    world.production_sql("UPDATE entity SET value = 3 WHERE value = 2");
    world.heals();
    assert_eq!(rows(), before);
}

#[test]
fn times_that_postgres_hashes_alike_are_told_apart() {
    let world = World::new();
    // 2000-01-05 00:00:00 is 345600000000 microseconds; one more above bit 32 and one more in bit 0 folds alike.
    world.production_sql("INSERT INTO entity VALUES ('2000-01-05', 1)");
    world.settles();
    let folded = "SELECT timestamp_hash_extended(min(created_at), 7) FROM entity";
    let before = world.ask_production(folded);
    world.production_sql(
        "UPDATE entity SET created_at = timestamp '2000-01-01' + interval '1 microsecond' * (345600000000 # ((1::bigint << 32) | 1))",
    );
    assert_eq!(world.ask_production(folded), before, "the two times were to hash alike");
    world.heals();
}

#[test]
fn null_values_count_as_rows_and_stay_out_of_sum_min_max_and_mean() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-01 | NULL\n 2024-01-01 | 1\n 2024-01-01 | 2\n 2024-01-02 | NULL");
    world.settles();
    world.file(
        "year=2024/month=1/day=1/entity_stats_daily_2024_1_1.csv",
        "year,month,day,sum_values,min_values,max_values,mean_values
         2024,1,1,3,1,2,1.500000",
    );
    world.file(
        "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv",
        "year,month,day,sum_values,min_values,max_values,mean_values
         2024,1,2,,,,",
    );
    assert_eq!(world.ask_warehouse("SELECT rows, count_values FROM kalends_stats.entity_month"), ["4|2"]);

    // A row without a value that moves within its day changes nothing but itself, and is seen.
    world.production_sql("UPDATE entity SET created_at = '2024-01-02 00:00:01' WHERE created_at = '2024-01-02'");
    world.heals();
}

#[test]
fn rows_of_no_day_are_set_aside_counted_and_said() {
    let world = settled();
    world.production("created_at | value\n NULL | 1\n NULL | NULL\n infinity | 2\n -infinity | 3\n 4714-12-31 BC | 4");
    world
        .kalends("prepare")
        .succeeds()
        .says("set aside   2 rows without a time, 3 at infinity, before 4713 BC or after 999998");
    world
        .kalends("verify")
        .succeeds()
        .says("set aside   2 rows without a time, 3 at infinity, before 4713 BC or after 999998");
    let report = world.kalends("run --json").json();
    assert_eq!(report["set_aside"]["without_time"], 2);
    assert_eq!(report["set_aside"]["outside_calendar"], 3);
    assert_eq!(report["surveyed_rows"], 5);
    world.settles();
}

#[test]
fn days_of_any_age_have_their_accounts_and_files() {
    let world = World::new();
    world.production(
        "created_at             | value
         2099-12-31 23:59:59.999999 | 1
         1969-12-31 23:59:59.999999 | 2
         1970-01-01 00:00:00    | 0
         0044-03-15 12:00:00 BC | 3
         0044-03-15 12:00:00    | 4
         12024-07-04 00:00:00   | 5
         4713-01-01 00:00:00 BC | 6
         294276-12-31 23:59:59.999999 | 7",
    );
    world.settles();
    let years: Vec<String> = world.files().into_keys().filter(|path| path.contains("yearly")).collect();
    assert_eq!(years.len(), 8);
    world.file(
        "year=-44/entity_stats_yearly_-44.csv",
        "year,sum_values,min_values,max_values,mean_values
         -44,3,3,3,3.000000",
    );
    world.file(
        "year=12024/month=7/entity_stats_monthly_12024_7.csv",
        "year,month,sum_values,min_values,max_values,mean_values
         12024,7,5,5,5,5.000000",
    );
    // A row of the far future does not keep the others from being loaded.
    world.production_sql("INSERT INTO entity VALUES ('2024-01-01', 8)");
    world.heals();
}

#[test]
fn sums_and_means_are_exact_at_the_ends_of_the_integers() {
    let world = World::new();
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-01', 2147483647 FROM generate_series(1, 1000);
         INSERT INTO entity SELECT timestamp '2024-01-02', -2147483648 FROM generate_series(1, 1001);
         INSERT INTO entity VALUES ('2024-02-01', 1), ('2024-02-01', 1), ('2024-02-02', 2), ('2024-02-03', -1), ('2024-02-04', -2),
                                   ('2024-02-04', -2), ('2024-02-04', -1)",
    );
    world.settles();
}

#[test]
fn the_mean_of_a_month_is_not_the_mean_of_its_days() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-01 | 1\n 2024-01-01 | 2\n 2024-01-02 | 100");
    world.settles();
    world.file(
        "year=2024/month=1/entity_stats_monthly_2024_1.csv",
        "year,month,sum_values,min_values,max_values,mean_values
         2024,1,103,1,100,34.333333",
    );
}

#[test]
fn only_the_accounts_of_changed_days_their_month_and_their_year_are_written() {
    let world = settled();
    let accounts = "SELECT day::text, xmin::text FROM kalends_stats.entity_day UNION ALL
                    SELECT month::text, xmin::text FROM kalends_stats.entity_month UNION ALL
                    SELECT 'year', xmin::text FROM kalends_stats.entity_year ORDER BY 1, 2";
    let generation = || world.ask_warehouse("SELECT generation FROM kalends.state").remove(0).parse::<i64>().unwrap();
    let (before, settlements) = (world.ask_warehouse(accounts), generation());
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.kalends("run").succeeds();
    assert_eq!(generation(), settlements + 1, "one month, in one transaction");
    let after = world.ask_warehouse(accounts);
    let changed: Vec<&str> =
        after.iter().filter(|row| !before.contains(row)).map(|row| row.split_once('|').unwrap().0).collect();
    assert_eq!(changed, ["2024-01-01", "2024-01-31", "year"]);
}

#[test]
fn restatements_are_noted_with_cause_before_and_after() {
    let world = settled();
    assert_eq!(world.ask_warehouse("SELECT * FROM kalends.restatement"), Vec::<String>::new());
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10; DELETE FROM entity WHERE value = -3");
    world.kalends("prepare").succeeds().says("2 days (1 changed, 1 vanished), 2 months");
    let noted = world.ask_warehouse(
        "SELECT level, period, cause, before->'rows', before->'sum_values', after->'rows', after->'sum_values'
         FROM kalends.restatement ORDER BY 1, 2",
    );
    assert_eq!(
        noted,
        [
            "day|2024-01-31|changed|1|10|1|11",
            "day|2024-02-01|vanished|1|-3||",
            "month|2024-01-01||3|20|3|21",
            "month|2024-02-01||2|5|1|8",
            "year|2024-01-01||5|25|4|29",
        ]
    );
}

#[test]
fn rows_that_somebody_changed_in_the_warehouse_do_not_keep_their_month_from_settling() {
    let world = settled();
    world.warehouse_sql(
        "UPDATE kalends_raw.entity SET value = 6 WHERE value = 10; DELETE FROM kalends_raw.entity WHERE value = 8",
    );
    world.kalends("verify").fails_with(3).says("rows        2024-01-31 changed").says("rows        2024-02-29 new");
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 1), ('2024-02-01', 1)");
    world.heals();
}

//! Production's counters make a run look at more.

use super::{change, filled, many_of_one_day, ran, settings, two_years, without_counters};
use crate::faults::held::{Hold, Running, wait_for};
use crate::kit::{World, servers};

#[test]
fn a_late_row_of_an_old_month_is_found_by_the_next_run() {
    let world = two_years();
    change(&world, "INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    let run = ran(&world, "run --json");
    assert_eq!(run["older"]["hints"][0]["why"], "rows", "{run}");
    assert_eq!((&run["settled_months"], &run["older"]["left_parts"]), (&1.into(), &0.into()), "{run}");
    world.is_exact();
    // It was found, so the next one is as well.
    change(&world, "UPDATE entity SET value = 701 WHERE value = 700");
    world
        .kalends("run")
        .succeeds()
        .says("hint        production counted more than the recent days show; due now: all days");
    world.is_exact();
    change(&world, "DELETE FROM entity WHERE value = 701");
    world.kalends("run").succeeds().says("hint ");
    world.is_exact();
    let before = (world.tuples(), world.tree());
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!((world.tuples(), world.tree()), before);
}

#[test]
fn a_production_in_another_encoding_gives_hints_as_well() {
    let latin1 = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    let world = filled(World::made(servers(), [latin1, ""]), "100 days");
    change(&world, "INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    let run = ran(&world, "run --json");
    assert_eq!((&run["older"]["hints"][0]["why"], &run["settled_months"]), (&"rows".into(), &1.into()), "{run}");
    world.is_exact();
}

#[test]
fn what_recent_days_explain_is_no_hint() {
    let world = two_years();
    for sql in [
        "INSERT INTO entity SELECT now() - interval '2 days', 900 FROM generate_series(1, 40)",
        "UPDATE entity SET value = 901 WHERE value = 900",
        "DELETE FROM entity WHERE ctid IN (SELECT ctid FROM entity WHERE value = 901 LIMIT 10)",
    ] {
        change(&world, sql);
        let run = ran(&world, "run --json");
        assert_eq!(run["older"]["hints"].as_array().unwrap().len(), 0, "{sql}: {run}");
    }
    world.is_exact();
}

#[test]
fn after_a_hint_that_led_to_nothing_rows_are_no_hint_for_a_while() {
    let world = two_years();
    // An aborted transaction counts its rows as well.
    let abort = "BEGIN; INSERT INTO entity VALUES (now(), 1); ROLLBACK";
    change(&world, abort);
    let run = ran(&world, "run --json");
    assert_eq!((run["older"]["hints"].as_array().unwrap().len(), &run["settled_months"]), (1, &0.into()), "{run}");
    change(&world, abort);
    let run = ran(&world, "run --json");
    assert_eq!(run["older"]["hints"].as_array().unwrap().len(), 0, "{run}");
}

#[test]
fn a_table_that_is_swapped_or_written_again_is_looked_at() {
    let world = two_years();
    world.production_sql(
        "BEGIN;
         CREATE TABLE other (LIKE entity INCLUDING ALL);
         INSERT INTO other
         SELECT created_at, value + CASE WHEN created_at < now() - interval '700 days' THEN 1 ELSE 0 END FROM entity;
         DROP TABLE entity; ALTER TABLE other RENAME TO entity; COMMIT",
    );
    world.grant_table("public", "entity");
    let run = ran(&world, "run --json");
    assert_eq!(run["older"]["hints"][0]["why"], "replaced", "{run}");
    world.is_exact();
    world.production_sql("VACUUM FULL entity");
    world.kalends("run").succeeds().says("hint        a table of production was replaced or written again");
}

/// Months of a table that is divided by ranges of its time.
fn divided(kind: &str, zone: &str) -> World {
    let world = World::new();
    world.settings(settings("45 days", "100 days") + zone);
    world.production_sql(&format!(
        "SET TimeZone = 'UTC';
         DROP TABLE entity;
         CREATE TABLE entity (created_at {kind}, value integer) PARTITION BY RANGE (created_at);
         CREATE TABLE first PARTITION OF entity FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
         CREATE TABLE middle PARTITION OF entity FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
         CREATE TABLE final PARTITION OF entity FOR VALUES FROM ('2020-02-01') TO (MAXVALUE);
         INSERT INTO entity VALUES ('2019-06-01', 1), ('2020-01-15', 2), ('2020-05-01', 3), (now(), 4)"
    ));
    world.grant_table("public", "entity");
    world.kalends("run").succeeds();
    world
}

#[test]
fn a_partition_that_moved_is_looked_at_and_no_other() {
    for (kind, zone) in [("timestamp", ""), ("date", ""), ("timestamptz", "time_zone = \"America/New_York\"\n")] {
        let world = divided(kind, zone);
        change(&world, "INSERT INTO entity VALUES ('2020-01-31 12:00', 7)");
        let run = ran(&world, "run --json");
        let hints = run["older"]["hints"].as_array().unwrap();
        assert_eq!(hints.len(), 1, "{kind}: {run}");
        // In New York, the partition of January in UTC begins in December.
        let from = if zone.is_empty() { "2020-01-01" } else { "2019-12-31" };
        assert_eq!((&hints[0]["from"], &hints[0]["until"]), (&from.into(), &"2020-02-01".into()), "{kind}");
        assert_eq!((&run["loaded_rows"], &run["older"]["rows"]), (&1.into(), &2.into()), "{kind}: {run}");
        world.kalends("verify --exact").succeeds();
        // A partition that is gone is looked at as well; its loss is held.
        world.production_sql("DROP TABLE middle");
        world.kalends("run").fails_with(4).says("entity \"entity\": 2020-01 is held");
        world.kalends("run --accept-loss").succeeds();
        world.kalends("verify --exact").succeeds();
        change(
            &world,
            "CREATE TABLE again PARTITION OF entity FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
             INSERT INTO entity VALUES ('2020-01-15', 2)",
        );
        world.kalends("run").succeeds();
        world.kalends("verify --exact").succeeds();
    }
}

#[test]
fn rows_of_a_recent_partition_explain_none_of_an_old_one() {
    let world = divided("timestamp", "");
    change(&world, "INSERT INTO entity VALUES (now(), 5), ('2020-01-31 12:00', 7)");
    let run = ran(&world, "run --json");
    assert_eq!((&run["older"]["hints"][0]["from"], &run["loaded_rows"]), (&"2020-01-01".into(), &3.into()), "{run}");
    world.kalends("verify --exact").succeeds();
}

#[test]
fn a_hint_is_kept_until_all_days_that_it_points_to_were_looked_at() {
    let world = many_of_one_day("100 days");
    let slowly = "[production]\nmax_rows_per_second = 30000\nlock_timeout = \"300ms\"\n";
    world.settings(slowly.to_string() + &settings("45 days", "100 days"));
    change(&world, "INSERT INTO entity VALUES (now() - interval '100 days', 700)");
    let run = Running::started(world.command("run"));
    wait_for("a slice", || world.ask_warehouse("SELECT count(*) FROM kalends.looked")[0] != "1");
    let hold = Hold::by(&world.production_url, "LOCK TABLE entity IN ACCESS EXCLUSIVE MODE");
    let ended = run.ends();
    drop(hold);
    ended.fails_with(0).says("left        ").says(" of older days, to the next run: ");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_raw.entity WHERE value = 700"), ["0"]);
    world.kalends("run").succeeds().says("hint ");
    world.is_exact();
}

#[test]
fn without_counters_or_after_a_reset_there_are_no_hints() {
    let world = two_years();
    without_counters(&world);
    world.production_sql("INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    let run = ran(&world, "run --json");
    assert_eq!((run["older"]["hints"].as_array().unwrap().len(), &run["loaded_rows"]), (0, &0.into()), "{run}");
    let world = two_years();
    change(&world, "INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    change(&world, "SELECT pg_stat_reset()");
    let run = ran(&world, "run --json");
    assert_eq!((run["older"]["hints"].as_array().unwrap().len(), &run["loaded_rows"]), (0, &0.into()), "{run}");
}

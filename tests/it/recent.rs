//! What a run looks at if `recent` is set: the recent days, a share of the older ones, and what counters point to.

mod hints;
mod shares;

use std::time::{Duration, Instant};

use crate::kit::World;

/// The default table, of which the recent days are looked at by every run, and all others within a time.
fn settings(recent: &str, every: &str) -> String {
    format!(
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n\
         recent = \"{recent}\"\nprove_all_every = \"{every}\"\n"
    )
}

/// Two years of days up to today, a row each, settled and published; the last 45 days are recent. Nothing else is due
/// for long.
fn two_years() -> World {
    two_years_proven_every("100 days")
}

fn two_years_proven_every(every: &str) -> World {
    filled(World::new(), every)
}

fn filled(world: World, every: &str) -> World {
    world.settings(settings("45 days", every));
    change(
        &world,
        "INSERT INTO entity SELECT day + interval '9 hours', extract(day FROM day)::int
         FROM generate_series(current_date - 730, current_date, interval '1 day') AS day;
         CREATE INDEX ON entity (created_at)",
    );
    world.settles();
    world
}

/// The same, with so many rows of one day that they take more than a slice.
fn many_of_one_day(every: &str) -> World {
    let world = two_years_proven_every(every);
    change(&world, "INSERT INTO entity SELECT now() - interval '300 days', 7 FROM generate_series(1, 60000)");
    world.kalends("run --all").succeeds();
    world
}

/// Changes production's rows, and waits until its counters tell of it. Before version 15 they come half a second late,
/// by a process of their own, which may take longer where the machine is busy.
fn change(world: &World, sql: &str) {
    let counters = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables";
    if world.ask_production("SELECT current_setting('server_version_num')::integer < 150000") == ["t"] {
        // For those of what was done before.
        std::thread::sleep(Duration::from_millis(1500));
    }
    let (before, begun) = (world.ask_production(counters), Instant::now());
    world.production_sql(sql);
    while world.ask_production(counters) == before && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Without counters, production gives no hints.
fn without_counters(world: &World) {
    let name = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!("ALTER DATABASE {name} SET track_counts = off"));
}

/// Lets it be so long ago that days were looked at.
fn look_before(world: &World, interval: &str) {
    world.warehouse_sql(&format!(
        "UPDATE kalends.entity SET settlement = settlement + 1,
             proven_as_of = (SELECT proven_at FROM kalends.freshness) - interval '{interval}';
         UPDATE kalends.looked SET as_of = as_of - interval '{interval}'"
    ));
}

/// A run's result.
fn ran(world: &World, command: &str) -> serde_json::Value {
    world.kalends(command).succeeds().json()
}

#[test]
fn a_run_looks_at_the_recent_days_and_says_so() {
    let world = two_years();
    without_counters(&world);
    let first: String =
        world.ask_warehouse("SELECT date_trunc('month', current_date - 45)::date").into_iter().collect();
    world.kalends("run").succeeds();
    let before = (world.tuples(), world.tree());
    let run = ran(&world, "run --json");
    assert_eq!(run["older"]["recent_from"], first.as_str(), "{run}");
    let days = world.ask_warehouse(&format!("SELECT current_date - date '{first}' + 1"))[0].clone();
    assert_eq!(run["surveyed_days"].to_string(), days, "{run}");
    assert_eq!((world.tuples(), world.tree()), before, "there was nothing to do");
    world.kalends("run").succeeds().says(&format!("from {first} on; before, as of ")).says(" or later");
    world.kalends("run --all").succeeds().says("nothing to do: equal to production as of");
    world
        .kalends("status")
        .succeeds()
        .says(&format!("proven      {first} on: equal to production as of "))
        .says("days before: equal to production as of ");
    // What changes on a recent day is settled by the next run, what changes before is not seen by this one.
    world.production_sql(
        "INSERT INTO entity VALUES (now() - interval '3 days', 500), (now() - interval '300 days', 700)",
    );
    let run = ran(&world, "run --json");
    assert_eq!((run["loaded_rows"].as_i64(), run["settled_months"].as_i64()), (Some(2), Some(1)), "{run}");
    // All is looked at if that is asked for.
    let run = ran(&world, "run --all --json");
    assert_eq!((run["loaded_rows"].as_i64(), &run["older"]), (Some(2), &serde_json::Value::Null), "{run}");
    world.is_exact();
}

#[test]
fn a_first_load_and_a_run_after_an_interrupted_one_look_at_everything() {
    let world = World::new();
    world.settings(settings("1 day", "1 year"));
    world.production("created_at | value\n 2020-01-02 | 5\n 2023-02-28 | 8");
    let run = ran(&world, "run --json");
    assert_eq!((&run["surveyed_days"], &run["older"]), (&2.into(), &serde_json::Value::Null), "{run}");
    without_counters(&world);
    // As after a run that was killed between two months.
    world.warehouse_sql("UPDATE kalends.entity SET whole = false");
    world.production_sql("UPDATE entity SET value = 6 WHERE value = 5");
    let run = ran(&world, "run --json");
    assert_eq!((&run["surveyed_days"], &run["settled_months"]), (&2.into(), &1.into()), "{run}");
    world.is_exact();
}

#[test]
fn of_a_production_that_is_older_than_what_was_settled_of_it_everything_is_looked_at() {
    let world = two_years();
    without_counters(&world);
    world.production_sql("INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    world.warehouse_sql("UPDATE kalends.source SET position = 'FFFFFF/0'");
    let (tuples, tree) = (world.tuples(), world.tree());
    for command in ["plan", "plan --json"] {
        world.kalends(command).succeeds().says("production is older than what was settled of it");
    }
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
    world.kalends("run").fails_with(4).says("production is older than what was settled of it");
    world.kalends("run --accept-loss").succeeds();
    world.is_exact();
}

//! Polite to production: who waits there, how fast it is read, and what it is told.

mod standby;
mod workers;

use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use crate::faults::held::{Hold, Moment, Running, wait_for};
use crate::kit::World;
use crate::own_servers::Side;

/// A run stops in mid copy while this is held: it loads into the table of a month that is there.
const IN_MID_COPY: Moment = Moment { side: Side::Warehouse, lock: "kalends_raw.entity_2024_01 IN SHARE", early: true };

fn changed() -> World {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settles();
    world.production_sql("UPDATE entity SET value = value + 1");
    // The test decides how long the run is held.
    world.settings("[limits]\nlock_timeout = \"120s\"\n");
    world
}

/// Every tuple, without the transaction that tried to replace it and was rolled back.
fn whole_tuples(world: &World) -> Vec<String> {
    let tuples = world.tuples().into_iter().map(|tuple| {
        let mut fields: Vec<&str> = tuple.split('|').collect();
        fields.remove(2);
        fields.join("|")
    });
    tuples.collect()
}

/// A session that wants something of production, and how long it waited.
fn want(url: &str, sql: &str) -> std::thread::JoinHandle<Duration> {
    let (url, sql) = (url.to_string(), sql.to_string());
    std::thread::spawn(move || {
        let mut client = Client::connect(&url, NoTls).unwrap();
        let begun = Instant::now();
        client.batch_execute(&sql).unwrap();
        begun.elapsed()
    })
}

#[test]
fn a_run_gives_way_to_whoever_waits_behind_it() {
    for sql in ["ALTER TABLE entity ADD COLUMN note text", "CREATE INDEX CONCURRENTLY ON entity (created_at)"] {
        let world = changed();
        let before = whole_tuples(&world);
        let hold = Hold::at(&world, IN_MID_COPY);
        let mut run = Running::until_held(&world, Side::Warehouse);
        // Nobody waits on production: the run goes on waiting for the warehouse.
        assert!(!run.ends_within(Duration::from_secs(2)), "it gives way to nobody");
        let (begun, other) = (Instant::now(), want(&world.production_url, sql));
        let ran = run.ends();
        let took = begun.elapsed();
        ran.fails_with(75)
            .says("gave way on production: process ")
            .says("waits for the snapshot of table \"public.entity\"");
        ran.says(" hint: Try again; what was settled until then stays.");
        assert!(took < Duration::from_secs(2), "it gave way after {took:?}");
        let waited = other.join().unwrap();
        assert!(waited < Duration::from_secs(3), "the other session waited for {waited:?}");
        drop(hold);
        wait_for("the end of the run's sessions", || {
            world.ask_warehouse("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'kalends %'").is_empty()
        });
        assert_eq!(whole_tuples(&world), before, "something was half done");
        world.settles();
    }
}

#[test]
fn what_was_settled_before_giving_way_is_kept() {
    let world = changed();
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_raw.entity_2024_02 IN SHARE MODE");
    let run = Running::until_held(&world, Side::Warehouse);
    let other = want(&world.production_url, "TRUNCATE entity");
    run.ends().fails_with(75).says("gave way");
    other.join().unwrap();
    drop(hold);
    assert_eq!(
        world.ask_warehouse("SELECT day, sum_values FROM kalends_stats.entity_day ORDER BY 1"),
        ["2024-01-02|6", "2024-02-29|8"]
    );
    // The other session has emptied the table.
    world.kalends("run --accept-loss").succeeds();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_stats.entity_day"), ["0"]);
}

#[test]
fn verify_gives_way_as_well() {
    let world = changed();
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_raw.entity IN ACCESS EXCLUSIVE MODE");
    let mut verify = Running::started(world.command("verify"));
    assert!(!verify.ends_within(Duration::from_secs(1)), "it is not held");
    let other = want(&world.production_url, "ALTER TABLE entity ADD COLUMN note text");
    verify.ends().fails_with(75).says("gave way on production");
    other.join().unwrap();
    drop(hold);
}

#[test]
fn both_servers_see_what_a_session_is_for() {
    let world = changed();
    let hold = Hold::at(&world, IN_MID_COPY);
    let run = Running::until_held(&world, Side::Warehouse);
    let names = |url: &str| {
        crate::kit::ask(
            url,
            "SELECT application_name FROM pg_stat_activity
            WHERE datname = current_database() AND application_name LIKE 'kalends%' ORDER BY 1",
        )
    };
    assert_eq!(names(&world.warehouse_url), ["kalends run"]);
    // The watch is there only after half a second.
    wait_for("the watch", || names(&world.production_url) == ["kalends run", "kalends run (watch)"]);
    drop(hold);
    run.ends().succeeds();

    let hold = Hold::by(&world.production_url, "LOCK TABLE entity IN ACCESS EXCLUSIVE MODE");
    for command in ["prepare", "verify"] {
        let running = Running::started(world.command(command));
        wait_for("a session that waits", || names(&world.production_url) == [format!("kalends {command}")]);
        running.signal("-TERM");
        running.ends().fails_with(143);
        wait_for("its end", || names(&world.production_url).is_empty());
    }
    drop(hold);
}

#[test]
fn a_name_in_the_url_is_kept() {
    let world = changed();
    let named = format!("{}?application_name=nightly", world.warehouse_url);
    let hold = Hold::at(&world, IN_MID_COPY);
    let mut command = world.command("run");
    command.env("KALENDS_WAREHOUSE_URL", named);
    let run = Running::started(command);
    wait_for("the name", || {
        !world.ask_warehouse("SELECT 1 FROM pg_stat_activity WHERE application_name = 'nightly'").is_empty()
    });
    drop(hold);
    run.ends().succeeds();
}

#[test]
fn a_lock_of_production_is_waited_for_as_long_as_is_set() {
    let world = changed();
    world.settings("[production]\nlock_timeout = \"300ms\"\n");
    let hold = Hold::by(&world.production_url, "LOCK TABLE entity IN ACCESS EXCLUSIVE MODE");
    let begun = Instant::now();
    world.kalends("run").fails_with(75).says("table \"public.entity\" of production is locked by another session");
    // The default is 10 s.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    drop(hold);
    world.settles();
}

#[test]
fn a_statement_on_production_takes_as_long_as_is_set() {
    let world = changed();
    // On a fast machine the survey may end in time, and the copy of the large month does not.
    world.settles();
    world.production_sql("INSERT INTO entity SELECT timestamp '2024-03-01' + n * interval '1 second', n FROM generate_series(1, 400000) AS n");
    world.settings("[production]\nstatement_timeout = \"100ms\"\n");
    let tuples = whole_tuples(&world);
    world
        .kalends("run")
        .fails_with(1)
        .says("production did not finish a statement on table \"public.entity\" in its time")
        .says("Raise statement_timeout in [production]");
    assert_eq!(whole_tuples(&world), tuples);
    world.no_settings();
    world.settles();
}

#[test]
fn no_more_rows_than_set_pass_in_a_second() {
    let world = World::new();
    world.production_sql("INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 second', n FROM generate_series(1, 20000) AS n");
    world.settings("[production]\nmax_rows_per_second = 2000\n");
    let begun = Instant::now();
    let run = Running::started(world.command("run"));
    // However slow the machine is, it is never faster than was set: 20 000 rows take 10 s.
    sleep(Duration::from_secs(3));
    let passed = world.ask_warehouse(
        "SELECT coalesce(max(tuples_processed), 0) FROM pg_stat_progress_copy WHERE datname = current_database()",
    );
    let elapsed = begun.elapsed().as_secs_f64();
    let passed: f64 = passed[0].parse().unwrap();
    assert!(passed <= 2000.0 * (elapsed + 0.2), "{passed} rows have passed after {elapsed} s");
    run.ends().succeeds();
    assert!(begun.elapsed() >= Duration::from_secs(9), "20 000 rows took {:?}", begun.elapsed());
    world.is_exact();
}

#[test]
fn limits_that_cannot_be_meant_are_refused() {
    let world = World::new();
    for line in [
        "lock_timeout = \"0s\"",
        "lock_timeout = 10",
        "statement_timeout = \"soon\"",
        "max_rows_per_second = 0",
        "max_rows_per_second = -1",
        "lock_time = \"1s\"",
    ] {
        world.settings(format!("[production]\n{line}\n"));
        world.kalends("run").fails_with(2).says("kalends.toml\", line 2: ");
    }
}

#[test]
fn the_report_says_what_production_had_to_bear() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8\n NULL | 3");
    let hold = Hold::by(&world.warehouse_url, "SELECT pg_advisory_xact_lock_shared(1)");
    let ran = world.kalends("run");
    // Surveyed with the row of no day, and two of them copied.
    ran.succeeds().says("production  5 rows read, lock ").says(" s, snapshot ");
    drop(hold);
    let held = world.kalends("run --json").json()["held_production"].clone();
    assert_eq!(held["rows_read"], 3, "nothing was copied");
    let seconds = |name: &str| held[name].as_f64().unwrap();
    let (lock, snapshot) = (seconds("longest_lock_seconds"), seconds("longest_snapshot_seconds"));
    assert!(0.0 < snapshot && snapshot <= lock && lock < 30.0, "{held}");

    world.production_sql("UPDATE entity SET value = value + 1");
    let hold = Hold::at(&world, IN_MID_COPY);
    let mut command = world.command("run --json");
    command.stdout(std::process::Stdio::piped());
    let mut run = Running::started(command);
    assert!(!run.ends_within(Duration::from_secs(1)), "it is not held");
    drop(hold);
    let held = run.ends().json()["held_production"].clone();
    assert!(held["longest_lock_seconds"].as_f64().unwrap() >= 0.5, "{held}");
}

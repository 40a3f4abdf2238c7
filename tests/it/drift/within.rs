//! Within one run: before its snapshot, while it surveys, between two months.

use std::thread;

use postgres::{Client, NoTls};

use super::{DRIFTS, Drift, put_back};
use crate::faults::held::{Hold, Moment, Running, wait_for};
use crate::faults::whole::{State, committed, is_mended, is_whole, no_session_is_left};
use crate::kit::{World, ask, run_sql};
use crate::own_servers::Side;

/// A session other than the binary's that waits for a lock of production.
const WAITING: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                       AND application_name NOT LIKE 'kalends %' AND wait_event_type = 'Lock'";

#[test]
fn what_changes_between_the_first_look_and_the_snapshot_is_refused_and_named() {
    let world = World::with_two_days();
    for Drift { did, says } in &DRIFTS {
        // So that there would be something to do.
        world.production_sql("INSERT INTO entity VALUES ('2024-01-15', 3), ('2024-03-01', 4)");
        let was = (committed(&world), world.tuples(), world.tree());
        let mut other = Client::connect(&world.production_url, NoTls).unwrap();
        // The lock lets the run look at the table, and not take its snapshot.
        other.batch_execute(&format!("BEGIN; LOCK TABLE entity; {did}")).unwrap();
        let running = Running::until_held(&world, Side::Production);
        other.batch_execute("COMMIT").unwrap();
        let ran = running.ends();
        ran.fails_with(4);
        for text in *says {
            ran.says(text);
        }
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{did}: {}", ran.stderr);
        assert_eq!((committed(&world), world.tuples(), world.tree()), was, "{did}");
        put_back(&world);
        world.kalends("run").succeeds().says("nothing to do");
    }
}

/// After the first month's COPY, before it is committed; the second month is still to be read.
const AFTER_THE_FIRST_COPY: Moment =
    Moment { side: Side::Warehouse, lock: "kalends_stats.entity_day IN SHARE", early: true };

/// Both months have changed, and a run is held up after it has read the first.
fn held_in_mid_run(world: &World) -> ([State; 2], Hold, Running) {
    let before = State::of(world);
    world.production_sql("UPDATE entity SET value = value + 1");
    let after = State::of(world);
    let hold = Hold::at(world, AFTER_THE_FIRST_COPY);
    let running = Running::until_held(world, AFTER_THE_FIRST_COPY.side);
    ([before, after], hold, running)
}

#[test]
fn what_needs_the_table_for_itself_is_let_by_and_refused_by_the_next_run() {
    let world = World::with_two_days();
    // The final one takes no lock by itself.
    for Drift { did, says } in &DRIFTS[..DRIFTS.len() - 1] {
        let ([before, after], hold, running) = held_in_mid_run(&world);
        let (url, text) = (world.production_url.clone(), format!("BEGIN; {did}; COMMIT"));
        let other = thread::spawn(move || run_sql(&url, &text));
        running.ends().fails_with(75).says("gave way on production");
        other.join().unwrap();
        drop(hold);
        is_whole(&world, &[&before, &after]);
        no_session_is_left(&world);
        let was = (committed(&world), world.tuples(), world.tree());
        let ran = world.kalends("run");
        ran.fails_with(4);
        for text in *says {
            ran.says(text);
        }
        assert_eq!((committed(&world), world.tuples(), world.tree()), was, "{did}");
        put_back(&world);
        is_mended(&world);
    }
}

#[test]
fn what_no_lock_keeps_refuses_the_run_in_its_middle_and_leaves_whole_months() {
    let world = World::with_two_days();
    for (did, says, undo) in [
        (
            "REVOKE SELECT ON entity FROM kalends_reader",
            [
                "role kalends_reader may not read table \"public.entity\"",
                "GRANT SELECT ON public.entity TO kalends_reader",
            ],
            "GRANT SELECT ON entity TO kalends_reader",
        ),
        (
            "REVOKE USAGE ON SCHEMA public FROM kalends_reader",
            ["role kalends_reader may not use schema public", "GRANT USAGE ON SCHEMA public TO kalends_reader"],
            "GRANT USAGE ON SCHEMA public TO kalends_reader",
        ),
        (
            "ALTER SCHEMA public RENAME TO private",
            ["production has no table \"public.entity\"", "KALENDS_PRODUCTION_URL"],
            "ALTER SCHEMA private RENAME TO public",
        ),
    ] {
        let ([before, after], hold, running) = held_in_mid_run(&world);
        world.production_sql(did);
        drop(hold);
        let ran = running.ends();
        ran.fails_with(4).says(says[0]).says(says[1]);
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{did}: {}", ran.stderr);
        is_whole(&world, &[&before, &after]);
        // The first month was read by then and is settled; the second is as it was.
        let rows = world.ask_warehouse("SELECT created_at, value FROM kalends_raw.entity ORDER BY 1");
        let settled = world.ask_warehouse("SELECT month, sum_values FROM kalends_stats.entity_month ORDER BY 1");
        assert_eq!(rows.len(), 2);
        let [january, february] =
            [0, 1].map(|month: usize| settled[month].split('|').nth(1).unwrap().parse::<i64>().unwrap());
        assert_eq!(january - february, -2, "{did}: {settled:?}");
        world.production_sql(undo);
        is_mended(&world);
    }
}

#[test]
fn who_waits_for_a_run_does_not_hold_up_its_survey_nor_its_parallel_workers() {
    let world = World::new();
    world.production_sql(
        "DROP TABLE entity; CREATE TABLE entity (created_at timestamp, value integer) PARTITION BY RANGE (created_at);
         CREATE TABLE early PARTITION OF entity FOR VALUES FROM ('2024-01-01') TO ('2024-03-01');
         CREATE TABLE late PARTITION OF entity FOR VALUES FROM ('2024-03-01') TO ('2024-05-01');
         INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '2 minutes', n FROM generate_series(0, 80000) AS n;
         ANALYZE entity",
    );
    let database = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!(
        "ALTER DATABASE {database} SET parallel_setup_cost = 0; ALTER DATABASE {database} SET parallel_tuple_cost = 0"
    ));
    let workers = "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = '1MB';
                   EXPLAIN SELECT sum(value) FROM entity";
    assert!(world.ask_production(workers).iter().any(|line| line.contains("Workers Planned")), "not in parallel");
    // The run has the lock on the whole table and waits for that on its second partition: its survey is still to come.
    let hold = Hold::by(&world.production_url, "LOCK TABLE late");
    let running = Running::until_held(&world, Side::Production);
    let url = world.production_url.clone();
    let other = thread::spawn(move || run_sql(&url, "ALTER TABLE entity ADD COLUMN more text"));
    wait_for("the statement to wait", || !ask(&world.production_url, WAITING).is_empty());
    // And others wait behind it, even those who only read.
    let url = world.production_url.clone();
    let reader = thread::spawn(move || ask(&url, "SELECT count(*) FROM entity"));
    wait_for("a reader to wait as well", || ask(&world.production_url, WAITING).len() == 2);
    drop(hold);
    // A survey that takes longer than half a second gives way.
    let ran = running.ends();
    if ran.code != Some(0) {
        ran.fails_with(75).says("gave way on production");
    }
    other.join().unwrap();
    assert_eq!(reader.join().unwrap(), ["80001"]);
    world.settles();
}

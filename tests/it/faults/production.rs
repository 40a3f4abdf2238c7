//! What happens to production while a run reads it, and what a run does to production.

use std::thread;

use super::held::{Hold, Moment, Running, wait_for};
use super::whole::{State, is_mended, is_whole};
use crate::kit::{World, ask, run_sql};
use crate::own_servers::{OwnServers, Side};

/// Four months in partitions, settled; then changed in each month, so that a run that is held up after the first
/// month's COPY has three more to read.
fn changed_in_four_months() -> (World, [State; 2]) {
    let world = World::new();
    let partitions = |month| {
        let from = format!("2024-{month:02}-01");
        let until = format!("2024-{:02}-01", month + 1);
        format!("CREATE TABLE month_{month} PARTITION OF entity FOR VALUES FROM ('{from}') TO ('{until}');")
    };
    world.production_sql(&format!(
        "DROP TABLE entity; CREATE TABLE entity (created_at timestamp, value integer) PARTITION BY RANGE (created_at);
         {} INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 hour', n FROM generate_series(0, 2800) AS n",
        (1..=4).map(partitions).collect::<String>()
    ));
    is_mended(&world);
    let before = State::of(&world);
    world.production_sql("UPDATE entity SET value = -value");
    let after = State::of(&world);
    (world, [before, after])
}

const AFTER_THE_FIRST_COPY: Moment =
    Moment { side: Side::Warehouse, lock: "kalends_stats.entity_day IN SHARE", early: true };

/// The statement is sent while a run holds its snapshot: the run is exact to that snapshot all the same, or gives way
/// and leaves nothing half done.
fn in_mid_run(statement: &str) -> World {
    let (world, [before, after]) = changed_in_four_months();
    let hold = Hold::at(&world, AFTER_THE_FIRST_COPY);
    let running = Running::until_held(&world, AFTER_THE_FIRST_COPY.side);
    let (url, text) = (world.production_url.clone(), statement.to_string());
    let other = thread::spawn(move || run_sql(&url, &text));
    let waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name NOT LIKE 'kalends %' AND wait_event_type = 'Lock'";
    wait_for("the statement to wait or to end", || {
        other.is_finished() || !ask(&world.production_url, waiting).is_empty()
    });
    let went_through = other.is_finished();
    eprintln!("{statement}: {}", if went_through { "went through" } else { "waits for the run" });
    is_whole(&world, &[&before, &after]);
    if went_through {
        drop(hold);
        running.ends().succeeds();
        // Not as production is now, but as the snapshot was, in all four months.
        is_whole(&world, &[&after]);
    } else {
        running.ends().fails_with(75).says("gave way on production");
        other.join().unwrap();
        drop(hold);
        is_whole(&world, &[&before, &after]);
        return world;
    }
    other.join().unwrap();
    world
}

#[test]
fn a_truncate_in_mid_run_is_not_read_as_an_empty_table() {
    let world = in_mid_run("TRUNCATE entity");
    world.heals_when_accepted();
    assert!(world.files().is_empty());
}

#[test]
fn a_rewrite_of_the_table_in_mid_run_is_not_read_as_an_empty_table() {
    let world = in_mid_run("ALTER TABLE entity ALTER COLUMN value TYPE bigint");
    let (tuples, tree) = (world.tuples(), world.tree());
    world.kalends("run").fails_with(4).says("column \"value\"").says("bigint");
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
    world.production_sql("ALTER TABLE entity ALTER COLUMN value TYPE integer");
    is_mended(&world);
}

#[test]
fn a_partition_that_is_dropped_in_mid_run_leaves_nothing_half_done() {
    in_mid_run("DROP TABLE month_3").heals_when_accepted();
}

#[test]
fn a_partition_that_is_detached_in_mid_run_leaves_nothing_half_done() {
    in_mid_run("ALTER TABLE entity DETACH PARTITION month_3").heals_when_accepted();
}

#[test]
fn a_partition_that_is_detached_concurrently_in_mid_run_leaves_nothing_half_done() {
    in_mid_run("ALTER TABLE entity DETACH PARTITION month_3 CONCURRENTLY").heals_when_accepted();
}

#[test]
fn a_month_that_is_deleted_and_regenerated_in_mid_run_is_read_as_it_was() {
    in_mid_run(
        "BEGIN; DELETE FROM month_2; DELETE FROM month_3; INSERT INTO entity VALUES ('2024-02-02', 1), ('2024-03-03', 2); COMMIT",
    )
    .heals_when_accepted();
}

#[test]
fn a_table_that_is_refilled_while_a_run_waits_for_it_is_read_as_it_is_then() {
    let (world, _) = changed_in_four_months();
    let hold = Hold::by(&world.production_url, "TRUNCATE entity");
    let running = Running::until_held(&world, Side::Production);
    // Let go without a commit: rolled back, and the run reads what was there.
    drop(hold);
    running.ends().succeeds();
    is_mended(&world);

    let mut other = postgres::Client::connect(&world.production_url, postgres::NoTls).unwrap();
    let mut open = other.transaction().unwrap();
    open.batch_execute("TRUNCATE entity; INSERT INTO entity VALUES ('2024-01-05', 1), ('2024-02-05', 2)").unwrap();
    let running = Running::until_held(&world, Side::Production);
    open.commit().unwrap();
    running.ends().succeeds();
    // To a snapshot of before the commit the table is empty: neither as it was nor as it is.
    world.is_exact();
    is_mended(&world);
}

#[test]
fn a_table_that_stays_locked_is_busy() {
    let (world, [before, _]) = changed_in_four_months();
    let hold = Hold::by(&world.production_url, "TRUNCATE entity");
    let tuples = world.tuples();
    world.kalends("run").fails_with(75).says("is locked by another session");
    assert_eq!(world.tuples(), tuples);
    is_whole(&world, &[&before]);
    drop(hold);
    is_mended(&world);
}

#[test]
fn production_is_only_ever_read() {
    let own = OwnServers::new();
    let world = own.world();
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 hour', n FROM generate_series(0, 2800) AS n",
    );
    for setting in ["log_statement = 'all'", "log_line_prefix = '%a says '"] {
        run_sql(&own.maintenance(Side::Production), &format!("ALTER SYSTEM SET {setting}"));
    }
    run_sql(&own.maintenance(Side::Production), "SELECT pg_reload_conf()");
    wait_for("the log of all statements", || world.ask_production("SHOW log_statement") == ["all"]);
    let written =
        "SELECT tup_inserted, tup_updated, tup_deleted FROM pg_stat_database WHERE datname = current_database()";
    // A server of version 14 counts half a second late.
    let counted = || {
        thread::sleep(std::time::Duration::from_secs(1));
        world.ask_production(written)
    };

    let before = counted();
    for command in ["run", "run", "prepare", "export 2024 1", "verify", "status"] {
        world.kalends(command).succeeds();
    }
    assert_eq!(counted(), before);
    world.production_sql("DELETE FROM entity WHERE value % 7 = 0");
    let before = counted();
    world.kalends("verify").fails_with(3);
    world.kalends("run").succeeds();
    assert_eq!(counted(), before);

    let statements = statements_of_ours(&own.log(Side::Production));
    let allowed = ["BEGIN", "START", "SET", "LOCK", "SELECT", "COPY", "WITH", "COMMIT", "ROLLBACK"];
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for statement in &statements {
        let word = statement.split_whitespace().next().unwrap().to_uppercase();
        assert!(allowed.contains(&word.as_str()), "{statement}");
        assert!(word != "COPY" || statement.contains("TO STDOUT"), "{statement}");
        assert!(word != "START" && word != "BEGIN" || statement.contains("READ ONLY"), "{statement}");
        *counts.entry(word).or_default() += 1;
    }
    eprintln!("production was sent {counts:?}");
    assert!(counts["COPY"] >= 4 && counts["WITH"] >= 5, "{counts:?}");
    is_mended(&world);
}

/// Each statement that a session of ours sent, without its comments.
fn statements_of_ours(log: &str) -> Vec<String> {
    let mut sent: Vec<String> = Vec::new();
    let mut ours = false;
    for line in log.lines() {
        if let Some((name, said)) = line.split_once(" says ") {
            ours = name.starts_with("kalends ");
            let statement = said
                .strip_prefix("LOG:  statement: ")
                .or_else(|| said.split_once("LOG:  execute ")?.1.split_once(": ").map(|said| said.1));
            ours &= statement.is_some();
            if ours {
                sent.push(statement.unwrap().to_string());
            }
        } else if ours && let Some(last) = sent.last_mut() {
            *last = format!("{last}\n{line}");
        }
    }
    let plain = sent
        .iter()
        .map(|text| text.lines().map(|line| line.split("--").next().unwrap()).collect::<Vec<_>>().join("\n"));
    plain
        .flat_map(|text| text.split(';').map(|one| one.trim().to_string()).collect::<Vec<_>>())
        .filter(|one| !one.is_empty())
        .collect()
}

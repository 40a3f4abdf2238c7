//! A warehouse that cannot keep what is written to it: a standby, and tables that a crash empties.

use crate::kit::{Ran, WRITER, World, ask, run_sql};
use crate::own_servers::{OwnServers, Side, Standby};

/// Nothing was done, and it says why, as `check` does.
fn is_refused(world: &World, variables: &[(&str, &str)], commands: &[&str], said: &[&str]) {
    let (tuples, tree) = (world.tuples(), world.tree());
    for command in commands.iter().chain(&["check"]) {
        let ran: Ran = world.kalends_with(command, variables);
        ran.fails_with(4);
        for text in said {
            ran.says(text);
        }
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
}

const WRITING: [&str; 5] = ["run", "prepare", "export", "verify --repair", "forget entity --yes"];

#[test]
fn a_warehouse_that_is_a_standby_is_refused_before_any_work() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settles();
    let standby = Standby::of(&servers, Side::Warehouse);
    world.production_sql("UPDATE entity SET value = 6 WHERE value = 5");
    standby.catches_up(&world);
    let url = standby.url(&world).replace("kalends@", &format!("{WRITER}@"));
    let to = [("KALENDS_WAREHOUSE_URL", url.as_str())];
    let said =
        ["the warehouse is a standby, so nothing can be written to it", "Name its primary in KALENDS_WAREHOUSE_URL."];
    is_refused(&world, &to, &WRITING, &said);
    // Reading is what a standby is for.
    world.kalends_with("history", &to).succeeds();
    world.kalends_with("verify", &to).fails_with(3);

    // Of several hosts, the first that answers is taken, unless the one that can be written to is asked for.
    let (host, port) = standby.host_and_port();
    let (_, primary) = world.writer_url.split_once('@').unwrap();
    let (primary, database) = primary.split_once('/').unwrap();
    let several = format!("postgresql://{WRITER}@{host}:{port},{primary}/{database}");
    is_refused(&world, &[("KALENDS_WAREHOUSE_URL", several.as_str())], &["run"], &said);
    let writable = format!("{several}?target_session_attrs=read-write");
    world.kalends_with("run", &[("KALENDS_WAREHOUSE_URL", writable.as_str())]).succeeds();
    world.is_exact();
    // Promoted, it is a warehouse like any other: where the primary is gone, that is what is done.
    standby.catches_up(&world);
    run_sql(&standby.url(&world), "SELECT pg_promote()");
    world.kalends_with("run", &to).succeeds().says("nothing to do");
}

#[test]
fn a_table_that_a_crash_would_empty_is_refused_by_name() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settles();
    for (table, lost) in [
        ("kalends_raw.entity_2024_01", true),
        ("kalends_stats.entity_day", true),
        ("kalends_stats.entity_month", true),
        ("kalends.file", false),
    ] {
        world.warehouse_sql(&format!("ALTER TABLE {table} SET UNLOGGED"));
        let said = format!("{table} is UNLOGGED: a crash of the warehouse's server empties what is");
        let remedy = format!("ALTER TABLE {table} SET LOGGED");
        is_refused(&world, &[], &WRITING, &[&said, &remedy, "kalends verify --repair"]);
        assert_ne!(world.ask_warehouse(&format!("SELECT count(*) FROM {table}")), ["0"]);
        servers.stop_at_once(Side::Warehouse);
        servers.start_again();
        assert_eq!(world.ask_warehouse(&format!("SELECT count(*) FROM {table}")), ["0"], "{table}");
        // The server has lost rows, and no run calls that equal.
        is_refused(&world, &[], &WRITING, &[&said, &remedy, "kalends verify --repair"]);
        // What the hint says, to the letter.
        run_sql(&world.writer_url, &remedy);
        if lost {
            world.kalends("verify").fails_with(3);
        }
        world.kalends("verify --repair").succeeds();
        world.settles();
    }
    world.warehouse_sql(
        "ALTER TABLE kalends_raw.entity_2024_01 SET UNLOGGED; ALTER TABLE kalends_raw.entity_2024_02 SET UNLOGGED",
    );
    is_refused(&world, &[], &["run"], &["kalends_raw.entity_2024_01 and 1 other table are UNLOGGED"]);
}

/// Sequences can be UNLOGGED from version 15 on.
#[test]
fn a_sequence_that_a_crash_would_set_back_is_refused_as_well() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settles();
    if world.ask_warehouse("SELECT current_setting('server_version_num')::int >= 150000") != ["t"] {
        return;
    }
    let sequences = "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
                     WHERE nspname LIKE 'kalends%' AND relkind = 'S' ORDER BY 1";
    let sequences = world.ask_warehouse(sequences);
    assert_ne!(sequences, Vec::<String>::new());
    for sequence in sequences {
        world.warehouse_sql(&format!("ALTER SEQUENCE {sequence} SET UNLOGGED"));
        is_refused(&world, &[], &["run"], &[&format!("{sequence} is UNLOGGED")]);
        run_sql(&world.writer_url, &format!("ALTER TABLE {sequence} SET LOGGED"));
        world.kalends("run").succeeds().says("nothing to do");
    }
}

/// A sequence of a database that was copied may be set back by a crash, even a logged one (PostgreSQL 15).
#[test]
fn a_warehouse_that_was_copied_and_crashed_goes_on() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settles();
    let (server, database) = world.warehouse_url.rsplit_once('/').unwrap();
    run_sql(&format!("{server}/postgres"), &format!("CREATE DATABASE {database}_copy TEMPLATE {database}"));
    let copy = format!("{}_copy", world.writer_url);
    let copied = [("KALENDS_WAREHOUSE_URL", copy.as_str())];
    for crash in 0..3 {
        world.production_sql("UPDATE entity SET value = value + 1");
        world.kalends_with("run", &copied).succeeds().says("settled     1 day (1 changed)");
        world.kalends_with("verify", &copied).succeeds();
        servers.stop_at_once(Side::Warehouse);
        servers.start_again();
        world.kalends_with("run", &copied).succeeds().says("nothing to do");
        let runs = ask(&format!("{}_copy", world.warehouse_url), "SELECT count(*) FROM kalends.run");
        assert_eq!(runs, [(crash + 2).to_string()]);
    }
}

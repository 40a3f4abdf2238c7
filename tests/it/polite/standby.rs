//! Production is a standby.

use super::want;
use crate::faults::held::{Hold, Running, wait_for};
use crate::faults::proxy::{Harm, Proxy};
use crate::kit::{ask, run_sql};
use crate::own_servers::{OwnServers, Side, Standby};

#[test]
fn a_standby_serves_as_production_exactly() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-20 | 5\n 2024-02-29 | 8");
    let standby = Standby::of(&servers, Side::Production);
    standby.catches_up(&world);
    let url = standby.url(&world);
    assert_eq!(ask(&url, "SELECT pg_is_in_recovery()"), ["t"]);
    let from = [("KALENDS_PRODUCTION_URL", url.as_str())];
    world
        .kalends_with("check", &from)
        .succeeds()
        .says("is a standby: a run sees what it has replayed")
        .says("set hot_standby_feedback there, or use the primary");
    world.kalends_with("run", &from).succeeds();
    world.is_exact();
    world.production_sql("UPDATE entity SET value = 9 WHERE value = 8; INSERT INTO entity VALUES ('2024-03-01', 1)");
    standby.catches_up(&world);
    world.kalends_with("verify", &from).fails_with(3);
    world.kalends_with("run", &from).succeeds();
    world.is_exact();
    let tuples = world.tuples();
    world.kalends_with("run", &from).succeeds().says("nothing to do");
    assert_eq!(world.tuples(), tuples);
    world.kalends_with("verify", &from).succeeds();
    // The same rows from the primary: nothing to do either.
    world.kalends("run").succeeds().says("nothing to do");

    world.settings("[limits]\nlock_timeout = \"120s\"\n");
    // A change of the table that the primary has made waits behind our snapshot: the run gives way.
    world.production_sql("UPDATE entity SET value = value + 1");
    standby.catches_up(&world);
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_raw.entity_2024_01 IN SHARE MODE");
    let mut command = world.command("run");
    command.env("KALENDS_PRODUCTION_URL", &url);
    let run = Running::started(command);
    let watched = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'kalends run (watch)'";
    wait_for("the watch", || !ask(&url, watched).is_empty());
    want(&world.production_url, "ALTER TABLE entity ADD COLUMN note text").join().unwrap();
    run.ends().fails_with(75).says("gave way on production: process ").says("(startup)");
    drop(hold);
    standby.catches_up(&world);

    // Rows that our snapshot still needs are cleaned up by the primary, and the standby does not wait.
    standby.set(&world, "max_standby_streaming_delay = '0s'");
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_raw.entity_2024_01 IN SHARE MODE");
    let mut command = world.command("run");
    command.env("KALENDS_PRODUCTION_URL", &url);
    let run = Running::started(command);
    wait_for("the watch", || !ask(&url, watched).is_empty());
    world.production_sql("DELETE FROM entity WHERE created_at = '2024-01-20'");
    run_sql(&world.production_url, "VACUUM FREEZE entity");
    standby.catches_up(&world);
    drop(hold);
    let ran = run.ends();
    assert!(matches!(ran.code, Some(1 | 75)), "{:?}: {}{}", ran.code, ran.stdout, ran.stderr);
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.lines().count() <= 6, "{}", ran.stderr);
    world.kalends_with("run --accept-loss", &from).succeeds();
    world.is_exact();
    world.kalends_with("verify", &from).succeeds();
}

#[test]
fn a_standby_that_lags_behind_what_was_settled_is_held() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    let standby = Standby::of(&servers, Side::Production);
    standby.catches_up(&world);
    let url = standby.url(&world);
    let from = [("KALENDS_PRODUCTION_URL", url.as_str())];
    world.kalends_with("run", &from).succeeds();
    run_sql(&url, "SELECT pg_wal_replay_pause()");
    world.production_sql("UPDATE entity SET value = 6 WHERE value = 5; INSERT INTO entity VALUES ('2024-03-01', 1)");
    world.settles();
    let (tuples, tree) = (world.tuples(), world.tree());
    let held = world.kalends_with("run", &from);
    held.fails_with(4).says("held        2 months from 2024-01 on: production is older than what was settled of it");
    let after = world.tuples();
    let noted =
        |tuples: &[String]| tuples.iter().filter(|tuple| !tuple.starts_with("kalends.held:")).cloned().collect();
    let (before, after): (Vec<String>, Vec<String>) = (noted(&tuples), noted(&after));
    assert_eq!((after, world.tree()), (before, tree));
    // It heals by itself.
    run_sql(&url, "SELECT pg_wal_replay_resume()");
    standby.catches_up(&world);
    world.kalends_with("run", &from).succeeds().says("nothing to do");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.held"), ["0"]);
}

/// A standby replays on between the moment at which a snapshot is taken and the one at which somebody asks how far it
/// has come.
#[test]
fn a_standby_that_catches_up_after_the_snapshot_was_taken_is_held_all_the_same() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    let standby = Standby::of(&servers, Side::Production);
    standby.catches_up(&world);
    world.settles();
    let url = standby.url(&world);
    run_sql(&url, "SELECT pg_wal_replay_pause()");
    wait_for("the pause", || ask(&url, "SELECT pg_get_wal_replay_pause_state()") == ["paused"]);
    world.production_sql("UPDATE entity SET value = 6 WHERE value = 5; INSERT INTO entity VALUES ('2024-03-01', 1)");
    world.settles();

    // Once to find the table, and once in the snapshot.
    let proxy = Proxy::before(&url, Harm::Parsed("-- Which server this is", 2));
    let (name, by_proxy) = proxy.variable(&world, Side::Production);
    let mut command = world.command("run");
    command.env(name, by_proxy);
    let run = Running::started(command);
    let has_snapshot = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'kalends run'
                        AND state = 'active' AND wait_event = 'ClientRead' AND backend_xmin IS NOT NULL";
    wait_for("the snapshot", || proxy.has_struck() && !ask(&url, has_snapshot).is_empty());
    run_sql(&url, "SELECT pg_wal_replay_resume()");
    standby.catches_up(&world);
    proxy.goes_on();
    let held = run.ends();
    held.fails_with(4).says("production is older than what was settled of it");
    world.is_exact();
    world.kalends_with("run", &[("KALENDS_PRODUCTION_URL", &url)]).succeeds().says("nothing to do");
}

#[test]
fn a_standby_whose_replay_stands_still_is_as_old_as_what_it_has_replayed() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5");
    let standby = Standby::of(&servers, Side::Production);
    standby.catches_up(&world);
    let production = standby.url(&world);
    let of_standby = [("KALENDS_PRODUCTION_URL", production.as_str())];
    run_sql(&production, "SELECT pg_wal_replay_pause()");
    let replayed = "SELECT to_char(greatest(pg_last_xact_replay_timestamp(),
                        (SELECT checkpoint_time FROM pg_control_checkpoint())) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC'";
    let as_of = ask(&production, replayed).remove(0);
    world.production_sql("INSERT INTO entity VALUES ('2024-01-03', 41)");
    std::thread::sleep(std::time::Duration::from_secs(2));
    for command in ["run", "run"] {
        world.kalends_with(command, &of_standby).succeeds();
        let status = world.kalends("status --json").json();
        assert_eq!(status["proven_as_of"], as_of.as_str(), "not the clock's time, which goes on");
        assert!(status["age_seconds"].as_f64().unwrap() >= 2.0, "{status}");
    }
    world.kalends_with("status --max-age 1s", &of_standby).fails_with(3).says("; older than 1s");
    assert_eq!(world.kalends_with("verify --json", &of_standby).json()["production_as_of"], as_of.as_str());

    run_sql(&production, "SELECT pg_wal_replay_resume()");
    standby.catches_up(&world);
    world.kalends_with("run", &of_standby).succeeds();
    assert!(world.kalends("status --json").json()["proven_as_of"].as_str() > Some(as_of.as_str()));
    world.is_exact();
}

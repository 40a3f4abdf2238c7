//! How many parallel workers a statement takes is a setting of each side.

use crate::kit::{World, run_sql};
use crate::own_servers::{OwnServers, Side};

/// The most workers that a plan in this part of a server's log has launched.
fn most_launched(log: &str) -> u64 {
    let launched = log.lines().filter_map(|line| line.trim().strip_prefix("Workers Launched: "));
    launched.map(|count| count.parse::<u64>().unwrap()).max().unwrap_or(0)
}

#[test]
fn a_statement_takes_as_many_workers_as_are_set() {
    let servers = OwnServers::new();
    for side in [Side::Production, Side::Warehouse] {
        servers.set(side, &["max_worker_processes = 16", "max_parallel_workers_per_gather = 2"]);
        // Each session notes the plans of its statements in the server's log.
        for setting in [
            "session_preload_libraries = 'auto_explain'",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_analyze = on",
            "auto_explain.log_timing = off",
        ] {
            run_sql(&servers.maintenance(side), &format!("ALTER ROLE ALL SET {setting}"));
        }
    }
    let world = servers.world();
    // All of one month, so that its proof reads as many rows as the survey.
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 second', n \
         FROM generate_series(1, 250000) AS n",
    );
    let launched = |settings: &str| {
        world.settings(settings);
        let sides = [Side::Production, Side::Warehouse];
        let before = sides.map(|side| servers.log(side).len());
        world.kalends("verify").succeeds();
        [0, 1].map(|at| most_launched(&servers.log(sides[at])[before[at]..]))
    };
    world.settles();
    assert_eq!(launched(""), [2, 2], "as the servers are set");
    assert_eq!(launched("[production]\nworkers = 0\n[warehouse]\nworkers = 3\n"), [0, 3]);
    assert_eq!(launched("[production]\nworkers = 3\n[warehouse]\nworkers = 0\n"), [3, 0]);
    world.no_settings();
    world.is_exact();
}

#[test]
fn workers_are_a_number_that_postgresql_takes() {
    let world = World::new();
    for section in ["production", "warehouse"] {
        for workers in ["-1", "1025", "\"many\"", "1.5"] {
            world.settings(format!("[{section}]\nworkers = {workers}\n"));
            world.kalends("run").fails_with(2).says("kalends.toml\", line 2: ");
        }
        world.settings(format!("[{section}]\nworkers = 1024\n"));
        world.kalends("run").succeeds();
    }
}

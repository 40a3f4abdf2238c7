//! What fails only in a cluster: a node dies, the coordinator dies between the halves of a commit, shards move.

use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use super::cluster::{Cluster, cluster};
use super::settles;
use crate::kit::{self, World};

/// Some months of rows, enough that a run takes a while.
fn filled(cluster: &Cluster) -> World {
    let world = cluster.world();
    world.production_sql(
        "INSERT INTO entity
         SELECT '2024-01-01'::timestamp + i * interval '10 minutes', i FROM generate_series(0, 30000) i",
    );
    world
}

fn begun(world: &World) -> Child {
    world.command("run").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until a run has committed its first month. False if it has ended by then.
pub(super) fn has_committed(world: &World, run: &mut Child) -> bool {
    let asked = "SELECT coalesce((SELECT count(*) FROM pg_class WHERE relname = 'entity_2024_01'), 0)";
    while run.try_wait().unwrap().is_none() {
        if kit::ask(&world.warehouse_url, asked) == ["1"] {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn a_node_that_is_killed_in_mid_run_leaves_whole_months() {
    let Some(cluster) = cluster("a node that is killed") else { return };
    let world = filled(&cluster);
    let mut run = begun(&world);
    assert!(has_committed(&world, &mut run), "the run ended too early");
    cluster.down(2);
    assert!(!run.wait().unwrap().success(), "a run succeeded without one of its nodes");
    world.kalends("run").fails_with(1);
    cluster.up(2);
    recovered(&cluster, &world);
    settles(&world);
}

/// Waits until nothing that was prepared is left. Citus itself decides, from the coordinator's record of commits.
pub(super) fn recovered(cluster: &Cluster, world: &World) {
    let name = world.warehouse_url.rsplit('/').next().unwrap();
    let begun = Instant::now();
    let prepared = format!("SELECT count(*) FROM pg_prepared_xacts WHERE database = '{name}'");
    while [1, 2].iter().any(|&server| kit::ask(&cluster.url(server, "kalends", name), &prepared) != ["0"]) {
        assert!(begun.elapsed() < Duration::from_secs(60), "prepared transactions stay");
        let _ = Client::connect(&world.warehouse_url, NoTls)
            .and_then(|mut client| client.batch_execute("SELECT recover_prepared_transactions()"));
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_coordinator_that_is_killed_while_it_commits_leaves_whole_months() {
    let Some(cluster) = cluster("a coordinator that is killed") else { return };
    // Before COMMIT PREPARED and after it, as it happens: each time the server dies once a node has prepared something.
    let (mut undecided, mut decided) = (0, 0);
    for attempt in 0..6 {
        let world = filled(&cluster);
        let name = world.warehouse_url.rsplit('/').next().unwrap().to_string();
        let mut run = begun(&world);
        let mut node = Client::connect(&cluster.url(1, "kalends", &name), NoTls).unwrap();
        let prepared = format!("SELECT gid FROM pg_prepared_xacts WHERE database = '{name}'");
        while run.try_wait().unwrap().is_none() && node.query(&prepared, &[]).unwrap().len() <= attempt % 2 {}
        cluster.down(0);
        let _ = run.wait().unwrap();
        cluster.up(0);
        let left = node.query(&prepared, &[]).unwrap().len();
        match left {
            0 => decided += 1,
            _ => undecided += 1,
        }
        recovered(&cluster, &world);
        settles(&world);
    }
    eprintln!("killed before COMMIT PREPARED: {undecided}, after it: {decided}");
}

#[test]
fn shards_move_between_and_during_runs() {
    let Some(cluster) = cluster("a node that is added, and shards that move") else { return };
    let world = filled(&cluster);
    settles(&world);
    let name = world.warehouse_url.rsplit('/').next().unwrap();
    cluster.joins(3, name);
    let moved = "SELECT count(DISTINCT nodeport) FROM citus_shards WHERE table_name::text LIKE 'kalends_raw.%'";
    assert_eq!(world.ask_warehouse(moved), ["2"]);
    thread::scope(|both| {
        let moving = both.spawn(|| {
            world.warehouse_sql(
                "SELECT rebalance_table_shards('kalends_raw.entity', shard_transfer_mode => 'block_writes')",
            )
        });
        world.production_sql("INSERT INTO entity VALUES ('2024-02-03 04:05:06', 7), ('2024-09-01', 8)");
        // It may give way to what moves shards; it must not do half of it.
        let ran = world.kalends("run");
        assert!([Some(0), Some(1), Some(75)].contains(&ran.code), "{}", ran.stderr);
        moving.join().unwrap();
    });
    assert_eq!(world.ask_warehouse(moved), ["3"]);
    settles(&world);
    world.production_sql("DELETE FROM entity WHERE created_at >= '2024-03-03' AND created_at < '2024-03-04'");
    settles(&world);
}

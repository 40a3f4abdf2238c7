//! Taking over another tool's table in a cluster, wherever Citus has put its rows.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use super::cluster::{Cluster, cluster};
use super::failures::{has_committed, recovered};
use super::{distributed, plain, settles};
use crate::kit::World;

const COLUMNS: &str = "--from analytics.events --column created_at=created --column value=amount";
const BY_KEY: &str = "SELECT create_distributed_table('analytics.events', 'id')";

/// Production, and a table of another tool with the same rows except on three days of three months, which `placed` puts
/// somewhere. Its numbers are binary, so that a node that prints them otherwise is noticed.
fn loaded(cluster: &Cluster, rows: u32, placed: &[&str]) -> World {
    let world = cluster.world();
    let rows = format!(
        "SELECT '2024-01-01'::timestamp + i * interval '3 hours' AS at, nullif(i % 9, 4) * 1234567 AS value
         FROM generate_series(0, {rows}) i
         UNION ALL SELECT '2024-02-02 02:02', 7654321 FROM generate_series(1, 2)"
    );
    world.production_sql(&format!("INSERT INTO entity SELECT at, value FROM ({rows}) AS made"));
    world.warehouse_sql(&format!(
        "CREATE SCHEMA analytics; GRANT USAGE ON SCHEMA analytics TO PUBLIC;
         CREATE TABLE analytics.events (id bigserial, amount double precision, created timestamp);
         GRANT SELECT ON analytics.events TO PUBLIC;
         INSERT INTO analytics.events (created, amount) SELECT at, value FROM ({rows}) AS made;
         INSERT INTO analytics.events (created, amount) VALUES ('2024-03-06 01:01', 5)"
    ));
    placed.iter().for_each(|sql| world.warehouse_sql(sql));
    world.production_sql(
        "INSERT INTO entity VALUES ('2024-01-03 10:00', 1);
         UPDATE entity SET value = value + 1 WHERE created_at = '2024-02-05'",
    );
    world
}

fn theirs(world: &World) -> Vec<String> {
    world.ask_warehouse("SELECT * FROM analytics.events ORDER BY id")
}

/// Adopts, and proves that the rows are production's, on the nodes alone and where those of other entities would be.
fn adopts(world: &World) -> Value {
    let before = theirs(world);
    let check = world.kalends(&format!("adopt --check {COLUMNS} --json")).fails_with(3).json();
    let (missing, extra, changed) = (&check["missing"], &check["extra"], &check["changed"]);
    assert_eq!((missing, extra), (&json!({"rows": 1, "days": 1}), &json!({"rows": 1, "days": 1})), "{check}");
    assert_eq!((changed, &check["unlike_rows"]), (&json!({"rows": 8, "days": 1}), &json!(0)), "{check}");
    let adopted = world.kalends(&format!("adopt {COLUMNS} --json")).succeeds().json();
    world.is_exact();
    assert_eq!(theirs(world), before, "the other table is left as it was");
    assert_eq!(plain(world), [""; 0], "tables of rows that are not distributed");
    let groups =
        "SELECT count(DISTINCT colocationid) FROM pg_dist_partition WHERE logicalrelid::text LIKE 'kalends_raw.%'";
    assert_eq!(world.ask_warehouse(groups), ["1"], "months that are not co-located");
    settles(world);
    adopted
}

/// 703 rows of 88 days; those of three days differ, which have 9, 8 and 8 rows in production.
fn takes_over_what_is_equal(what: &str, placed: &[&str]) {
    let Some(cluster) = cluster(what) else { return };
    let world = loaded(&cluster, 700, placed);
    let adopted = adopts(&world);
    let (taken, from_production) = (json!({"rows": 679, "days": 85}), json!({"rows": 25, "days": 3}));
    assert_eq!((&adopted["taken"], &adopted["loaded"]), (&taken, &from_production), "{what}");
    assert_eq!(distributed(&world).len(), 4, "the table of rows and its months");
}

#[test]
fn a_table_of_the_coordinator_is_taken_over() {
    takes_over_what_is_equal("adopting a table of the coordinator", &[]);
}

#[test]
fn a_table_that_is_distributed_by_its_key_is_taken_over() {
    takes_over_what_is_equal("adopting a table distributed by its key", &[BY_KEY]);
    // The nodes sent sums of hashes by day, never the rows.
    let Some(cluster) = cluster("where an adopted table is aggregated") else { return };
    let asked = fs::read_to_string(cluster.log(1)).unwrap() + &fs::read_to_string(cluster.log(2)).unwrap();
    let hashing = |line: &&str| line.contains("analytics.events_") && line.contains("hashint4extended");
    let hashing: Vec<&str> = asked.lines().filter(hashing).collect();
    assert!(!hashing.is_empty(), "no node was asked for hashes");
    for statement in hashing {
        assert!(statement.contains("sum(") && statement.contains("GROUP BY"), "sends rows: {statement}");
    }
}

#[test]
fn a_table_that_is_distributed_by_time_is_taken_over() {
    let placed = "SELECT create_distributed_table('analytics.events', 'created')";
    takes_over_what_is_equal("adopting a table distributed by time", &[placed]);
}

#[test]
fn a_table_that_every_node_has_is_taken_over() {
    let placed = "SELECT create_reference_table('analytics.events')";
    takes_over_what_is_equal("adopting a reference table", &[placed]);
}

#[test]
fn a_view_of_a_distributed_table_is_taken_over() {
    let viewed = [
        BY_KEY,
        "ALTER TABLE analytics.events RENAME TO stored",
        "CREATE VIEW analytics.events AS SELECT * FROM analytics.stored",
        "GRANT SELECT ON analytics.events TO PUBLIC",
    ];
    takes_over_what_is_equal("adopting a view", &viewed);
}

#[test]
fn an_adoption_that_lost_a_node_is_ended_by_the_next() {
    let Some(cluster) = cluster("adopting while a node dies") else { return };
    let world = loaded(&cluster, 2000, &[BY_KEY]);
    let mut adopting = world.command(&format!("adopt {COLUMNS}"));
    let mut adopting = adopting.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(has_committed(&world, &mut adopting), "the adoption ended too early");
    cluster.down(2);
    assert!(!adopting.wait().unwrap().success(), "an adoption succeeded without one of its nodes");
    world.kalends(&format!("adopt {COLUMNS}")).fails_with(1);
    cluster.up(2);
    recovered(&cluster, &world);
    adopts(&world);
}

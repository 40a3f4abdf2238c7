//! Adoptions that ended before they were done, and what completes them.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use serde_json::json;

use super::{COLUMNS, YEAR, loaded};
use crate::kit::World;

/// An adoption that was killed when January was settled and February was not.
fn killed_half_way() -> World {
    let world = loaded();
    let moved = world.ask_production("SELECT format('(%L::timestamp, %L::integer)', created_at, value) FROM entity");
    world.production_sql("TRUNCATE entity");
    world.kalends("prepare").succeeds();
    world.production_sql(&format!("INSERT INTO entity VALUES {}", moved.join(", ")));
    let owner = world
        .ask_warehouse("SELECT relowner::regrole FROM pg_class WHERE oid = 'kalends_raw.entity'::regclass")
        .remove(0);
    world.warehouse_sql(&format!(
        "CREATE TABLE kalends_raw.entity_2024_02 PARTITION OF kalends_raw.entity
             FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
         ALTER TABLE kalends_raw.entity_2024_02 OWNER TO {owner}"
    ));
    let mut client = Client::connect(&world.warehouse_url, NoTls).unwrap();
    let mut hold = client.transaction().unwrap();
    hold.batch_execute("LOCK TABLE kalends_raw.entity_2024_02 IN SHARE MODE").unwrap();
    let mut adopting = world.command(&format!("adopt {COLUMNS}")).spawn().unwrap();
    let begun = Instant::now();
    while world.ask_warehouse("SELECT count(*) FROM kalends_stats.entity_day") != ["2"] {
        assert!(begun.elapsed() < Duration::from_secs(30), "January was not settled");
        sleep(Duration::from_millis(20));
    }
    adopting.kill().unwrap();
    adopting.wait().unwrap();
    hold.rollback().unwrap();
    assert_eq!(world.ask_warehouse("SELECT month FROM kalends_stats.entity_month"), ["2024-01-01"]);
    assert_eq!(world.ask_warehouse("SELECT entity, taken_from FROM kalends.adoption"), ["entity|\"analytics.events\""]);
    world
}

#[test]
fn an_adoption_that_was_killed_is_ended_by_the_next() {
    let world = killed_half_way();
    let adopted = world.kalends(&format!("adopt {COLUMNS} --json")).succeeds().json();
    assert_eq!(
        (&adopted["taken"], &adopted["loaded"]),
        (&json!({"rows": 3, "days": 2}), &json!({"rows": 0, "days": 0}))
    );
    world.is_exact();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.adoption"), ["0"]);
    world.kalends("verify").succeeds();
    world.kalends(&format!("adopt {COLUMNS}")).fails_with(4).says("is settled already");
}

#[test]
fn what_is_lost_while_an_adoption_lay_dead_is_held() {
    let world = killed_half_way();
    world.production_sql("DELETE FROM entity WHERE created_at < '2024-02-01'");
    let before = world.tuples();
    let held = world.kalends(&format!("adopt {COLUMNS}"));
    held.fails_with(4).says("2024-01 is held since the adoption began: ");
    assert_eq!(world.tuples(), before);
    world.kalends("run --accept-loss").succeeds();
    world.is_exact();
}

#[test]
fn days_that_change_before_an_adoption_is_ended_need_not_settle_down() {
    let world = killed_half_way();
    world.settings("[guard]\nsettle_after = \"1 h\"\n");
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    let adopted = world.kalends(&format!("adopt {COLUMNS} --json")).succeeds().json();
    assert_eq!(adopted["loaded"], json!({"rows": 1, "days": 1}));
    world.is_exact();
}

#[test]
fn an_adoption_that_failed_in_the_end_proves_again_what_it_had_taken_over() {
    let world = loaded();
    // A folder is no file to replace.
    fs::create_dir_all(world.exports.join(YEAR)).unwrap();
    world.kalends(&format!("adopt {COLUMNS}")).fails_with(4).says(YEAR);
    fs::remove_dir(world.exports.join(YEAR)).unwrap();
    let proven = || world.kalends("status --json").json()["proofs"]["entity"]["proven_as_of"].to_string();
    let before = proven();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_stats.entity_day"), ["4"]);
    let adopted = world.kalends(&format!("adopt {COLUMNS} --json")).succeeds().json();
    let nothing = json!({"rows": 0, "days": 0});
    assert_eq!((&adopted["taken"], &adopted["loaded"]), (&nothing, &nothing));
    assert!(proven() > before, "{before}");
    world.is_exact();
}

#[test]
fn an_adoption_that_was_killed_is_ended_by_a_run() {
    let world = killed_half_way();
    world.settles();
}

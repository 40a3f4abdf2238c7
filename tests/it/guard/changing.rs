//! What is still changing is settled when it has stayed as it is for a while.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::{all_of, as_told, kept, lose, rows};
use crate::kit::World;

const SETTINGS: &str = "[guard]\nsettle_after = \"1 s\"\n";

/// Longer than it has to stay.
fn wait() {
    sleep(Duration::from_millis(1200));
}

/// Waiting for what production has now.
fn settled() -> World {
    let world = World::new();
    rows(&world, &[("2024-01", 10), ("2024-02", 10)]);
    world.settings(SETTINGS);
    world.kalends("run").succeeds().says("changing    2024-01 since ").says("changing    2024-02 since ");
    assert_eq!(kept(&world), Vec::<String>::new());
    wait();
    world.settles();
    world
}

#[test]
fn a_month_that_is_deleted_and_refilled_in_steps_keeps_its_old_version_meanwhile() {
    let world = settled();
    let january = all_of(&world, "2024-01");
    let changing = || {
        let told = world.kalends("run --json").succeeds().json();
        assert_eq!((&told["held"], &told["accept"]), (&json!([]), &json!(null)));
        assert_eq!(told["changing"].as_array().unwrap().len(), 1);
        assert_eq!(all_of(&world, "2024-01"), january);
        told["changing"][0].clone()
    };
    lose(&world, "2024-01", 10);
    let empty = changing();
    assert_eq!(
        (&empty["period"], &empty["rows_before"], &empty["rows_now"]),
        (&json!("2024-01"), &json!(10), &json!(0))
    );
    let tuples = world.tuples();
    assert_eq!(changing()["since"], empty["since"], "the same state, since the first survey of it");
    assert_eq!(world.tuples(), tuples, "the same state is not noted again");
    wait();
    world.production_sql("INSERT INTO entity VALUES ('2024-01-05', 5), ('2024-01-06', 6)");
    let partly = changing();
    assert!(partly["since"].as_str().unwrap() > empty["since"].as_str().unwrap());
    let status = world.kalends("status").succeeds().stdout.clone();
    assert!(status.contains(&format!("changing    2024-01 since {}", partly["since"].as_str().unwrap())), "{status}");
    world.production_sql("INSERT INTO entity SELECT timestamp '2024-01-07', 7 FROM generate_series(1, 6)");
    changing();
    wait();
    world.settles();
    assert_eq!(kept(&world), ["2024-01|8", "2024-02|10"]);
    assert_eq!(world.kalends("status --json").json()["changing"], json!([]));
}

#[test]
fn a_month_that_changes_all_the_time_is_never_settled() {
    let world = settled();
    let january = all_of(&world, "2024-01");
    for _ in 0..4 {
        world.production_sql("UPDATE entity SET value = value + 1 WHERE created_at < '2024-02-01'");
        wait();
        world.kalends("run").succeeds().says("changing    2024-01 since ");
        assert_eq!(all_of(&world, "2024-01"), january);
    }
    wait();
    world.settles();
}

#[test]
fn a_month_that_lost_much_and_stays_so_is_held_then() {
    let world = settled();
    lose(&world, "2024-01", 9);
    world.kalends("run").succeeds().says("changing    2024-01 since ");
    // To accept a loss is not to settle what may still change.
    world.kalends("run --accept-loss 2024-01").succeeds().says("changing    2024-01 since ");
    wait();
    world.kalends("run").fails_with(4).says("held        2024-01: 1 of 10 rows are left");
    assert_eq!(kept(&world), ["2024-01|10", "2024-02|10"]);
    as_told(&world);
    world.settles();
}

#[test]
fn of_a_month_that_has_not_ended_the_days_that_stay_as_they_are_are_settled() {
    let world = settled();
    // Of the third day alone there is something settled before the second one comes.
    let days = |sql: &str| world.production_sql(&format!("INSERT INTO entity {sql}"));
    days("SELECT date_trunc('month', now()) + n * interval '1 day', n FROM generate_series(0, 4) AS n WHERE n <> 1");
    world.kalends("run").succeeds();
    wait();
    world.settles();
    days("SELECT date_trunc('month', now()) + n * interval '1 day', 7 FROM generate_series(0, 2) AS n");
    let told = world.kalends("run --json").succeeds().json();
    assert_eq!(told["changing"].as_array().unwrap().len(), 3);
    wait();
    days("SELECT date_trunc('month', now()) + interval '1 day 1 hour', 8");
    let told = world.kalends("run --json").succeeds().json();
    assert_eq!(told["settled_days"], json!({"grown": 2}));
    assert_eq!(told["changing"].as_array().unwrap().len(), 1);
    assert!(told["changing"][0]["period"].as_str().unwrap().ends_with("-02"));
    let of_month = "SELECT extract(day FROM created_at)::integer, count(*) FROM kalends_raw.entity
                    WHERE created_at > '2025-01-01' GROUP BY 1 ORDER BY 1";
    assert_eq!(world.ask_warehouse(of_month), ["1|2", "3|2", "4|1", "5|1"]);
    wait();
    world.settles();
    assert_eq!(world.ask_warehouse(of_month), ["1|2", "2|2", "3|2", "4|1", "5|1"]);
}

#[test]
fn days_of_a_month_that_has_not_ended_are_held_together_when_it_loses_much() {
    let world = settled();
    let rows = |day: u8, count: u8| {
        world.production_sql(&format!(
            "INSERT INTO entity SELECT date_trunc('month', now()) + ({day} - 1) * interval '1 day', n
             FROM generate_series(1, {count}) AS n"
        ));
    };
    for day in 1..=3 {
        rows(day, 10);
    }
    world.kalends("run").succeeds();
    wait();
    world.settles();
    world.production_sql("DELETE FROM entity WHERE created_at >= date_trunc('month', now()) AND value > 1");
    world.kalends("run").succeeds();
    wait();
    let told = world.kalends("run --json").fails_with(4).json();
    let held = told["held"].as_array().unwrap();
    assert_eq!(held.len(), 3);
    let month = &held[0]["period"].as_str().unwrap()[..7];
    assert_eq!(held[2]["reason"], format!("3 of 30 rows are left in {month}"));
    assert_eq!(told["accept"], format!("kalends run --accept-loss {month}"));
    as_told(&world);
    world.settles();
}

#[test]
fn rows_beside_a_day_that_is_changing_are_repaired_and_it_is_left() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 2\n 2024-01-20 | 20");
    world.settles();
    world.settings("[guard]\nsettle_after = \"1 h\"\n");
    // A new day, whose row lies between those of the other two.
    world.production_sql(
        "CREATE TABLE kept AS TABLE entity; TRUNCATE entity;
         INSERT INTO entity SELECT * FROM kept UNION ALL SELECT '2024-01-15', 15 ORDER BY 1",
    );
    world.warehouse_sql("UPDATE kalends_raw.entity SET value = value + 1");
    let repaired = world.kalends("verify --repair --json");
    assert_eq!(repaired.json()["mended"]["rows_loaded"], 2, "{} {}", repaired.stdout, repaired.stderr);
    assert_eq!(world.ask_warehouse("SELECT value FROM kalends_raw.entity ORDER BY 1"), ["2", "20"]);
    world.kalends("run").succeeds().says("changing    2024-01 since ");
    world.no_settings();
    world.settles();
}

#[test]
fn tables_that_are_made_anew_wait_for_nothing() {
    let world = settled();
    world.production_sql("UPDATE entity SET value = value + 1 WHERE created_at < '2024-02-01'");
    let entity = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    world.settings(format!("{SETTINGS}{entity}statistics = [\"sum\"]\n"));
    let ran = world.kalends("run --json").succeeds().json();
    assert_eq!((&ran["changing"], &ran["settled_months"]), (&json!([]), &json!(2)), "{ran}");
    world.file("year=2024/entity_stats_yearly_2024.csv", "year,sum_values\n2024,120");
    world.kalends("verify").succeeds();
    world.kalends("run").succeeds().says("nothing to do");
}

//! `verify`: every layer, tampered with one at a time, and what a run makes of it.

use std::fs;

use serde_json::{Value, json};

use super::{JANUARY, JANUARY_2, MANIFEST, YEAR, settled};
use crate::kit::World;

/// Verify finds exactly these differences, as (layer, what, how), says them in text as well, and changes nothing.
#[track_caller]
fn differs(world: &World, expected: &[(&str, &str, &str)]) {
    let before = (world.tuples(), world.tree(), world.ask_production("SELECT ctid, xmin, xmax, * FROM entity"));
    let found = world.kalends("verify --json").fails_with(3).json();
    let differences: Vec<Value> =
        expected.iter().map(|(layer, what, how)| json!({"layer": layer, "what": what, "how": how})).collect();
    assert_eq!(found["differences"], Value::from(differences));
    assert_eq!(found["equal"], false);

    let text = world.kalends("verify --list");
    text.fails_with(3);
    for (layer, what, how) in expected {
        text.says(&format!("{layer:<11} {what} {how}\n"));
    }
    assert_eq!(text.stdout.lines().count(), 1 + expected.len());
    let after = (world.tuples(), world.tree(), world.ask_production("SELECT ctid, xmin, xmax, * FROM entity"));
    assert_eq!(after, before, "verify changed something");
}

#[test]
fn many_differences_of_a_kind_are_summed_up_and_listed_on_demand() {
    let world = World::new();
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 day', 1 FROM generate_series(0, 19) AS n",
    );
    let summed_up = world.kalends("verify");
    summed_up.fails_with(3).says("rows        20 days new, 2024-01-01 to 2024-01-20; --list shows all\n");
    assert!(summed_up.stdout.lines().count() < 10, "{}", summed_up.stdout);
    let listed = world.kalends("verify --list");
    listed.fails_with(3).says("rows        2024-01-01 new\n").says("rows        2024-01-20 new\n");
    assert!(!listed.stdout.contains("shows all"), "{}", listed.stdout);
}

#[test]
fn verify_agrees_with_what_is_equal() {
    let world = settled();
    let text = world.kalends("verify");
    text.succeeds().says("equal: production = rows = accounts = files, 4 rows, 3 days, as of ");
    let found = world.kalends("verify --json").succeeds().json();
    assert_eq!(found["equal"], true);
    assert_eq!(found["rows"], 4);
    assert_eq!(found["days"], 3);
    assert_eq!(found["differences"], json!([]));
}

#[test]
fn verify_before_anything_was_prepared_lists_every_day() {
    let world = World::new();
    world.kalends("verify").succeeds();
    world.production("created_at | value\n 2024-01-02 | 5");
    differs(&world, &[("rows", "2024-01-02", "new"), ("accounts", "2024-01-02", "new")]);
}

#[test]
fn verify_lists_what_is_late_in_every_layer() {
    let world = settled();
    world.production("created_at | value\n 2024-03-01 | 1");
    world.production_sql("DELETE FROM entity WHERE value IN (5, 8); UPDATE entity SET value = 11 WHERE value = 10");
    let days = [("2024-01-02", "shrunk"), ("2024-01-31", "changed"), ("2024-02-29", "vanished"), ("2024-03-01", "new")];
    let layers = ["rows", "accounts"].map(|layer| days.map(|(what, how)| (layer, what, how)));
    differs(&world, &layers.concat());

    world.kalends("prepare --accept-loss").succeeds();
    let march_1 = "year=2024/month=3/day=1/entity_stats_daily_2024_3_1.csv";
    differs(
        &world,
        &[
            ("files", YEAR, "changed"),
            ("files", JANUARY_2, "changed"),
            ("files", "year=2024/month=1/day=31/entity_stats_daily_2024_1_31.csv", "changed"),
            ("files", JANUARY, "changed"),
            ("files", march_1, "missing"),
            ("files", "year=2024/month=3/entity_stats_monthly_2024_3.csv", "missing"),
            ("files", "year=2024/month=2/day=29/entity_stats_daily_2024_2_29.csv", "vanished"),
            ("files", "year=2024/month=2/entity_stats_monthly_2024_2.csv", "vanished"),
        ],
    );
    world.kalends("export").succeeds();
    world.kalends("verify").succeeds();
}

#[test]
fn verify_sees_rows_of_the_warehouse_that_somebody_changed() {
    let world = settled();
    for (tamper, found) in [
        ("UPDATE kalends_raw.entity SET value = 6 WHERE value = 7", vec![("rows", "2024-01-02", "changed")]),
        ("DELETE FROM kalends_raw.entity WHERE value = 5", vec![("rows", "2024-01-02", "grown")]),
        (
            "INSERT INTO kalends_raw.entity VALUES ('2024-01-02', 5), ('2024-01-02', 5), ('2024-01-09', 1)",
            vec![("rows", "2024-01-02", "shrunk"), ("rows", "2024-01-09", "vanished")],
        ),
        ("DELETE FROM kalends_raw.entity WHERE created_at < '2024-01-31'", vec![("rows", "2024-01-02", "new")]),
        (
            "INSERT INTO kalends_raw.entity VALUES ('2024-01-02 09:00', 5), ('2024-01-02 08:00', 7)",
            vec![("rows", "2024-01-02", "changed")],
        ),
    ] {
        world.warehouse_sql(tamper);
        differs(&world, &found);
    }
}

#[test]
fn verify_sees_accounts_that_somebody_changed() {
    let day = ("accounts", "2024-01-02", "changed");
    let (month, year) = (("accounts", "2024-01", "changed"), ("accounts", "2024", "changed"));
    let files = [("files", YEAR, "changed"), ("files", JANUARY_2, "changed"), ("files", JANUARY, "changed")];
    for (tamper, found) in [
        ("UPDATE kalends_stats.entity_day SET hash_b = hash_b + 1 WHERE day = '2024-01-02'", vec![day]),
        (
            "UPDATE kalends_stats.entity_day SET sum_values = sum_values + 1 WHERE day = '2024-01-02'",
            vec![day, month, files[1]],
        ),
        (
            "UPDATE kalends_stats.entity_month SET min_values = 4 WHERE month = '2024-01-01'",
            vec![month, year, files[2]],
        ),
        ("UPDATE kalends_stats.entity_year SET max_values = 11", vec![year, files[0]]),
        ("DELETE FROM kalends_stats.entity_year", vec![year, ("files", YEAR, "vanished")]),
        (
            "INSERT INTO kalends_stats.entity_year VALUES ('2023-01-01', 1, 0)",
            vec![("accounts", "2023", "changed"), ("files", "year=2023/entity_stats_yearly_2023.csv", "missing")],
        ),
    ] {
        let world = settled();
        world.warehouse_sql(tamper);
        differs(&world, &found);
    }
}

#[test]
fn verify_sees_files_that_somebody_changed() {
    let world = settled();
    let path = |path: &str| world.exports.join(path);
    fs::write(path(JANUARY_2), "year,month\n").unwrap();
    differs(&world, &[("files", JANUARY_2, "changed")]);
    fs::remove_file(path(YEAR)).unwrap();
    differs(&world, &[("files", YEAR, "missing"), ("files", JANUARY_2, "changed")]);
    world.kalends("run").succeeds();

    let mut manifest: Value = serde_json::from_slice(&fs::read(path(MANIFEST)).unwrap()).unwrap();
    manifest["files"].as_object_mut().unwrap().remove(JANUARY);
    manifest["files"][JANUARY_2]["sha256"] = "0".repeat(64).into();
    fs::write(path(MANIFEST), manifest.to_string()).unwrap();
    differs(&world, &[("files", JANUARY_2, "unlisted"), ("files", JANUARY, "unlisted")]);
    world.settles();
}

#[test]
fn accounts_of_days_that_somebody_changed_are_mended_by_one_run() {
    let world = settled();
    world.warehouse_sql("UPDATE kalends_stats.entity_day SET sum_values = sum_values + 1 WHERE day = '2024-01-02'");
    world.heals();
    world.warehouse_sql("DELETE FROM kalends_stats.entity_day WHERE day = '2024-01-31'");
    world.heals();
}

#[test]
fn accounts_of_months_and_years_that_somebody_changed_are_not_published() {
    let world = settled();
    world.warehouse_sql("UPDATE kalends_stats.entity_month SET sum_values = 1000 WHERE month = '2024-01-01'");
    world.kalends("run");
    // A run must not carry what it cannot prove into a file.
    world.is_exact();
}

#[test]
fn rows_of_the_warehouse_that_somebody_changed_are_mended_with_the_next_change_of_their_month() {
    let world = settled();
    world.warehouse_sql("DELETE FROM kalends_raw.entity WHERE value = 5");
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.heals();
}

fn entity(name: &str, rest: &str) -> String {
    format!("[[entity]]\nname = {name:?}\ntable = {name:?}\ntime = \"created_at\"\nmeasures = [\"value\"]\n{rest}\n")
}

fn set(world: &World, settings: &[String]) {
    world.settings(settings.concat());
}

/// The rows of `entity`, in another table and a settled entity as well.
fn two_settled() -> World {
    let world = settled();
    world.production_sql("CREATE TABLE orders AS TABLE entity");
    set(&world, &[entity("entity", ""), entity("orders", "")]);
    world.kalends("run").succeeds();
    world
}

#[test]
fn of_several_entities_verify_names_the_one_that_differs_and_when_each_was_looked_at() {
    let world = two_settled();
    let found = world.kalends("verify --json").succeeds().json();
    assert_eq!((&found["equal"], &found["rows"], &found["days"]), (&json!(true), &json!(8), &json!(6)));
    let looked = found["entities"].as_array().unwrap();
    assert_eq!(looked.iter().map(|each| &each["entity"]).collect::<Vec<_>>(), ["entity", "orders"]);
    assert_eq!(looked.iter().map(|each| &each["rows"]).collect::<Vec<_>>(), [4, 4]);
    // The earliest: what was committed by then was looked at in all of them.
    assert_eq!(found["production_as_of"], looked[0]["production_as_of"]);
    assert!(looked[0]["production_as_of"].as_str() < looked[1]["production_as_of"].as_str(), "{found}");

    world.production_sql("DELETE FROM orders WHERE value = 8");
    world.warehouse_sql("UPDATE kalends_raw.entity SET value = 6 WHERE value = 7");
    let found = world.kalends("verify --json").fails_with(3).json();
    assert_eq!(
        found["differences"],
        json!([
            {"entity": "entity", "layer": "rows", "what": "2024-01-02", "how": "changed"},
            {"entity": "orders", "layer": "rows", "what": "2024-02-29", "how": "vanished"},
            {"entity": "orders", "layer": "accounts", "what": "2024-02-29", "how": "vanished"},
        ])
    );
    let text = world.kalends("verify");
    text.fails_with(3).says("rows        entity 2024-01-02 changed\n").says("rows        orders 2024-02-29 vanished\n");
    assert_eq!(text.stdout.lines().count(), 4);
}

#[test]
fn of_several_entities_one_that_cannot_be_verified_does_not_hide_what_the_others_are() {
    let world = two_settled();
    world.production_sql("ALTER TABLE entity ALTER value TYPE bigint; DELETE FROM orders WHERE value = 8");
    let before = (world.tuples(), world.tree());
    let ran = world.kalends("verify --json");
    ran.fails_with(4).says("column \"value\" of table \"public.entity\" is of type bigint, and was settled as integer");
    let found = ran.json();
    assert_eq!((&found["equal"], &found["rows"]), (&json!(false), &json!(3)));
    assert_eq!((&found["entities"][0]["entity"], &found["entities"][0]["exit_code"]), (&json!("entity"), &json!(4)));
    assert_eq!(found["differences"].as_array().unwrap().len(), 2);
    assert_eq!(found["production_as_of"], found["entities"][1]["production_as_of"]);
    world
        .kalends("verify")
        .fails_with(4)
        .says("entity: not verified: column \"value\"")
        .says("orders 2024-02-29 vanished");
    assert_eq!((world.tuples(), world.tree()), before);
}

#[test]
fn of_several_entities_one_that_cannot_be_repaired_does_not_keep_the_others_from_it() {
    let world = two_settled();
    let proven = world.kalends("status --json").json()["proven_as_of"].clone();
    world.production_sql("ALTER TABLE entity ALTER value TYPE bigint");
    world.warehouse_sql("UPDATE kalends_raw.orders SET value = 6 WHERE value = 7");
    let ran = world.kalends("verify --repair --json");
    ran.fails_with(4).says("column \"value\" of table \"public.entity\" is of type bigint, and was settled as integer");
    let repaired = ran.json();
    assert_eq!((&repaired["failed"][0]["entity"], &repaired["failed"][0]["exit_code"]), (&json!("entity"), &json!(4)));
    assert_eq!((&repaired["equal"], &repaired["mended"]["rows_days"]), (&json!(false), &json!(1)));
    world.kalends("verify --repair").fails_with(4).says("entity: not repaired: column \"value\"");
    assert_eq!(world.kalends("status --json").json()["proven_as_of"], proven, "not all was proven");
    world.production_sql("ALTER TABLE entity ALTER value TYPE integer");
    world.kalends("verify").succeeds();
}

#[test]
fn settings_that_ask_for_more_are_for_prepare_to_settle_before_anything_is_verified_or_exported() {
    let world = settled();
    let before = (world.tuples(), world.tree());
    set(&world, &[entity("entity", "statistics = [\"sum\", \"count\"]")]);
    world
        .kalends("verify")
        .fails_with(4)
        .says("entity \"entity\" was settled before its settings changed: statistic count added")
        .says("Run `kalends prepare`");
    for command in ["export", "export 2024 1"] {
        let ran = world.kalends(command);
        ran.fails_with(4).says("the settings of entity \"entity\" have changed since it was settled");
        ran.says("Run `kalends prepare`");
    }
    assert_eq!((world.tuples(), world.tree()), before);
    world.kalends("prepare").succeeds();
    world.kalends("export").succeeds();
    world.kalends("verify").succeeds();
    world.file(YEAR, "year,sum_values,count_values\n2024,30,4");
}

#[test]
fn a_type_that_changed_is_refused_and_not_listed_day_by_day() {
    let world = settled();
    let before = (world.tuples(), world.tree());
    world.production_sql("ALTER TABLE entity ALTER value TYPE numeric");
    let ran = world.kalends("verify");
    ran.fails_with(4)
        .says("column \"value\" of table \"public.entity\" is of type numeric, and was settled as integer");
    assert_eq!(ran.stdout, "");
    assert_eq!((world.tuples(), world.tree()), before);
}

//! Which rows of a day do production and the warehouse not share? What `kalends diff` says.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::World;
use crate::messages::golden;

fn settled() -> World {
    World::settled(
        "created_at          | value
         2024-01-01 23:59:59 | 1
         2024-01-02 08:00:00 | 5
         2024-01-02 08:00:00 | 5
         2024-01-02 09:00:00 | NULL
         2024-01-02 10:00:00 | 7
         2024-01-03 00:00:00 | 2",
    )
}

/// The only entity's part of what is said in JSON.
fn told(world: &World, arguments: &str, code: i32) -> Value {
    let mut said = world.kalends(&format!("diff {arguments} --json")).fails_with(code).json();
    assert_eq!(said["version"], 1);
    let entities = said["entities"].as_array_mut().unwrap();
    assert_eq!(entities.len(), 1);
    entities.remove(0)
}

fn lacking(side: &str, copies: i64, values: &[Option<&str>]) -> Value {
    json!({"lacks": side, "copies": copies, "values": values})
}

#[test]
fn a_day_that_is_equal_says_so_and_a_day_that_differs_says_which_side_lacks_what() {
    let world = settled();
    let before = (world.tuples(), world.tree());
    world
        .kalends("diff 2024-01-02")
        .succeeds()
        .says("equal: 4 rows of entity on 2024-01-02, in production as in the warehouse");
    world.kalends("diff 2024-01-09").succeeds().says("equal: 0 rows of entity on 2024-01-09");
    world.production_sql(
        "DELETE FROM entity WHERE ctid = (SELECT min(ctid) FROM entity WHERE value = 5);
         UPDATE entity SET value = 0 WHERE value IS NULL;
         INSERT INTO entity VALUES ('2024-01-02 10:00', 7), ('2024-01-02 10:00', 7), ('2024-01-02', NULL), ('2024-01-03', 2)",
    );
    let said = told(&world, "2024-01-02", 3);
    assert_eq!(
        said["rows"],
        json!([
            lacking("warehouse", 1, &[Some("2024-01-02 00:00:00"), None]),
            lacking("production", 1, &[Some("2024-01-02 08:00:00"), Some("5")]),
            lacking("warehouse", 1, &[Some("2024-01-02 09:00:00"), Some("0")]),
            lacking("production", 1, &[Some("2024-01-02 09:00:00"), None]),
            lacking("warehouse", 2, &[Some("2024-01-02 10:00:00"), Some("7")]),
        ])
    );
    let numbers = ["production_rows", "warehouse_rows", "warehouse_lacks", "production_lacks", "not_listed"];
    assert_eq!(numbers.map(|name| said[name].as_i64().unwrap()), [6, 4, 4, 2, 0]);
    assert_eq!((&said["equal"], &said["columns"]), (&json!(false), &json!(["created_at", "value"])));

    let few = told(&world, "2024-01-02 --limit 2", 3);
    assert_eq!(few["rows"].as_array().unwrap().as_slice(), &said["rows"].as_array().unwrap()[..2]);
    assert_eq!(numbers.map(|name| few[name].as_i64().unwrap()), [6, 4, 4, 2, 3]);
    world.kalends("diff 2024-01-02 --limit 0").fails_with(3).says("and 5 more that differ");
    assert_eq!((world.tuples(), world.tree()), before, "diff wrote something");
    world.settles();
    world.kalends("diff 2024-01-02").succeeds();
}

#[test]
fn what_somebody_changed_in_the_warehouse_is_told_as_well() {
    let world = settled();
    world.warehouse_sql("UPDATE kalends_raw.entity SET value = 8 WHERE value = 7");
    let said = told(&world, "2024-01-02", 3);
    let at = Some("2024-01-02 10:00:00");
    assert_eq!(
        said["rows"],
        json!([lacking("warehouse", 1, &[at, Some("7")]), lacking("production", 1, &[at, Some("8")])])
    );
}

#[test]
fn a_warehouse_that_has_nothing_yet_lacks_all() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-02 | NULL");
    let said = told(&world, "2024-01-02", 3);
    assert_eq!((&said["warehouse_lacks"], &said["production_lacks"]), (&json!(2), &json!(0)));
    assert_eq!(world.tuples(), Vec::<String>::new(), "diff makes no schema");
}

#[test]
fn the_final_days_of_a_timestamptz_are_compared() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE visit (at timestamptz, value integer); INSERT INTO visit VALUES ('294276-12-30 12:00Z', 1)",
    );
    let settings =
        "[[entity]]\nname = \"visit\"\ntable = \"visit\"\ntime = \"at\"\ntime_zone = \"UTC\"\nmeasures = [\"value\"]\n";
    world.settings(settings);
    world.kalends("run").succeeds();
    for (day, rows) in [("294276-12-29", 0), ("294276-12-30", 1), ("294276-12-31", 0)] {
        assert_eq!(told(&world, day, 0)["production_rows"], rows, "{day}");
    }
    world.production_sql("UPDATE visit SET value = 2");
    assert_eq!(told(&world, "294276-12-30", 3)["warehouse_lacks"], 1);
}

#[test]
fn days_are_those_of_the_entitys_zone_and_what_is_equal_to_postgresql_is_equal() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE purchase (at timestamptz, price numeric, weight double precision);
         INSERT INTO purchase VALUES ('2024-10-26 22:00Z', 5.0, 0), ('2024-10-27 22:59:59Z', 'NaN', 0.1),
                                     ('2024-10-26 21:59:59Z', 1, 1), ('2024-10-27 23:00Z', 2, 2)",
    );
    world.settings(
        "[[entity]]\nname = \"orders\"\ntable = \"purchase\"\ntime = \"at\"\ntime_zone = \"Europe/Paris\"\n\
         measures = [\"price\", \"weight\"]\n",
    );
    world.kalends("run").succeeds();
    world.production_sql("UPDATE purchase SET price = 5.00, weight = '-0' WHERE price = 5");
    assert_eq!(told(&world, "2024-10-27", 0)["production_rows"], 2);
    world.production_sql("UPDATE purchase SET weight = 0.30000000000000004 WHERE weight = 0.1; DELETE FROM purchase WHERE price IN (1, 2)");
    let said = told(&world, "2024-10-27 --entity orders", 3);
    let row = |weight| [Some("2024-10-27 22:59:59+00"), Some("NaN"), Some(weight)];
    assert_eq!(
        said["rows"],
        json!([lacking("production", 1, &row("0.1")), lacking("warehouse", 1, &row("0.30000000000000004"))])
    );
    assert_eq!(said["columns"], json!(["at", "price", "weight"]));
    for day in ["2024-10-26", "2024-10-28"] {
        assert_eq!(told(&world, day, 3)["production_lacks"], 1);
    }
}

#[test]
fn texts_are_told_apart_byte_by_byte_and_from_null() {
    let world = World::new();
    let texts =
        ["a\tb", "a\nb", "a b", "", "NULL", "\\N", "\"q\", 'r'", "Ελλάδα 🏛", "e\u{301}", "é", "z", "Z", "\u{7f}"];
    let values: Vec<String> = texts.iter().map(|text| format!("('2024-01-02', 1, $t${text}$t$)")).collect();
    world.production_sql(&format!(
        "CREATE TABLE visit (at timestamp, n integer, place text); INSERT INTO visit VALUES {}, ('2024-01-02', 1, NULL)",
        values.join(", ")
    ));
    let settings = "[[entity]]\nname = \"visits\"\ntable = \"visit\"\ntime = \"at\"\nmeasures = [\"n\"]\ndimensions = [\"place\"]\n";
    world.settings(settings);
    world.kalends("run").succeeds();
    assert_eq!(told(&world, "2024-01-02", 0)["production_rows"], 14);
    world.production_sql(
        "DELETE FROM visit; INSERT INTO visit VALUES ('2024-01-02', 1, 'a b'), ('2024-01-02', 1, 'a b')",
    );
    let said = told(&world, "2024-01-02", 3);
    let mut expected: Vec<Option<&str>> = texts.iter().filter(|text| **text != "a b").map(|text| Some(*text)).collect();
    expected.push(None);
    let lacking = |side: &str| -> Vec<Option<&str>> {
        let rows = said["rows"].as_array().unwrap().iter().filter(|row| row["lacks"] == side);
        rows.map(|row| row["values"][2].as_str()).collect()
    };
    assert_eq!(lacking("warehouse"), [Some("a b")]);
    let mut found = lacking("production");
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let text = world.kalends("diff 2024-01-02").fails_with(3).stdout.clone();
    assert_eq!(text.lines().count(), 1 + 14, "a value broke its line: {text}");
    assert!(
        text.contains(r#"place = "a\tb""#) && text.contains("place = NULL") && text.contains(r#"place = "NULL""#),
        "{text}"
    );
}

#[test]
fn a_day_or_an_entity_that_there_is_not_is_usage_and_other_columns_are_refused() {
    let world = settled();
    for (arguments, code, name) in [
        ("diff", 2, "diff_without_day"),
        ("diff 2024-01", 2, "diff_of_a_month"),
        ("diff 2023-02-29", 2, "diff_of_no_day"),
        ("diff 2024-01-02 --entity orders", 2, "diff_of_no_entity"),
    ] {
        let ran = world.kalends(arguments);
        ran.fails_with(code);
        assert_eq!(ran.stdout, "");
        golden(name, &ran.stderr);
    }
    let settings =
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\", \"other\"]\n";
    world.settings(settings);
    world.production_sql("ALTER TABLE entity ADD other integer");
    let ran = world.kalends("diff 2024-01-02");
    ran.fails_with(4);
    golden("diff_of_other_columns", &ran.stderr);
}

#[test]
fn a_day_of_a_million_rows_takes_no_more_memory_than_a_small_one() {
    let world = World::new();
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-02' + n * interval '80 ms', n FROM generate_series(1, 1000000) n",
    );
    world.kalends("prepare").succeeds();
    world.production_sql("UPDATE entity SET value = 0 WHERE value IN (1, 500000, 1000000)");
    let mut child = world.command("diff 2024-01-02 --json").stdout(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut highest_kib = 0;
    while child.try_wait().unwrap().is_none() {
        let peak = fs::read_to_string(&status).unwrap_or_default();
        let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(str::trim);
        let peak = peak.and_then(|peak| peak.strip_suffix(" kB")).and_then(|peak| peak.parse().ok());
        highest_kib = highest_kib.max(peak.unwrap_or(0));
        sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    let said = &said["entities"][0];
    assert_eq!((&said["warehouse_lacks"], &said["production_lacks"]), (&json!(3), &json!(3)));
    assert_eq!((&said["production_rows"], &said["warehouse_rows"]), (&json!(1_000_000), &json!(1_000_000)));
    eprintln!("memory of a diff of two million rows: {highest_kib} KiB at most");
    if cfg!(target_os = "linux") {
        // The rows alone, as they are sent, are over 80 MiB.
        assert!((1..40 * 1024).contains(&highest_kib), "{highest_kib} KiB");
    }
}

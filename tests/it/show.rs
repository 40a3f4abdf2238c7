//! `show`: figures as a table with bars.

use serde_json::{Value, json};

use crate::kit::World;

/// Three months of two cities.
fn visits() -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE visit (at timestamp, city text, spent numeric, guests integer);
         INSERT INTO visit VALUES
             ('2024-01-05 10:00', 'Lyon', 10.50, 2), ('2024-01-05 11:00', NULL, 1, 1), ('2024-01-31', 'Lyon', 4, NULL),
             ('2024-03-02 09:00', E'A long name\\nof a city that nobody can pronounce', 31, 4),
             ('2023-12-31', 'Lyon', -3, 1)",
    );
    world.grant_table("public", "visit");
    world.settings(
        "[[entity]]\nname = \"visits\"\ntable = \"visit\"\ntime = \"at\"\nmeasures = [\"spent\", \"guests\"]\n\
         dimensions = [\"city\"]\nlevels = [\"hour\", \"day\", \"month\", \"year\"]\n",
    );
    world.kalends("run").succeeds();
    world
}

fn shown(world: &World, arguments: &str) -> Value {
    world.kalends(&format!("show {arguments} --json")).succeeds().json()["entities"][0].clone()
}

#[test]
fn show_prints_the_figures_of_what_is_inside_a_period() {
    let world = visits();
    let before = (world.tuples(), world.tree());
    let months = world.kalends("show 2024").succeeds().stdout.clone();
    let lines: Vec<&str> = months.lines().collect();
    assert_eq!(lines.len(), 4, "{months}");
    assert!(lines[0].starts_with("visits 2024  rows  sum_spent  min_spent  max_spent  mean_spent"), "{months}");
    assert!(
        lines[1].starts_with("2024-01         3       15.5          1       10.5    5.166667  ████████"),
        "{months}"
    );
    assert!(
        lines[2].starts_with("2024-03         1         31         31         31   31.000000  ████████████████"),
        "{months}"
    );
    assert_eq!(lines[3].trim_end(), "2024            4       46.5          1         31   11.625000");
    let found = shown(&world, "2024");
    assert_eq!(found["whole"]["statistics"]["sum_spent"], "46.5");
    let first = &found["lines"][0];
    assert_eq!((&first["period"], &first["rows"], &first["closed"]), (&"2024-01".into(), &3.into(), &true.into()));
    // Years, days and hours.
    let periods = |arguments: &str| -> Vec<Value> {
        shown(&world, arguments)["lines"].as_array().unwrap().iter().map(|line| line["period"].clone()).collect()
    };
    assert_eq!(periods(""), ["2023", "2024"]);
    assert_eq!(periods("2024-01"), ["2024-01-05", "2024-01-31"]);
    assert_eq!(periods("2024-01-05"), ["2024-01-05T10", "2024-01-05T11"]);
    let guests = shown(&world, "2024-01-31 --measure guests");
    assert_eq!(guests["lines"][0]["statistics"]["sum_guests"], Value::Null);
    world.kalends("show 2022").succeeds().says("visits 2022: no rows");
    world.kalends("show").succeeds().says("2023       1         -3").says("░");
    assert_eq!((world.tuples(), world.tree()), before);
}

#[test]
fn show_ranks_the_values_of_a_dimension() {
    let world = visits();
    let found = shown(&world, "2024 --by city");
    let ranked: Vec<(&Value, &Value, &Value)> = found["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (&line["value"], &line["rows"], &line["statistics"]["mean_spent"]))
        .collect();
    let long = json!("A long name\nof a city that nobody can pronounce");
    let expected = [
        (&long, &json!(1), &json!("31.000000")),
        (&json!("Lyon"), &json!(2), &json!("7.250000")),
        (&Value::Null, &json!(1), &json!("1.000000")),
    ];
    assert_eq!(ranked, expected);
    world.kalends("show 2024 --by city").succeeds().says("A long name\\nof a city …  ").says("\nNULL");
}

#[test]
fn sums_beyond_the_largest_double_are_ranked() {
    let world = visits();
    let nines = "9".repeat(400);
    world.production_sql(&format!(
        "UPDATE visit SET spent = {nines}7 WHERE at = '2024-01-31';
         UPDATE visit SET spent = {nines}2 WHERE city IS NULL",
    ));
    world.kalends("run").succeeds();
    let found = shown(&world, "2024 --by city");
    let cities: Vec<_> = found["lines"].as_array().unwrap().iter().map(|line| line["value"].as_str()).collect();
    assert_eq!(cities, [Some("Lyon"), None, Some("A long name\nof a city that nobody can pronounce")]);
}

#[test]
fn a_binary_number_is_shown_as_the_files_have_it() {
    let world = visits();
    world.production_sql(
        "ALTER TABLE visit ALTER spent TYPE double precision; UPDATE visit SET spent = 1e15 WHERE spent = 4",
    );
    world.kalends("forget visits --yes").succeeds();
    world.kalends("run").succeeds();
    let largest = |found: &Value| {
        let lines = found["lines"].as_array().unwrap().iter();
        lines.map(|line| line["statistics"]["max_spent"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(largest(&shown(&world, "2024")), ["1e+15", "31"]);
    assert_eq!(largest(&shown(&world, "2024-01 --by city")), ["1e+15", "1"]);
}

#[test]
fn show_refuses_what_there_is_not() {
    let world = visits();
    world.kalends("show 2024 --by town").fails_with(2).says("has no dimension \"town\"").says("It has: city.");
    world.kalends("show --by city").fails_with(2);
    world.kalends("show 2024-W05 --by city").fails_with(2);
    world.kalends("show --measure price").fails_with(2).says("It has: spent, guests.");
    world.kalends("show --entity orders").fails_with(2).says("It has: \"visits\".");
    world.kalends("show soon").fails_with(2);
    World::new().kalends("show").succeeds().says("nothing was settled yet");
}

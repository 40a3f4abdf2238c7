//! Types that differ and hold equal values, and values that production's type cannot hold.

use serde_json::{Value, json};

use crate::kit::World;

/// One measure and one time of these types in production, the same rows in theirs, and what a check of them says.
fn compared(ours: [&str; 2], theirs: [&str; 2], our_rows: &str, their_rows: &str) -> (World, Value) {
    let world = World::new();
    world.production_sql(&format!(
        "DROP TABLE entity; CREATE TABLE entity (created_at {}, value {}); INSERT INTO entity VALUES {our_rows}",
        ours[0], ours[1]
    ));
    // As who made the table that is gone, to whoever may read.
    world.production_sql("GRANT SELECT ON entity TO PUBLIC");
    world.warehouse_sql(&format!(
        "CREATE SCHEMA theirs; CREATE TABLE theirs.events (created_at {}, value {});
         INSERT INTO theirs.events VALUES {their_rows};
         GRANT USAGE ON SCHEMA theirs TO PUBLIC; GRANT SELECT ON theirs.events TO PUBLIC",
        theirs[0], theirs[1]
    ));
    let zone = if ours[0] == "timestamptz" { "time_zone = \"Europe/Paris\"\n" } else { "" };
    world.settings(format!(
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\n{zone}measures = [\"value\"]\n"
    ));
    let ran = world.kalends("adopt --check --from theirs.events --json");
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.stderr);
    let found = ran.json();
    (world, found)
}

const DAY: &str = "2024-03-30";

fn rows(values: &[&str]) -> String {
    let row = |value: &&str| format!("('{DAY}', {value})");
    values.iter().map(row).collect::<Vec<_>>().join(", ")
}

#[test]
fn equal_numbers_of_other_types_are_equal_and_can_be_taken_over() {
    for (ours, theirs, our_values, their_values) in [
        ("integer", "bigint", vec!["1", "NULL", "-2147483648"], vec!["1", "NULL", "-2147483648"]),
        ("bigint", "numeric", vec!["9223372036854775807", "0"], vec!["9223372036854775807.00", "0"]),
        ("smallint", "double precision", vec!["5", "-7"], vec!["5", "-7"]),
        ("bigint", "integer", vec!["5", "-7"], vec!["5", "-7"]),
        ("numeric(10,2)", "numeric", vec!["1.10", "NULL"], vec!["1.1", "NULL"]),
        ("numeric", "double precision", vec!["1.1", "'NaN'"], vec!["1.1", "'NaN'"]),
        ("double precision", "numeric", vec!["0.1", "'NaN'", "1e300"], vec!["0.1", "'NaN'", "1e300"]),
        ("real", "double precision", vec!["0.1", "16777216", "'-Infinity'"], vec!["0.1", "16777216", "'-Infinity'"]),
        ("real", "double precision", vec!["0.1"], vec!["0.1::real"]),
        ("double precision", "real", vec!["0.1", "-0.0"], vec!["0.1", "0.0"]),
    ] {
        let (world, found) =
            compared(["timestamp", ours], ["timestamp", theirs], &rows(&our_values), &rows(&their_values));
        assert_eq!(found["equal"], true, "{ours} loaded as {theirs}: {found}");
        let adopted = world.kalends("adopt --from theirs.events --json").succeeds().json();
        assert_eq!(adopted["taken"]["rows"], our_values.len(), "{ours} loaded as {theirs}");
        world.kalends("verify").succeeds();
    }
}

#[test]
fn a_value_that_productions_type_cannot_hold_is_no_equal_of_any() {
    for (ours, theirs, our_value, their_value) in [
        // To round would make them equal.
        ("integer", "numeric", "2", "1.6"),
        ("integer", "double precision", "2", "2.0000001"),
        ("smallint", "bigint", "1", "65537"),
        ("integer", "bigint", "NULL", "2147483648"),
        ("bigint", "numeric", "0", "'NaN'"),
        ("real", "double precision", "0.1", "0.10000000001"),
        ("real", "double precision", "0", "1e-300"),
        ("real", "numeric", "'Infinity'", "1e50"),
        ("double precision", "numeric", "0.1", "0.10000000000000000001"),
        ("double precision", "numeric", "0", "1e-400"),
        ("numeric", "double precision", "0", "'Infinity'"),
    ] {
        let (world, found) =
            compared(["timestamp", ours], ["timestamp", theirs], &rows(&["1", our_value]), &rows(&["1", their_value]));
        assert_eq!(found["equal"], false, "{ours} {our_value} loaded as {theirs} {their_value}");
        assert_eq!(found["unlike_rows"], 1, "{ours} {our_value} loaded as {theirs} {their_value}: {found}");
        assert_eq!(found["missing"], json!({"rows": 1, "days": 1}), "{found}");
        let adopted = world.kalends("adopt --from theirs.events --json").succeeds().json();
        assert_eq!((&adopted["taken"]["rows"], &adopted["loaded"]["rows"]), (&json!(0), &json!(2)));
        world.kalends("verify").succeeds();
    }
    // Even where all else is equal.
    let (_, found) = compared(["timestamp", "integer"], ["timestamp", "numeric"], &rows(&["1"]), &rows(&["1", "1.5"]));
    assert_eq!((&found["equal"], &found["unlike_rows"]), (&json!(false), &json!(1)));
}

#[test]
fn times_of_other_types_compare_as_utc_or_at_midnight() {
    for (ours, theirs, our_time, their_time, equal) in [
        ("timestamp", "timestamptz", "2024-03-30 23:30", "2024-03-30 23:30+00", true),
        ("timestamp", "timestamptz", "2024-03-30 23:30", "2024-03-30 23:30+01", false),
        ("timestamptz", "timestamp", "2024-03-30 23:30+00", "2024-03-30 23:30", true),
        ("timestamptz", "timestamptz", "2024-03-30 23:30+00", "2024-03-31 00:30+01", true),
        ("date", "timestamp", "2024-03-30", "2024-03-30", true),
        ("date", "timestamp", "2024-03-30", "2024-03-30 00:00:01", false),
        ("date", "date", "2024-03-30", "2024-03-30", true),
    ] {
        let row = |time: &str| format!("('{time}', 1)");
        let (world, found) = compared([ours, "integer"], [theirs, "integer"], &row(our_time), &row(their_time));
        assert_eq!(found["equal"], equal, "{ours} {our_time} loaded as {theirs} {their_time}: {found}");
        let adopted = world.kalends("adopt --from theirs.events --json").succeeds().json();
        assert_eq!(adopted["taken"]["rows"], i64::from(equal), "{ours} loaded as {theirs}");
        world.kalends("verify").succeeds();
    }
}

#[test]
fn dimensions_are_compared_as_well() {
    let world = World::new();
    world.production_sql(
        "CREATE TYPE colour AS ENUM ('red', 'blue');
         CREATE TABLE sale (at timestamp, shop varchar(9), colour colour, till smallint, price numeric);
         INSERT INTO sale VALUES ('2024-01-02', 'a', 'red', 1, 1.5), ('2024-01-02', NULL, 'blue', NULL, 2), ('2024-01-03', 'b', NULL, 2, 3);
         GRANT SELECT ON sale TO PUBLIC",
    );
    world.warehouse_sql(
        "CREATE SCHEMA theirs; CREATE TABLE theirs.sale (at timestamp, shop text, colour text, till bigint, price numeric);
         INSERT INTO theirs.sale VALUES ('2024-01-02', 'a', 'red', 1, 1.5), ('2024-01-02', NULL, 'blue', NULL, 2), ('2024-01-03', '', NULL, 2, 3);
         GRANT USAGE ON SCHEMA theirs TO PUBLIC; GRANT SELECT ON theirs.sale TO PUBLIC",
    );
    world.settings("[[entity]]\nname = \"sale\"\ntable = \"sale\"\ntime = \"at\"\nmeasures = [\"price\"]\ndimensions = [\"shop\", \"colour\", \"till\"]\n");
    let found = world.kalends("adopt --check --from theirs.sale --json").fails_with(3).json();
    assert_eq!(
        found["differences"],
        json!([{"day": "2024-01-03", "how": "changed", "production_rows": 1, "their_rows": 1}])
    );
    let adopted = world.kalends("adopt --from theirs.sale --json").succeeds().json();
    assert_eq!((&adopted["taken"]["rows"], &adopted["loaded"]["rows"]), (&json!(2), &json!(1)));
    assert_eq!(
        world.ask_warehouse("SELECT shop, colour, till, price FROM kalends_raw.sale ORDER BY price"),
        ["a|red|1|1.5", "|blue||2", "b||2|3"]
    );
    world.kalends("verify").succeeds();
}

//! `verify --exact`: rows with rows, whatever their checksums say.

use serde_json::json;

use super::settled;
use crate::kit::World;

#[test]
fn rows_that_are_equal_are_said_to_be_so_row_by_row() {
    let world = settled();
    world
        .kalends("verify --exact")
        .succeeds()
        .says("equal, row by row: production = rows = accounts = files, 4 rows, 3 days");
    let found = world.kalends("verify --exact --json").succeeds().json();
    assert_eq!((&found["exact"], &found["equal"]), (&json!(true), &json!(true)));
    assert_eq!(world.kalends("verify --json").json()["exact"], json!(false));
    for other in ["--sample 1%", "--repair"] {
        world.kalends(&format!("verify --exact {other}")).fails_with(2).says("cannot be used with");
    }
}

#[test]
fn each_day_is_said_to_differ_as_it_does() {
    let world = settled();
    world.production(
        "created_at | value\n 2024-03-01 | 1\n NULL | 1\n infinity | 2\n -infinity | 3\n 4714-12-31 BC | 4\n 2024-01-02 07:00 | 1",
    );
    world.production_sql("DELETE FROM entity WHERE value = 8; UPDATE entity SET value = 11 WHERE value = 10");
    let layers = ["rows", "accounts"].map(|layer| {
        [("2024-01-02", "grown"), ("2024-01-31", "changed"), ("2024-02-29", "vanished"), ("2024-03-01", "new")]
            .map(|(what, how)| json!({"layer": layer, "what": what, "how": how}))
    });
    let found = world.kalends("verify --exact --json").fails_with(3).json();
    assert_eq!(found["differences"], json!(layers.concat()));
    world.kalends("run --accept-loss").succeeds();
    world.kalends("verify --exact").succeeds();
}

/// Makes PostgreSQL's hash functions of one database blind: a function takes the place of each.
fn blinded() -> String {
    let functions = [
        ("hashint4extended", "integer"),
        ("hashfloat8extended", "double precision"),
        ("timestamp_hash_extended", "timestamp"),
    ];
    let blind = functions.map(|(name, kind)| {
        format!(
            "ALTER FUNCTION pg_catalog.{name}({kind}, bigint) RENAME TO known_{name};
             CREATE FUNCTION pg_catalog.{name}({kind}, bigint) RETURNS bigint
             LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT 1::bigint';"
        )
    });
    blind.concat()
}

#[test]
fn what_no_checksum_sees_is_seen() {
    let world = World::new();
    world.production_sql(&blinded());
    world.warehouse_sql(&blinded());
    world.production("created_at | value\n 2024-01-02 08:00 | 1\n 2024-01-02 09:00 | 5\n 2024-01-03 | 1");
    world.kalends("run").succeeds();
    world.kalends("verify --exact").succeeds();
    // As many values, of the same sum, smallest and largest.
    world.production_sql(
        "UPDATE entity SET value = 6 - value WHERE created_at < '2024-01-03';
         UPDATE entity SET created_at = '2024-01-03 00:00:01' WHERE created_at = '2024-01-03'",
    );
    world.kalends("verify").succeeds();
    let ran = world.kalends("verify --exact");
    ran.fails_with(3).says("rows        2024-01-02 changed").says("rows        2024-01-03 changed");
}

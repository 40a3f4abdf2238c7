//! A sample: the same rows on both sides, all of them at 100%, and enough to see what is wrong with everything.

use std::fs;

use serde_json::json;

use crate::kit::World;
use crate::messages::golden;

/// A table with a time of this type and some 20 000 rows over 40 days, settled.
fn settled(kind: &str) -> World {
    let world = World::new();
    let step = if kind == "date" { "40.0 / 20000 * n" } else { "0.0019 * n" };
    world.production_sql(&format!(
        "DROP TABLE entity; CREATE TABLE entity (created_at {kind}, value integer);
         INSERT INTO entity SELECT (timestamp '2024-01-01' + {step} * interval '1 day')::{kind}, n % 1000
         FROM generate_series(0, 19999) AS n;
         INSERT INTO entity SELECT * FROM entity LIMIT 50;
         INSERT INTO entity VALUES (NULL, 1);
         GRANT SELECT ON entity TO PUBLIC"
    ));
    let zone = if kind == "timestamptz" { "time_zone = \"Europe/Paris\"\n" } else { "" };
    world.settings(format!("[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\n{zone}measures = [\"value\"]\nlevels = [\"year\"]\n"));
    world.kalends("run").succeeds();
    world
}

const KINDS: [&str; 3] = ["timestamp", "timestamptz", "date"];

#[test]
fn both_sides_choose_the_same_rows_and_about_as_many_as_asked() {
    for kind in KINDS {
        let world = settled(kind);
        let before = (world.tuples(), world.tree());
        for (share, least, most) in [("0.1%", 2, 60), ("5%", 700, 1300), ("37.5%", 7000, 8000), ("100%", 20050, 20050)]
        {
            let ran = world.kalends(&format!("verify --sample {share} --json"));
            let found = ran.succeeds().json();
            assert_eq!((&found["sample"], &found["differences"]), (&json!(share), &json!([])), "{kind}");
            let rows = found["rows"].as_i64().unwrap();
            assert!((least..=most).contains(&rows), "{kind}: {share} of 20 050 rows are {rows}");
        }
        let text = world.kalends("verify --sample 5%");
        text.succeeds()
            .says("equal in a sample of 5%: ")
            .says(" were looked at in production and in the warehouse, as of ");
        assert_eq!((world.tuples(), world.tree()), before, "a sample wrote something");
    }
}

#[test]
fn a_row_is_chosen_for_what_it_is_and_not_for_where_it_lies() {
    let world = settled("date");
    // Other places, another order: the same rows.
    let rows = |world: &World| world.kalends("verify --sample 5% --json").succeeds().json()["rows"].clone();
    let before = rows(&world);
    world.production_sql("CREATE TEMPORARY TABLE moved AS SELECT * FROM entity ORDER BY value DESC; TRUNCATE entity; INSERT INTO entity SELECT * FROM moved");
    assert_eq!(rows(&world), before);
}

#[test]
fn at_100_percent_one_row_is_enough() {
    for kind in KINDS {
        let world = settled(kind);
        world.warehouse_sql("DELETE FROM kalends_raw.entity WHERE ctid = (SELECT max(ctid) FROM kalends_raw.entity_2024_02) AND tableoid = 'kalends_raw.entity_2024_02'::regclass");
        let found = world.kalends("verify --sample 100% --json").fails_with(3).json();
        assert_eq!(found["differences"].as_array().unwrap().len(), 1, "{kind}");
        assert_eq!(
            (&found["differences"][0]["layer"], &found["differences"][0]["how"]),
            (&json!("rows"), &json!("grown"))
        );
    }
}

#[test]
fn a_sample_sees_what_is_wrong_with_everything() {
    for kind in KINDS {
        for tamper in [
            "UPDATE kalends_raw.entity SET value = value + 1000",
            "DELETE FROM kalends_raw.entity WHERE value % 2 = 0",
            "INSERT INTO kalends_raw.entity SELECT * FROM kalends_raw.entity",
            "TRUNCATE kalends_raw.entity",
        ] {
            let world = settled(kind);
            world.warehouse_sql(tamper);
            let ran = world.kalends("verify --sample 5% --list");
            ran.fails_with(3).says(" in a sample of 5%: ").says("\nrows        2024-01-");
            let days = ran.stdout.lines().filter(|line| line.starts_with("rows ")).count();
            assert!(days > 30, "{kind}: {tamper}: only {days} days of 38 or 40 seem to differ");
        }
    }
}

#[test]
fn accounts_that_do_not_add_up_and_files_are_seen_as_well() {
    let world = settled("timestamp");
    world.warehouse_sql("UPDATE kalends_stats.entity_month SET sum_values = sum_values + 1");
    fs::write(world.exports.join("year=2024/entity_stats_yearly_2024.csv"), "edited\n").unwrap();
    let found = world.kalends("verify --sample 1% --json").fails_with(3).json();
    let layers: Vec<&str> =
        found["differences"].as_array().unwrap().iter().map(|one| one["layer"].as_str().unwrap()).collect();
    assert!(layers.contains(&"accounts") && layers.contains(&"files") && !layers.contains(&"rows"), "{layers:?}");
}

#[test]
fn a_share_that_is_none_is_usage() {
    let world = World::new();
    for (share, name) in [("0%", "sample_nothing"), ("101%", "sample_too_much"), ("5", "sample_without_percent")] {
        let ran = world.kalends(&format!("verify --sample {share}"));
        ran.fails_with(2);
        assert_eq!(ran.stdout, "");
        golden(name, &ran.stderr);
    }
    for share in ["-5%", "%", "five%", "0.00001%", "100.0001%", "1e1%", ""] {
        let ran = world.command("verify").arg(format!("--sample={share}")).output().unwrap();
        assert_eq!(ran.status.code(), Some(2), "{share}");
    }
    world.kalends("verify --sample 5% --repair").fails_with(2);
}

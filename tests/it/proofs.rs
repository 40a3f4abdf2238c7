//! What is called proven, whole, closed or complete is: of each entity by itself, from its first whole run on.

mod restored;

use std::fs;

use serde_json::{Value, json};

use crate::faults::held::{Hold, Running};
use crate::kit::World;
use crate::own_servers::Side;

/// An entity of table `entity`, or of another one with the same columns.
fn entity(name: &str, table: &str, more: &str) -> String {
    format!(
        "[[entity]]\nname = \"{name}\"\ntable = \"{table}\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n{more}\n"
    )
}

fn status(world: &World) -> Value {
    world.kalends("status --json").json()
}

fn manifest(world: &World) -> Value {
    serde_json::from_slice(&fs::read(world.exports.join("_manifest.json")).unwrap()).unwrap()
}

/// Whether the manifest calls any file closed.
fn any_closed(world: &World) -> bool {
    manifest(world)["files"].as_object().unwrap().values().any(|file| file["closed"] == true)
}

const ROWS: &str = "created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8";

/// `one` is settled, and `two` was just added to the settings; a stray table is in the way of its second month.
fn half_loaded() -> World {
    let world = World::new();
    world.production(ROWS);
    world.settings(entity("one", "entity", ""));
    world.kalends("run").succeeds();
    world.settings(&(entity("one", "entity", "") + &entity("two", "entity", "")));
    world.warehouse_sql(
        "CREATE TABLE kalends_raw.two_2024_02 (); ALTER TABLE kalends_raw.two_2024_02 OWNER TO kalends_writer",
    );
    world
}

#[test]
fn an_entity_that_was_just_added_is_not_proven_and_not_fresh() {
    let world = half_loaded();
    let said = world.kalends("status --max-age 26h").fails_with(3).stdout.clone();
    assert!(said.contains("proven      one: equal to production as of"), "{said}");
    assert!(said.contains("proven      two: never; older than 1day 2h"), "{said}");
    assert_eq!(said.matches("older than").count(), 1, "one is fresh: {said}");
    let status = status(&world);
    assert_eq!((&status["proven_as_of"], &status["age_seconds"]), (&json!(null), &json!(null)));
    assert_eq!(status["complete_through"].as_object().unwrap().keys().collect::<Vec<_>>(), ["one"]);
    let never = json!({
        "proven_as_of": null, "age_seconds": null, "whole": false, "settled_as_of": null,
        "recent_from": null, "older": [], "older_rows": 0, "due_rows": 0, "oldest_as_of": null,
        "oldest_age_seconds": null
    });
    assert_eq!(status["proofs"]["two"], never);
    assert_eq!(status["proofs"]["one"]["whole"], true);
}

#[test]
fn a_first_load_that_was_interrupted_closes_nothing_until_it_is_whole() {
    let world = half_loaded();
    world.kalends("run").fails_with(4).says("table \"kalends_raw.two_2024_02\" of the warehouse is in the way");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_stats.two_month"), ["1"], "the first of two months");
    world.kalends("status --max-age 26h").fails_with(3).says("proven      two: never");
    assert_eq!(status(&world)["complete_through"].as_object().unwrap().keys().collect::<Vec<_>>(), ["one"]);

    // What is published of it is open, and not published where only closed files are wanted.
    fs::remove_dir_all(&world.exports).unwrap();
    world.kalends("export --closed-only").succeeds();
    assert!(world.files().keys().all(|path| !path.contains("two_stats")), "{:?}", world.files().keys());
    world.kalends("export").succeeds();
    let files = manifest(&world)["files"].as_object().unwrap().clone();
    let of_two: Vec<_> = files.values().filter(|file| file["entity"] == "two").collect();
    assert_eq!(of_two.len(), 3, "a day, its month and its year");
    assert!(of_two.iter().all(|file| file["closed"] == false), "{of_two:?}");
    assert_eq!(manifest(&world)["complete_through"].as_object().unwrap().len(), 1);

    world.warehouse_sql("DROP TABLE kalends_raw.two_2024_02");
    world.kalends("run").succeeds();
    assert!(manifest(&world)["files"].as_object().unwrap().values().all(|file| file["closed"] == true));
    assert_eq!(status(&world)["complete_through"].as_object().unwrap().len(), 2);
    world.kalends("status --max-age 26h").succeeds().says("proven      equal to production as of");
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn a_run_of_other_settings_does_not_make_an_entity_fresh() {
    let world = World::new();
    world.production(ROWS);
    world.settings(&(entity("one", "entity", "") + &entity("two", "entity", "")));
    world.kalends("run").succeeds();
    let before = status(&world)["proofs"]["two"]["proven_as_of"].clone();
    world.production_sql("INSERT INTO entity VALUES ('2024-03-01', 1)");
    world.settings(entity("one", "entity", ""));
    world.kalends("run").succeeds();
    world.kalends("run").succeeds().says("nothing to do");
    world.settings(&(entity("one", "entity", "") + &entity("two", "entity", "")));
    let status = status(&world);
    assert_eq!(status["proofs"]["two"]["proven_as_of"], before);
    assert_eq!(status["proven_as_of"], before, "the older of the two");
    assert!(status["proofs"]["one"]["proven_as_of"].as_str() > before.as_str());
}

#[test]
fn after_forget_nothing_is_proven_until_the_first_whole_run() {
    let world = World::new();
    world.production(ROWS);
    world.kalends("run").succeeds();
    assert!(any_closed(&world));
    let sequences = "SELECT count(*) FROM pg_sequences WHERE schemaname = 'kalends' AND sequencename LIKE 'confirmed%'";
    assert_eq!(world.ask_warehouse(sequences), ["1"]);
    world.kalends("forget entity --yes").succeeds();
    assert_eq!(world.ask_warehouse(sequences), ["0"]);
    world.kalends("status --max-age 26h").fails_with(3).says("proven      never");
    // Its second month fails, whenever its tables are there.
    world.warehouse_sql(
        "CREATE TABLE kalends_raw.entity_2024_02 (); ALTER TABLE kalends_raw.entity_2024_02 OWNER TO kalends_writer",
    );
    world.kalends("run").fails_with(4);
    world.kalends("status --max-age 26h").fails_with(3).says("proven      never");
    world.kalends("export").succeeds();
    assert!(!any_closed(&world));
    world.warehouse_sql("DROP TABLE kalends_raw.entity_2024_02");
    world.settles();
    assert!(any_closed(&world));
}

#[test]
fn a_run_that_is_interrupted_between_its_months_says_so() {
    let world = World::new();
    world.production(ROWS);
    world.kalends("run").succeeds();
    let proven = status(&world)["proven_as_of"].clone();
    world.production_sql("INSERT INTO entity VALUES ('2024-01-03', 1), ('2024-02-28', 1)");
    world.warehouse_sql(
        "CREATE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''on purpose''; END';
         CREATE TRIGGER fails BEFORE INSERT ON kalends_raw.entity_2024_02 EXECUTE FUNCTION public.fails()",
    );
    world.kalends("run").fails_with(1).says("on purpose");
    let entity = status(&world)["proofs"]["entity"].clone();
    assert_eq!((&entity["proven_as_of"], &entity["whole"]), (&proven, &json!(false)));
    assert!(entity["settled_as_of"].as_str() > proven.as_str(), "{entity}");
    world.kalends("status").fails_with(3).says("; settled in part since, as of ");
    // The change goes away again: nothing is left to settle of it, and that is noted.
    world.production_sql("DELETE FROM entity WHERE created_at = '2024-02-28'");
    world.kalends("run").succeeds();
    assert_eq!(status(&world)["proofs"]["entity"]["whole"], true);
    world.warehouse_sql("DROP TRIGGER fails ON kalends_raw.entity_2024_02");
    world.settles();
}

#[test]
fn a_confirmation_counts_for_the_accounts_that_it_was_made_for_alone() {
    let world = World::new();
    world.production(ROWS);
    world.kalends("run").succeeds();
    let settled = status(&world)["proven_as_of"].clone();
    world.kalends("run").succeeds().says("nothing to do");
    let confirmed = status(&world)["proven_as_of"].clone();
    assert!(confirmed.as_str() > settled.as_str());
    // As a reader sees it whose snapshot has other accounts than those that were confirmed.
    world.warehouse_sql("UPDATE kalends.entity SET settlement = settlement + 1");
    assert_eq!(status(&world)["proven_as_of"], settled);
    world.warehouse_sql("UPDATE kalends.entity SET settlement = settlement - 1, whole = false");
    assert_eq!(status(&world)["proven_as_of"], settled);
}

/// Otherwise what the other one settles meanwhile could be called proven.
#[test]
fn nothing_is_confirmed_while_another_run_is_at_work() {
    let world = World::new();
    world.production(ROWS);
    world.settings("[limits]\nlock_timeout = \"120s\"\n[production]\nlock_timeout = \"120s\"\n");
    world.kalends("run").succeeds();
    let proven = status(&world)["proven_as_of"].clone();
    // The run has found the warehouse free, and waits for production's table.
    let table = Hold::by(&world.production_url, "LOCK TABLE entity IN ACCESS EXCLUSIVE MODE");
    let run = Running::started(world.command("run")).once_held(&world, Side::Production);
    let other = Hold::by(&world.warehouse_url, "SELECT pg_advisory_xact_lock(1262570565, 1)");
    drop(table);
    run.ends().succeeds().says("nothing to do");
    drop(other);
    assert_eq!(status(&world)["proven_as_of"], proven);
    world.kalends("run").succeeds().says("nothing to do");
    assert!(status(&world)["proven_as_of"].as_str() > proven.as_str());
}

/// Whoever settled something may have been the one who changed what was compared.
#[test]
fn nothing_is_confirmed_that_was_compared_before_another_run_settled_something() {
    let world = World::new();
    world.production(ROWS);
    let patient = "[limits]\nlock_timeout = \"120s\"\n[production]\nlock_timeout = \"120s\"\n";
    world.settings(patient.to_string() + &entity("entity", "entity", ""));
    world.kalends("run").succeeds();
    let proven = status(&world)["proven_as_of"].clone();
    world.production_sql("CREATE TABLE other AS SELECT * FROM entity");
    fs::write(world.folder().join("other.toml"), entity("other", "other", "")).unwrap();
    let table = Hold::by(&world.production_url, "LOCK TABLE entity IN ACCESS EXCLUSIVE MODE");
    let run = Running::started(world.command("run")).once_held(&world, Side::Production);
    world.kalends("run --config other.toml").succeeds().says("settled");
    drop(table);
    run.ends().succeeds().says("nothing to do");
    assert_eq!(status(&world)["proven_as_of"], proven);
    world.kalends("run").succeeds().says("nothing to do");
    assert!(status(&world)["proven_as_of"].as_str() > proven.as_str());
}

/// An entity with a dimension: a city for each row.
fn cities() -> World {
    let world = World::new();
    world.production_sql("ALTER TABLE entity ADD city text; INSERT INTO entity VALUES ('2024-01-02', 1, 'Lyon'), ('2024-01-03', 2, 'Paris')");
    world.settings(entity("entity", "entity", "dimensions = [\"city\"]\nstatistics = [\"sum\"]"));
    world.kalends("run").succeeds();
    world
}

#[test]
fn accounts_are_only_made_again_from_rows_that_are_proven() {
    let world = cities();
    let path = "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv";
    let right = "year,month,day,city,sum_values\n2024,1,2,Lyon,1";
    world.file(path, right);
    // A row, and one of the combinations that follow from it, by hand.
    world.warehouse_sql(
        "UPDATE kalends_raw.entity SET value = 900 WHERE city = 'Lyon';
         UPDATE kalends_stats.entity_by_month SET sum_values = 900 WHERE dimension_city = 'Lyon'",
    );
    world.kalends("run").succeeds().says("repaired    2024-01");
    world.file(path, right);
    world.file("year=2024/entity_stats_yearly_2024.csv", "year,city,sum_values\n2024,Lyon,1\n2024,Paris,2");
    assert_eq!(world.ask_warehouse("SELECT value FROM kalends_raw.entity ORDER BY 1"), ["1", "2"]);
    world.kalends("verify").succeeds();
    let tuples = world.tuples();
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(world.tuples(), tuples);
}

#[test]
fn an_account_of_a_period_without_rows_is_taken_away() {
    let world = cities();
    world.warehouse_sql("INSERT INTO kalends_stats.entity_year SELECT '1999-01-01', rows, count_values, sum_values, min_values, max_values FROM kalends_stats.entity_year");
    world.kalends("run").succeeds().says("repaired    1999");
    assert_eq!(world.ask_warehouse("SELECT year FROM kalends_stats.entity_year"), ["2024-01-01"]);
    assert_eq!(world.ask_warehouse("SELECT to_regclass('kalends_raw.entity_1999_01') IS NULL"), ["t"]);
    world.kalends("verify").succeeds();
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn two_settings_files_do_not_share_a_table_of_one_warehouse() {
    let world = World::new();
    world.production("created_at | value\n 2023-01-02 | 5\n 2023-01-03 | 6");
    world.settings(entity("orders_2023_01", "entity", ""));
    world.kalends("run").succeeds();
    let rows = "SELECT count(*), sum(value) FROM kalends_raw.orders_2023_01";
    assert_eq!(world.ask_warehouse(rows), ["2|11"]);

    world.settings(entity("orders", "entity", ""));
    let (tuples, tree) = (world.tuples(), world.tree());
    for command in ["run", "plan", "check"] {
        let ran = world.kalends(command);
        assert_ne!(ran.code, Some(0), "{command}: {}", ran.stdout);
        ran.says("entity \"orders\" would share tables or files with \"orders_2023_01\" of the warehouse");
    }
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
    assert_eq!(world.ask_warehouse(rows), ["2|11"]);
    world.settings(entity("orders_2023_01", "entity", ""));
    world.kalends("verify").succeeds();
}

#[test]
fn a_table_in_the_place_of_a_month_is_not_taken_for_it() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settles();
    let made = "CREATE TABLE kalends_raw.entity_2024_02 (LIKE kalends_raw.entity); ALTER TABLE kalends_raw.entity_2024_02 OWNER TO kalends_writer;
                INSERT INTO kalends_raw.entity_2024_02 VALUES ('2024-02-01', 77)";
    world.warehouse_sql(made);
    world.production_sql("INSERT INTO entity VALUES ('2024-02-01', 1)");
    world
        .kalends("run")
        .fails_with(4)
        .says("table \"kalends_raw.entity_2024_02\" of the warehouse is in the way of month 2024-02");
    assert_eq!(world.ask_warehouse("SELECT value FROM kalends_raw.entity_2024_02"), ["77"]);
    world.warehouse_sql("DROP TABLE kalends_raw.entity_2024_02");
    // A part of another partition, that has the name as well.
    world.warehouse_sql(
        "CREATE TABLE kalends_raw.other PARTITION OF kalends_raw.entity FOR VALUES FROM ('2030-01-01') TO ('2030-02-01')
         PARTITION BY RANGE (created_at);
         CREATE TABLE kalends_raw.entity_2024_02 PARTITION OF kalends_raw.other DEFAULT;
         ALTER TABLE kalends_raw.entity_2024_02 OWNER TO kalends_writer",
    );
    world.kalends("run").fails_with(4).says("is in the way of month 2024-02");
    world.warehouse_sql("DROP TABLE kalends_raw.other");
    world.settles();
}

#[test]
fn a_proof_without_anything_to_settle_outdates_the_runs_that_compared_before_it() {
    // Such a run has an older snapshot; what it settled later would be older than the proof says.
    let world = World::new();
    let generation = || world.ask_warehouse("SELECT generation FROM kalends.state");
    world.kalends("prepare").succeeds();
    let proven = "SELECT whole AND proven_as_of IS NOT NULL FROM kalends.entity";
    assert_eq!((generation(), world.ask_warehouse(proven)), (vec!["2".to_string()], vec!["t".to_string()]));
    // What is known already is confirmed, and no tuple changes.
    world.kalends("prepare").succeeds();
    assert_eq!(generation(), ["2"]);
}

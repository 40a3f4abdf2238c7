//! A plan's file, and the run that is held to it.

use std::fs;

use postgres::{Client, NoTls};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{ROWS, settled};
use crate::faults::held::Running;
use crate::kit::World;
use crate::messages::golden;
use crate::own_servers::Side;

/// The run is refused with the words of the golden file, and changes nothing.
#[track_caller]
fn refused(world: &World, arguments: &str, code: i32, name: &str) {
    let before = (world.tuples(), world.tree());
    let ran = world.kalends(arguments);
    ran.fails_with(code);
    assert_eq!(ran.stdout, "");
    golden(name, &ran.stderr);
    assert_eq!((world.tuples(), world.tree()), before, "{name}: something changed");
}

fn planned(edit: &str) -> World {
    let world = settled();
    world.production_sql(edit);
    world.kalends("plan --out plan.json").succeeds().says("written     plan.json");
    world
}

const LATE: &str = "INSERT INTO entity VALUES ('2024-01-02 10:00', 1)";

#[test]
fn a_run_does_what_was_planned_and_only_once() {
    let world = planned(LATE);
    let file: Value = serde_json::from_str(&fs::read_to_string(world.folder().join("plan.json")).unwrap()).unwrap();
    assert_eq!((&file["version"], &file["entities"][0]["days"][0]["cause"]), (&1.into(), &"grown".into()));
    let names: Vec<_> = fs::read_dir(world.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with("staged")), "{names:?}");
    world.kalends("run --plan plan.json").succeeds().says("1 day (1 grown)");
    world.is_exact();
    refused(&world, "run --plan plan.json", 4, "plan_warehouse_moved");
    world.kalends("plan --out plan.json").succeeds();
    world.kalends("prepare --plan plan.json").succeeds().says("nothing to do");
}

#[test]
fn production_that_changes_between_plan_and_run_is_refused() {
    let world = planned(LATE);
    world.production_sql("INSERT INTO entity VALUES ('2024-02-01', 1)");
    refused(&world, "run --plan plan.json", 4, "plan_production_moved");
    refused(&world, "prepare --plan plan.json", 4, "plan_production_moved");
    world.production_sql("DELETE FROM entity WHERE created_at = '2024-02-01'");
    world.kalends("run --plan plan.json").succeeds();
    world.is_exact();
}

#[test]
fn production_that_changes_between_the_look_at_the_plan_and_the_snapshot_is_refused() {
    let world = planned(LATE);
    let lock = "BEGIN; LOCK TABLE entity";
    let mut other = Client::connect(&world.production_url, NoTls).unwrap();
    other.batch_execute(lock).unwrap();
    let running = Running::started(world.command("run --plan plan.json")).once_held(&world, Side::Production);
    // The run looks first; the next lock waits for it, and is there before the run comes back for what it settles.
    other.batch_execute(&format!("COMMIT; {lock}")).unwrap();
    other.batch_execute("INSERT INTO entity VALUES ('2024-02-01', 1); COMMIT").unwrap();
    running.ends().fails_with(4).says("production has changed since the plan");
    assert_eq!(world.kalends("history --json").json()["restatements"], json!([]));
    world.kalends("run").succeeds();
    world.is_exact();
}

#[test]
fn an_empty_warehouse_stays_empty_where_production_moved() {
    let world = World::new();
    world.production(ROWS);
    world.kalends("plan --out plan.json").succeeds();
    world.production_sql("UPDATE entity SET value = 0 WHERE value = 1");
    refused(&world, "run --plan plan.json", 4, "plan_production_moved");
    assert_eq!(world.tuples(), Vec::<String>::new());
    world.production_sql("UPDATE entity SET value = 1 WHERE value = 0");
    world.kalends("run --plan plan.json").succeeds();
    world.is_exact();
}

/// Whoever made it meant something by the key, which this program would leave out.
#[test]
fn a_plan_with_a_key_that_is_not_known_is_refused_although_it_is_sealed() {
    let world = planned(LATE);
    let read = fs::read_to_string(world.folder().join("plan.json")).unwrap();
    let sealed = |edit: fn(&mut Value)| {
        let mut plan: Value = serde_json::from_str(&read).unwrap();
        plan.as_object_mut().unwrap().remove("digest");
        edit(&mut plan);
        let digest: String = Sha256::digest(plan.to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
        plan["digest"] = json!(digest);
        fs::write(world.folder().join("other.json"), plan.to_string()).unwrap();
    };
    let edits: [fn(&mut Value); 2] = [|plan| plan["more"] = json!(1), |plan| plan["entities"][0]["more"] = json!(1)];
    for edit in edits {
        sealed(edit);
        refused(&world, "run --plan other.json", 4, "plan_damaged");
    }
    // The seal is that of Kalends: without the key it is a plan.
    sealed(|_| ());
    world.kalends("run --plan other.json").succeeds().says("1 day (1 grown)");
    world.is_exact();
}

#[test]
fn a_plan_that_is_missing_damaged_newer_or_of_something_else_is_refused() {
    let world = planned(LATE);
    let text = fs::read_to_string(world.folder().join("plan.json")).unwrap();
    let write = |text: &str| fs::write(world.folder().join("other.json"), text).unwrap();
    refused(&world, "run --plan other.json", 2, "plan_missing");
    for damaged in [&text[..text.len() / 2], "", "{}", "[]", &text.replace("\"grown\"", "\"changed\"")] {
        write(damaged);
        refused(&world, "run --plan other.json", 4, "plan_damaged");
    }
    write(&text.replace("\"version\": 1", "\"version\": 2"));
    refused(&world, "run --plan other.json", 4, "plan_newer");

    let settings = |name: &str| {
        format!("[[entity]]\nname = \"{name}\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n")
    };
    world.settings(settings("visits"));
    refused(&world, "run --plan plan.json", 4, "plan_of_another_entity");
    world.settings(settings("entity") + "statistics = [\"sum\"]\n");
    refused(&world, "run --plan plan.json", 4, "plan_of_another_definition");
    world.no_settings();

    let other = planned(LATE);
    fs::copy(world.folder().join("plan.json"), other.folder().join("plan.json")).unwrap();
    refused(&other, "run --plan plan.json", 4, "plan_of_another_warehouse");
    let elsewhere = [("KALENDS_PRODUCTION_URL", other.production_url.as_str())];
    let ran = world.kalends_with("run --plan plan.json", &elsewhere);
    ran.fails_with(4).says("was made for another production");
    world.kalends("run --plan plan.json").succeeds();
    world.is_exact();
}

#[test]
fn a_plan_that_cannot_be_written_is_said_and_leaves_no_trace() {
    let world = settled();
    world
        .kalends("plan --out nowhere/plan.json")
        .fails_with(1)
        .says("could not write the plan to \"nowhere/plan.json\"");
    fs::create_dir(world.folder().join("taken")).unwrap();
    fs::write(world.folder().join("taken/inner"), "").unwrap();
    world.kalends("plan --out taken").fails_with(1).says("could not write the plan to \"taken\"");
    let names: Vec<_> = fs::read_dir(world.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with("staged")), "{names:?}");
}

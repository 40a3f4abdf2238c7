//! Other formats and layouts in the settings: the next run publishes what is wanted now and removes what is not, and
//! touches nothing else.

use std::collections::BTreeSet;
use std::fs;

use super::super::{MANIFEST, changed};
use super::reading::all_say_the_same;
use super::{DIMENSIONS, FORMATS, orders, section};
use crate::kit::World;

/// The default table beside entity `o`, with these lines in its section.
fn both(more: &str) -> String {
    let entity = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    format!("{entity}\n{}", section(more))
}

fn paths(world: &World) -> BTreeSet<String> {
    world.files().into_keys().collect()
}

/// What the warehouse has besides its notes of files.
fn tuples(world: &World) -> Vec<String> {
    world.tuples().into_iter().filter(|tuple| !tuple.starts_with("kalends.file")).collect()
}

#[test]
fn what_is_wanted_no_more_is_removed_and_nothing_else_is_touched() {
    let world = orders();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settings(both(""));
    world.kalends("run").succeeds();
    let (before, csv, settled) = (world.tree(), world.files(), tuples(&world));
    assert!(csv.keys().all(|path| path.ends_with(".csv") && !path.starts_with("o/")));

    // More formats: nothing that was there is touched.
    world.settings(both(&format!("formats = {FORMATS:?}")));
    world.kalends("verify").fails_with(3).says("missing");
    world.kalends("plan --out plan.json").succeeds().says("o_stats_weekly_2024_1.jsonl");
    let plan = fs::read_to_string(world.folder().join("plan.json")).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["files"]["write"].as_array().unwrap().len(), 14 * (FORMATS.len() - 1));
    assert_eq!((&plan["files"]["remove"], &plan["nothing_to_do"]), (&serde_json::json!([]), &false.into()));
    world.kalends("status").fails_with(3).says("to write, 0 to remove");
    world.kalends("run --plan plan.json").succeeds();
    assert_eq!(tuples(&world), settled, "the entity was settled again");
    let added = changed(&before, &world);
    assert_eq!(added.len(), 14 * (FORMATS.len() - 1));
    assert!(added.iter().all(|path| !path.ends_with(".csv")), "{added:?}");
    world.kalends("verify").succeeds();
    world.kalends("run").succeeds().says("nothing to do");

    // Fewer: the others keep inode and time.
    let before = world.tree();
    world.settings(both("formats = [\"jsonl\", \"csv.gz\"]"));
    world.kalends("status").fails_with(3).says("0 files to write");
    world.kalends("run").succeeds().says("removed");
    assert_eq!(changed(&before, &world), [""; 0]);
    let of_o: BTreeSet<String> = paths(&world).into_iter().filter(|path| path.contains("/o_stats_")).collect();
    assert_eq!(of_o.len(), 28);
    assert!(of_o.iter().all(|path| path.ends_with(".jsonl") || path.ends_with(".csv.gz")), "{of_o:?}");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.file WHERE entity = 'o'"), ["28"]);
    world.kalends("verify").succeeds();

    // And back again, to the same bytes.
    world.settings(both(""));
    world.kalends("export").succeeds();
    assert_eq!(world.files(), csv);
    assert_eq!(tuples(&world), settled);
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn another_layout_moves_the_files_of_its_entity_month_by_month_if_need_be() {
    let world = orders();
    world.production("created_at | value\n 2024-01-02 | 5");
    let formats = format!("formats = {FORMATS:?}\n");
    world.settings(both(&formats));
    world.kalends("run").succeeds();
    let (before, in_tree) = (world.tree(), world.files());
    world.settings(both(&format!("{formats}layout = \"hive\"")));

    // A month with what it touches; all else is as it was.
    world.kalends("export 2024 2").succeeds();
    let moved: Vec<String> = paths(&world).into_iter().filter(|path| path.starts_with("o/")).collect();
    assert_eq!(moved.len(), 7 * FORMATS.len(), "an hour, a day, two weeks, a month, a quarter and a year: {moved:?}");
    assert!(paths(&world).iter().any(|path| path.starts_with("year=2024/month=1/o_stats_monthly_")));
    assert!(!paths(&world).iter().any(|path| path.starts_with("year=2024/month=2/")));
    world.kalends("export 2024 2").succeeds().says("nothing to do");
    world.kalends("status").fails_with(3);

    world.kalends("run").succeeds();
    let of_entity = paths(&world).into_iter().filter(|path| path.contains("/entity_stats_")).collect::<Vec<_>>();
    assert_eq!(of_entity.len(), 3);
    assert!(of_entity.iter().all(|path| world.tree().get(path) == before.get(path)), "those of the other entity");
    assert!(paths(&world).iter().all(|path| path.contains("/entity_stats_") || path.starts_with("o/")));
    world.kalends("verify").succeeds();
    world.kalends("run").succeeds().says("nothing to do");

    // The manifest is lost: the warehouse still knows which files are Kalends'.
    let moved = world.tree();
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    world.kalends("run").succeeds();
    assert_eq!(changed(&moved, &world), [""; 0]);
    world.kalends("verify").succeeds();

    world.settings(both(&formats));
    world.kalends("run").succeeds();
    assert_eq!(world.files(), in_tree);
    assert!(!world.exports.join("o").exists(), "an empty folder is left");
}

#[test]
fn an_entity_that_the_settings_lost_keeps_the_form_of_its_files_until_it_is_forgotten() {
    let world = orders();
    world.settings(section(&format!("formats = {FORMATS:?}\nlayout = \"hive\"")));
    world.kalends("run").succeeds();
    let before = world.tree();
    world.no_settings();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.kalends("run").succeeds();
    assert_eq!(changed(&before, &world).len(), 3, "those of the default table");
    assert!(before.iter().all(|(path, file)| path == MANIFEST || world.tree().get(path) == Some(file)));
    world.kalends("verify").succeeds();
    world.kalends("run").succeeds().says("nothing to do");

    // A spoilt one is published again, as it was.
    let path = world.exports.join("o/jsonl/yearly/year=2024/o_stats_yearly_2024.jsonl");
    let right = fs::read(&path).unwrap();
    fs::write(&path, "spoilt").unwrap();
    world.kalends("run").succeeds();
    assert_eq!(fs::read(&path).unwrap(), right);

    world.kalends("forget o --yes").succeeds();
    world.kalends("export").succeeds();
    assert_eq!(world.files().len(), 3);
    assert!(!world.exports.join("o").exists());
    world.kalends("verify").succeeds();
}

#[test]
fn what_a_column_declares_may_change_and_only_types_follow() {
    let world = orders();
    world.settings(section(&format!("formats = {FORMATS:?}")));
    world.kalends("run").succeeds();
    let (before, generation) = (world.tree(), world.ask_warehouse("SELECT generation FROM kalends.state"));
    world.production_sql("ALTER TABLE o ALTER amount TYPE numeric(20, 4)");
    world.kalends("run").succeeds();
    assert_eq!(world.ask_warehouse("SELECT generation FROM kalends.state"), generation, "it was settled again");
    let touched = changed(&before, &world);
    assert_eq!(touched.len(), if FORMATS.contains(&"parquet") { 14 } else { 0 });
    assert!(touched.iter().all(|path| path.ends_with(".parquet")), "{touched:?}");
    assert_eq!(all_say_the_same(&world, &DIMENSIONS), 14);
    world.kalends("verify").succeeds();
    let tuples = world.tuples();
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(world.tuples(), tuples);
}

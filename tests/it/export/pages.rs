//! What the manifest says of the report's pages.

use std::fs;

use super::{MANIFEST, manifest};
use crate::faults::limits::limited;
use crate::kit::World;

const PAGES: [&str; 2] = ["index.html", "report/entity.html"];

/// Three days in two months, published with pages.
fn with_pages() -> World {
    let world = World::new();
    world.settings("report = true\n");
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-31 | 10\n 2024-02-29 | 8");
    world.kalends("run").succeeds();
    world
}

#[test]
fn pages_that_the_manifest_lists_no_more_are_listed_again_and_not_written() {
    let world = with_pages();
    let whole = manifest(&world);
    let before = world.tree();
    let mut without = whole.clone();
    without.as_object_mut().unwrap().remove("pages");
    fs::write(world.exports.join(MANIFEST), without.to_string()).unwrap();
    world.kalends("status").fails_with(3);
    world.kalends("export").succeeds().says("listed      the manifest was written again");
    assert_eq!(manifest(&world)["pages"].as_object().unwrap().len(), 2);
    for (path, file) in world.tree().into_iter().filter(|(path, _)| path.ends_with(".html")) {
        assert_eq!(file, before[&path], "{path} was written");
    }
    world.kalends("status").succeeds();
    // One that somebody has written over is still the listed one.
    fs::write(world.exports.join(PAGES[1]), "edited").unwrap();
    world.kalends("export").succeeds().says("report      1 page");
    world.kalends("verify").succeeds();
}

#[test]
fn pages_are_pending_before_they_are_written() {
    let world = World::new();
    world.settings("report = true\n");
    world.production("created_at | value\n 2024-01-02 | 5");
    // 4 KiB: enough for the manifest and the files, and not for a page.
    limited(&world, "-f 8", "run").fails_with(1).says("File too large");
    let pending = manifest(&world)["pending"].clone();
    assert!(PAGES.iter().all(|page| pending.get(page).is_some()), "{pending}");
    world.kalends("run").succeeds();
    assert_eq!(manifest(&world).get("pending"), None);
    world.kalends("verify").succeeds();
}

#[test]
fn pages_of_another_warehouse_are_taken_over_whichever_is_older() {
    let older = with_pages();
    let world = with_pages();
    let folder = world.exports.display().to_string();
    let into = [("KALENDS_EXPORTS", folder.as_str())];
    older.kalends_with("export --take-over", &into).succeeds();
    let warehouse = older.ask_warehouse("SELECT warehouse FROM kalends.state");
    assert_eq!(manifest(&world)["warehouse"], warehouse[0].as_str());
    older.kalends_with("verify", &into).succeeds();
}

#[test]
fn beside_pages_an_empty_warehouse_is_another_one() {
    let world = with_pages();
    let tree = world.tree();
    world.empty_warehouse();
    for command in ["status", "export", "report", "check"] {
        let ran = world.kalends(command);
        assert_eq!(ran.stderr.matches("does not exist").count(), 0, "{command}: {}", ran.stderr);
        assert_eq!(world.tree(), tree, "{command}");
    }
}

//! `_manifest.json`: what it says, and what happens when it is lost or damaged.

use std::fs;

use super::{JANUARY, JANUARY_2, MANIFEST, YEAR, changed, manifest, paths, prepared, published, sha256sum};

#[test]
fn a_lost_manifest_is_written_again_and_no_file_with_it() {
    let world = published();
    let before = world.tree();
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    world.kalends("verify").fails_with(3).says("unlisted");
    world.kalends("run").succeeds();
    assert_eq!(changed(&before, &world), Vec::<String>::new());
    assert_eq!(world.tree()[MANIFEST].bytes, before[MANIFEST].bytes);
    world.settles();
}

#[test]
fn files_that_vanish_after_the_manifest_was_lost_go_as_well() {
    let world = published();
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    world.production_sql("DELETE FROM entity WHERE value = 8");
    world.kalends("run --accept-loss").succeeds();
    // The warehouse knows path and hash of what was published.
    world.is_exact();
}

#[test]
fn a_file_that_was_edited_after_the_manifest_was_lost_is_somebodys() {
    let world = published();
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    fs::write(world.exports.join(JANUARY_2), "mine").unwrap();
    let tree = world.tree();
    world.kalends("run").fails_with(4).says("is in the way");
    assert_eq!(world.tree(), tree);
}

#[test]
fn a_damaged_manifest_is_refused() {
    let world = published();
    let whole = fs::read_to_string(world.exports.join(MANIFEST)).unwrap();
    let half = &whole[..whole.len() / 2];
    for damaged in ["", "{", "[]", "null", "{\"version\": 1}", "\u{0}\u{0}\u{0}", half] {
        fs::write(world.exports.join(MANIFEST), damaged).unwrap();
        let (tree, tuples) = (world.tree(), world.tuples());
        for arguments in ["export", "export 2024 1", "run", "status", "verify"] {
            world.kalends(arguments).fails_with(4).says("_manifest.json\" is not a manifest of Kalends");
            assert_eq!(world.tree(), tree, "{arguments}");
        }
        assert_eq!(world.tuples(), tuples);
    }
    fs::write(world.exports.join(MANIFEST), whole).unwrap();
    world.kalends("export").succeeds().says("nothing to do");
}

#[test]
fn a_manifest_of_a_newer_kalends_is_refused() {
    let world = published();
    let newer = fs::read_to_string(world.exports.join(MANIFEST)).unwrap().replace("\"version\": 1", "\"version\": 2");
    fs::write(world.exports.join(MANIFEST), newer).unwrap();
    let tree = world.tree();
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.kalends("run").fails_with(4).says("version 2");
    assert_eq!(world.tree(), tree);
}

#[test]
fn a_manifest_that_names_paths_outside_removes_nothing_there() {
    let world = published();
    let victim = world.folder().join("victim.txt");
    fs::write(&victim, "mine").unwrap();
    let whole = fs::read_to_string(world.exports.join(MANIFEST)).unwrap();
    for name in ["../victim.txt".to_string(), victim.display().to_string()] {
        fs::write(world.exports.join(MANIFEST), whole.replace(YEAR, &name)).unwrap();
        world.kalends("export");
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
    }
}

#[test]
fn the_manifest_lists_every_file_and_no_other() {
    let world = prepared();
    fs::create_dir(&world.exports).unwrap();
    fs::write(world.exports.join(".gitkeep"), "").unwrap();
    let report = world.kalends("run --json").json();
    let listed = manifest(&world);
    assert_eq!(listed["version"], 1);
    let keys: Vec<&String> = listed.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["complete_through", "files", "production_as_of", "version", "warehouse"], "nothing is pending");
    assert_eq!(listed["warehouse"], world.ask_warehouse("SELECT warehouse FROM kalends.state")[0].as_str());
    let entries = listed["files"].as_object().unwrap();
    let files: Vec<String> = paths(&world).into_iter().filter(|path| path != ".gitkeep").collect();
    assert_eq!(entries.keys().cloned().collect::<Vec<_>>(), files);
    for (path, entry) in entries {
        let bytes = fs::metadata(world.exports.join(path)).unwrap().len();
        assert_eq!(entry["bytes"], bytes, "{path}");
        assert_eq!(entry["sha256"], sha256sum(&world.exports.join(path)), "{path}");
        assert_eq!(entry["rows"], 1);
    }
    let of =
        |path: &str| format!("{} {} {}", entries[path]["level"], entries[path]["period"], entries[path]["entity_rows"]);
    assert_eq!(of(YEAR), "\"year\" \"2024\" 4");
    assert_eq!(of(JANUARY), "\"month\" \"2024-01\" 3");
    assert_eq!(of(JANUARY_2), "\"day\" \"2024-01-02\" 2");
    let settled = world.ask_warehouse("SELECT production_as_of FROM kalends.run");
    assert_eq!(listed["production_as_of"], settled[0].as_str());
    // Prepared by a run before, and this one found nothing new.
    assert!(report["production_as_of"].as_str().unwrap() > settled[0].as_str());

    world.production_sql("DELETE FROM entity WHERE value = 8; INSERT INTO entity VALUES ('2025-05-05', 5)");
    let report = world.kalends("run --json --accept-loss").json();
    let listed = manifest(&world);
    assert_eq!(listed["production_as_of"], report["production_as_of"]);
    let files: Vec<String> = paths(&world).into_iter().filter(|path| path != ".gitkeep").collect();
    assert_eq!(listed["files"].as_object().unwrap().keys().cloned().collect::<Vec<_>>(), files);
}

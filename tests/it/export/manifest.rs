//! `_manifest.json`: what it says, and what happens when it is lost or damaged.

use std::fs;

use super::{
    FEBRUARY, FEBRUARY_29, JANUARY, JANUARY_2, MANIFEST, YEAR, changed, manifest, paths, prepared, published, sha256sum,
};
use crate::kit::World;

#[test]
fn a_lost_manifest_is_written_again_and_no_file_with_it() {
    let world = published();
    let before = world.tree();
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    world.kalends("verify").fails_with(3).says("unlisted");
    let due = world.kalends("status --json").fails_with(3).json()["due"].clone();
    assert_eq!((due["write"].as_array().unwrap().len(), due["list"].as_array().unwrap().len()), (0, 6));
    world.kalends("status").fails_with(3).says("due         0 files to write, 0 to remove, 6 only to list");
    world.kalends("plan").succeeds().says("publish     0 files to write, 0 to remove, 6 only to list");
    world.kalends("run").succeeds().says("listed      6 files, none rewritten");
    assert_eq!(changed(&before, &world), Vec::<String>::new());
    assert_eq!(world.tree()[MANIFEST].bytes, before[MANIFEST].bytes);
    world.settles();
}

#[test]
fn a_manifest_that_names_forty_ways_out_removes_and_writes_nothing_there() {
    let world = published();
    let victim = world.folder().join("victim.txt");
    fs::write(&victim, "mine").unwrap();
    std::os::unix::fs::symlink("..", world.exports.join("up")).unwrap();
    let whole = fs::read_to_string(world.exports.join(MANIFEST)).unwrap();
    let absolute = victim.display().to_string();
    let mut names: Vec<String> = ["victim.txt", "./victim.txt", "x/../victim.txt", ""].map(String::from).to_vec();
    for up in ["..", "../.", "./..", "year=2024/../..", "year=2024/month=1/../../..", "up", "./up", "year=2024/../up"] {
        names.extend(["", "/", "//"].map(|slash| format!("{up}{slash}")));
        names.push(format!("{up}/victim.txt"));
    }
    names.extend(["/", "//", "~", "~/victim.txt", "con", "nul.csv", "a\\u0000b", "a\\nb", ".", "*"].map(String::from));
    names.extend([absolute.clone(), format!("/{absolute}"), absolute[1..].to_string(), format!("{absolute}/")]);
    assert!(names.len() >= 40, "{}", names.len());
    let inside = |world: &crate::kit::World| world.files().into_keys().filter(|path| path != "up").count();
    for name in crate::faults::sample(names, 14) {
        fs::write(world.exports.join(MANIFEST), whole.replace(YEAR, &name)).unwrap();
        let ran = world.kalends("export");
        assert!(matches!(ran.code, Some(0 | 1 | 4)), "{name:?}: {:?} {}", ran.code, ran.stderr);
        assert_eq!(fs::read(&victim).unwrap(), b"mine", "{name:?}");
        assert_eq!(inside(&world), 6, "{name:?}");
    }
    fs::remove_file(world.exports.join("up")).unwrap();
    fs::write(world.exports.join(MANIFEST), whole).unwrap();
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
fn a_file_that_was_edited_after_the_manifest_was_lost_stays_when_its_period_vanishes() {
    let world = published();
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    fs::write(world.exports.join(FEBRUARY_29), "mine").unwrap();
    world.production_sql("DELETE FROM entity WHERE value = 8");
    world.kalends("run --accept-loss").succeeds();
    assert_eq!(fs::read(world.exports.join(FEBRUARY_29)).unwrap(), b"mine");
    // That of its month is as it was published, and goes.
    assert!(!world.exports.join(FEBRUARY).exists());
}

#[test]
fn a_damaged_manifest_is_refused() {
    let world = published();
    let whole = fs::read_to_string(world.exports.join(MANIFEST)).unwrap();
    let half = &whole[..whole.len() / 2];
    let of_another_form = whole.replacen("\"level\": \"day\"", "\"level\": 1", 1);
    assert_ne!(of_another_form, whole);
    for damaged in ["", "{", "[]", "null", "{\"version\": 1}", "\u{0}\u{0}\u{0}", half, &of_another_form] {
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
        let ran = world.kalends("export");
        ran.fails_with(4)
            .says(&format!(" lists \"{name}\", which is no path of Kalends\n hint: Restore the manifest, or"));
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
    }
    // A path that no file can have is not taken for one whose file is gone.
    let long = format!("year=2024/{}.csv", "x".repeat(300));
    fs::write(world.exports.join(MANIFEST), whole.replace(YEAR, &long)).unwrap();
    let tree = world.tree();
    world
        .kalends("export")
        .fails_with(1)
        .says(&format!("could not look at \"{}\"", world.exports.join(long).display()));
    assert_eq!(world.tree(), tree);
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
    assert_eq!(
        keys,
        ["complete_through", "files", "production_as_of", "settled", "version", "warehouse"],
        "nothing is pending"
    );
    assert_eq!(listed["warehouse"], world.ask_warehouse("SELECT warehouse FROM kalends.state")[0].as_str());
    let entries = listed["files"].as_object().unwrap();
    let files: Vec<String> = paths(&world).into_iter().filter(|path| path != ".gitkeep").collect();
    assert_eq!(entries.keys().cloned().collect::<Vec<_>>(), files);
    for (path, entry) in entries {
        let bytes = fs::metadata(world.exports.join(path)).unwrap().len();
        assert_eq!(entry["bytes"], bytes, "{path}");
        assert_eq!(entry["sha256"], sha256sum(&world.exports.join(path)), "{path}");
        assert_eq!(entry["rows"], 1);
        assert_eq!(entry.get("etag"), None, "a file has none");
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

#[test]
fn what_was_settled_is_listed_for_as_long_as_the_entity_or_a_file_of_it_is_there() {
    let world = World::new();
    let entity = |name: &str| {
        format!("[[entity]]\nname = \"{name}\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n")
    };
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settings(entity("one") + &entity("two"));
    world.kalends("run").succeeds();
    let settled = || manifest(&world)["settled"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(settled(), ["one", "two"]);
    world.kalends("forget two --yes").succeeds();
    world.settings(entity("one"));
    // Those of February are left.
    world.kalends("export 2024 1").succeeds().says("3 removed");
    assert_eq!(settled(), ["one", "two"]);
    world.kalends("export").succeeds().says("2 removed");
    assert_eq!(settled(), ["one"]);
    world.production_sql("DELETE FROM entity");
    world.kalends("run --accept-loss").succeeds();
    assert_eq!((settled(), paths(&world)), (vec!["one".to_string()], Vec::new()));
}

#[test]
fn a_listed_file_that_somebody_edited_goes_with_its_period() {
    let world = published();
    fs::write(world.exports.join(FEBRUARY_29), "edited").unwrap();
    world.production_sql("DELETE FROM entity WHERE value = 8");
    world.kalends("run --accept-loss").succeeds().says("2 removed");
    assert!(!world.exports.join("year=2024/month=2").exists());
    world.settles();
}

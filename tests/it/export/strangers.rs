//! What is not Kalends' in the export folder, and what leads out of it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use super::{
    FEBRUARY, FEBRUARY_29, JANUARY, JANUARY_2, JANUARY_31, MANIFEST, YEAR, paths, prepared, published, staged,
};

#[test]
fn a_strangers_file_keeps_its_folder_and_is_never_touched() {
    let world = published();
    let strangers = ["year=2024/month=1/day=31/notes.txt", "year=2024/month=2/.gitkeep", "notes.txt"];
    for path in strangers {
        fs::write(world.exports.join(path), "mine").unwrap();
    }
    let before = world.tree();
    world.production_sql("DELETE FROM entity WHERE value IN (8, 10)");
    world.kalends("run --accept-loss").succeeds();
    let after = world.tree();
    for path in strangers {
        assert_eq!(after[path], before[path], "{path}");
    }
    assert!(!world.exports.join(JANUARY_31).exists() && !world.exports.join(FEBRUARY).exists());
    world.kalends("verify").succeeds();
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(world.tree(), after);
}

#[test]
fn a_foreign_file_in_the_way_is_refused_and_nothing_is_written() {
    let world = prepared();
    fs::create_dir_all(world.exports.join("year=2024/month=2/day=29")).unwrap();
    fs::write(world.exports.join(FEBRUARY_29), "mine").unwrap();
    let (tree, tuples) = (world.tree(), world.tuples());
    for arguments in ["export", "export 2024 2", "run"] {
        world.kalends(arguments).fails_with(4).says("is in the way, and Kalends did not write it");
        assert_eq!((world.tree(), world.tuples()), (tree.clone(), tuples.clone()), "{arguments}");
    }

    // Beside files of ours as well.
    world.kalends("export 2024 1").succeeds();
    let tree = world.tree();
    world.kalends("export").fails_with(4);
    assert_eq!(world.tree(), tree);

    fs::remove_file(world.exports.join(FEBRUARY_29)).unwrap();
    world.kalends("export").succeeds();
    world.is_exact();
}

#[test]
fn a_folder_in_the_place_of_a_file_is_no_loss() {
    let world = published();
    fs::remove_file(world.exports.join(FEBRUARY_29)).unwrap();
    fs::create_dir(world.exports.join(FEBRUARY_29)).unwrap();
    fs::write(world.exports.join(FEBRUARY_29).join("notes.txt"), "mine").unwrap();
    let refused = world.kalends("export");
    assert!(matches!(refused.code, Some(1 | 4)), "{}", refused.stderr);
    refused.says(FEBRUARY_29);
    assert_eq!(fs::read(world.exports.join(FEBRUARY_29).join("notes.txt")).unwrap(), b"mine");
}

#[test]
fn a_file_in_the_place_of_a_folder_is_no_loss() {
    let world = published();
    let folder = world.exports.join("year=2024/month=2");
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "mine").unwrap();
    world.kalends("export").fails_with(4).says("year=2024/month=2\" is a file, and in the way");
    assert_eq!(fs::read(&folder).unwrap(), b"mine");
    fs::remove_file(&folder).unwrap();
    world.settles();
}

#[test]
fn a_folder_full_of_somebody_elses_files_is_refused_and_untouched() {
    let world = prepared();
    fs::create_dir_all(world.exports.join("photos")).unwrap();
    fs::write(world.exports.join("photos/one.jpg"), "mine").unwrap();
    fs::write(world.exports.join("thesis.doc"), "mine").unwrap();
    let (tree, tuples) = (world.tree(), world.tuples());
    for arguments in ["export", "export 2024 1", "run"] {
        world.kalends(arguments).fails_with(4).says("holds files that Kalends did not write, such as");
        assert_eq!(world.tree(), tree);
        assert_eq!(world.tuples(), tuples);
    }
}

#[test]
fn dot_files_of_a_new_folder_do_not_matter() {
    let world = prepared();
    fs::create_dir(&world.exports).unwrap();
    fs::write(world.exports.join(".gitkeep"), "").unwrap();
    let before = world.tree();
    world.kalends("export").succeeds();
    assert_eq!(world.tree()[".gitkeep"], before[".gitkeep"]);
    assert_eq!(world.files().len(), 7);
}

#[test]
fn a_link_that_leads_out_of_the_folder_is_not_followed() {
    for planted in [YEAR, JANUARY_2, "year=2024/month=1/day=2", "year=2024/month=1", "year=2024", MANIFEST] {
        let world = published();
        let outside = world.folder().join("outside");
        let inside = world.exports.join(planted);
        fs::rename(&inside, &outside).unwrap();
        symlink(&outside, &inside).unwrap();
        let target = everything_below(&outside);
        world.production_sql("UPDATE entity SET value = value + 1");
        let ran = world.kalends("run");
        assert_eq!(everything_below(&outside), target, "{planted} was written through");
        if ran.code == Some(0) {
            assert!(!fs::symlink_metadata(&inside).unwrap().is_symlink(), "{planted} leads outside");
        } else {
            ran.fails_with(4).says(&format!("{planted}\" is a link that leads to nothing in the export folder"));
        }

        fs::remove_file(&inside).or_else(|_| fs::remove_dir_all(&inside)).unwrap();
        fs::rename(&outside, &inside).unwrap();
        world.kalends("run").succeeds();
        world.is_exact();
    }
}

/// Paths, times and bytes of a file, or of all files of a folder.
fn everything_below(path: &Path) -> Vec<(PathBuf, i64, Vec<u8>)> {
    let metadata = fs::metadata(path).unwrap();
    if metadata.is_file() {
        return vec![(path.to_path_buf(), metadata.mtime_nsec(), fs::read(path).unwrap())];
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().flat_map(|entry| everything_below(entry)).collect()
}

#[test]
fn links_that_lead_to_files_not_there_yet_make_none() {
    let world = prepared();
    fs::create_dir_all(world.exports.join("year=2024/month=1/day=2")).unwrap();
    let outside = world.folder().join("outside.csv");
    for planted in [JANUARY_2, &staged(JANUARY_2), &staged(JANUARY)] {
        symlink(&outside, world.exports.join(planted)).unwrap();
    }
    let ran = world.kalends("run");
    assert!(!outside.exists());
    if ran.code != Some(0) {
        ran.says(JANUARY_2);
        fs::remove_file(world.exports.join(JANUARY_2)).unwrap();
        world.kalends("run").succeeds();
    }
    assert!(!outside.exists());
    world.is_exact();
}

#[test]
fn the_folder_itself_may_be_a_link() {
    let world = prepared();
    let real = world.folder().join("elsewhere");
    fs::create_dir(&real).unwrap();
    symlink(&real, &world.exports).unwrap();
    world.kalends("export").succeeds();
    world.is_exact();
    assert!(real.join(YEAR).exists());
}

#[test]
fn another_warehouse_does_not_take_files_that_differ_from_its_own() {
    let world = published();
    let other = crate::kit::World::new();
    let folder = world.exports.display().to_string();
    let tree = world.tree();
    for arguments in ["export", "export 2024 1"] {
        // Nothing was ever prepared there: to it, every file is of a period that vanished.
        let ran = other.kalends_with(arguments, &[("KALENDS_EXPORTS", &folder)]);
        ran.fails_with(4).says("were published from another warehouse");
        assert_eq!(world.tree(), tree);
    }
    other.production("created_at | value\n 2024-01-02 | 7");
    other.kalends_with("run", &[("KALENDS_EXPORTS", &folder)]).fails_with(4).says("from another warehouse");
    other.kalends_with("export 2024 1", &[("KALENDS_EXPORTS", &folder)]).fails_with(4).says("--take-over");
    assert_eq!(world.tree(), tree);
    world.kalends("run").succeeds().says("nothing to do");

    other.kalends_with("run --take-over", &[("KALENDS_EXPORTS", &folder)]).succeeds().says("removed");
    assert_eq!(paths(&world).len(), 3);
    world.kalends("run").fails_with(4).says("from another warehouse");
}

#[test]
fn a_warehouse_that_is_built_anew_takes_over_the_files_that_are_equal() {
    let world = published();
    let before = world.tree();
    world.empty_warehouse();
    world.kalends("run").succeeds();
    let after = world.tree();
    for (path, file) in before.iter().filter(|(path, _)| *path != MANIFEST) {
        assert_eq!(&after[path], file, "{path}");
    }
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.kalends("run").succeeds();
    world.is_exact();
}

#[test]
fn another_warehouse_with_the_same_periods_replaces_no_file_that_differs() {
    let world = published();
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    let tree = world.tree();
    world.empty_warehouse();
    // To this one, three files differ, and none is to be removed.
    world.kalends("run").fails_with(4).says("were published from another warehouse");
    assert_eq!(world.tree(), tree);
    // One that is missing is nobody's.
    world.production_sql("UPDATE entity SET value = 10 WHERE value = 11");
    world.kalends("prepare").succeeds();
    fs::remove_file(world.exports.join(YEAR)).unwrap();
    world.kalends("export").succeeds().says("published   1 file ");
    world.settles();
}

#[test]
fn a_page_or_a_folder_of_reports_of_somebody_else_keeps_its_folder() {
    for name in ["index.html", "report/notes.html"] {
        let world = prepared();
        let page = world.exports.join(name);
        fs::create_dir_all(page.parent().unwrap()).unwrap();
        fs::write(&page, "<!doctype html>\n<p>mine").unwrap();
        let (tree, first) = (world.tree(), name.split('/').next().unwrap());
        for command in ["export", "run"] {
            world.kalends(command).fails_with(4).says(&format!("that Kalends did not write, such as \"{first}\""));
            assert_eq!(world.tree(), tree);
        }
    }
}

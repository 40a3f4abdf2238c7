//! Files are published whole or not at all, only where they are due, and nobody else's file is touched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::kit::{BINARY, File, Ran, World};

const YEAR: &str = "year=2024/entity_stats_yearly_2024.csv";
const JANUARY: &str = "year=2024/month=1/entity_stats_monthly_2024_1.csv";
const JANUARY_2: &str = "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv";
const JANUARY_31: &str = "year=2024/month=1/day=31/entity_stats_daily_2024_1_31.csv";
const FEBRUARY: &str = "year=2024/month=2/entity_stats_monthly_2024_2.csv";
const FEBRUARY_29: &str = "year=2024/month=2/day=29/entity_stats_daily_2024_2_29.csv";
const MANIFEST: &str = "_manifest.json";

/// Three days in two months, settled and not published.
fn prepared() -> World {
    let world = World::new();
    world.production(
        "created_at          | value
         2024-01-02 08:00:00 | 5
         2024-01-02 08:00:00 | 5
         2024-01-31 10:00:00 | 10
         2024-02-29 23:59:59 | 8",
    );
    world.kalends("prepare").succeeds();
    world
}

/// The same, published.
fn published() -> World {
    let world = prepared();
    world.kalends("export").succeeds();
    world.is_exact();
    world
}

fn paths(world: &World) -> Vec<String> {
    world.files().into_keys().collect()
}

/// The files that are not as they were, by content, inode or time; the manifest aside.
fn changed(before: &BTreeMap<String, File>, world: &World) -> Vec<String> {
    let mut after = world.tree();
    after.remove(MANIFEST);
    after.into_iter().filter(|(path, file)| before.get(path) != Some(file)).map(|(path, _)| path).collect()
}

/// A folder in which nothing can be made, renamed or removed, not even by root.
pub struct Frozen(PathBuf);

impl Frozen {
    /// `None` on a file system where root cannot be kept out.
    pub fn new(folder: &Path) -> Option<Self> {
        let frozen = Self(folder.to_path_buf());
        if is_root() {
            let done = Command::new("chattr").arg("+i").arg(folder).stderr(Stdio::null()).status();
            if !done.is_ok_and(|status| status.success()) {
                eprintln!("not tried: there is no chattr, or the file system of {} does not know it", folder.display());
                return None;
            }
        } else {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
        }
        Some(frozen)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        if is_root() {
            let _ = Command::new("chattr").arg("-i").arg(&self.0).status();
        } else {
            let _ = fs::set_permissions(&self.0, fs::Permissions::from_mode(0o755));
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|ourselves| ourselves.uid() == 0)
}

#[test]
fn a_month_is_published_with_its_year_and_the_rest_stays_due() {
    let world = prepared();
    world.kalends("export 2024 1").succeeds().says("published   4 files");
    assert_eq!(paths(&world), [YEAR, JANUARY_2, JANUARY_31, JANUARY]);
    world.file(
        YEAR,
        "year,sum_values,min_values,max_values,mean_values
         2024,28,5,10,7.000000",
    );

    let status = world.kalends("status --json");
    assert_eq!(status.fails_with(3).json()["due"]["write"], serde_json::json!([FEBRUARY_29, FEBRUARY]));
    world.kalends("status").fails_with(3).says("due         2 files to write, 0 to remove");

    world.kalends("export").succeeds().says("published   2 files");
    world.is_exact();
    world.kalends("status").succeeds().says("published   6 files, nothing is due");
    world.kalends("export").succeeds().says("nothing to do: 6 files as they should be");
}

#[test]
fn the_files_are_these_bytes() {
    let world = published();
    let bytes = |path: &str| fs::read(world.exports.join(path)).unwrap();
    assert_eq!(bytes(YEAR), b"year,sum_values,min_values,max_values,mean_values\n2024,28,5,10,7.000000\n");
    assert_eq!(bytes(JANUARY), b"year,month,sum_values,min_values,max_values,mean_values\n2024,1,20,5,10,6.666667\n");
    assert_eq!(
        bytes(JANUARY_2),
        b"year,month,day,sum_values,min_values,max_values,mean_values\n2024,1,2,10,5,5,5.000000\n"
    );
}

#[test]
fn who_may_read_the_files_is_the_umasks_business() {
    let world = prepared();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("umask 027; exec '{BINARY}' export")]).envs(world.variables());
    Ran::of(shell.output().unwrap(), "export").succeeds();
    for path in paths(&world).iter().map(String::as_str).chain([MANIFEST]) {
        assert_eq!(fs::metadata(world.exports.join(path)).unwrap().mode() & 0o777, 0o640, "{path}");
    }
}

#[test]
fn unchanged_files_keep_inode_and_time_and_a_changed_day_rewrites_its_three() {
    let world = published();
    let before = world.tree();
    world.kalends("export").succeeds();
    world.kalends("export 2024 2").succeeds().says("nothing to do: 3 files as they should be");
    assert_eq!(world.tree(), before);

    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.kalends("run").succeeds().says("published   3 files");
    assert_eq!(changed(&before, &world), [YEAR, JANUARY_31, JANUARY]);
    world.is_exact();
}

#[test]
fn what_vanished_goes_and_the_emptied_folders_with_it() {
    let world = published();
    world.production_sql("DELETE FROM entity WHERE value = 10");
    world.kalends("run").succeeds().says("2 files in").says(", 1 removed");
    assert_eq!(paths(&world), [YEAR, JANUARY_2, JANUARY, FEBRUARY_29, FEBRUARY]);
    assert!(!world.exports.join("year=2024/month=1/day=31").exists());

    world.production_sql("DELETE FROM entity WHERE value = 5");
    world.kalends("run").succeeds().says("1 file in").says(", 2 removed");
    assert!(!world.exports.join("year=2024/month=1").exists());

    world.production_sql("DELETE FROM entity");
    world.kalends("run").succeeds().says("0 files in").says(", 3 removed");
    assert_eq!(fs::read_dir(&world.exports).unwrap().count(), 1, "nothing but the manifest is left");
    world.settles();
}

#[test]
fn a_vanished_day_waits_for_the_export_of_its_month() {
    let world = published();
    world.production_sql("DELETE FROM entity WHERE value IN (8, 10)");
    world.kalends("prepare").succeeds();
    world.kalends("export 2024 1").succeeds();
    assert_eq!(paths(&world), [YEAR, JANUARY_2, JANUARY, FEBRUARY_29, FEBRUARY]);
    world.kalends("status").fails_with(3).says("0 files to write, 2 to remove");
    world.kalends("export 2024 2").succeeds().says("2024-02 holds no rows").says("2 removed");
    world.is_exact();
}

#[test]
fn a_strangers_file_keeps_its_folder_and_is_never_touched() {
    let world = published();
    let strangers = ["year=2024/month=1/day=31/notes.txt", "year=2024/month=2/.gitkeep", "notes.txt"];
    for path in strangers {
        fs::write(world.exports.join(path), "mine").unwrap();
    }
    let before = world.tree();
    world.production_sql("DELETE FROM entity WHERE value IN (8, 10)");
    world.kalends("run").succeeds();
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
        assert_eq!((world.tree(), world.tuples()), (tree_of(&tree), tuples.clone()), "{arguments}");
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

fn tree_of(tree: &BTreeMap<String, File>) -> BTreeMap<String, File> {
    let copy = |file: &File| File { inode: file.inode, modified_ns: file.modified_ns, bytes: file.bytes.clone() };
    tree.iter().map(|(path, file)| (path.clone(), copy(file))).collect()
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
fn a_file_that_somebody_spoilt_is_published_again_and_no_other() {
    let world = published();
    let before = world.tree();
    let mut flipped = before[JANUARY_2].bytes.clone();
    flipped[70] ^= 1;
    for (path, spoilt) in [(JANUARY_2, Some(flipped)), (YEAR, Some(b"year,".to_vec())), (FEBRUARY, None)] {
        let tree = world.tree();
        match spoilt {
            Some(bytes) => fs::write(world.exports.join(path), bytes).unwrap(),
            None => fs::remove_file(world.exports.join(path)).unwrap(),
        }
        world.kalends("verify").fails_with(3).says(path);
        world.kalends("status").fails_with(3).says("1 file to write");
        world.kalends("run").succeeds().says("published   1 file ");
        assert_eq!(changed(&tree, &world), [path]);
        assert_eq!(world.tree()[path].bytes, before[path].bytes);
        world.kalends("verify").succeeds();
    }
}

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
    world.kalends("run").succeeds();
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
    assert_eq!(listed.as_object().unwrap().len(), 3, "nothing is pending: {listed}");
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
    let report = world.kalends("run --json").json();
    let listed = manifest(&world);
    assert_eq!(listed["production_as_of"], report["production_as_of"]);
    let files: Vec<String> = paths(&world).into_iter().filter(|path| path != ".gitkeep").collect();
    assert_eq!(listed["files"].as_object().unwrap().keys().cloned().collect::<Vec<_>>(), files);
}

fn manifest(world: &World) -> serde_json::Value {
    serde_json::from_slice(&fs::read(world.exports.join(MANIFEST)).unwrap()).unwrap()
}

fn sha256sum(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().to_string()
}

#[test]
fn the_warehouse_notes_what_was_published() {
    let world = published();
    let noted = || world.ask_warehouse("SELECT path, bytes, sha256 FROM kalends.file ORDER BY path COLLATE \"C\"");
    let found = || -> Vec<String> {
        let line = |(path, bytes): (String, Vec<u8>)| {
            format!("{path}|{}|{}", bytes.len(), sha256sum(&world.exports.join(&path)))
        };
        world.files().into_iter().map(line).collect()
    };
    assert_eq!(noted(), found());
    world.production_sql("DELETE FROM entity WHERE value = 8; UPDATE entity SET value = 6 WHERE value = 10");
    world.kalends("run").succeeds();
    assert_eq!(noted(), found());
}

#[test]
fn a_month_without_rows_says_so_and_is_no_error() {
    let world = prepared();
    world.kalends("export 2023 5").succeeds().says("2023-05 holds no rows");
    assert!(world.files().is_empty());
    world.kalends("export 2024 5").succeeds().says("2024-05 holds no rows");
    assert_eq!(paths(&world), [YEAR], "the year holds rows");
    world.kalends("export -44 3").succeeds().says("-0044-03 holds no rows");
}

#[test]
fn before_anything_was_prepared_there_is_nothing_to_publish() {
    let world = World::new();
    world.kalends("export").succeeds().says("nothing to publish");
    world.kalends("export 2024 1").succeeds().says("2024-01 holds no rows");
    assert!(!world.exports.exists());
    assert_eq!(world.tuples(), Vec::<String>::new());
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
            assert!(matches!(ran.code, Some(1 | 4)), "{planted}: {}", ran.stderr);
            assert!(ran.stderr.contains("could not") || ran.stderr.contains("is not"), "{planted}: {}", ran.stderr);
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

/// Where a file is written before it is in its place.
fn staged(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/.{name}.staged"),
        None => format!(".{path}.staged"),
    }
}

#[test]
fn what_a_dead_run_left_beside_a_file_goes_with_its_next_publication() {
    let world = published();
    for path in [JANUARY_31, JANUARY, YEAR, FEBRUARY_29, MANIFEST] {
        fs::write(world.exports.join(staged(path)), "half a fi").unwrap();
    }
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10; DELETE FROM entity WHERE value = 8");
    world.kalends("run").succeeds();
    // Not even the folder of a day that vanished stays for it.
    assert!(!world.exports.join("year=2024/month=2").exists());
    world.is_exact();
}

#[test]
fn a_run_that_died_in_the_middle_is_published_again() {
    let world = published();
    let Some(frozen) = Frozen::new(&world.exports.join("year=2024/month=2")) else { return };
    world.production_sql("UPDATE entity SET value = value + 1; INSERT INTO entity VALUES ('2024-02-03', 1)");
    let old = world.files();
    world.kalends("run").fails_with(1).says("could not");
    for (path, bytes) in &old {
        assert_eq!(fs::read(world.exports.join(path)).unwrap(), *bytes, "{path} is the old file");
    }
    drop(frozen);
    world.kalends("verify").fails_with(3);
    world.kalends("run").succeeds();
    world.is_exact();
}

#[test]
fn a_run_that_died_and_whose_change_was_taken_back_leaves_nothing_behind() {
    let world = published();
    let Some(frozen) = Frozen::new(&world.exports.join("year=2024")) else { return };
    world.production_sql("INSERT INTO entity VALUES ('2024-01-31', 1)");
    world.kalends("run").fails_with(1);
    drop(frozen);
    world.production_sql("DELETE FROM entity WHERE value = 1");
    world.kalends("run").succeeds();
    world.is_exact();
    assert_eq!(manifest(&world)["pending"], serde_json::Value::Null);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_loses_nothing() {
    let world = published();
    let tree = world.tree();
    world.production_sql("UPDATE entity SET value = value + 1");
    let Some(frozen) = Frozen::new(&world.exports) else { return };
    let failed = world.kalends("run");
    failed.fails_with(1).says("error: could not write").says(&world.exports.display().to_string());
    assert_eq!(world.tree(), tree);
    drop(frozen);
    world.kalends("run").succeeds();
    world.is_exact();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let world = prepared();
    fs::write(world.folder().join("a file"), "mine").unwrap();
    for place in ["a file", "a file/exports"] {
        let place = world.folder().join(place).display().to_string();
        world.kalends_with("export", &[("KALENDS_EXPORTS", &place)]).fails_with(1).says(&place);
    }
    assert_eq!(fs::read(world.folder().join("a file")).unwrap(), b"mine");
}

#[test]
fn whoever_comes_second_to_a_folder_is_told_to_try_again() {
    let world = published();
    let mut holder = Command::new("flock");
    holder.args(["--nonblock", "--no-fork"]).arg(&world.exports).args(["sleep", "60"]).stderr(Stdio::null());
    let Ok(mut holder) = holder.spawn() else { return eprintln!("not tried: there is no flock") };
    let free = || Command::new("flock").arg("--nonblock").arg(&world.exports).arg("true").status().unwrap().success();
    while free() {
        sleep(Duration::from_millis(10));
    }
    let (tree, tuples) = (world.tree(), world.tuples());
    let busy = ["export", "export 2024 1", "run"].map(|arguments| world.kalends(arguments));
    holder.kill().unwrap();
    holder.wait().unwrap();
    for ran in busy {
        ran.fails_with(75).says("another run is publishing into");
    }
    assert_eq!((world.tree(), world.tuples()), (tree, tuples));
    world.kalends("export").succeeds();
}

#[test]
fn runs_at_once_publish_each_file_whole() {
    let world = prepared();
    for round in 0..3 {
        world.production_sql(&format!("UPDATE entity SET value = value + {round}"));
        world.kalends("prepare").succeeds();
        let runs: Vec<_> = (0..4)
            .map(|_| world.command("export").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let ran: Vec<Ran> = runs.into_iter().map(|run| Ran::of(run.wait_with_output().unwrap(), "export")).collect();
        assert!(ran.iter().any(|ran| ran.code == Some(0)), "one of them has its way");
        assert!(ran.iter().all(|ran| matches!(ran.code, Some(0 | 75))), "{}", ran[0].stderr);
        world.is_exact();
        world.kalends("verify").succeeds();
    }
}

#[test]
fn another_folder_gets_everything_and_the_first_is_left_alone() {
    let world = published();
    let before = world.tree();
    let named = world.folder().join("second");
    let typed = world.folder().join("third");
    let (name, type_) = (named.display().to_string(), typed.display().to_string());
    world.kalends_with("status", &[("KALENDS_EXPORTS", &name)]).fails_with(3);
    assert!(!named.exists());
    world.kalends_with("export", &[("KALENDS_EXPORTS", &name)]).succeeds().says("published   6 files");
    // What is typed is stronger than the environment.
    world.kalends(&format!("export --exports {type_}")).succeeds().says("published   6 files");
    for folder in [&named, &typed] {
        for (path, bytes) in world.files() {
            assert_eq!(fs::read(folder.join(&path)).unwrap(), bytes, "{path}");
        }
    }
    assert_eq!(world.tree(), before);
    world.kalends("status").succeeds();
    world.kalends_with("verify", &[("KALENDS_EXPORTS", &name)]).succeeds();
}

//! Files are published whole or not at all, only where they are due, and nobody else's file is touched.

mod counted;
mod formats;
mod interrupted;
mod manifest;
mod pages;
pub mod pipes;
mod strangers;
mod untouched;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

pub use interrupted::Frozen;

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

#[test]
fn a_month_is_published_with_its_year_and_the_rest_stays_due() {
    let world = prepared();
    let ran = world.kalends("export 2024 1");
    assert!(!ran.succeeds().says("published   4 files").stdout.contains("holds no rows"), "{}", ran.stdout);
    assert_eq!(paths(&world), [YEAR, JANUARY_2, JANUARY_31, JANUARY]);
    world.file(
        YEAR,
        "year,sum_values,min_values,max_values,mean_values
         2024,28,5,10,7.000000",
    );

    let through = || manifest(&world)["complete_through"]["entity"].clone();
    assert!(through().as_str() > Some("2024-02-29"), "{}", through());

    let status = world.kalends("status --json");
    assert_eq!(status.fails_with(3).json()["due"]["write"], serde_json::json!([FEBRUARY_29, FEBRUARY]));
    world.kalends("status").fails_with(3).says("due         2 files to write, 0 to remove");

    world.kalends("export").succeeds().says("published   2 files");
    world.is_exact();
    world.kalends("status").succeeds().says("published   6 files, nothing is due");
    world.kalends("export").succeeds().says("nothing to do: 6 files as the accounts have them");
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
    world.kalends("export 2024 2").succeeds().says("nothing to do: 3 files as the accounts have them");
    assert_eq!(world.tree(), before);

    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    let ran = world.kalends("run --json").succeeds().json();
    assert_eq!((&ran["written_files"], &ran["unchanged_files"]), (&3.into(), &3.into()), "{ran}");
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
    world.kalends("run --accept-loss").succeeds().says("1 file in").says(", 2 removed");
    assert!(!world.exports.join("year=2024/month=1").exists());

    world.production_sql("DELETE FROM entity");
    world.kalends("run --accept-loss").succeeds().says("0 files in").says(", 3 removed");
    assert_eq!(fs::read_dir(&world.exports).unwrap().count(), 1, "nothing but the manifest is left");
    world.settles();
}

#[test]
fn a_vanished_day_waits_for_the_export_of_its_month() {
    let world = published();
    world.production_sql("DELETE FROM entity WHERE value IN (8, 10)");
    world.kalends("prepare --accept-loss").succeeds();
    world.kalends("export 2024 1").succeeds();
    assert_eq!(paths(&world), [YEAR, JANUARY_2, JANUARY, FEBRUARY_29, FEBRUARY]);
    world.kalends("status").fails_with(3).says("0 files to write, 2 to remove");
    world.kalends("export 2024 2").succeeds().says("2024-02 holds no rows").says("2 removed");
    world.is_exact();
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
    world.kalends("run --accept-loss").succeeds();
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
    // Files of years alone do not tell.
    world.settings(
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\n\
         measures = [\"value\"]\nlevels = [\"year\"]",
    );
    world.kalends("prepare").succeeds();
    fs::remove_file(world.exports.join(YEAR)).unwrap();
    for said in ["published   1 file ", "nothing to do"] {
        let ran = world.kalends("export 2024 5");
        ran.succeeds().says(said);
        assert!(!ran.stdout.contains("holds no rows"), "{}", ran.stdout);
        world.kalends("export").succeeds();
    }
}

#[test]
fn before_anything_was_prepared_there_is_nothing_to_publish() {
    let world = World::new();
    world.kalends("export").succeeds().says("nothing to publish");
    world.kalends("export 2024 1").succeeds().says("2024-01 holds no rows");
    assert!(!world.exports.exists());
    assert_eq!(world.tuples(), Vec::<String>::new());
}

/// Where a file is written before it is in its place.
fn staged(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/.{name}.staged"),
        None => format!(".{path}.staged"),
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

//! What a publication says that it did: each file is counted once, under what was done with it.

use std::fs;

use super::{FEBRUARY, JANUARY_2, MANIFEST, YEAR, changed, prepared, published};
use crate::kit::{Ran, World};

/// Written, listed, removed, unchanged and open files; written and removed pages.
fn counts(ran: &Ran) -> [i64; 7] {
    let json = ran.succeeds().json();
    let files = ["written_files", "listed_files", "removed_files", "unchanged_files", "open_files"];
    let counted = files.into_iter().chain(["written_pages", "removed_pages"]).map(|key| json[key].as_i64().unwrap());
    counted.collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn each_file_and_page_is_counted_once_under_what_was_done_with_it() {
    let world = World::new();
    world.settings("report = true\n");
    // Five files that are closed, and three of the day that it is.
    world.production_sql(
        "INSERT INTO entity VALUES ('2024-01-02', 5), ('2024-02-29', 8), (now() AT TIME ZONE 'UTC', 3)",
    );
    let export = || world.kalends("export --json");
    let staged = world.exports.join("._manifest.json.staged");
    assert_eq!(counts(&world.kalends("run --json")), [8, 0, 0, 0, 0, 2, 0]);
    // Nothing has moved. What a dead run left is removed all the same.
    fs::write(&staged, "left").unwrap();
    assert_eq!(counts(&world.kalends("run --json")), [0, 0, 0, 8, 0, 0, 0]);
    assert!(!staged.exists());
    // The pages of what is closed are others.
    assert_eq!(counts(&world.kalends("export --closed-only --json")), [0, 0, 0, 5, 3, 2, 0]);
    assert_eq!(counts(&world.kalends("export --closed-only --json")), [0, 0, 0, 5, 3, 0, 0]);
    assert_eq!(counts(&export()), [0, 0, 0, 8, 0, 2, 0]);
    let first = |ran: &Ran| ran.succeeds().json()["first"].clone();
    let index = world.exports.join("index.html");
    assert_eq!(first(&world.kalends("report --json")), index.display().to_string());
    world.kalends("report --json").succeeds();

    // A page is missing, then a file and both pages.
    fs::remove_file(&index).unwrap();
    assert_eq!(counts(&export()), [0, 0, 0, 8, 0, 1, 0]);
    fs::remove_file(&index).unwrap();
    assert_eq!(first(&world.kalends("report --json")), index.display().to_string());
    fs::write(&staged, "left").unwrap();
    fs::remove_file(world.exports.join(JANUARY_2)).unwrap();
    world.settings("report = false\n");
    assert_eq!(counts(&export()), [1, 0, 0, 7, 0, 0, 2]);
    assert!(!staged.exists());
    fs::write(world.exports.join(JANUARY_2), "edited").unwrap();
    assert_eq!(counts(&world.kalends("export --closed-only --json")), [1, 0, 0, 4, 3, 0, 0]);

    world.production_sql("DELETE FROM entity WHERE value = 8; UPDATE entity SET value = 6 WHERE value = 5");
    assert_eq!(counts(&world.kalends("run --accept-loss --json")), [3, 0, 2, 3, 0, 0, 0]);
    assert!(!world.exports.join(FEBRUARY).exists());
}

#[test]
fn files_are_counted_by_what_was_done_with_them() {
    let world = published();
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    assert_eq!(counts(&world.kalends("export --json")), [0, 6, 0, 0, 0, 0, 0]);
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    fs::remove_file(world.exports.join(YEAR)).unwrap();
    world.kalends("export").succeeds().says("published   1 file in").says(", 5 only listed");
    fs::remove_file(world.exports.join(MANIFEST)).unwrap();
    let mended = world.kalends("verify --repair --json").succeeds().json()["mended"].clone();
    assert_eq!((&mended["written_files"], &mended["listed_files"]), (&0.into(), &6.into()));

    // One more row of 2 January that no figure of the files tells: all its files stay, and account for one more row.
    let before = world.tree();
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', NULL)");
    world.kalends("run").succeeds().says("listed      3 files, none rewritten");
    assert_eq!(changed(&before, &world), Vec::<String>::new());

    // What somebody has removed already was not removed by us.
    world.production_sql("DELETE FROM entity WHERE value = 8");
    fs::remove_dir_all(world.exports.join("year=2024/month=2")).unwrap();
    assert_eq!(counts(&world.kalends("run --accept-loss --json")), [1, 0, 0, 3, 0, 0, 0]);
    world.settles();
}

#[test]
fn the_newest_file_that_was_written_is_named_with_its_view() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-03 | 6\n 2024-02-29 | 8");
    let newest = |ran: &Ran, day: &str| {
        let file = format!("newest      {}/{day}, view kalends_stats.entity_", world.exports.display());
        assert_eq!(ran.succeeds().stdout.matches("newest ").count(), 1, "{}", ran.stdout);
        ran.says(&file);
    };
    newest(&world.kalends("run"), "year=2024/month=2/day=29/entity_stats_daily_2024_2_29.csv");
    world.production_sql("UPDATE entity SET value = 7 WHERE value = 5");
    newest(&world.kalends("run"), "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv");
    let ran = world.kalends("run");
    assert!(!ran.succeeds().stdout.contains("newest"), "{}", ran.stdout);
}

#[test]
fn where_nothing_is_closed_only_closed_files_make_no_folder() {
    let world = World::new();
    world.production_sql("INSERT INTO entity VALUES (now() AT TIME ZONE 'UTC', 3)");
    world.kalends("prepare").succeeds();
    let closed = world.kalends("export --closed-only");
    closed.succeeds().says("nothing to publish");
    assert!(!world.exports.exists());
    assert_eq!(counts(&world.kalends("export --json")), [3, 0, 0, 0, 0, 0, 0]);
    world.kalends("export --closed-only").succeeds().says("nothing to publish");
}

#[test]
fn a_month_that_has_rows_is_never_said_to_have_none() {
    let world = prepared();
    let has_rows = || {
        let ran = world.kalends("export 2024 1");
        assert!(!ran.succeeds().stdout.contains("holds no rows"), "{}", ran.stdout);
        ran
    };
    // All of its files are due, then none, then that of its year alone.
    has_rows().says("published   4 files");
    has_rows().says("nothing to do");
    fs::write(world.exports.join(YEAR), "edited").unwrap();
    has_rows().says("published   1 file ");
    world.kalends("export 2024 5").succeeds().says("2024-05 holds no rows");
}

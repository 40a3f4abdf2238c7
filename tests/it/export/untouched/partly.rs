//! What is known after a publication of some files: of a month alone, or of closed periods alone.

use std::fs;

use super::{JANUARY_2, JANUARY_31, MANIFEST, manifest, paths, published};
use crate::kit::World;

#[test]
fn an_open_file_that_was_left_out_is_listed_by_the_next_run() {
    let world = World::new();
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 5), (now() AT TIME ZONE 'UTC', 3)");
    world.settles();
    // A row that no figure of its files tells, and a change of a closed day, which is published.
    world.production_sql(
        "INSERT INTO entity VALUES (now() AT TIME ZONE 'UTC', NULL); UPDATE entity SET value = 6 WHERE value = 5",
    );
    world.kalends("run --closed-only").succeeds().says("published   3 files").says("3 open left out");
    world.kalends("verify").fails_with(3).says("unlisted");
    world.kalends("run").succeeds().says("listed      3 files, none rewritten");
    world.kalends("verify").succeeds();
    world.settles();
}

#[test]
fn notes_that_somebody_removed_are_noted_again_after_a_month_was_published_alone() {
    let world = published();
    world.warehouse_sql("DELETE FROM kalends.file");
    fs::write(world.exports.join(JANUARY_2), "edited").unwrap();
    world.kalends("export 2024 1").succeeds().says("published   1 file ");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.file"), ["4"]);
    world.kalends("export").succeeds().says("nothing to do");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.file"), ["6"]);
}

#[test]
fn a_new_day_is_published_where_days_have_files_alone() {
    let world = World::new();
    world.settings(
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n\
         levels = [\"day\"]\n",
    );
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-03 | 6");
    world.kalends("run").succeeds().says("published   2 files");
    world.kalends("run").succeeds().says("nothing to do");
    world.production_sql("INSERT INTO entity VALUES ('2024-01-31', 7)");
    world.kalends("run").succeeds().says("published   1 file");
    let third = "year=2024/month=1/day=3/entity_stats_daily_2024_1_3.csv";
    assert_eq!(paths(&world), [JANUARY_2, third, JANUARY_31]);
    world.kalends("verify").succeeds();
}

#[test]
fn an_edited_file_is_mended_beside_all_others_that_have_other_columns_by_now() {
    let world = published();
    world.settings(
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n\
         statistics = [\"sum\"]\n",
    );
    fs::write(world.exports.join(JANUARY_2), "edited").unwrap();
    world.kalends("run").succeeds().says("published   6 files");
    world.kalends("verify").succeeds().says("equal");
    assert_eq!(paths(&world).len(), 6);
}

#[test]
fn a_period_that_is_closed_by_now_is_listed_so_and_its_file_is_left_alone() {
    let world = published();
    let path = world.exports.join(MANIFEST);
    let (written, tree) = (fs::read_to_string(&path).unwrap(), world.files());
    fs::write(&path, written.replacen("\"closed\": true", "\"closed\": false", 1)).unwrap();
    let run = world.kalends("run --json").succeeds().json();
    assert_eq!((&run["listed_files"], &run["unchanged_files"]), (&0.into(), &6.into()), "{run}");
    assert_eq!((fs::read_to_string(&path).unwrap(), world.files()), (written, tree));
}

#[test]
fn a_month_that_is_published_alone_does_not_say_that_all_is_complete() {
    let world = published();
    let path = world.exports.join(MANIFEST);
    let written = fs::read_to_string(&path).unwrap();
    let through = manifest(&world)["complete_through"]["entity"].as_str().unwrap().to_string();
    fs::write(&path, written.replace(&format!("\"entity\": \"{through}\""), "\"entity\": \"2024-01-01\"")).unwrap();
    fs::write(world.exports.join(JANUARY_2), "edited").unwrap();
    world.kalends("export 2024 1").succeeds().says("published   1 file ");
    assert_eq!(manifest(&world)["complete_through"]["entity"], "2024-01-01");
    world.kalends("export").succeeds();
    assert_eq!(manifest(&world)["complete_through"]["entity"], *through);
}

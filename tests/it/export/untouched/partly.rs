//! What is known after a publication of some files: of a month alone, or of closed periods alone.

use std::fs;

use super::{JANUARY_2, published};
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

//! Random tables and random histories of edits: after each run rows, accounts and files are what Python makes of
//! production's rows. A failure is shrunk and prints what it was made from; those that were found stay as tests.
//!
//! Several histories share databases and runs, as entities beside each other: that costs a tenth of one by one. Half of
//! them are looked at in parts, of which all are due: whatever was edited, the older days are found to differ in slices
//! and settled afterwards.

use std::panic::AssertUnwindSafe;

use proptest::strategy::{Strategy as _, ValueTree};

use super::drawn::{self, History, MOOD, history};
use crate::kit::{World, random};

/// Histories in a run of the tests; `KALENDS_HISTORIES` says another number, `KALENDS_SEED` which ones.
const HISTORIES: usize = 50;

/// Histories beside each other.
const BATCH: usize = 10;

const WORKERS: u64 = 2;

/// The world as it was before any history.
fn clear(world: &World) {
    world.empty_warehouse();
    let tables: Vec<String> = (0..BATCH).map(|at| format!("t{at}")).collect();
    world.production_sql(&format!("DROP TABLE IF EXISTS {}", tables.join(", ")));
    if world.exports.exists() {
        std::fs::remove_dir_all(&world.exports).unwrap();
    }
}

fn check(world: &World, histories: &[History], parts: Parts) {
    clear(world);
    let tables: Vec<String> = (0..histories.len()).map(|at| format!("t{at}")).collect();
    let columns: Vec<Vec<(&str, &str)>> = histories.iter().map(History::columns).collect();
    let all = histories.iter().zip(&tables).zip(&columns);
    let asked: Vec<_> = all.map(|((history, table), columns)| history.asked(table, columns)).collect();
    for (history, table) in histories.iter().zip(&tables) {
        world.production_sql(&history.create(table));
    }
    let recent = if parts == Parts::All { "" } else { "recent = \"1 day\"\nprove_all_every = \"10 days\"\n" };
    world.settings(asked.iter().map(|asked| asked.settings() + recent).collect::<String>());
    // With an index they are read in slices, without one all at once.
    for table in tables.iter().filter(|_| parts == Parts::Recent).step_by(2) {
        world.production_sql(&format!("CREATE INDEX ON {table} (\"at\")"));
    }
    let steps = histories.iter().map(|history| history.steps.len()).max().unwrap_or_default();
    for step in 0..steps {
        for (history, table) in histories.iter().zip(&tables) {
            history.edit(world, table, history.steps.get(step).into_iter().flatten());
        }
        if parts == Parts::Recent && step > 0 {
            world.warehouse_sql("UPDATE kalends.looked SET as_of = as_of - interval '11 days'");
        }
        world.kalends("run --accept-loss").succeeds();
        asked.iter().for_each(|asked| asked.is_exact(world));
    }
    world.kalends("verify").succeeds();
    let before = (world.tuples(), world.tree());
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!((world.tuples(), world.tree()), before, "a run with nothing to do wrote something");
}

/// What a run looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    All,
    /// The recent days, and all others because they are due.
    Recent,
}

/// What went wrong, if anything.
fn failure(world: &World, histories: &[History], parts: Parts) -> Option<String> {
    let panic = std::panic::catch_unwind(AssertUnwindSafe(|| check(world, histories, parts))).err()?;
    let said = panic.downcast_ref::<String>().cloned();
    Some(said.unwrap_or_else(|| panic.downcast_ref::<&str>().map_or("it panicked", |said| said).to_string()))
}

/// Histories of one seed.
fn random(seed: u64, histories: usize, parts: Parts) {
    let world = World::new();
    world.production_sql(MOOD);
    let mut runner = drawn::runner(seed);
    let mut left = histories;
    while left > 0 {
        let trees = (0..BATCH.min(left)).map(|_| history().new_tree(&mut runner).unwrap());
        let trees: Vec<_> = trees.collect();
        left -= trees.len();
        let batch: Vec<History> = trees.iter().map(ValueTree::current).collect();
        let Some(said) = failure(&world, &batch, parts) else { continue };
        let alone = trees.into_iter().find(|tree| failure(&world, &[tree.current()], parts).is_some());
        let Some(tree) = alone else { panic!("KALENDS_SEED={seed}, only together: {batch:#?}\n{said}") };
        let (smallest, said) = shrunk(&world, tree, said, parts);
        panic!("KALENDS_SEED={seed}: {smallest:#?}\n{said}");
    }
}

/// The smallest history found that goes wrong as well, and what it says.
fn shrunk(world: &World, mut tree: impl ValueTree<Value = History>, said: String, parts: Parts) -> (History, String) {
    let mut smallest = (tree.current(), said);
    for _ in 0..100 {
        let history = tree.current();
        let simpler = match failure(world, std::slice::from_ref(&history), parts) {
            Some(said) => {
                smallest = (history, said);
                tree.simplify()
            }
            None => tree.complicate(),
        };
        if !simpler {
            break;
        }
    }
    smallest
}

#[test]
fn every_history_of_every_table_is_exact() {
    let histories = std::env::var("KALENDS_HISTORIES").map_or(HISTORIES, |number| number.parse().unwrap());
    let seed = random::seed(&format!("{histories} histories"));
    std::thread::scope(|scope| {
        let share = histories.div_ceil(usize::try_from(WORKERS).unwrap());
        let parts = |worker| if worker % 2 == 0 { Parts::All } else { Parts::Recent };
        let work = |worker| scope.spawn(move || random(seed.wrapping_add(worker), share, parts(worker)));
        let workers: Vec<_> = (0..WORKERS).map(work).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

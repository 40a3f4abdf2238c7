//! `kill -9` at every send and at every file call of the publishing.

use super::calls::{available, figures, may_not_be_reached, points, run_with, sampled};
use super::held::{Hold, Running};
use super::stage::{Stage, Start};
use super::whole::is_whole;
use super::{sample, spread, sweeping};
use crate::kit::{World, run_sql};
use crate::own_servers::Side;

#[test]
fn a_first_run_that_is_killed_anywhere_leaves_nothing_torn_and_is_done_by_the_next() {
    killed_at_every_point(Start::FirstRun);
}

#[test]
fn a_run_that_changes_adds_and_removes_is_killed_anywhere_and_done_by_the_next() {
    killed_at_every_point(Start::Change);
}

fn killed_at_every_point(start: Start) {
    if !available() {
        return;
    }
    let mut stage = Stage::new(start);
    let all = points(&mut stage);
    let found = figures(&all);
    let (mut killed, mut ended) = (0, Vec::new());
    for point in sampled(all.clone(), 3) {
        let [before, after] = stage.ready();
        let ran = run_with(&stage.world, &point, "signal=SIGKILL", false);
        match ran.code {
            None => killed += 1,
            Some(code) => {
                assert_eq!(code, 0, "{point:?}: {}", ran.stderr);
                ended.push(point);
            }
        }
        is_whole(&stage.world, &[&before, &after]);
        stage.is_mended();
    }
    eprintln!("{start:?}: survived {killed} kills of {killed}, {} points not reached; in all: {found}", ended.len());
    ended.retain(|point| !may_not_be_reached(point, &all));
    assert!(ended.is_empty(), "not reached: {ended:#?}");
}

#[test]
fn a_recovery_that_is_killed_is_done_by_the_next_run() {
    if !available() {
        return;
    }
    let mut stage = Stage::new(Start::Change);
    let all = points(&mut stage);
    let few = spread(all.into_values().flatten().collect(), if sweeping() { 12 } else { 5 });
    let pairs: Vec<_> = few.iter().flat_map(|first| few.iter().map(move |second| (first, second))).collect();
    let (mut both, tried) = (0, sample(pairs, 6));
    for (first, second) in &tried {
        let [before, after] = stage.ready();
        let killed = run_with(&stage.world, first, "signal=SIGKILL", false).code.is_none();
        let again = run_with(&stage.world, second, "signal=SIGKILL", false).code.is_none();
        both += usize::from(killed && again);
        is_whole(&stage.world, &[&before, &after]);
        stage.is_mended();
    }
    eprintln!(
        "killed and killed again: survived {} pairs of {}, in {both} of them both were reached",
        tried.len(),
        tried.len()
    );
    assert!(both > 0);
}

#[test]
fn a_run_that_is_killed_before_production_goes_back_to_what_it_was_leaves_nothing_behind() {
    if !available() {
        return;
    }
    let mut stage = Stage::new(Start::Change);
    let (mut killed, mut left) = (0, Vec::new());
    let staged = stage.world.exports.join("._manifest.json.staged");
    for point in sampled(points(&mut stage), 2) {
        let [before, after] = stage.ready();
        killed += usize::from(run_with(&stage.world, &point, "signal=SIGKILL", false).code.is_none());
        is_whole(&stage.world, &[&before, &after]);
        stage.ready();
        stage.world.kalends("run --accept-loss");
        if std::fs::remove_file(&staged).is_ok() {
            left.push(point);
        }
        stage.is_mended();
    }
    eprintln!("killed, and production went back: survived {killed} of {killed}");
    assert!(left.is_empty(), "the next run left {} after {left:?}", staged.display());
}

/// The schemas as version 0.1.0 made them, before its first entity.
const FIRST_MIGRATION: &str = include_str!("../../../sql/warehouse/migrations/0001_first.sql");

#[test]
fn a_run_that_is_killed_while_it_brings_the_schemas_up_to_date_leaves_them_as_they_were() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    run_sql(&world.writer_url, &format!("{FIRST_MIGRATION}; UPDATE kalends.state SET schema_version = 1"));
    let made = "SELECT (SELECT schema_version FROM kalends.state),
                       string_agg(concat_ws(' ', c.oid, relname, attname), ',' ORDER BY c.oid, attnum)
                FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid
                WHERE relnamespace::regnamespace::text LIKE 'kalends%' AND attnum > 0";
    let before = world.ask_warehouse(made);
    // What the last of the migrations and the first come by, and the note of each.
    for lock in ["kalends.restatement IN ACCESS EXCLUSIVE", "kalends.state IN SHARE", "kalends.entity IN SHARE"] {
        let hold = Hold::by(&world.warehouse_url, &format!("LOCK TABLE {lock} MODE"));
        let running = Running::until_held(&world, Side::Warehouse);
        running.signal("-KILL");
        assert_eq!(running.ends().code, None, "{lock}: killed");
        drop(hold);
        super::whole::no_session_is_left(&world);
        assert_eq!(world.ask_warehouse(made), before, "{lock}");
    }
    world.settles();
    assert_ne!(world.ask_warehouse("SELECT schema_version FROM kalends.state"), ["1"]);
}

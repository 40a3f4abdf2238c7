//! Several runs at once, and readers of warehouse and files meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postgres::{Client, NoTls, SimpleQueryMessage};

use super::held::{Hold, Moment, Running};
use super::stage::{Stage, Start};
use super::whole::{DISAGREEING_ACCOUNTS, State, is_mended, is_whole, sha256};
use crate::kit::World;
use crate::own_servers::Side;

#[test]
fn of_two_runs_at_once_each_is_done_or_gives_way() {
    together(Start::Change, 2, 8);
}

#[test]
fn of_eight_runs_at_once_each_is_done_or_gives_way() {
    together(Start::Change, 8, 6);
}

#[test]
fn of_four_first_runs_at_once_each_is_done_or_gives_way() {
    together(Start::FirstRun, 4, 6);
}

fn together(start: Start, runs: usize, rounds: usize) {
    let mut stage = Stage::new(start);
    let rounds = if super::sweeping() { rounds * 10 } else { rounds };
    let (mut done, mut gave_way, mut nobody) = (0, 0, Vec::new());
    for _ in 0..rounds {
        let [before, after] = stage.ready();
        let running: Vec<Running> = (0..runs).map(|_| Running::new(&stage.world)).collect();
        let (mut done_now, mut reasons) = (0, Vec::new());
        for ran in running.into_iter().map(Running::ends) {
            match ran.code {
                Some(75) => reasons.push(ran.stderr.replace('\n', " ")),
                _ => {
                    ran.succeeds();
                    done_now += 1;
                }
            }
        }
        done += done_now;
        gave_way += reasons.len();
        if done_now == 0 {
            nobody.push(reasons);
        }
        is_whole(&stage.world, &[&before, &after]);
        if done_now > 0 {
            stage.world.is_exact();
        }
        stage.is_mended();
    }
    eprintln!(
        "{start:?}, {runs} runs at once, {rounds} rounds: {done} done, {gave_way} gave way, nobody was done in {} rounds: {nobody:?}",
        nobody.len()
    );
}

#[test]
fn a_run_that_finds_the_warehouse_held_says_by_whom() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-01 | 1");
    is_mended(&world);
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 2)");
    let (tuples, tree) = (world.tuples(), world.tree());
    let hold = Hold::by(&world.warehouse_url, "SELECT pg_advisory_xact_lock(1262570565, 1)");
    let holder = world.ask_warehouse(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1262570565
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    world.kalends("run").fails_with(75).says(&format!("pid {}, role \"kalends\"", holder[0]));
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
    drop(hold);
    is_mended(&world);
}

#[test]
fn a_run_beside_one_that_settles_or_publishes_gives_way() {
    let mut stage = Stage::new(Start::Change);
    for (lock, says) in [
        ("kalends_stats.entity_day IN SHARE", "another run is at work in the warehouse (pid "),
        ("kalends.file IN SHARE", "another run is publishing into "),
    ] {
        let [before, after] = stage.ready();
        let hold = Hold::at(&stage.world, Moment { side: Side::Warehouse, lock, early: true });
        let first = Running::until_held(&stage.world, Side::Warehouse);
        stage.world.kalends("run --accept-loss").fails_with(75).says(says);
        is_whole(&stage.world, &[&before, &after]);
        drop(hold);
        first.ends().succeeds();
        stage.is_mended();
    }
}

#[test]
fn an_analyst_who_reads_for_long_holds_nobody_up_and_sees_one_state() {
    let mut stage = Stage::new(Start::Change);
    let mut analyst = Client::connect(&stage.world.warehouse_url, NoTls).unwrap();
    let mut reading =
        analyst.build_transaction().isolation_level(postgres::IsolationLevel::RepeatableRead).start().unwrap();
    let mut everything = || {
        let sql = "SELECT concat_ws(' ', (SELECT json_agg(t ORDER BY t::text) FROM kalends_raw.entity AS t),
                          (SELECT json_agg(t ORDER BY t::text) FROM kalends_stats.entity_stats_daily AS t),
                          (SELECT json_agg(t ORDER BY t::text) FROM kalends_stats.entity_stats_monthly AS t),
                          (SELECT json_agg(t ORDER BY t::text) FROM kalends_stats.entity_stats_yearly AS t))";
        reading.query_one(sql, &[]).unwrap().get::<_, String>(0)
    };
    let before = everything();
    stage.ready();
    // A month that the warehouse has no table for yet.
    stage.world.production_sql("INSERT INTO entity VALUES ('2030-01-01', 1)");
    stage.world.settles_by("run --accept-loss");
    assert_eq!(everything(), before);
    drop(reading);
    is_mended(&stage.world);
}

#[test]
fn readers_of_warehouse_and_files_never_see_anything_torn() {
    let mut stage = Stage::new(Start::Change);
    let mut legal: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for _ in 0..2 {
        stage.ready();
        for (path, content) in State::of(&stage.world).files {
            legal.entry(path).or_default().insert(content);
        }
        stage.is_mended();
    }
    let (over, rounds) = (AtomicBool::new(false), 25);
    let (exports, warehouse) = (stage.world.exports.clone(), stage.world.warehouse_url.clone());
    let (queries, files) = thread::scope(|scope| {
        let accounts = scope.spawn(|| read_accounts(&warehouse, &over));
        let files = scope.spawn(|| read_files(&exports, &legal, &over));
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..rounds {
                stage.ready();
                stage.world.kalends("run --accept-loss").succeeds();
            }
        }));
        over.store(true, Ordering::Relaxed);
        ended.unwrap();
        (accounts.join().unwrap(), files.join().unwrap())
    });
    eprintln!("readers beside {rounds} runs: {queries} queries and {files} files, 0 torn");
    assert!(queries > 100 && files > 1000, "{queries} queries, {files} files");
    stage.is_mended();
}

fn read_accounts(url: &str, over: &AtomicBool) -> usize {
    let mut client = Client::connect(url, NoTls).unwrap();
    let mut queries = 0;
    while !over.load(Ordering::Relaxed) {
        let answer = client.simple_query(DISAGREEING_ACCOUNTS).unwrap();
        let torn: Vec<_> = answer.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_))).collect();
        assert!(torn.is_empty(), "{torn:?}");
        queries += 1;
    }
    queries
}

fn read_files(exports: &Path, legal: &BTreeMap<String, BTreeSet<String>>, over: &AtomicBool) -> usize {
    let mut files = 0;
    while !over.load(Ordering::Relaxed) {
        let manifest = read_manifest(exports);
        for (path, entry) in manifest["files"].as_object().unwrap() {
            let found = fs::read_to_string(exports.join(path));
            files += 1;
            let as_listed = found.as_ref().is_ok_and(|content| sha256(content.as_bytes()) == entry["sha256"]);
            if let Ok(content) = &found {
                assert!(legal[path].contains(content), "{path}: {content:?}");
            }
            // Between the two reads a run may have begun to replace it; then the manifest says so by now, or lists
            // another.
            let now = read_manifest(exports);
            let same = now["files"].get(path) == Some(entry);
            let pending = !manifest["pending"][path].is_null() || now["pending"].get(path).is_some();
            assert!(as_listed || pending || !same, "{path} is not as listed: {found:?}");
            assert!(found.is_ok() || !same, "{path} is listed and missing");
        }
    }
    files
}

fn read_manifest(exports: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(exports.join("_manifest.json")).unwrap()).expect("a torn manifest")
}

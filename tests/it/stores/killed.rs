//! A run that is killed or told to stop at any of its requests: what the manifest lists is there, the next run makes
//! all exact, and the one after it writes nothing. A sample of the requests is tried, or all where `KALENDS_SWEEP` is
//! `all`.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::proxy::Deed;
use crate::faults::sample;
use crate::kit::World;

/// A bucket that a run has objects to change, to add and to remove in.
fn due() -> Option<Bucket> {
    let bucket = super::published()?;
    turn(&bucket, 1);
    Some(bucket)
}

/// Changes one month, and lets another one vanish and come back.
fn turn(bucket: &Bucket, round: usize) {
    bucket.world.production(&format!("created_at | value\n 2024-01-02 | {round}"));
    let february = match round % 2 {
        1 => "DELETE FROM entity WHERE created_at >= '2024-02-01'".to_string(),
        _ => format!("INSERT INTO entity VALUES ('2024-02-11', {round}), ('2024-03-01', 1)"),
    };
    bucket.world.production_sql(&february);
    bucket.world.kalends("prepare --accept-loss").succeeds();
}

fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Runs `export`, and sends it a signal at this request, before or after it has reached the store.
fn signalled(bucket: &Bucket, at: usize, deed: Deed, signal: &'static str) -> (Option<i32>, bool, Duration) {
    let pid = Arc::new(AtomicU32::new(0));
    let of_proxy = pid.clone();
    bucket.proxy.choose(move |asked| {
        if asked.number != at {
            return Deed::Pass;
        }
        while of_proxy.load(Ordering::Relaxed) == 0 {
            sleep(Duration::from_millis(1));
        }
        kill(of_proxy.load(Ordering::Relaxed), signal);
        deed
    });
    let mut run = bucket.command("export").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    pid.store(run.id(), Ordering::Relaxed);
    let begun = Instant::now();
    let code = run.wait().unwrap().code();
    (code, bucket.proxy.asked().len() >= at, begun.elapsed())
}

/// Where a run can be killed: at each request, so that it still reaches the store, and so that it does not.
fn points(requests: usize) -> Vec<(usize, Deed)> {
    (1..=requests).flat_map(|at| [(at, Deed::LoseAnswer), (at, Deed::Reset)]).collect()
}

/// How many requests `export` makes.
fn requests(bucket: &Bucket) -> usize {
    bucket.proxy.pass();
    bucket.kalends("export").succeeds();
    bucket.proxy.asked().len()
}

/// Kills `export` there. What the manifest lists is then there.
fn killed(bucket: &Bucket, at: usize, deed: Deed) {
    let (code, has_struck, _) = signalled(bucket, at, deed, "-KILL");
    // Of requests at once, one may end the run before another one is made.
    assert_eq!(code, if has_struck { None } else { Some(0) }, "request {at}, {deed:?}");
    // What was on its way may arrive.
    sleep(Duration::from_millis(50));
    bucket.manifest_is_true();
}

/// The next run makes all exact, and the one after it writes nothing.
fn is_completed(bucket: &Bucket) {
    bucket.proxy.pass();
    bucket.kalends("export").succeeds();
    bucket.is_exact();
    bucket.proxy.pass();
    bucket.kalends("export").succeeds().says("nothing to do");
    assert_eq!(bucket.proxy.writes(), [""; 0]);
}

#[test]
fn a_run_that_is_killed_at_any_request_leaves_nothing_listed_that_is_not_there() {
    let Some(bucket) = due() else { return };
    let most = requests(&bucket);
    assert!(most > 7, "only {most} requests");
    for (round, (at, deed)) in sample(points(most), 12).into_iter().enumerate() {
        turn(&bucket, round);
        killed(&bucket, at, deed);
        is_completed(&bucket);
    }
    bucket.settles();
}

#[test]
fn a_recovery_that_is_killed_at_any_request_is_completed_by_the_run_after_it() {
    let Some(bucket) = due() else { return };
    let most = requests(&bucket);
    let pairs = points(most).into_iter().flat_map(|first| points(most).into_iter().map(move |second| (first, second)));
    let later = pairs.filter(|((first, _), _)| *first > 2).collect();
    for (round, ((first, first_deed), (second, second_deed))) in sample(later, 8).into_iter().enumerate() {
        turn(&bucket, round);
        killed(&bucket, first, first_deed);
        killed(&bucket, second, second_deed);
        is_completed(&bucket);
    }
    bucket.settles();
}

#[test]
fn a_run_of_pages_that_is_killed_at_any_request_leaves_nothing_listed_that_is_not_there() {
    let Some(bucket) = Bucket::new(World::new()) else { return };
    bucket.world.settings("report = true\n");
    bucket.world.production(super::TABLE);
    bucket.kalends("run").succeeds();
    turn(&bucket, 1);
    let most = requests(&bucket);
    for (round, (at, deed)) in sample(points(most), 6).into_iter().enumerate() {
        turn(&bucket, round);
        killed(&bucket, at, deed);
        bucket.proxy.pass();
        bucket.kalends("export").succeeds();
        bucket.manifest_is_true();
        assert_eq!(bucket.manifest()["pending"], serde_json::Value::Null);
        bucket.kalends("verify").succeeds();
        bucket.proxy.pass();
        bucket.kalends("export").succeeds().says("nothing to do");
        assert_eq!(bucket.proxy.writes(), [""; 0]);
    }
}

#[test]
fn a_first_run_that_is_killed_at_any_request_leaves_what_the_next_one_takes_for_its_own() {
    let fresh = || {
        let bucket = Bucket::new(World::new())?;
        bucket.world.production(super::TABLE);
        bucket.world.kalends("prepare").succeeds();
        Some(bucket)
    };
    let Some(bucket) = fresh() else { return };
    let most = requests(&bucket);
    for (at, deed) in sample(points(most), 6) {
        let bucket = fresh().unwrap();
        killed(&bucket, at, deed);
        // Its objects are neither in the way, nor left behind.
        turn(&bucket, 1);
        is_completed(&bucket);
        bucket.settles();
    }
}

#[test]
fn a_run_that_waits_for_the_store_stops_at_once_when_it_is_told_to() {
    let Some(bucket) = due() else { return };
    for at in [1, 3, 4, 5] {
        for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
            let (found, has_struck, time) = signalled(&bucket, at, Deed::Silence, signal);
            assert_eq!((found, has_struck), (Some(code), true), "request {at}");
            assert!(time < Duration::from_secs(5), "request {at}: {time:?}");
            bucket.manifest_is_true();
        }
    }
    bucket.settles();
}

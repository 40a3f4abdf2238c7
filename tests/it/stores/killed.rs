//! A run that is killed or told to stop at any of its requests: what the manifest lists is there, and the next run
//! makes all exact.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::proxy::Deed;
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

#[test]
fn a_run_that_is_killed_at_any_request_leaves_nothing_listed_that_is_not_there() {
    let Some(bucket) = due() else { return };
    let mut round = 1;
    // What reaches the store at last, and what does not.
    for (deed, first) in [(Deed::LoseAnswer, 1), (Deed::Reset, 2)] {
        for at in (first..).step_by(2) {
            let (code, has_struck, _) = signalled(&bucket, at, deed, "-KILL");
            if !has_struck {
                assert_eq!(code, Some(0));
                break;
            }
            assert_eq!(code, None, "request {at}");
            // What was on its way may arrive.
            sleep(Duration::from_millis(50));
            bucket.manifest_is_true();
            bucket.proxy.pass();
            bucket.kalends("export").succeeds();
            bucket.is_exact();
            round += 1;
            turn(&bucket, round);
        }
    }
    assert!(round > 10, "only {round} requests");
    bucket.settles();
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

#[test]
fn a_first_run_that_is_killed_leaves_what_the_next_one_takes_for_its_own() {
    let Some(bucket) = Bucket::new(World::new()) else { return };
    bucket.world.production(super::TABLE);
    bucket.world.kalends("prepare").succeeds();
    let (code, has_struck, _) = signalled(&bucket, 4, Deed::LoseAnswer, "-KILL");
    assert_eq!((code, has_struck), (None, true));
    bucket.manifest_is_true();
    bucket.settles();
}

//! SIGTERM and SIGINT in the middle of a run.

use std::time::{Duration, Instant};

use super::calls::{available, points, run_with, sampled};
use super::held::{Hold, MOMENTS, Running};
use super::sample;
use super::stage::{Stage, Start};
use super::whole::{committed, is_whole, no_session_is_left};

/// A process that is killed outright has no exit code.
const SIGNALS: [(&str, Option<i32>); 3] = [("-TERM", Some(143)), ("-INT", Some(130)), ("-KILL", None)];

#[test]
fn a_run_that_is_told_to_stop_stops_at_once_and_commits_nothing_of_the_month_under_way() {
    let mut stage = Stage::new(Start::Change);
    let all = MOMENTS.into_iter().flat_map(|moment| SIGNALS.map(|signal| (moment, signal))).collect();
    let tried = sample(all, 13);
    let (moments, mut worst, mut orphaned) = (tried.len(), Duration::ZERO, Duration::ZERO);
    for (moment, (signal, code)) in tried {
        let [before, after] = stage.ready();
        let was = committed(&stage.world);
        let hold = Hold::at(&stage.world, moment);
        let running = Running::until_held(&stage.world, moment.side);
        let started = Instant::now();
        running.signal(signal);
        assert_eq!(running.ends().code, code, "{moment:?} {signal}");
        worst = worst.max(started.elapsed());
        assert!(started.elapsed() < Duration::from_secs(5), "{moment:?}: {:?}", started.elapsed());

        // Its sessions end although what they waited for is still held.
        let ended = Instant::now();
        no_session_is_left(&stage.world);
        orphaned = orphaned.max(ended.elapsed());
        drop(hold);
        if moment.early {
            assert_eq!(committed(&stage.world), was, "{moment:?}");
        }
        is_whole(&stage.world, &[&before, &after]);
        stage.is_mended();
    }
    eprintln!(
        "told to stop: stopped {moments} times of {moments}, at worst in {worst:?}, its sessions in {orphaned:?}"
    );
}

#[test]
fn a_run_that_is_told_to_stop_at_any_call_leaves_nothing_torn() {
    if !available() {
        return;
    }
    let mut stage = Stage::new(Start::Change);
    let (mut stopped, mut done) = (0, 0);
    for point in sampled(points(&mut stage), 2) {
        let [before, after] = stage.ready();
        let ran = run_with(&stage.world, &point, "signal=SIGTERM", false);
        match ran.code {
            // Without a code: before it could say what it wants to do about a signal.
            Some(143) | None => stopped += 1,
            _ => {
                ran.succeeds();
                done += 1;
                stage.world.is_exact();
            }
        }
        is_whole(&stage.world, &[&before, &after]);
        stage.is_mended();
    }
    eprintln!("told to stop at a call: {stopped} runs stopped, {done} were at their end");
    assert!(stopped > 0);
}

//! Connections that break: reset, or ended as if all were said, at every send and receive.

use super::calls::{available, figures, points, run_with, sampled};
use super::stage::{Stage, Start};
use super::whole::is_whole;

#[test]
fn a_connection_that_is_reset_at_any_send_or_receive_fails_the_run_or_was_not_needed() {
    broken_at_every_point("error=ECONNRESET");
}

#[test]
fn a_stream_that_ends_early_without_an_error_is_no_success() {
    broken_at_every_point("retval=0");
}

fn broken_at_every_point(fault: &str) {
    if !available() {
        return;
    }
    let mut stage = Stage::new(Start::Change);
    let mut all = points(&mut stage);
    all.retain(|call, _| call.starts_with("recv") || call.starts_with("send") && fault != "retval=0");
    let (found, mut failed, mut done) = (figures(&all), 0, 0);
    for point in sampled(all, 4) {
        let [before, after] = stage.ready();
        let ran = run_with(&stage.world, &point, fault, false);
        is_whole(&stage.world, &[&before, &after]);
        if ran.code == Some(0) {
            // At the goodbye, or in a poll for which nothing had come yet.
            done += 1;
            stage.world.is_exact();
        } else {
            failed += 1;
            assert_eq!(ran.code, Some(1), "{point:?}: {}", ran.stderr);
            assert_eq!(ran.stderr.matches("error:").count(), 1, "{point:?}: {}", ran.stderr);
        }
        stage.is_mended();
    }
    eprintln!("{fault}: {failed} runs failed and were mended, {done} were done all the same; in all: {found}");
    assert!(failed > 0);
}

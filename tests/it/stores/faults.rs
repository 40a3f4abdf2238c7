//! A store that fails: what passes is tried again, and what does not ends the run in time, with nothing torn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::kind::Kind;
use super::proxy::{Asked, Deed};

const SLOW: Deed = Deed::Slow(Duration::from_millis(300));
const ALL: [Deed; 8] = [
    Deed::Status(500, "InternalError"),
    Deed::Status(503, "SlowDown"),
    Deed::Silence,
    SLOW,
    Deed::CutRequest,
    Deed::CutAnswer,
    Deed::LoseAnswer,
    Deed::Reset,
];

/// Published, with something to change, to add and to remove, and little patience.
fn due() -> Option<Bucket> {
    let bucket = super::published()?;
    bucket.world.settings("[limits]\nconnect_timeout = \"400ms\"\n");
    Some(bucket)
}

fn turn(bucket: &Bucket, round: usize) {
    bucket.world.production_sql(&match round % 2 {
        0 => format!("INSERT INTO entity VALUES ('2024-02-11', {round}), ('2024-01-02', {round})"),
        _ => format!("DELETE FROM entity WHERE created_at >= '2024-02-01'; UPDATE entity SET value = {round}"),
    });
    bucket.world.kalends("prepare --accept-loss").succeeds();
}

#[test]
fn what_fails_once_at_any_request_is_tried_again() {
    let Some(bucket) = due() else { return };
    let mut round = 0;
    for deed in ALL {
        // Other requests with each fault; together all of them.
        for at in 1..=7 {
            if (at + round) % 2 == 1 && !matches!(deed, Deed::LoseAnswer | Deed::CutAnswer) {
                round += 1;
                continue;
            }
            round += 1;
            turn(&bucket, round);
            bucket.proxy.choose(move |asked| if asked.number == at { deed } else { Deed::Pass });
            bucket.kalends("export").succeeds();
            bucket.is_exact();
        }
    }
    bucket.settles();
}

#[test]
fn a_store_that_goes_on_failing_ends_the_run_in_time_and_the_next_one_mends_it() {
    let Some(bucket) = due() else { return };
    let mut round = 0;
    for (deed, said) in [
        (Deed::Status(500, "InternalError"), "the store answers 500 InternalError"),
        (Deed::Status(503, "SlowDown"), "the store answers 503 SlowDown"),
        (Deed::Silence, "no answer within 1s 200ms"),
        (Deed::Reset, "the connection broke off"),
    ] {
        for at in [2, 5] {
            round += 1;
            turn(&bucket, round);
            bucket.proxy.choose(move |asked| if asked.number >= at { deed } else { Deed::Pass });
            let begun = Instant::now();
            bucket.kalends("export -v").fails_with(1).says(said).says("asked again");
            assert!(begun.elapsed() < Duration::from_secs(20), "{deed:?}: {:?}", begun.elapsed());
            bucket.manifest_is_true();
            bucket.proxy.pass();
            bucket.kalends("export").succeeds();
            bucket.is_exact();
        }
    }
    bucket.settles();
}

#[test]
fn each_attempt_is_later_than_the_one_before() {
    let Some(bucket) = due() else { return };
    bucket.proxy.choose(|_| Deed::Status(503, "SlowDown"));
    bucket.kalends("status").fails_with(1);
    let attempts = bucket.proxy.asked().len();
    assert!((4..=9).contains(&attempts), "{attempts} attempts in 5 s");
}

#[test]
fn what_cannot_pass_is_said_at_once() {
    let Some(bucket) = due() else { return };
    let kind = bucket.server.kind;
    let ([denied, unknown, none], check) = (kind.codes(), format!("Check {}", kind.credentials()));
    for (status, code, hint) in [
        (403, denied, kind.right()),
        (403, unknown, &check),
        (404, none, "Kalends makes none"),
        (400, "AuthorizationHeaderMalformed", ""),
    ] {
        bucket.proxy.choose(move |_| Deed::Status(status, code));
        bucket.kalends("run").fails_with(1).says(&format!("the store answers {status} {code}")).says(hint);
        assert_eq!(bucket.proxy.asked().len(), 1);
    }
}

#[test]
fn a_store_without_conditional_writes_is_refused_by_name() {
    let Some(bucket) = due() else { return };
    turn(&bucket, 1);
    let is_put = |asked: &Asked<'_>| asked.method == "PUT";
    bucket.proxy.choose(move |asked| if is_put(asked) { Deed::Status(501, "NotImplemented") } else { Deed::Pass });
    bucket.kalends("export").fails_with(1).says("501 NotImplemented").says("If-None-Match");
    bucket.proxy.pass();
    if bucket.server.kind == Kind::S3 {
        let off = [("AWS_CONDITIONAL_PUT", "disabled")];
        bucket.kalends_with("export", &off).fails_with(1).says("conditional writes are switched off");
        assert_eq!(bucket.proxy.writes(), [""; 0]);
    }
    bucket.settles();
}

#[test]
fn no_more_than_a_few_objects_are_put_at_once() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let Some(bucket) = due() else { return };
    bucket.world.production_sql(
        "INSERT INTO entity SELECT '2023-01-01'::timestamp + n * interval '1 day', n FROM generate_series(0, 59) AS n",
    );
    bucket.proxy.choose(|asked| {
        if asked.method == "PUT" {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(50));
            NOW.fetch_sub(1, Ordering::Relaxed);
        }
        Deed::Pass
    });
    bucket.kalends("run").succeeds();
    let most = MOST.load(Ordering::Relaxed);
    assert!((2..=16).contains(&most), "{most} at once");
    bucket.settles();
}

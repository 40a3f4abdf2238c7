//! Several runs at once: one publishes, and nothing of another is overwritten.

use std::sync::atomic::{AtomicBool, Ordering};

use super::bucket::MANIFEST;
use super::proxy::Deed;
use super::published;

#[test]
fn of_two_runs_at_once_each_is_done_or_gives_way() {
    let Some(bucket) = published() else { return };
    for round in 1..=3 {
        bucket.world.production(&format!("created_at | value\n 2024-03-0{round} | 6\n 2024-01-02 | {round}"));
        bucket.world.kalends("prepare").succeeds();
        let mut runs: Vec<_> =
            (0..3).map(|_| bucket.command("export").stderr(std::process::Stdio::null()).spawn().unwrap()).collect();
        let codes: Vec<Option<i32>> = runs.iter_mut().map(|run| run.wait().unwrap().code()).collect();
        assert!(codes.contains(&Some(0)), "{codes:?}");
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 75))), "{codes:?}");
        bucket.is_exact();
    }
    bucket.settles();
}

#[test]
fn who_comes_second_gives_way_or_waits() {
    let Some(bucket) = published() else { return };
    bucket.world.production("created_at | value\n 2024-01-02 | 7");
    bucket.world.kalends("prepare").succeeds();
    bucket.proxy.choose(|asked| match asked.method {
        "PUT" => Deed::Slow(std::time::Duration::from_millis(3_000)),
        _ => Deed::Pass,
    });
    let mut first = bucket.command("export").spawn().unwrap();
    while bucket.proxy.writes().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let said = format!("another run is publishing into \"{}\": pid ", bucket.url());
    bucket.kalends("export").fails_with(75).says(&said).says("--wait 60s");
    bucket.kalends("status").fails_with(75).says(&said);
    bucket.kalends("export --wait 60s").succeeds().says("nothing to do");
    assert!(first.wait().unwrap().success());
    bucket.settles();
}

#[test]
fn a_manifest_of_another_run_in_between_is_not_overwritten() {
    let Some(bucket) = published() else { return };
    let before = bucket.objects()[MANIFEST].clone();
    for last in [false, true] {
        bucket.world.production("created_at | value\n 2024-01-02 | 7");
        let (put, other) = (bucket.putting(MANIFEST), [&before[..], b"\n"].concat());
        let (first, done) = (AtomicBool::new(true), AtomicBool::new(false));
        bucket.proxy.choose(move |asked| {
            let is_manifest = asked.method == "PUT" && asked.path.ends_with(MANIFEST);
            let is_due = is_manifest && (!last || !first.swap(false, Ordering::Relaxed));
            if is_due && !done.swap(true, Ordering::Relaxed) {
                put(&other);
            }
            Deed::Pass
        });
        let ran = bucket.kalends("run");
        ran.fails_with(75).says(&format!("another run is publishing into \"{}\"", bucket.url()));
        let puts = bucket.proxy.writes().len();
        assert_eq!(puts, if last { 5 } else { 1 }, "{:?}", bucket.proxy.writes());
        bucket.settles();
    }
}

#[test]
fn an_object_of_somebody_else_in_between_is_not_overwritten() {
    let Some(bucket) = published() else { return };
    bucket.world.production("created_at | value\n 2024-03-01 | 7");
    let path = "year=2024/month=3/entity_stats_monthly_2024_3.csv";
    let (put, is_done) = (bucket.putting(path), AtomicBool::new(false));
    bucket.proxy.choose(move |asked| {
        if asked.method == "PUT" && asked.path.ends_with(path) && !is_done.swap(true, Ordering::Relaxed) {
            put(b"mine");
        }
        Deed::Pass
    });
    bucket.kalends("run").fails_with(75).says(&format!("\"{}/{path}\" was changed by somebody else", bucket.url()));
    assert_eq!(bucket.objects()[path], b"mine");
    bucket.manifest_is_true();
}

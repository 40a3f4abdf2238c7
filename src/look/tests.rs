use std::time::Duration;

use super::*;
use crate::calendar::Period;

const HOUR_US: i64 = 3_600_000_000;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn day(day: i32) -> Day {
    Day::new(2024, 1, 1).unwrap().plus(day)
}

fn stretch(from: Option<i32>, until: Option<i32>) -> Stretch {
    Stretch { from: from.map(day), until: until.map(day) }
}

/// Every stretch of days 0 to 4, open or not.
fn stretches() -> Vec<Stretch> {
    let ends = || [None].into_iter().chain((0..5).map(Some));
    let all = ends().flat_map(|from| ends().map(move |until| (from, until)));
    all.filter(|(from, until)| from.zip(*until).is_none_or(|(from, until)| from < until))
        .map(|(from, until)| stretch(from, until))
        .collect()
}

/// The moment that a day was looked at as of, one by one.
fn moment(looked: &Looked, day: Day) -> Option<i64> {
    looked.older.iter().find(|older| older.stretch().contains(day)).map(|older| older.as_of_us)
}

#[test]
fn of_each_day_the_last_look_counts() {
    let begun = Looked::default().beginning(Some(day(4)), 10);
    for one in stretches() {
        for other in stretches() {
            let looked = begun.with(&Sight::of([one]), 30).with(&Sight::of([other]), 20);
            for at in -2..4 {
                let expected = match (one.contains(day(at)), other.contains(day(at))) {
                    (true, _) => 30,
                    (false, true) => 20,
                    _ => 10,
                };
                assert_eq!(moment(&looked, day(at)), Some(expected), "{one:?} {other:?} {at}");
            }
            assert!(looked.older.windows(2).all(|pair| Some(pair[0].until) == pair[1].from), "{looked:?}");
            assert!(looked.older.windows(2).all(|pair| pair[0].as_of_us != pair[1].as_of_us), "{looked:?}");
            assert_eq!((looked.older[0].from, looked.older.last().map(|older| older.until)), (None, Some(day(4))));
            assert!(looked.is_whole());
            for at in 0..looked.older.len() {
                let mut lacking = looked.clone();
                lacking.older.remove(at);
                assert!(!lacking.is_whole(), "{lacking:?}");
            }
            for first in 0..8 {
                let moved = looked.beginning(Some(day(first)), 40);
                let all = (-2..first).all(|at| moment(&moved, day(at)) == Some(moment(&looked, day(at)).unwrap_or(40)));
                assert!(all && moment(&moved, day(first)).is_none(), "{first}: {moved:?}");
            }
        }
    }
}

#[test]
fn days_that_were_looked_at_together_lack_nothing() {
    assert!(Looked::default().is_whole());
    assert!(!Looked { recent_from: Some(day(0)), older: Vec::new() }.is_whole());
}

#[test]
fn sights_hold_the_days_of_their_stretches_and_no_others() {
    for one in stretches() {
        for other in stretches() {
            let (both, without) = (Sight::of([one, other]), Sight::of([one]).without([other]));
            for at in -2..8 {
                let (one_has, other_has) = (one.contains(day(at)), other.contains(day(at)));
                assert_eq!(both.contains(day(at)), one_has || other_has, "{one:?} {other:?} {at}");
                assert_eq!(without.contains(day(at)), one_has && !other_has, "{one:?} {other:?} {at}");
                assert_eq!(one.and(other).is_some_and(|and| and.contains(day(at))), one_has && other_has);
            }
            assert!(both.covers(one) && both.covers(other));
            assert_eq!(Sight::of([one]).covers(other), one.and(other) == Some(other));
        }
    }
    assert!(Sight::of([stretch(None, Some(3)), stretch(Some(3), None)]).is_all());
    let months = stretch(Some(10), Some(40)).in_whole_months();
    assert_eq!(months, stretch(Some(0), Some(60)), "January and February of a leap year");
}

#[test]
fn the_recent_days_begin_with_a_month_and_leave_out_no_day_that_had_not_ended() {
    let look = Look { recent_days: 45, prove_all_every: DAY };
    assert_eq!(look.recent_from(day(100), day(100)), Some(Day::new(2024, 2, 1).unwrap()));
    assert_eq!(look.recent_from(day(100), day(5)), Some(day(0)));
    assert_eq!(Look { recent_days: i32::MAX, ..look }.recent_from(day(100), day(100)), None);
}

/// Months of the year 2023, with so many rows each.
fn months(rows: i64) -> Vec<(Period, i64)> {
    let month = |month| (Day::new(2023, month, 1).unwrap().month(), rows * i64::from(month));
    (1..=12).map(month).collect()
}

#[test]
fn parts_are_days_and_gaps_and_hold_all_days_once() {
    let looked = Looked::default().beginning(Some(day(0)), 5).with(&Sight::of([stretch(Some(-40), Some(-8))]), 7);
    let months = [months(3100), vec![]].concat();
    let few = [months[1], months[11]];
    for months in [&months[..], &few] {
        let parts = parts(&looked, months);
        let mut sorted: Vec<Stretch> = parts.iter().map(|part| part.stretch).collect();
        sorted.sort();
        assert!(sorted.windows(2).all(|pair| pair[0].until == pair[1].from), "{sorted:?}");
        assert_eq!((sorted[0].from, sorted.last().unwrap().until), (None, Some(day(0))));
        assert!(parts.windows(2).all(|pair| pair[0].as_of_us <= pair[1].as_of_us));
        for part in &parts {
            let from = part.stretch.from.unwrap_or(day(-1000));
            assert_eq!(Some(part.as_of_us), moment(&looked, from), "{part:?}");
        }
    }
}

/// Runs at these moments, each of which looks at what is due. Returns the weight that was looked at, as a multiple of
/// all, and how old the oldest part was, in hours.
fn runs(moments: impl Iterator<Item = i64>, every: Duration) -> (f64, f64) {
    let months = months(3100);
    let whole: i64 = months.iter().map(|(_, rows)| rows).sum();
    let mut looked = Looked::default().beginning(Some(day(0)), 0);
    let (mut rows, mut oldest) = (0, 0);
    for now in moments {
        let parts = parts(&looked, &months);
        let due = &parts[..due(&parts, now, every)];
        rows += due.iter().map(|part| part.rows).sum::<i64>();
        looked = looked.with(&Sight::of(due.iter().map(|part| part.stretch)), now);
        oldest = oldest.max(now - looked.oldest_us().unwrap());
    }
    (rows as f64 / whole as f64, oldest as f64 / HOUR_US as f64)
}

#[test]
fn all_is_looked_at_once_in_each_interval_and_hardly_more_often() {
    // Hourly for ten days, and now and then a minute later.
    let (times, oldest) = runs((1..=240).map(|hour| hour * HOUR_US + hour % 7 * HOUR_US / 60), DAY);
    assert!((9.8..10.5).contains(&times) && oldest < 24.0, "{times} times, {oldest} hours");
    // Every few hours, not regularly.
    let (times, oldest) = runs((1..=60).map(|run| run * 4 * HOUR_US + run % 3 * HOUR_US), DAY);
    assert!((9.5..11.0).contains(&times) && oldest < 24.0, "{times} times, {oldest} hours");
    // After a pause.
    let (times, oldest) = runs([1, 2, 50, 51].into_iter().map(|hour| hour * HOUR_US), DAY);
    assert!((1.0..1.2).contains(&times) && oldest < 24.0, "{times} times, {oldest} hours");
}

#[test]
fn a_moment_in_the_future_is_due() {
    let looked = Looked::default().beginning(Some(day(0)), HOUR_US);
    let parts = parts(&looked, &months(31));
    assert_eq!(due(&parts, 0, DAY), parts.len());
    assert_eq!(due(&parts, HOUR_US, DAY), 0);
}

/// A leaf: number, file, rows inserted, updated and deleted, and its days.
type Counted = (u32, u32, [i64; 3], (Option<i32>, Option<i32>));

fn counters(since: &str, leaves: &[Counted]) -> Counters {
    let leaf = |&(number, file, rows, days): &Counted| (number, Leaf { file, rows, days });
    Counters { since: since.to_string(), leaves: leaves.iter().map(leaf).collect() }
}

/// Days that show nothing.
fn nothing(_: Stretch) -> Shown {
    Shown::default()
}

/// The hints of counters of one table, if days show so many rows more, and others changed.
fn hints(before: &Noted, now: Counters, more_rows: i64, changed: bool) -> (Vec<Hint>, Noted) {
    let sight = Sight::of([stretch(Some(0), None)]);
    before.hints(now, &sight, HOUR_US, |_| Shown { more_rows, unsettled_rows: 0, changed })
}

#[test]
fn rows_that_were_counted_and_not_seen_are_a_hint() {
    let of = |rows| counters("a", &[(1, 1, rows, (None, None))]);
    let before = Noted::after_all(of([10, 0, 0]), None, nothing);
    let is_hint = |rows, more_rows, changed| !hints(&before, of(rows), more_rows, changed).0.is_empty();
    assert!(!is_hint([10, 0, 0], 0, false) && !is_hint([12, 0, 0], 2, true));
    assert!(is_hint([12, 0, 0], 1, true), "one lies elsewhere");
    assert!(is_hint([10, 1, 0], 0, false) && !is_hint([10, 1, 0], 0, true));
    assert!(is_hint([10, 0, 1], 0, false) && !is_hint([10, 0, 1], -1, true));
    assert!(is_hint([11, 0, 1], -1, true), "one was inserted elsewhere");
}

#[test]
fn rows_that_are_seen_before_they_are_counted_are_none() {
    let of = |inserted| counters("a", &[(1, 1, [inserted, 0, 0], (None, None))]);
    let before = Noted::after_all(of(10), None, nothing);
    let (found, ahead) = hints(&before, of(10), 5, true);
    assert_eq!(found, []);
    let (found, even) = hints(&ahead, of(15), 0, false);
    assert_eq!(found, []);
    assert_eq!(hints(&even, of(16), 0, false).0, [Hint::Rows(Stretch::ALL)]);
    // Those that are left unsettled are seen again and again.
    let sight = Sight::of([stretch(Some(0), None)]);
    let left = |_| Shown { more_rows: 3, unsettled_rows: 3, changed: true };
    let (found, noted) = before.hints(of(13), &sight, 0, left);
    assert_eq!((found, noted.hints(of(13), &sight, 0, left).0), (vec![], vec![]));
    let all = Noted::after_all(of(13), None, left);
    assert_eq!(all.hints(of(13), &sight, 0, left).0, []);
}

#[test]
fn what_is_new_gone_or_written_again_is_a_hint_unless_it_was_looked_at() {
    let days = |from: i32, until: i32| (Some(day(from).to_postgres()), Some(day(until).to_postgres()));
    let old = (1, 1, [5, 0, 0], days(-40, -10));
    let recent = (2, 2, [5, 0, 0], days(5, 10));
    let before = Noted::after_all(counters("a", &[old, recent]), None, nothing);
    let found = |leaves: &[_]| hints(&before, counters("a", leaves), 0, false).0;
    let expected = [Hint::Replaced(stretch(Some(-40), Some(-10)))];
    assert_eq!(found(&[recent]), expected, "gone");
    assert_eq!(found(&[(1, 9, old.2, old.3), recent]), expected, "written again");
    assert_eq!(found(&[old, recent, (3, 3, [0; 3], old.3)]), expected, "new");
    assert_eq!(found(&[old, (2, 9, [9, 9, 9], recent.3)]), [], "the recent days were looked at");
    assert_eq!(found(&[(1, 1, [6, 0, 0], old.3), recent]), [Hint::Rows(stretch(Some(-40), Some(-10)))]);
}

#[test]
fn counters_that_mean_nothing_and_a_time_after_a_hint_in_vain_give_no_hints() {
    let of = |since, rows| counters(since, &[(1, 1, rows, (None, None))]);
    let before = Noted::after_all(of("a", [10, 0, 0]), None, nothing);
    for now in [of("", [99, 0, 0]), of("b", [99, 0, 0]), of("a", [9, 9, 9])] {
        assert_eq!(hints(&before, now, 0, false).0, []);
    }
    let quiet = Noted::after_all(of("a", [10, 0, 0]), Some((0, DAY)), nothing);
    let (found, still) = hints(&quiet, of("a", [11, 0, 0]), 0, false);
    assert_eq!(found, []);
    let sight = Sight::of([stretch(Some(0), None)]);
    let later = still.hints(of("a", [12, 0, 0]), &sight, 25 * HOUR_US, nothing);
    assert_eq!(later.0, [Hint::Rows(Stretch::ALL)]);
}

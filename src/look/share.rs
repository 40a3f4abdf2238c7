//! The share of the older days that a run looks at, so that each of them is looked at once within an interval.

use std::time::Duration;

use super::{Looked, Older, Stretch};
use crate::calendar::Period;

/// Days that are looked at together or not at all: a day, or consecutive days of months without rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its days.
    pub stretch: Stretch,
    /// How many rows it has, by the accounts of its month.
    pub rows: i64,
    /// As of when it was looked at.
    pub as_of_us: i64,
}

/// The older days in parts, those that were looked at longest ago first.
pub fn parts(looked: &Looked, months: &[(Period, i64)]) -> Vec<Part> {
    let mut parts: Vec<Part> = looked.older.iter().flat_map(|&older| of_older(older, months)).collect();
    parts.sort_by_key(|part| (part.as_of_us, part.stretch));
    parts
}

fn of_older(older: Older, months: &[(Period, i64)]) -> Vec<Part> {
    let part = |stretch, rows| Part { stretch, rows, as_of_us: older.as_of_us };
    let (mut parts, mut from) = (Vec::new(), older.from);
    for &(month, rows) in months {
        let span = month.span();
        let Some(days) = older.stretch().and(Stretch::from(month)) else { continue };
        let (Some(first), Some(until)) = (days.from, days.until) else { continue };
        if from != Some(first) {
            parts.push(part(Stretch { from, until: Some(first) }, 0));
        }
        let of_day = rows / i64::from(span.until.to_postgres() - span.from.to_postgres());
        let mut day = first;
        while day < until {
            parts.push(part(Stretch { from: Some(day), until: Some(day.next()) }, of_day));
            day = day.next();
        }
        from = Some(until);
    }
    if from != Some(older.until) {
        parts.push(part(Stretch { from, until: Some(older.until) }, 0));
    }
    parts
}

/// How many of the parts, from the beginning, a run looks at as of `now_us`.
///
/// If every run did the same amount, the moments of the parts would lie evenly over the interval. So, from the newest
/// part to the oldest, none may be older than its place: what lies at half of the weight, at most half of the interval.
/// The run looks at the oldest parts until that holds. It depends on nothing but the parts: a run that was killed or
/// came late is made up for by the next one, and after a pause of the whole interval everything is due.
pub fn due(parts: &[Part], now_us: i64, every: Duration) -> usize {
    let weight = |part: &Part| i128::from(part.rows) + 1;
    let whole: i128 = parts.iter().map(weight).sum();
    let every = i128::try_from(every.as_micros()).unwrap_or(i128::MAX >> 64);
    // For each part, how much must be looked at for it and all newer ones to be young enough for their places.
    let (mut newer, mut most) = (0, i128::MIN);
    let needed = parts.iter().rev().map(|part| {
        newer += weight(part);
        most = most.max(age(part, now_us, every) * whole - every * newer);
        most
    });
    let needed: Vec<i128> = needed.collect();
    let mut looked = 0;
    let enough = needed.iter().rev().zip(parts).position(|(&needed, part)| {
        let is_enough = every * looked > needed;
        looked += weight(part);
        is_enough
    });
    enough.unwrap_or(parts.len())
}

/// How long ago a part was looked at, at most the interval. If that is in the future, because a clock was set back, the
/// part is due.
fn age(part: &Part, now_us: i64, every: i128) -> i128 {
    let age = i128::from(now_us) - i128::from(part.as_of_us);
    if age < 0 { every } else { age.min(every) }
}

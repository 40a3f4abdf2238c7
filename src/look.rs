//! What a run looks at: everything, or the recent days and a share of the older ones. Pure: no clock, no socket.
//!
//! Each day of an entity was looked at as of some moment. The recent days are looked at by every run, so one moment is
//! enough for all of them; the older days are kept as stretches, each with its own moment.

mod hints;
mod share;
mod sight;

use std::time::Duration;

pub use hints::{Counters, Hint, Leaf, Noted, Shown};
pub use share::{Part, due, parts};
pub use sight::{Sight, Stretch};

use crate::calendar::Day;

/// The settings of an entity that is not looked at as a whole by every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How many days back from today every run looks at least.
    pub recent_days: i32,
    /// Within which time each of the older days is looked at once.
    pub prove_all_every: Duration,
}

/// As of when the days of an entity were looked at, and found or made equal to production.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// The first of the recent days; `None` if all days were looked at together. From it on, days are as of the
    /// entity's proof.
    pub recent_from: Option<Day>,
    /// The days before, in order and without gaps.
    pub older: Vec<Older>,
}

/// Days that were looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Older {
    /// The first of them; `None`: the first of all.
    pub from: Option<Day>,
    /// The day after the last of them.
    pub until: Day,
    /// The moment of production's data, in microseconds since 1970 UTC.
    pub as_of_us: i64,
}

impl Look {
    /// The first day that every run looks at: of the month in which the recent days begin, or in which a day lies that
    /// had not ended when the recent days were last proven. Months are settled as a whole, so they are looked at as a
    /// whole. `None`: all days, because the recent days begin before the calendar does.
    pub fn recent_from(&self, today: Day, open_from: Day) -> Option<Day> {
        let first = Day::from_postgres(today.to_postgres().checked_sub(self.recent_days)?)?;
        Some(first.min(open_from).month().first())
    }
}

impl Looked {
    /// The moment that the older days were all looked at, or later; `None` if there are none.
    pub fn oldest_us(&self) -> Option<i64> {
        self.older.iter().map(|older| older.as_of_us).min()
    }

    /// Whether each of the older days has a moment. If a note of one is missing, nothing is known.
    pub fn is_whole(&self) -> bool {
        let (first, last) = (self.older.first(), self.older.last());
        let joined = self.older.windows(2).all(|pair| Some(pair[0].until) == pair[1].from);
        let begins = first.is_none_or(|first| first.from.is_none());
        joined && begins && last.map(|last| last.until) == self.recent_from
    }

    /// The same after these days were looked at as of a moment. A later moment that is noted already stays.
    #[must_use]
    pub fn with(&self, sight: &Sight, as_of_us: i64) -> Self {
        let mut looked = self.clone();
        for &stretch in sight.stretches() {
            looked.older = looked.older.iter().flat_map(|older| older.cut(stretch, as_of_us)).collect();
        }
        looked.merged()
    }

    /// The same if the recent days begin on another day, after all days from the earlier of both on were looked at.
    /// `proven_us` is the moment of that; `None`: all days are recent.
    #[must_use]
    pub fn beginning(&self, recent_from: Option<Day>, proven_us: i64) -> Self {
        let Some(first) = recent_from else { return Self::default() };
        let mut older: Vec<Older> = self.older.iter().filter_map(|older| older.before(first)).collect();
        let end = older.last().map(|older| older.until);
        if end != Some(first) {
            older.push(Older { from: end, until: first, as_of_us: proven_us });
        }
        Self { recent_from, older }.merged()
    }

    /// Neighbours of one moment are one.
    fn merged(mut self) -> Self {
        self.older.dedup_by(|next, older| {
            let alike = next.as_of_us == older.as_of_us;
            if alike {
                older.until = next.until;
            }
            alike
        });
        self
    }
}

impl Older {
    /// These days.
    pub fn stretch(self) -> Stretch {
        Stretch { from: self.from, until: Some(self.until) }
    }

    /// Those before a day.
    fn before(self, day: Day) -> Option<Self> {
        self.from.is_none_or(|from| from < day).then_some(Self { until: self.until.min(day), ..self })
    }

    /// Those from a day on.
    fn since(self, day: Day) -> Option<Self> {
        (self.until > day).then_some(Self { from: Some(self.from.map_or(day, |from| from.max(day))), ..self })
    }

    /// The same days in up to three parts, of which those in the stretch are as of another moment.
    fn cut(self, stretch: Stretch, as_of_us: i64) -> impl Iterator<Item = Self> {
        let before = stretch.from.and_then(|from| self.before(from));
        let since = stretch.from.map_or(Some(self), |from| self.since(from));
        let inside = since.and_then(|since| stretch.until.map_or(Some(since), |until| since.before(until)));
        let after = stretch.until.and_then(|until| self.since(until));
        let inside = inside.map(|inside| Self { as_of_us: as_of_us.max(self.as_of_us), ..inside });
        before.into_iter().chain(inside).chain(after)
    }
}

#[cfg(test)]
mod tests;

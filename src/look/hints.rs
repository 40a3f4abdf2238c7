//! Hints: production's counters of inserted, updated and deleted rows. They only ever make a run look at more, because
//! they come late, and mean nothing on a standby.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Sight, Stretch};
use crate::calendar::Day;

/// The counters of a table's partitions, or of the table itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Since when the server counts; empty if its counters mean nothing.
    pub since: String,
    /// By the number of the table or partition that holds rows.
    pub leaves: BTreeMap<u32, Leaf>,
}

/// The counters of a table that holds rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// Its file. TRUNCATE and all that writes the table again give it another.
    pub file: u32,
    /// Rows inserted, updated, deleted since the server counts.
    pub rows: [i64; 3],
    /// The days whose rows it can have, as days since 2000-01-01; all if that is not known.
    pub days: Days,
}

/// What is noted of the counters, with the days that were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// As they were before the snapshot.
    pub counters: Counters,
    /// What is left over of tables with the same days; nothing is left of those that are not here.
    left: Vec<Left>,
    /// Until this moment, in microseconds since 1970 UTC, counters of rows are no hint: the last time, everything was
    /// looked at because of them and nothing was found.
    quiet_until_us: Option<i64>,
}

/// The days whose rows a table can have, as days since 2000-01-01.
type Days = (Option<i32>, Option<i32>);

/// What is left over of tables with the same days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    days: Days,
    /// Rows that were seen and not counted yet.
    ahead: i64,
    /// Rows that production has more than were settled, because days were left as they were.
    unsettled: i64,
}

/// Days that counters make a run look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// Rows were inserted, updated or deleted that the days looked at do not show.
    Rows(Stretch),
    /// A table or partition is new, was removed, or was written again.
    Replaced(Stretch),
}

/// What the days that were looked at show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// How many rows they have more than were settled before.
    pub more_rows: i64,
    /// How many of these are left unsettled.
    pub unsettled_rows: i64,
    /// Whether rows of a day were changed or removed.
    pub changed: bool,
}

fn stretch_of((from, until): Days) -> Stretch {
    let day = |day: Option<i32>| day.and_then(Day::from_postgres);
    Stretch { from: day(from), until: day(until) }
}

impl Hint {
    /// The days.
    pub fn stretch(self) -> Stretch {
        match self {
            Self::Rows(stretch) | Self::Replaced(stretch) => stretch,
        }
    }
}

/// How the counters of tables with the same days moved, together.
#[derive(Default)]
struct Moved {
    rows: [i64; 3],
    replaced: bool,
}

impl Noted {
    /// The days that counters point to, beyond those that were looked at, and what is to be noted if these days are
    /// looked at as well. `shown` says what the days looked at show of a stretch.
    ///
    /// Without counters on both sides, or if the server counts anew, there are no hints.
    pub fn hints(
        &self,
        now: Counters,
        sight: &Sight,
        now_us: i64,
        shown: impl Fn(Stretch) -> Shown,
    ) -> (Vec<Hint>, Self) {
        let known = |leaf: &u32| self.counters.leaves.get(leaf);
        let counts_anew = now.leaves.iter().any(|(leaf, is)| known(leaf).is_some_and(|was| is.is_before(was)));
        if now.since.is_empty() || now.since != self.counters.since || counts_anew {
            return (Vec::new(), Self { counters: now, ..Self::default() });
        }
        let mut moved = BTreeMap::<Days, Moved>::new();
        for (leaf, is) in &now.leaves {
            let group = moved.entry(is.days).or_default();
            match known(leaf) {
                Some(was) => group.add(was, is),
                None => group.replaced = true,
            }
        }
        for was in self.counters.leaves.iter().filter(|(leaf, _)| !now.leaves.contains_key(leaf)).map(|(_, was)| was) {
            moved.entry(was.days).or_default().replaced = true;
        }
        let is_quiet = self.quiet_until_us.is_some_and(|until| now_us < until);
        let (mut hints, mut left) = (Vec::new(), Vec::new());
        for (days, moved) in moved {
            let stretch = stretch_of(days);
            let was = self.left.iter().find(|left| left.days == days).cloned().unwrap_or_default();
            let shown = shown(stretch);
            let ahead = was.ahead + shown.more_rows - was.unsettled - (moved.rows[0] - moved.rows[2]);
            if moved.replaced && !sight.covers(stretch) {
                hints.push(Hint::Replaced(stretch));
            } else if !is_quiet && !sight.covers(stretch) && moved.is_unexplained(ahead, shown) {
                hints.push(Hint::Rows(stretch));
            }
            left.push(Left { days, ahead: ahead.max(0), unsettled: shown.unsettled_rows });
        }
        left.retain(|left| (left.ahead, left.unsettled) != (0, 0));
        let quiet_until_us = self.quiet_until_us.filter(|_| is_quiet);
        (hints, Self { counters: now, left, quiet_until_us })
    }

    /// What is to be noted after everything was looked at, of counters that were read after that. If it was for a hint
    /// and nothing was found, counters of rows are no hint for an interval.
    pub fn after_all(counters: Counters, quiet: Option<(i64, Duration)>, shown: impl Fn(Stretch) -> Shown) -> Self {
        let days: BTreeSet<Days> = counters.leaves.values().map(|leaf| leaf.days).collect();
        let unsettled = |days| Left { days, ahead: 0, unsettled: shown(stretch_of(days)).unsettled_rows };
        let left = days.into_iter().map(unsettled).filter(|left| left.unsettled != 0).collect();
        let until = |(now_us, every): (i64, Duration)| {
            now_us.saturating_add(i64::try_from(every.as_micros()).unwrap_or(i64::MAX))
        };
        Self { counters, left, quiet_until_us: quiet.map(until) }
    }
}

impl Leaf {
    /// Whether the server has forgotten what it counted.
    fn is_before(&self, was: &Self) -> bool {
        self.rows.iter().zip(was.rows).any(|(&is, was)| is < was)
    }
}

impl Moved {
    fn add(&mut self, was: &Leaf, is: &Leaf) {
        for (sum, (is, was)) in self.rows.iter_mut().zip(is.rows.iter().zip(was.rows)) {
            *sum += is - was;
        }
        self.replaced |= was.file != is.file || was.days != is.days;
    }

    /// Whether more rows were counted than the days looked at show. Rows that are seen first and counted later are
    /// `ahead`; rows that are counted and not seen lie elsewhere.
    fn is_unexplained(&self, ahead: i64, shown: Shown) -> bool {
        let [_, updated, deleted] = self.rows;
        ahead < 0 || (updated > 0 || deleted > 0) && !shown.changed
    }
}

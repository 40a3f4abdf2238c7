//! Where days begin and end, as the statements have it that read an entity's rows.

use super::Model;
use crate::calendar::Day;
use crate::sql::{Bound, Filling};

/// No time zone is further from UTC, so a day of any lies between these many days before it and after it in UTC.
const WIDER_DAYS: i32 = 2;

/// The bounds of some days.
#[derive(Debug)]
pub struct Bounds {
    from: Edge,
    until: Edge,
    wide_from: Bound,
    wide_until: Bound,
}

/// The beginning of a day, by the type of the time column. A timestamp ends before a date does.
#[derive(Debug)]
enum Edge {
    Timestamp(Bound),
    Date(Day),
}

impl Model {
    /// Of the days from one until before another.
    pub fn bounds(&self, from: Day, until: Day) -> Bounds {
        let edge = |day| if self.is_of_timestamps() { Edge::Timestamp(Bound(day)) } else { Edge::Date(day) };
        let (wide_from, wide_until) = (Bound(from.plus(-WIDER_DAYS)), Bound(until.plus(WIDER_DAYS)));
        Bounds { from: edge(from), until: edge(until), wide_from, wide_until }
    }
}

impl Bounds {
    /// For a statement; the wider ones are for a timestamptz, and in days of UTC.
    pub fn names(&self) -> [(&'static str, &dyn Filling); 4] {
        [("from", &self.from), ("until", &self.until), ("wide_from", &self.wide_from), ("wide_until", &self.wide_until)]
    }
}

impl Filling for Edge {
    fn filled(&self) -> String {
        match self {
            Self::Timestamp(bound) => bound.filled(),
            Self::Date(day) => day.filled(),
        }
    }
}

//! Where days begin and end, for the statements that read an entity's rows.

use super::Model;
use crate::calendar::Day;
use crate::look::Stretch;
use crate::sql::{Bound, Filling};

/// No time zone is further from UTC: a day of any zone lies within this many days around the same day of UTC.
const WIDER_DAYS: i32 = 2;

/// The bounds of some days.
#[derive(Debug)]
pub struct Bounds {
    from: Edge,
    until: Edge,
    wide_from: Bound,
    wide_until: Bound,
}

/// The bounds of a stretch of days, which may be open at either end.
#[derive(Debug)]
pub struct OpenBounds {
    since: Option<(Edge, Bound)>,
    until: Option<(Edge, Bound)>,
}

/// The beginning of a day, in the type of the time column. Timestamps end at an earlier date than dates do.
#[derive(Debug)]
enum Edge {
    Timestamp(Bound),
    Date(Day),
}

impl Model {
    /// The bounds of the days from `from` until before `until`.
    pub fn bounds(&self, from: Day, until: Day) -> Bounds {
        let (wide_from, wide_until) = (Bound(from.plus(-WIDER_DAYS)), Bound(until.plus(WIDER_DAYS)));
        Bounds { from: self.edge(from), until: self.edge(until), wide_from, wide_until }
    }

    /// The bounds of a stretch of days.
    pub fn open_bounds(&self, stretch: Stretch) -> OpenBounds {
        let end = |day: Option<Day>, wider: i32| day.map(|day| (self.edge(day), Bound(day.plus(wider))));
        OpenBounds { since: end(stretch.from, -WIDER_DAYS), until: end(stretch.until, WIDER_DAYS) }
    }

    fn edge(&self, day: Day) -> Edge {
        if self.is_of_timestamps() { Edge::Timestamp(Bound(day)) } else { Edge::Date(day) }
    }
}

impl Bounds {
    /// For a statement. The wider bounds are for a `timestamptz`, in days of UTC.
    pub fn names(&self) -> [(&'static str, &dyn Filling); 4] {
        [("from", &self.from), ("until", &self.until), ("wide_from", &self.wide_from), ("wide_until", &self.wide_until)]
    }
}

impl OpenBounds {
    /// For a statement: the ends that there are. The wider bounds are for a `timestamptz`, in days of UTC.
    pub fn names(&self) -> Vec<(&'static str, &dyn Filling)> {
        let mut names = Vec::<(&'static str, &dyn Filling)>::new();
        if let Some((edge, wide)) = &self.since {
            names.extend([("since", edge as &dyn Filling), ("wide_since", wide)]);
        }
        if let Some((edge, wide)) = &self.until {
            names.extend([("until", edge as &dyn Filling), ("wide_until", wide)]);
        }
        names
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

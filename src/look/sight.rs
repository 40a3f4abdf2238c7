//! The days that a survey looks at.

use crate::calendar::{Day, Period};

/// Consecutive days, in whole months or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// The first; `None`: the first of all.
    pub from: Option<Day>,
    /// The day after the last; `None`: there is no end, and rows at an infinite time are included.
    pub until: Option<Day>,
}

/// The days that a survey looks at: stretches in order, with others in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight(Vec<Stretch>);

impl Stretch {
    /// All days, and the rows that belong to none.
    pub const ALL: Self = Self { from: None, until: None };

    /// Whether the day is one of them.
    pub fn contains(self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }

    /// Those of both.
    pub fn and(self, other: Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let until = match (self.until, other.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let is_empty = from.zip(until).is_some_and(|(from, until)| from >= until);
        (!is_empty).then_some(Self { from, until })
    }

    /// The same, with the rest of the months in which it begins and ends.
    #[must_use]
    pub fn in_whole_months(self) -> Self {
        let last = |until: Day| until.plus(-1).month().span().until;
        Self { from: self.from.map(|from| from.month().first()), until: self.until.map(last) }
    }

    /// Whether the two have no day in between.
    fn meets(self, next: Self) -> bool {
        self.until.is_none_or(|until| next.from.is_none_or(|from| from <= until))
    }
}

impl From<Period> for Stretch {
    fn from(period: Period) -> Self {
        let span = period.span();
        Self { from: Some(span.from), until: Some(span.until) }
    }
}

impl Default for Sight {
    fn default() -> Self {
        Self::all()
    }
}

impl Sight {
    /// Everything.
    pub fn all() -> Self {
        Self(vec![Stretch::ALL])
    }

    /// These stretches; what overlaps or touches becomes one.
    pub fn of(stretches: impl IntoIterator<Item = Stretch>) -> Self {
        let mut all: Vec<Stretch> = stretches.into_iter().collect();
        all.sort();
        let mut merged = Vec::<Stretch>::new();
        for next in all {
            match merged.last_mut() {
                Some(last) if last.meets(next) => {
                    last.until = last.until.zip(next.until).map(|(one, other)| one.max(other));
                }
                _ => merged.push(next),
            }
        }
        Self(merged)
    }

    /// These and more.
    #[must_use]
    pub fn and(&self, more: impl IntoIterator<Item = Stretch>) -> Self {
        Self::of(self.0.iter().copied().chain(more))
    }

    /// These without some.
    #[must_use]
    pub fn without(&self, others: impl IntoIterator<Item = Stretch>) -> Self {
        let mut left = self.0.clone();
        for other in others {
            let before = Stretch { from: None, until: other.from };
            let after = Stretch { from: other.until, until: None };
            let sides = [other.from.map(|_| before), other.until.map(|_| after)];
            left = left
                .into_iter()
                .flat_map(|own| sides.into_iter().flatten().filter_map(move |side| own.and(side)))
                .collect();
        }
        Self(left)
    }

    /// In order.
    pub fn stretches(&self) -> &[Stretch] {
        &self.0
    }

    /// Whether it looks at everything.
    pub fn is_all(&self) -> bool {
        self.0 == [Stretch::ALL]
    }

    /// Whether it looks at this day.
    pub fn contains(&self, day: Day) -> bool {
        self.0.iter().any(|stretch| stretch.contains(day))
    }

    /// Whether it looks at all of these days.
    pub fn covers(&self, stretch: Stretch) -> bool {
        self.0.iter().any(|own| own.and(stretch) == Some(stretch))
    }

    /// The first day that it looks at; `None`: the first of all.
    pub fn first(&self) -> Option<Day> {
        self.0.first().and_then(|stretch| stretch.from)
    }
}

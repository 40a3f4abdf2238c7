//! What is to be settled, where it comes from, and which months these are.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::Mutex;

use super::load::Loaded;
use crate::accounts::{self, Cause, Changes, Month};
use crate::adopt::Holds;
use crate::calendar::{Day, Period};
use crate::entity::Theirs;
use crate::guard::Judged;
use crate::production::{Snapshot, Survey};
use crate::progress::{Progress, Talk};
use crate::warehouse::Warehouse;

/// What is to be settled, and where it comes from.
pub(super) struct Settling<'a> {
    pub(super) talk: Talk,
    pub(super) snapshot: &'a Snapshot<'a>,
    pub(super) survey: &'a Survey,
    /// What of it is to be settled.
    pub(super) judged: &'a Judged,
    /// Whether it may have been settled before. What was not has nothing that is restated.
    pub(super) has_past: bool,
    /// Another tool's table, from which equal days are copied.
    pub(super) adopting: Option<Adopting<'a>>,
}

/// Another tool's table, and the days whose rows are equal there and in production.
#[derive(Clone, Copy)]
pub(super) struct Adopting<'a> {
    /// What reads it while another session writes.
    pub(super) reader: &'a Mutex<Warehouse>,
    pub(super) theirs: &'a Theirs,
    /// What it held when it was compared.
    pub(super) holds: &'a Holds,
    pub(super) equal: &'a BTreeSet<Day>,
}

/// The months of which one could not be settled, as the context of an error.
#[derive(Debug)]
pub(super) struct Unsettled(pub(super) Vec<Period>);

/// What was settled.
#[derive(Default)]
pub struct Settled {
    /// Days, by their cause.
    pub days: BTreeMap<Cause, usize>,
    /// Months with a day that was settled.
    pub months: usize,
    /// What was loaded for them.
    pub loaded: Loaded,
    /// Days whose checksums were written again in today's form. Nothing else of them changed.
    pub renewed_days: usize,
}

impl std::fmt::Display for Unsettled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let months: Vec<String> = self.0.iter().map(Period::to_string).collect();
        let word = if months.len() == 1 { "month" } else { "months" };
        write!(f, "could not settle {word} {}", months.join(", "))
    }
}

impl Settling<'_> {
    /// The months that have changes.
    pub(super) fn months(&self, changes: Changes) -> Vec<Month> {
        let mut months = accounts::months(changes, &self.judged.target);
        months.iter_mut().for_each(|month| month.left = self.left(month.period));
        months
    }

    /// A month without anything to do.
    pub(super) fn month(&self, period: Period) -> Month {
        Month { left: self.left(period), ..Month::of(period, &self.judged.target) }
    }

    fn left(&self, month: Period) -> BTreeSet<Day> {
        let span = month.span();
        self.judged.left.range(span.from..span.until).copied().collect()
    }

    /// These months, and those whose accounts must be rebuilt because somebody edited them.
    pub(super) fn with_remade<'a>(
        &self,
        months: Vec<Month>,
        inconsistent: impl IntoIterator<Item = &'a Period>,
    ) -> Vec<Month> {
        let mut months: BTreeMap<Period, Month> = months.into_iter().map(|month| (month.period, month)).collect();
        for period in inconsistent {
            let span = period.span();
            // Of a period without rows there may be an account as well.
            let days = self.judged.target.range(span.from..span.until).map(|(&day, _)| day).chain([span.day_inside()]);
            for day in days {
                months.entry(day.month()).or_insert_with(|| self.month(day.month())).remake.insert(day);
            }
        }
        months.into_values().collect()
    }

    /// These and all other months. In all of them, the accounts that follow from the rows of a day are rebuilt.
    pub(super) fn with_every(&self, months: Vec<Month>) -> Vec<Month> {
        let mut months: BTreeMap<Period, Month> = months.into_iter().map(|month| (month.period, month)).collect();
        for &day in self.judged.target.keys() {
            months.entry(day.month()).or_insert_with(|| self.month(day.month())).remake.insert(day);
        }
        months.into_values().collect()
    }

    pub(super) fn progress(&self, months: &[Month]) -> Progress {
        let rows = months.iter().map(Month::rows_to_load).sum();
        Progress::of(self.snapshot.model().name(), rows, months.len(), self.talk)
    }
}

impl Settled {
    /// Both.
    pub(super) fn and(mut self, other: Self) -> Self {
        for (cause, days) in other.days {
            *self.days.entry(cause).or_default() += days;
        }
        self.loaded.add(other.loaded);
        let (months, renewed_days) = (self.months + other.months, self.renewed_days + other.renewed_days);
        Self { months, renewed_days, ..self }
    }

    pub(super) fn of(changes: &Changes) -> Self {
        Self { days: accounts::tally(changes), ..Self::default() }
    }
}

//! Where in production's table the rows of each day lie. With it, rows are read without reading the whole table, even
//! if there is no index. Valid for one snapshot only.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;

use crate::calendar::Day;
use crate::db::Row;
use crate::error::Result;
use crate::look::Sight;
use crate::sql::Ctid;

/// Where the rows of each day lie, and those that belong to no day.
#[derive(Debug, Default)]
pub struct CtidRanges {
    days: BTreeMap<Day, Span>,
    of_no_day: Vec<Span>,
    /// Whether there may be rows of other days, of which nothing is known.
    others: bool,
}

/// From the first row to the last one, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Of the first row.
    pub first: Ctid,
    /// Of the last row.
    pub last: Ctid,
}

/// Where the rows of some days lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lying {
    /// No row of these days lies outside.
    pub span: Span,
    /// Whether no row of another day lies inside.
    pub alone: bool,
}

impl CtidRanges {
    /// For a survey of these days.
    pub(super) fn of_survey(sight: &Sight) -> Self {
        Self { others: !sight.is_all(), ..Self::default() }
    }

    /// Takes a row of the account statement: that of a day, or of the rows without one.
    ///
    /// # Errors
    /// If the server prints a ctid in an unknown form.
    pub fn take(&mut self, day: Option<Day>, row: &Row) -> Result<()> {
        let ctid = |column| -> Result<Ctid> {
            Ctid::parse(row.get(column)?).context("a server printed a ctid in an unknown form")
        };
        let span = Span { first: ctid("first_ctid")?, last: ctid("last_ctid")? };
        match day {
            Some(day) => drop(self.days.insert(day, span)),
            None => self.of_no_day.push(span),
        }
        Ok(())
    }

    /// Returns where the rows of these days lie; `None` if there are none.
    pub fn of(&self, days: &BTreeSet<Day>) -> Option<Lying> {
        let span = days.iter().filter_map(|day| self.days.get(day)).copied().reduce(Span::with)?;
        let others = self.days.iter().filter(|(day, _)| !days.contains(day)).map(|(_, span)| span);
        let alone = !self.others && !others.chain(&self.of_no_day).any(|other| other.overlaps(span));
        Some(Lying { span, alone })
    }
}

impl Span {
    fn with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: u32, last: u32) -> Span {
        let ctid = |line| Ctid::parse(&format!("(7,{line})")).unwrap();
        Span { first: ctid(first), last: ctid(last) }
    }

    fn day(date: u8) -> Day {
        Day::new(2024, 1, date).unwrap()
    }

    #[test]
    fn rows_are_alone_where_no_others_lie_between_their_first_and_their_final() {
        let mut ctid_ranges = CtidRanges::default();
        ctid_ranges.days.extend([(day(1), span(1, 4)), (day(2), span(5, 9)), (day(4), span(12, 15))]);
        let of = |ctid_ranges: &CtidRanges, days: &[u8]| ctid_ranges.of(&days.iter().map(|&date| day(date)).collect());
        assert_eq!(of(&ctid_ranges, &[1]), Some(Lying { span: span(1, 4), alone: true }));
        assert_eq!(of(&ctid_ranges, &[1, 2, 3]), Some(Lying { span: span(1, 9), alone: true }));
        assert_eq!(of(&ctid_ranges, &[1, 4]), Some(Lying { span: span(1, 15), alone: false }));
        assert_eq!(of(&ctid_ranges, &[3]), None);
        ctid_ranges.of_no_day.push(span(9, 9));
        assert_eq!(of(&ctid_ranges, &[2]), Some(Lying { span: span(5, 9), alone: false }));
        assert_eq!(of(&ctid_ranges, &[4]), Some(Lying { span: span(12, 15), alone: true }));
    }
}

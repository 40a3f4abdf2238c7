//! What moved since the page before, and why.

use serde::Serialize;

use super::facts::Facts;
use super::figures::{Change, Figure, change, named, shown};
use crate::accounts::{Combination, Statistic};
use crate::calendar::Level;
use crate::history::{Happened, Restatement, What};
use crate::report::{self, count, counted, seconds};

/// So many periods are shown; the others are counted.
const SHOWN: usize = 40;

/// So many combinations of a day.
const COMBINATIONS: usize = 10;

/// What moved since the page before.
#[derive(Serialize)]
pub(super) struct Moved {
    /// Whether there was a page before, with which this one can be compared.
    is_first: bool,
    periods: Vec<MovedPeriod>,
    /// Whether open periods have new days, which are not listed.
    grew: bool,
    /// How many more there are.
    more: usize,
}

#[derive(Serialize)]
struct MovedPeriod {
    period: String,
    causes: String,
    as_of: String,
    figures: Vec<MovedFigure>,
    combinations: Vec<MovedCombination>,
    /// Combinations that are not shown.
    more: usize,
}

#[derive(Serialize)]
struct MovedFigure {
    name: String,
    after: String,
    change: Change,
}

#[derive(Serialize)]
struct MovedCombination {
    names: String,
    figures: Vec<MovedFigure>,
}

impl Moved {
    pub(super) fn of(facts: &Facts, figures: &[Figure]) -> Self {
        // That an open period grows by new days is no news.
        let grows = |one: &Restatement| one.causes.iter().all(|cause| cause.what == What::NewDays);
        let moved = facts.moved.iter().filter(|one| facts.is_closed(one.period) || !grows(one));
        let mut moved: Vec<&Restatement> = moved.collect();
        let grew = moved.len() < facts.moved.len();
        let more = moved.len().saturating_sub(SHOWN);
        moved.truncate(SHOWN);
        let periods = moved.into_iter().map(|one| of_period(one, figures)).collect();
        Self { is_first: facts.mark.since.is_none(), periods, grew, more }
    }
}

fn of_period(one: &Restatement, figures: &[Figure]) -> MovedPeriod {
    let causes = report::list(one.causes.iter().map(|Happened { what, days }| match days {
        Some(days) if one.level != Level::Day => format!("{} ({})", what.words(), counted(*days, "day")),
        _ => what.words().to_string(),
    }));
    let found = one.combinations.as_ref();
    let combinations: Vec<MovedCombination> = found.map_or_else(Vec::new, |found| {
        found.moved.iter().take(COMBINATIONS).map(|one| of_combination(&found.dimensions, one, figures)).collect()
    });
    MovedPeriod {
        period: one.period.to_string(),
        causes,
        as_of: seconds(&one.production_as_of),
        figures: moved((one.rows.before, one.rows.after), &one.statistics, figures),
        more: found.map_or(0, |found| found.count() - combinations.len()),
        combinations,
    }
}

fn of_combination(dimensions: &[String], one: &Combination, figures: &[Figure]) -> MovedCombination {
    let texts = dimensions.iter().zip(&one.values);
    let texts = texts.map(|(name, value)| format!("{name} = {}", named(value.as_deref())));
    let figures = moved((one.rows.before, one.rows.after), &one.statistics, figures);
    MovedCombination { names: report::list(texts), figures }
}

/// Rows and the figures of the settings, as far as they moved.
fn moved((before, after): (i64, i64), statistics: &[Statistic], figures: &[Figure]) -> Vec<MovedFigure> {
    let rows = (before != after).then(|| MovedFigure {
        name: "rows".to_string(),
        after: count(after),
        change: change(Some(&before.to_string()), Some(&after.to_string())),
    });
    let is_asked = |one: &&Statistic| figures.iter().any(|figure| figure.name == one.name);
    let moved = statistics.iter().filter(is_asked).filter(|one| one.value.before != one.value.after);
    let moved = moved.map(|one| {
        let (before, after) = (one.value.before.as_deref(), one.value.after.as_deref());
        MovedFigure { name: one.name.clone(), after: shown(after), change: change(before, after) }
    });
    rows.into_iter().chain(moved).collect()
}

//! The values of dimensions: ranked, and as small pictures on one scale.

use std::cmp::Reverse;

use serde::Serialize;

use super::draw;
use super::facts::{Combination, Facts, MONTHS_OF_VALUES, Value};
use super::figures::{Change, Figure, change, named, shown, title};
use crate::accounts::{Decimal, Said};
use crate::calendar::{Level, Period};
use crate::entity::Statistic;
use crate::error::Result;
use crate::report::{count, counted};

/// A dimension, by the sum of one measure.
#[derive(Serialize)]
pub(super) struct Ranked {
    dimension: String,
    /// The figure's name, and what it is for people.
    figure: String,
    label: String,
    /// The month that values are ranked by.
    month: String,
    is_open: bool,
    values: Vec<RankedValue>,
}

#[derive(Serialize)]
struct RankedValue {
    name: String,
    /// Whether these are all values beyond the first ones.
    is_rest: bool,
    is_null: bool,
    value: String,
    /// Of the month's sum of all values.
    share: String,
    /// Against the month before.
    change: Change,
    line: String,
    /// On the scale of all values.
    small: String,
}

/// The combinations whose days are in the page.
#[derive(Serialize)]
pub(super) struct Packed {
    /// How many there are in all.
    of_all: String,
    /// The columns of each day after its rows, as a list in JSON: of each measure the sum and the count.
    columns: String,
    combinations: Vec<PackedOne>,
}

#[derive(Serialize)]
struct PackedOne {
    name: String,
    /// The days, deflated and in base64.
    days: String,
}

/// Each dimension by each measure's sum.
pub(super) fn ranked(facts: &Facts, figures: &[Figure]) -> Vec<Ranked> {
    let months: Vec<Period> = facts.of(Level::Month).iter().map(|shown| shown.period).collect();
    let closed = months.iter().rev().find(|&&month| facts.is_closed(month));
    let Some(&month) = closed.or(months.last()) else { return Vec::new() };
    let sums = || figures.iter().filter(|figure| figure.statistic == Statistic::Sum);
    let mut ranked = Vec::new();
    for (dimension, values) in &facts.dimensions {
        for figure in sums() {
            ranked.push(Ranked {
                dimension: dimension.clone(),
                figure: figure.name.clone(),
                label: figure.label.clone(),
                month: title(month),
                is_open: !facts.is_closed(month),
                values: of_values(facts, values, figure, month),
            });
        }
    }
    ranked
}

fn of_values(facts: &Facts, values: &[Value], figure: &Figure, month: Period) -> Vec<RankedValue> {
    let last = facts.months.map_or(month, |months| months.until.plus(-1).month());
    let before = |period: &Period| Some(period.first().plus(-1).month());
    let mut months: Vec<Period> = std::iter::successors(Some(last), before).take(MONTHS_OF_VALUES).collect();
    months.reverse();
    let whole = facts.of(Level::Month).iter().find(|shown| shown.period == month).map(|shown| &shown.said);
    let whole = whole.and_then(|said| figure.number(said));
    let numbers = |value: &Value| -> Vec<Option<f64>> {
        months.iter().map(|month| value.months.get(month).and_then(|said| figure.number(said))).collect()
    };
    let own = values.iter().filter(|value| value.rest.is_none());
    let most = own.flat_map(numbers).flatten().fold(0.0, f64::max);
    let earlier = month.first().plus(-1).month();
    let sum = |value: &Value| Decimal::parse(figure.text(value.months.get(&month)?)?);
    let mut ranked: Vec<&Value> = values.iter().collect();
    // The rest comes last, whatever its sum.
    ranked.sort_by_cached_key(|value| (value.rest.is_some(), Reverse(sum(value))));
    ranked
        .into_iter()
        .map(|value| {
            let said = |month: Period| value.months.get(&month);
            let text = |said: Option<&'_ Said>| said.and_then(|said| figure.text(said).map(str::to_string));
            let (now, then) = (text(said(month)), text(said(earlier)));
            let name = match (value.rest, &value.name) {
                (Some(others), _) => format!("other ({})", counted(others, "value")),
                (None, name) => named(name.as_deref()),
            };
            let number = said(month).and_then(|said| figure.number(said));
            let numbers = numbers(value);
            let what = format!("{} of {name} by month", figure.label);
            RankedValue {
                is_rest: value.rest.is_some(),
                is_null: value.rest.is_none() && value.name.is_none(),
                value: said(month).map_or_else(|| "no rows".to_string(), |_| shown(now.as_deref())),
                share: share(number, whole),
                change: change(then.as_deref(), now.as_deref()),
                line: draw::line(&numbers, None, (110.0, 24.0), &what),
                small: draw::line(&numbers, Some(most), (150.0, 60.0), &what),
                name,
            }
        })
        .collect()
}

/// A part of a whole, in percent; empty if that says nothing.
fn share(part: Option<f64>, whole: Option<f64>) -> String {
    match (part, whole) {
        (Some(part), Some(whole)) if whole > 0.0 && part >= 0.0 && part <= whole => {
            format!("{:.1}%", part / whole * 100.0)
        }
        _ => String::new(),
    }
}

impl Packed {
    pub(super) fn of(facts: &Facts) -> Result<Self> {
        let labels = facts.model.measure_labels();
        let columns = labels.iter().flat_map(|(_, label)| [format!("sum_{label}"), format!("count_{label}")]);
        let names = facts.model.dimension_names();
        let one = |one: &Combination| {
            let texts = names.iter().zip(&one.names);
            let texts = texts.map(|(name, value)| format!("{name} = {}", named(value.as_deref())));
            Ok(PackedOne { name: crate::report::list(texts), days: super::assets::packed(&one.days)? })
        };
        Ok(Self {
            of_all: count(facts.of_combinations),
            columns: serde_json::to_string(&columns.collect::<Vec<_>>())?,
            combinations: facts.combinations.iter().map(one).collect::<Result<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_said_of_parts_of_a_sum() {
        assert_eq!(share(Some(1.0), Some(4.0)), "25.0%");
        for (part, whole) in [(Some(-1.0), Some(4.0)), (Some(5.0), Some(4.0)), (None, Some(4.0)), (Some(0.0), None)] {
            assert_eq!(share(part, whole), "");
        }
    }
}

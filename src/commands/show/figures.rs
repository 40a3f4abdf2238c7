//! What is shown of an entity, read from the warehouse.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::accounts::{Decimal, Said};
use crate::calendar::{Day, Level, Period};
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::show::{self, Shown};
use crate::warehouse::Reading;

/// What was asked for.
pub(super) struct Asked<'a> {
    pub(super) period: Option<Period>,
    /// A dimension.
    pub(super) by: Option<&'a str>,
    /// A measure; `None`: the first.
    pub(super) measure: Option<&'a str>,
}

/// What is shown of an entity.
#[derive(Serialize)]
pub(super) struct OfEntity {
    pub(super) entity: String,
    pub(super) period: Option<Period>,
    pub(super) measure: String,
    /// The final day that is closed; null if nothing was proven yet.
    pub(super) complete_through: Option<Day>,
    /// The figures of the period itself; null if none was asked for, or it has no rows.
    pub(super) whole: Option<Line>,
    pub(super) lines: Vec<Line>,
    /// The statistics of the settings, by their names.
    #[serde(skip)]
    pub(super) statistics: Vec<String>,
    /// The name of the sum, which bars are drawn of.
    #[serde(skip)]
    pub(super) sum: String,
}

/// A period or a value with its figures.
#[derive(Serialize)]
pub(super) struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) period: Option<Period>,
    /// A value of the dimension, as text; the outer `None`: it is a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Option<String>>,
    /// Whether the period had ended when its entity was proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) closed: Option<bool>,
    pub(super) rows: i64,
    /// Those of the measure, by name, as exact texts; null: there is no value.
    pub(super) statistics: BTreeMap<String, Option<String>>,
    /// The sums of the periods inside it, with gaps.
    #[serde(skip)]
    pub(super) parts: Vec<Option<String>>,
}

impl OfEntity {
    /// Reads them from the warehouse.
    ///
    /// # Errors
    /// Refuses (usage) a measure or dimension that the entity does not have.
    pub(super) async fn read(
        reading: &Reading<'_>,
        model: &Model,
        asked: &Asked<'_>,
        complete_through: Option<Day>,
    ) -> Result<Self> {
        let (measure, label) = measure(model, asked.measure)?;
        let statistics: Vec<String> =
            model.entity.statistics.iter().map(|statistic| format!("{}_{label}", statistic.word())).collect();
        let line = |said: &Said| {
            let of_measure = statistics.iter().map(|name| (name.clone(), said.statistics.get(name).cloned().flatten()));
            let statistics = of_measure.collect();
            Line { period: None, value: None, closed: None, rows: said.rows, statistics, parts: Vec::new() }
        };
        let of_period = |shown: &Shown| {
            let closed = complete_through.is_some_and(|day| shown.period.span().until <= day.next());
            Line { period: Some(shown.period), closed: Some(closed), ..line(&shown.said) }
        };
        // Bars are drawn of the sum, or of the first statistic if there is none.
        let sum = format!("sum_{label}");
        let sum = statistics.iter().find(|name| **name == sum).or(statistics.first()).cloned().unwrap_or(sum);
        let mut whole = None;
        if let Some(period) = asked.period.filter(|&period| model.keeps(period.level())) {
            let found = show::periods(reading, model, period.level(), Some(period.span())).await?;
            whole = found.iter().find(|shown| shown.period == period).map(of_period);
        }
        let lines = match (asked.by, asked.period) {
            (Some(dimension), Some(period)) => {
                let mut values = show::values(reading, model, period, dimension).await?;
                values.sort_by_cached_key(|(_, said)| {
                    Reverse(said.statistics.get(&sum).and_then(|sum| Decimal::parse(sum.as_deref()?)))
                });
                values.iter().map(|(value, said)| Line { value: Some(value.clone()), ..line(said) }).collect()
            }
            _ => {
                let level = show::inside(model, asked.period);
                let found = show::periods(reading, model, level, asked.period.map(Period::span)).await?;
                let mut lines: Vec<Line> = found.iter().map(of_period).collect();
                parts(reading, model, (asked, level), &sum, &mut lines).await?;
                lines
            }
        };
        let (entity, period) = (model.name().to_string(), asked.period);
        Ok(Self { entity, period, measure, complete_through, whole, lines, statistics, sum })
    }
}

/// The sums inside each year or month: of its months or days.
async fn parts(
    reading: &Reading<'_>,
    model: &Model,
    (asked, level): (&Asked<'_>, Level),
    sum: &str,
    lines: &mut [Line],
) -> Result<()> {
    let smaller = match level {
        Level::Year => Level::Month,
        Level::Month => Level::Day,
        _ => return Ok(()),
    };
    let found = show::periods(reading, model, smaller, asked.period.map(Period::span)).await?;
    let sums: BTreeMap<Day, Option<String>> = found
        .into_iter()
        .map(|shown| (shown.period.first(), shown.said.statistics.get(sum).cloned().flatten()))
        .collect();
    for line in lines {
        let Some(span) = line.period.map(Period::span) else { continue };
        let mut day = span.from;
        while day < span.until {
            line.parts.push(sums.get(&day).cloned().flatten());
            day = day.period(smaller).span().until;
        }
    }
    Ok(())
}

/// The name of the measure, and the ending of its statistics' names.
///
/// # Errors
/// Refuses (usage) one that the entity does not have.
fn measure(model: &Model, asked: Option<&str>) -> Result<(String, String)> {
    let all = model.measure_labels();
    let found = match asked {
        None => all.first().cloned(),
        Some(asked) => all.iter().find(|(name, _)| name == asked).cloned(),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        Refusal::usage(
            format!("entity \"{}\" has no measure \"{}\"", model.name(), asked.unwrap_or_default()),
            format!("It has: {}.", names.join(", ")),
        )
    })
}

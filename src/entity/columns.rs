//! The columns of files, views and accounts. Their names are made only here.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Entity, Statistic};
use crate::calendar::Level;
use crate::error::{Refusal, Result};
use crate::sql::{Ident, Word};

/// A column of a file, and of the view with the file's columns.
#[derive(Debug, Serialize)]
pub struct Column {
    /// Its name in the file.
    #[serde(skip)]
    pub header: String,
    /// Its name in the view: the same, cut where PostgreSQL would cut it.
    pub name: Ident,
    /// What it holds: `period`, `dimension` or a statistic.
    pub what: Word,
    /// Which measure or dimension it belongs to, counted from 0.
    pub at: usize,
    /// PostgreSQL's name for the field, if it belongs to the period.
    unit: Word,
}

/// The columns in which a view sets a measure's sum beside those of other periods.
#[derive(Debug, Serialize)]
pub(super) struct Trend {
    /// Which measure it is, counted from 0.
    at: usize,
    sum: Ident,
    before: Ident,
    change: Ident,
    change_percent: Ident,
    year_before: Ident,
    year_change: Ident,
    year_change_percent: Ident,
    running: Ident,
    seven_days: Ident,
    mean_of_seven_days: Ident,
}

/// The columns of a period in a level's files, each with PostgreSQL's name for the field.
fn of_period(level: Level) -> &'static [(&'static str, &'static str)] {
    const DAY: [(&str, &str); 4] = [("year", "year"), ("month", "month"), ("day", "day"), ("hour", "hour")];
    match level {
        Level::Hour => &DAY,
        Level::Day => &DAY[..3],
        Level::Week => &[("iso_year", "isoyear"), ("week", "week")],
        Level::Month => &DAY[..2],
        Level::Quarter => &[("year", "year"), ("quarter", "quarter")],
        Level::Year => &DAY[..1],
    }
}

/// What follows the statistic in a column's name. A single measure `value` is called `values`.
pub(super) fn label(entity: &Entity, measure: &Ident) -> String {
    match measure.name() {
        "value" if entity.measures.len() == 1 => "values".to_string(),
        name => name.to_string(),
    }
}

/// The columns of a level's files, in order.
pub(super) fn of_file(entity: &Entity, level: Level) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    for (header, unit) in of_period(level) {
        columns.push(Column { unit: Word(unit), ..column((*header).to_string(), "period", 0)? });
    }
    for (at, header) in dimensions(entity).into_iter().enumerate() {
        columns.push(column(header, "dimension", at)?);
    }
    for (at, measure) in entity.measures.iter().enumerate() {
        for &statistic in &entity.statistics {
            columns.push(column(named(statistic, &label(entity, measure)), statistic.word(), at)?);
        }
    }
    Ok(columns)
}

/// The columns with which a view says when a period began and whether it is closed.
pub(super) fn beside(columns: &[Column]) -> Result<(Ident, Ident)> {
    let taken = columns.iter().map(|column| column.name.name().to_string()).collect();
    Ok((free("period_start", &taken)?, free("closed", &taken)?))
}

/// The columns of each measure beside those of the period and the dimensions.
pub(super) fn trends(entity: &Entity, columns: &[Column], beside: [&Ident; 2]) -> Result<Vec<Trend>> {
    let keys = columns.iter().filter(|column| matches!(column.what.0, "period" | "dimension"));
    let names = keys.map(|column| &column.name).chain(beside);
    let mut taken: BTreeSet<String> = names.map(|name| name.name().to_string()).collect();
    let mut trends = Vec::new();
    for (at, measure) in entity.measures.iter().enumerate() {
        let label = label(entity, measure);
        let mut named = |what: &str| -> Result<Ident> {
            let name = free(&format!("{what}_{label}"), &taken)?;
            taken.insert(name.name().to_string());
            Ok(name)
        };
        trends.push(Trend {
            at,
            sum: named("sum")?,
            before: named("sum_before")?,
            change: named("change")?,
            change_percent: named("change_percent")?,
            year_before: named("sum_year_before")?,
            year_change: named("year_change")?,
            year_change_percent: named("year_change_percent")?,
            running: named("running_sum")?,
            seven_days: named("sum_7_days")?,
            mean_of_seven_days: named("mean_7_days")?,
        });
    }
    Ok(trends)
}

/// A name that no other column has.
fn free(name: &str, taken: &BTreeSet<String>) -> Result<Ident> {
    let mut free = Ident::cut(name)?;
    let mut longer = name.to_string();
    while taken.contains(free.name()) {
        longer.push('_');
        free = Ident::cut(&longer)?;
    }
    Ok(free)
}

fn column(header: String, what: &'static str, at: usize) -> Result<Column> {
    Ok(Column { name: Ident::cut(&header)?, header, what: Word(what), at, unit: Word("") })
}

/// The columns' names of the dimensions: their own, or `dimension_…` if another column has that name already. They are
/// the same at all levels.
fn dimensions(entity: &Entity) -> Vec<String> {
    let periods = Level::ALL.into_iter().flat_map(of_period).map(|(header, _)| (*header).to_string());
    let statistics = entity.measures.iter().flat_map(|measure| {
        let label = label(entity, measure);
        entity.statistics.iter().map(move |&statistic| named(statistic, &label))
    });
    let mut taken: BTreeSet<String> = periods.chain(statistics).collect();
    let own = |name: &String, taken: &BTreeSet<String>| !taken.contains(name);
    let names: Vec<String> = entity.dimensions.iter().map(|name| name.name().to_string()).collect();
    // Dimensions that can keep their names come first, whatever their order.
    let kept: BTreeSet<String> = names.iter().filter(|name| own(name, &taken)).cloned().collect();
    taken.extend(kept.iter().cloned());
    let renamed = names.into_iter().map(|name| {
        if kept.contains(&name) {
            return name;
        }
        let mut renamed = format!("dimension_{name}");
        while !taken.insert(renamed.clone()) {
            renamed = format!("dimension_{renamed}");
        }
        renamed
    });
    renamed.collect()
}

fn named(statistic: Statistic, label: &str) -> String {
    format!("{}_{label}", statistic.word())
}

pub(super) fn missing(entity: &Entity, column: &str) -> anyhow::Error {
    Refusal::refused(
        format!("table {entity} of production has no column \"{column}\""),
        format!("Check its name in [[entity]]{}.", entity.lines.place(column)),
    )
}

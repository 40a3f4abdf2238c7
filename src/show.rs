//! The figures of periods as they were settled, and those of a dimension's values.

use anyhow::Context as _;
use tokio_postgres::types::Type;

use crate::accounts::Said;
use crate::calendar::{Day, Level, Period, Span};
use crate::db::{Parameter, Start};
use crate::entity::{Model, Split};
use crate::error::{Refusal, Result};
use crate::sql::{Filling, Statement};
use crate::statement;
use crate::warehouse::Reading;

const PERIODS: Statement = statement!("show/periods.sql");
const VALUES: Statement = statement!("show/values.sql");

/// A period with its figures.
#[derive(Debug)]
pub struct Shown {
    /// The period.
    pub period: Period,
    /// Its figures.
    pub said: Said,
}

/// The level whose periods make up a period: months of a year, days of a month, hours of a day if they have accounts;
/// years, if no period was asked for.
pub fn inside(model: &Model, period: Option<Period>) -> Level {
    let Some(period) = period else { return Level::Year };
    match period.level() {
        Level::Year => Level::Month,
        Level::Day | Level::Hour if model.keeps(Level::Hour) => Level::Hour,
        _ => Level::Day,
    }
}

/// The accounts of a level, of all periods that begin in a span.
///
/// # Errors
/// If the warehouse does not answer.
pub async fn periods(reading: &Reading<'_>, model: &Model, level: Level, span: Option<Span>) -> Result<Vec<Shown>> {
    let source = model.accounts(level, Split::Whole)?;
    let sql = PERIODS.of(&model.shape_of(level, level, Split::Whole)?.with(&[("source", &source)]))?;
    let (from, until) = (span.map(|span| span.from), span.map(|span| span.until));
    let parameters: [Parameter<'_>; 2] = [(&from, Type::DATE), (&until, Type::DATE)];
    let mut answer = reading.work().stream(&sql, &parameters).await?;
    let mut shown = Vec::new();
    while let Some(row) = answer.next().await? {
        let period = row.get::<Start>("period")?.period(level)?;
        shown.push(Shown { period, said: Said::parse(row.get("said")?)? });
    }
    Ok(shown)
}

/// The figures of each value of a dimension in a period; NULL is `None`.
///
/// # Errors
/// Refuses (usage) a dimension that the entity does not have, and a period of a level without accounts.
pub async fn values(
    reading: &Reading<'_>,
    model: &Model,
    period: Period,
    dimension: &str,
) -> Result<Vec<(Option<String>, Said)>> {
    let names = model.dimension_names();
    let Some(at) = names.iter().position(|name| name == dimension) else {
        let has = if names.is_empty() { "It has none.".to_string() } else { format!("It has: {}.", names.join(", ")) };
        return Err(Refusal::usage(format!("entity \"{}\" has no dimension \"{dimension}\"", model.name()), has));
    };
    let level = period.level();
    if !model.keeps(level) || level == Level::Hour {
        return Err(Refusal::usage(
            format!("entity \"{}\" has no accounts by dimension of {period} alone", model.name()),
            "Name a year, a month or a day.",
        ));
    }
    let source = model.accounts(level, Split::Combinations)?;
    let column = model.dimension_column(at).context("a dimension has a column")?;
    let names: [(&str, &dyn Filling); 2] = [("source", &source), ("dimension", &column)];
    let sql = VALUES.of(&model.shape_of(level, level, Split::Combinations)?.with(&names))?;
    let first: Day = period.first();
    let rows = reading.work().query(sql, &[(&first, Type::DATE)]).await?;
    rows.iter().map(|row| Ok((row.get("value")?, Said::parse(row.get("said")?)?))).collect()
}

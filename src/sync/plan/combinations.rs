//! Which combinations of dimensions would change on the days that would be settled again. A survey has only days, so
//! production is asked once more, for these days only. Both servers answer in the same order, and the answers are
//! merged.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::Serialize;
use tokio_postgres::types::Type;

use super::day::PlannedDay;
use crate::accounts::{Cause, Combination, Combinations, Said};
use crate::calendar::{Day, Level};
use crate::db::{Pairs, Parameter, Row, Sortable};
use crate::entity::{Model, Split};
use crate::error::Result;
use crate::production::{Snapshot, Survey};
use crate::sql::{Filling, Sql, Statement};
use crate::statement;
use crate::warehouse::Reading;

const COMBINATIONS: Statement = statement!("plan/combinations.sql");
const STORED_COMBINATIONS: Statement = statement!("plan/stored_combinations.sql");

/// The most days that are looked into, and the most rows that they may have in all, so that a plan reads less from
/// production than a run.
const MOST_DAYS: usize = 31;
const MOST_ROWS: i64 = 5_000_000;

/// A value longer than this is cut, as in the warehouse's notes.
const MOST_CHARACTERS: usize = 200;

/// The combinations of a day that would change.
#[derive(Debug, Serialize)]
pub struct OfDay {
    /// Which day.
    pub day: Day,
    /// Those that would change.
    #[serde(flatten)]
    pub combinations: Combinations,
}

/// The combinations that would change, for each of the first of these days, and how many days were not looked into.
///
/// # Errors
/// If a server does not answer.
pub async fn moving(
    snapshot: &Snapshot<'_>,
    reading: &Reading<'_>,
    survey: &Survey,
    days: &[PlannedDay],
) -> Result<(Vec<OfDay>, usize)> {
    let model = snapshot.model();
    // Of a day that is new all of them are.
    let settled: Vec<&PlannedDay> = days.iter().filter(|day| day.cause != Cause::New).collect();
    if model.entity.dimensions.is_empty() || settled.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let mut rows = 0;
    let few = settled.iter().take(MOST_DAYS).take_while(|day| {
        rows += day.rows.after;
        rows <= MOST_ROWS
    });
    let few: Vec<Day> = few.map(|day| day.day).collect();
    let not_looked_into = settled.len() - few.len();
    let (Some(first), Some(until)) = (few.first().copied(), few.last().map(|day| day.next())) else {
        return Ok((Vec::new(), not_looked_into));
    };
    let source = model.accounts(Level::Day, Split::Combinations)?;
    let shape = model.shape_of(Level::Day, Level::Day, Split::Combinations)?;
    let stored = STORED_COMBINATIONS.of(&shape.with(&[("source", &source)]))?;
    let asked: [Parameter<'_>; 3] = [(&few, Type::DATE_ARRAY), (&first, Type::DATE), (&until, Type::DATE)];
    let production = (snapshot.work(), of_production(model, survey, &few)?, &asked[..]);
    let mut pairs = Pairs::<One>::open(production, (reading.work(), Some(stored), &asked[..1])).await?;
    let mut found: Vec<OfDay> = Vec::new();
    while let Some((is, was)) = pairs.next().await? {
        add(&mut found, model, was, is);
    }
    found.iter_mut().for_each(|day| day.combinations.cut());
    Ok((found, not_looked_into))
}

/// The statement for production, with the `ctid` ranges of these days; `None` if production has no rows of them,
/// because all these days vanished.
fn of_production(model: &Model, survey: &Survey, days: &[Day]) -> Result<Option<Sql>> {
    let days: BTreeSet<Day> = days.iter().filter(|day| survey.accounts.contains_key(day)).copied().collect();
    let Some(lying) = survey.ctid_ranges.of(&days) else { return Ok(None) };
    let span: [(&str, &dyn Filling); 2] = [("first_ctid", &lying.span.first), ("last_ctid", &lying.span.last)];
    let shape = model.shape_of(Level::Day, Level::Day, Split::Combinations)?;
    Ok(Some(COMBINATIONS.of(&shape.with(&model.entity.table_names()).with(&span))?))
}

fn add(found: &mut Vec<OfDay>, model: &Model, was: Option<One>, is: Option<One>) {
    let nothing = Said::default();
    let said = |one: &Option<One>| one.as_ref().map_or_else(|| nothing.clone(), |one| one.said.clone());
    let (before, after) = (said(&was), said(&is));
    let Some(one) = was.or(is).filter(|_| before != after) else { return };
    if found.last().is_none_or(|of| of.day != one.key.0) {
        let combinations = Combinations { dimensions: model.dimension_names(), ..Combinations::default() };
        found.push(OfDay { day: one.key.0, combinations });
    }
    if let Some(of) = found.last_mut() {
        of.combinations.add(Combination::between(one.values.into_iter().map(cut).collect(), &before, &after));
    }
}

fn cut(value: Option<String>) -> Option<String> {
    value.map(|value| match value.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value,
    })
}

/// A combination's account. Its key sorts in the order of both servers' answers.
struct One {
    key: (Day, Vec<u8>),
    values: Vec<Option<String>>,
    said: Said,
}

impl Sortable for One {
    fn read(row: &Row) -> Result<Self> {
        let said = Said::parse(row.get("said")?)?;
        Ok(Self { key: (row.get("day")?, row.get("combination")?), values: row.get("texts")?, said })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

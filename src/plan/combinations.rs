//! Which combinations of dimensions move on the days that would be settled again. A survey knows days alone, so
//! production is asked once more, for these days only; its answer and the warehouse's come in one order and are merged.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::Serialize;
use tokio_postgres::types::Type;

use super::PlannedDay;
use crate::accounts::{Cause, Combination, Combinations, Said};
use crate::calendar::{Day, Level};
use crate::db::{Filling, Parameter, Row, Rows, Sql, Statement, Work};
use crate::entity::{Model, Split};
use crate::error::Result;
use crate::production::{Snapshot, Survey};
use crate::statement;
use crate::warehouse::Reading;

const COMBINATIONS: Statement = statement!("plan/combinations.sql");
const KEPT_COMBINATIONS: Statement = statement!("plan/kept_combinations.sql");

/// So many days are looked into, and days of so many rows in all: what a plan asks of production stays below what a run
/// reads.
const MOST_DAYS: usize = 31;
const MOST_ROWS: i64 = 5_000_000;

/// A value longer than this is cut, as in the warehouse's notes.
const MOST_CHARACTERS: usize = 200;

/// The combinations of a day that move.
#[derive(Debug, Serialize)]
pub struct OfDay {
    /// Which day.
    pub day: Day,
    /// Those that move.
    #[serde(flatten)]
    pub combinations: Combinations,
}

/// The combinations that move, by day, of the first of these days; and how many days were not looked into.
///
/// # Errors
/// When a server does not answer.
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
    let source = model.accounts(Level::Day, Split::Combinations)?;
    let kept = KEPT_COMBINATIONS.of(&model.shape_of(Level::Day, Level::Day, Split::Combinations)?)?;
    let asked: [Parameter<'_>; 1] = [(&few, Type::DATE_ARRAY)];
    let mut before = Sorted::open(reading.work(), Some(kept.with(&[("source", &source)])), &asked).await?;
    // Days that vanished are nowhere in production.
    let (first, until) = match (few.first(), few.last()) {
        (Some(first), Some(last)) => (*first, last.next()),
        _ => return Ok((Vec::new(), not_looked_into)),
    };
    let asked: [Parameter<'_>; 3] = [(&few, Type::DATE_ARRAY), (&first, Type::DATE), (&until, Type::DATE)];
    let mut after = Sorted::open(snapshot.work(), of_production(model, survey, &few)?, &asked).await?;
    let mut found: Vec<OfDay> = Vec::new();
    loop {
        let order = match (&before.next, &after.next) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.key.cmp(&other.key),
        };
        let was = if order.is_le() { before.take().await? } else { None };
        let is = if order.is_ge() { after.take().await? } else { None };
        add(&mut found, model, was, is);
    }
    found.iter_mut().for_each(|day| day.combinations.cut());
    Ok((found, not_looked_into))
}

/// The statement for production, by where the rows of these days lie; `None` where it has none.
fn of_production(model: &Model, survey: &Survey, days: &[Day]) -> Result<Option<Sql>> {
    let days: BTreeSet<Day> = days.iter().filter(|day| survey.accounts.contains_key(day)).copied().collect();
    let Some(lying) = survey.places.of(&days) else { return Ok(None) };
    let places: [(&str, &dyn Filling); 2] = [("first_place", &lying.span.first), ("final_place", &lying.span.finally)];
    let sql = COMBINATIONS.of(&model.shape_of(Level::Day, Level::Day, Split::Combinations)?)?;
    Ok(Some(sql.with(&model.entity.table_names()).with(&places)))
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

/// A combination's account. Its key is in the order of both servers.
struct One {
    key: (Day, Vec<u8>),
    values: Vec<Option<String>>,
    said: Said,
}

/// A sorted answer, of which one row is held.
struct Sorted {
    next: Option<One>,
    rest: Option<Rows>,
}

impl Sorted {
    async fn open(work: &Work<'_>, sql: Option<Sql>, parameters: &[Parameter<'_>]) -> Result<Self> {
        let mut sorted = Self { next: None, rest: None };
        if let Some(sql) = sql {
            sorted.rest = Some(work.stream(&sql, parameters).await?);
            sorted.take().await?;
        }
        Ok(sorted)
    }

    /// The row that is held; the one after it is held then.
    async fn take(&mut self) -> Result<Option<One>> {
        let Some(rest) = &mut self.rest else { return Ok(self.next.take()) };
        let next = rest.next().await?;
        let next = next.as_ref().map(One::read).transpose()?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

impl One {
    fn read(row: &Row) -> Result<Self> {
        let said = Said::parse(row.get("said")?)?;
        Ok(Self { key: (row.get("day")?, row.get("combination")?), values: row.get("texts")?, said })
    }
}

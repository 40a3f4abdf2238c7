//! Restatements: settled periods that changed, when, why, and their figures before and after. Reads only.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Serialize;
use tokio_postgres::types::Type;

use crate::accounts::{self, Combinations, Moved, Said, Statistic};
use crate::calendar::{Day, Level, Period};
use crate::db::{Parameter, Row};
use crate::error::Result;
use crate::sql::Statement;
use crate::statement;
use crate::warehouse::Reading;

const RESTATEMENTS: Statement = statement!("history/restatements.sql");

/// The levels whose restatements are noted.
const LEVELS: [Level; 3] = [Level::Day, Level::Month, Level::Year];

/// A settled period that a run changed.
#[derive(Debug, Serialize)]
pub struct Restatement {
    /// The run's number.
    pub run: i64,
    /// The moment, in UTC, of the production snapshot that the run settled.
    pub production_as_of: String,
    /// When the run settled it, UTC, by the warehouse's clock.
    pub settled_at: String,
    /// The entity.
    pub entity: String,
    /// The level of the period.
    pub level: Level,
    /// The period.
    pub period: Period,
    /// Why it changed; for a month or year, what happened to its days.
    pub causes: Vec<Happened>,
    /// Rows before and after. 0 after: the period vanished; 0 before: it returned.
    pub rows: Moved<i64>,
    /// Each statistic before and after, in the order of the files; null: there is no value.
    pub statistics: Vec<Statistic>,
    /// For a day, the combinations of dimensions that changed most; null: there are no dimensions, or it was not noted.
    pub combinations: Option<Combinations>,
}

/// Something that happened to days of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// What, in words.
    pub what: What,
    /// To how many days; null if the days are new. New days are not restated, so they are not noted one by one.
    pub days: Option<usize>,
}

/// What can happen to settled days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum What {
    /// Days that had no rows before have some.
    #[serde(rename = "new days")]
    NewDays,
    /// They had vanished, and have rows again.
    #[serde(rename = "returned")]
    Returned,
    /// They have more rows.
    #[serde(rename = "late rows")]
    LateRows,
    /// They have as many rows, but different ones.
    #[serde(rename = "changed")]
    Changed,
    /// They have fewer rows.
    #[serde(rename = "shrunk")]
    Shrunk,
    /// They no longer have rows.
    #[serde(rename = "vanished")]
    Vanished,
    /// All days of the month, more than one, changed at once.
    #[serde(rename = "regenerated")]
    Regenerated,
}

/// The restatements of an entity, or of all entities, in a period and the periods inside it, or of all time, by runs
/// after one, or by all; newest run first.
///
/// # Errors
/// If the warehouse cannot be read.
pub async fn restatements(
    reading: &Reading<'_>,
    entity: Option<&str>,
    period: Option<Period>,
    after: Option<i64>,
) -> Result<Vec<Restatement>> {
    if !reading.prepared {
        return Ok(Vec::new());
    }
    let (from, until) = (period.map(|period| period.span().from), period.map(|period| period.span().until));
    let inside = |period: Period| LEVELS.into_iter().filter(move |&level| level <= period.level());
    let levels: Option<Vec<&str>> = period.map(|period| inside(period).map(Level::word).collect());
    let parameters: [Parameter<'_>; 5] = [
        (&entity, Type::TEXT),
        (&from, Type::DATE),
        (&until, Type::DATE),
        (&levels, Type::TEXT_ARRAY),
        (&after, Type::INT8),
    ];
    let rows = reading.work().query(RESTATEMENTS, &parameters).await?;
    let noted = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let mut runs: Vec<Vec<(Restatement, Option<What>)>> = Vec::new();
    for one in noted {
        match runs.last_mut().filter(|run| (run[0].0.run, &run[0].0.entity) == (one.0.run, &one.0.entity)) {
            Some(run) => run.push(one),
            None => runs.push(vec![one]),
        }
    }
    Ok(runs.into_iter().flat_map(explained).collect())
}

/// Reads a restatement, and the cause if it is a day's.
fn read(row: &Row) -> Result<(Restatement, Option<What>)> {
    let (level, first): (&str, Day) = (row.get("level")?, row.get("period")?);
    let level = LEVELS.into_iter().find(|known| known.word() == level).context("a restatement of an unknown level")?;
    let account = |column| -> Result<Said> {
        Said::parse(row.get(column)?).context("a restatement holds an account of an unknown form")
    };
    let (before, after) = (account("before")?, account("after")?);
    let combinations = row.get::<Option<&str>>("combinations")?.filter(|text| *text != "null");
    let combinations = combinations.map(Combinations::parse).transpose()?;
    let restatement = Restatement {
        run: row.get("run")?,
        production_as_of: row.get("production_as_of")?,
        settled_at: row.get("settled_at")?,
        entity: row.get("entity")?,
        level,
        period: Period::new(level, first).with_context(|| format!("{first} starts no {}", level.word()))?,
        causes: Vec::new(),
        rows: Moved { before: before.rows, after: after.rows },
        statistics: accounts::moved(&before, &after),
        combinations: combinations.filter(|_| level == Level::Day),
    };
    Ok((restatement, row.get::<Option<&str>>("cause")?.map(what)))
}

fn what(cause: &str) -> What {
    match cause {
        // A day that was never settled is not restated, so one with the cause `new` had vanished.
        "new" => What::Returned,
        "grown" => What::LateRows,
        "shrunk" => What::Shrunk,
        "vanished" => What::Vanished,
        _ => What::Changed,
    }
}

/// The restatements of one run and entity with their causes. Those of months and years follow from their days.
fn explained(noted: Vec<(Restatement, Option<What>)>) -> Vec<Restatement> {
    let days: Vec<(Period, What, Moved<i64>)> = noted
        .iter()
        .filter_map(|(one, what)| what.filter(|_| one.level == Level::Day).map(|what| (one.period, what, one.rows)))
        .collect();
    let regenerated: Vec<Period> = noted
        .iter()
        .filter(|(one, _)| one.level == Level::Month && is_regenerated(one, &days))
        .map(|(one, _)| one.period)
        .collect();
    let explain = |(mut one, what): (Restatement, Option<What>)| {
        one.causes = match what {
            Some(what) if one.level == Level::Day => vec![Happened { what, days: Some(1) }],
            _ => causes(&one, &days, &regenerated),
        };
        one
    };
    noted.into_iter().map(explain).collect()
}

fn inside(period: Period, days: &[(Period, What, Moved<i64>)]) -> impl Iterator<Item = &(Period, What, Moved<i64>)> {
    days.iter().filter(move |(day, ..)| period.span().contains(day.first()))
}

/// Whether all days of a month changed at once. Every day has rows, so all are there if their rows add up.
fn is_regenerated(month: &Restatement, days: &[(Period, What, Moved<i64>)]) -> bool {
    let had: Vec<i64> = inside(month.period, days).map(|(_, _, rows)| rows.before).filter(|&rows| rows > 0).collect();
    had.iter().sum::<i64>() == month.rows.before && month.rows.after > 0 && had.len() > 1
}

fn causes(one: &Restatement, days: &[(Period, What, Moved<i64>)], regenerated: &[Period]) -> Vec<Happened> {
    let mut happened = BTreeMap::<What, usize>::new();
    let mut told = 0;
    for (day, what, rows) in inside(one.period, days) {
        let all = regenerated.iter().any(|month| month.span().contains(day.first()));
        let regenerated = all && *what != What::Returned;
        *happened.entry(if regenerated { What::Regenerated } else { *what }).or_default() += 1;
        told += rows.after - rows.before;
    }
    let mut causes: Vec<Happened> =
        happened.into_iter().map(|(what, days)| Happened { what, days: Some(days) }).collect();
    if one.rows.after - one.rows.before > told {
        causes.insert(0, Happened { what: What::NewDays, days: None });
    }
    causes
}

impl What {
    /// What happened, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NewDays => "new days",
            Self::Returned => "returned",
            Self::LateRows => "late rows",
            Self::Changed => "changed",
            Self::Shrunk => "shrunk",
            Self::Vanished => "vanished",
            Self::Regenerated => "regenerated",
        }
    }
}

//! Rows into accounts: day, month and year, proven equal to the survey before they are written.

use std::collections::BTreeSet;

use anyhow::Context as _;
use tokio_postgres::types::{ToSql, Type};

use crate::accounts::{self, Changes, Month};
use crate::calendar::{Day, Level, Period};
use crate::db::{Filling, Ident, Parameter, Statement};
use crate::error::Result;
use crate::statement;
use crate::warehouse::{Locked, partition};

const DAYS: Statement = statement!("accounts/days.sql");
const WRITE_DAYS: Statement = statement!("accounts/write_days.sql");
const REMOVE_DAYS: Statement = statement!("accounts/remove_days.sql");
const MONTHS: Statement = statement!("accounts/months.sql");
const YEARS: Statement = statement!("accounts/years.sql");
const BEGIN_RUN: Statement = statement!("warehouse/begin_run.sql");
const COUNT_RUN: Statement = statement!("warehouse/count_run.sql");
const RESTATEMENT_BEFORE: Statement = statement!("warehouse/restatement_before.sql");
const RESTATEMENT_AFTER: Statement = statement!("warehouse/restatement_after.sql");

/// A run in the warehouse's log.
#[derive(Debug, Clone)]
pub struct Run {
    number: i64,
    /// The years of which it has settled a month.
    years: BTreeSet<Period>,
}

/// Opens the log entry of a run that settles the snapshot of `as_of`.
pub async fn begin_run(locked: &Locked<'_>, as_of: &str) -> Result<Run> {
    let row = locked.work().query_one(BEGIN_RUN, &[(&as_of, Type::TEXT)]).await?;
    let row = row.context("the warehouse gave the run no number")?;
    Ok(Run { number: row.get("run"), years: BTreeSet::new() })
}

/// What came of comparing a month's rows in the warehouse with production's.
pub enum Proof {
    /// They are equal.
    Equal(Proven),
    /// These days differ.
    Differing(Changes),
}

/// A month's rows in the warehouse are production's. Only [`prove`] says so.
pub struct Proven(());

/// Compares a month's rows in the warehouse with production's, by the statement that surveyed production: the whole
/// month, its unchanged days included.
pub async fn prove(locked: &Locked<'_>, month: &Month) -> Result<Proof> {
    let table = partition(month.period)?;
    let (schema, time, measure) = (Ident::new("kalends_raw")?, Ident::new("created_at")?, Ident::new("value")?);
    let names: [(&str, &dyn Filling); 4] =
        [("schema", &schema), ("table", &table), ("time", &time), ("measure", &measure)];
    let (settled, _) = accounts::read(&locked.work().query(DAYS.with(&names), &[]).await?);
    let differing = accounts::compare(&month.survey, &settled);
    Ok(if differing.is_empty() { Proof::Equal(Proven(())) } else { Proof::Differing(differing) })
}

/// Settles a month whose rows were loaded and proven: writes the accounts of the changed days, of the month and of its
/// year, and notes what was restated.
pub async fn settle(locked: &Locked<'_>, run: &mut Run, month: &Month, rows: u64, _proven: Proven) -> Result<()> {
    let (work, period) = (locked.work(), month.period);
    note_before(locked, run, month).await?;
    write_days(locked, month).await?;
    sum(locked, period).await?;
    sum(locked, period.first().year()).await?;
    note_after(locked, run, month).await?;
    let (days, rows) = (i64::try_from(month.changes.len())?, i64::try_from(rows)?);
    work.execute(COUNT_RUN, &[(&run.number, Type::INT8), (&days, Type::INT8), (&rows, Type::INT8)]).await?;
    run.years.insert(period.first().year());
    tracing::info!(month = %period, days, rows, "settled");
    Ok(())
}

/// The account of a month from its days, or of a year from its months. Writes only where it is another.
pub async fn sum(locked: &Locked<'_>, period: Period) -> Result<()> {
    let statement = if period.level() == Level::Year { YEARS } else { MONTHS };
    let span = period.span();
    locked.work().execute(statement, &[(&span.from, Type::DATE), (&span.until, Type::DATE)]).await?;
    Ok(())
}

async fn note_before(locked: &Locked<'_>, run: &Run, month: &Month) -> Result<()> {
    let causes: Vec<&str> = month.changes.values().map(|cause| cause.word()).collect();
    let year = month.period.first().year();
    // A year that this run has settled a month of already is not restated by its next month.
    let year_first = (!run.years.contains(&year)).then_some(year.first());
    let parameters: [Parameter<'_>; 5] = [
        (&run.number, Type::INT8),
        (&month.days(), Type::DATE_ARRAY),
        (&causes, Type::TEXT_ARRAY),
        (&month.period.first(), Type::DATE),
        (&year_first, Type::DATE),
    ];
    locked.work().execute(RESTATEMENT_BEFORE, &parameters).await?;
    Ok(())
}

async fn note_after(locked: &Locked<'_>, run: &Run, month: &Month) -> Result<()> {
    let parameters: [Parameter<'_>; 4] = [
        (&run.number, Type::INT8),
        (&month.days(), Type::DATE_ARRAY),
        (&month.period.first(), Type::DATE),
        (&month.period.first().year().first(), Type::DATE),
    ];
    locked.work().execute(RESTATEMENT_AFTER, &parameters).await?;
    Ok(())
}

/// The proven accounts of the days that changed, into the ledger; vanished days out of it.
async fn write_days(locked: &Locked<'_>, month: &Month) -> Result<()> {
    let (present, vanished): (Vec<Day>, Vec<Day>) =
        month.changes.keys().partition(|day| month.survey.contains_key(day));
    if !vanished.is_empty() {
        locked.work().execute(REMOVE_DAYS, &[(&vanished, Type::DATE_ARRAY)]).await?;
    }
    let accounts: Vec<_> = present.iter().map(|day| &month.survey[day]).collect();
    fn column<'a, T>(accounts: &[&'a accounts::Account], field: impl Fn(&'a accounts::Account) -> T) -> Vec<T> {
        accounts.iter().map(|account| field(account)).collect()
    }
    let numbers: [Vec<i64>; 2] = [column(&accounts, |a| a.rows), column(&accounts, |a| a.values)];
    let texts: [Vec<Option<&str>>; 5] = [
        column(&accounts, |a| a.sum.as_deref()),
        column(&accounts, |a| a.min.as_deref()),
        column(&accounts, |a| a.max.as_deref()),
        column(&accounts, |a| Some(a.hash_a.as_str())),
        column(&accounts, |a| Some(a.hash_b.as_str())),
    ];
    let mut parameters: Vec<Parameter<'_>> = vec![(&present, Type::DATE_ARRAY)];
    parameters.extend(numbers.iter().map(|column| (column as &(dyn ToSql + Sync), Type::INT8_ARRAY)));
    parameters.extend(texts.iter().map(|column| (column as &(dyn ToSql + Sync), Type::TEXT_ARRAY)));
    locked.work().execute(WRITE_DAYS, &parameters).await?;
    Ok(())
}

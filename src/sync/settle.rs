//! Computes accounts from rows: those of days, which are proven equal to the survey before they are written, and those
//! that follow from them.

mod combinations;
mod run;

use std::collections::BTreeSet;

use anyhow::Context as _;
use tokio_postgres::types::{ToSql, Type};

pub use run::Run;

use crate::accounts::{self, Account, Accounts, Cause, Changes, Month};
use crate::calendar::{Day, Level, Period};
use crate::db::Parameter;
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::look::Stretch;
use crate::sql::{Filling, Ident, Statement};
use crate::statement;
use crate::survey;
use crate::warehouse::{self, Locked, Partition};

const DAYS: Statement = statement!("accounts/days.sql");
const WRITE_DAYS: Statement = statement!("accounts/write_days.sql");
const REMOVE_DAYS: Statement = statement!("accounts/remove_days.sql");
const SUMS: Statement = statement!("accounts/sums.sql");
const DETAILS: Statement = statement!("accounts/details.sql");
const BEGIN_RUN: Statement = statement!("warehouse/begin_run.sql");
const COUNT_RUN: Statement = statement!("warehouse/count_run.sql");
const RESTATEMENT_BEFORE: Statement = statement!("warehouse/restatement_before.sql");
const RESTATEMENT_AFTER: Statement = statement!("warehouse/restatement_after.sql");

/// Opens the log entry of a run that settles the snapshot of `as_of`. An entity that has no past has nothing that could
/// be restated.
pub async fn begin_run(locked: &Locked<'_>, as_of: &str, has_past: bool) -> Result<Run> {
    let row = locked.work().query_one(BEGIN_RUN, &[(&as_of, Type::TEXT)]).await?;
    let row = row.context("the warehouse gave the run no number")?;
    Ok(Run { number: row.get("run")?, years: BTreeSet::new(), has_past, restates: false })
}

/// The result of comparing a month's rows in the warehouse with production's.
pub enum Proof {
    /// They are equal.
    Equal(Proven),
    /// These days differ.
    Differing(Changes),
}

/// The proof that a month's rows in the warehouse equal production's, except for days that are left as they were
/// settled. Only [`prove`] makes one.
pub struct Proven {
    /// The accounts of the rows.
    accounts: Accounts,
    /// The table with the rows: the month's, or that of all rows if the month has none.
    table: Ident,
}

/// A month whose rows were loaded and proven.
#[derive(Clone, Copy)]
pub struct Ready<'a> {
    /// The month.
    pub month: &'a Month,
    /// How many rows were loaded for it.
    pub rows: u64,
    /// The proof.
    pub proven: &'a Proven,
}

/// Compares a month's rows in the warehouse with production's, with the statement that surveyed production: the whole
/// month, with its unchanged days. Days that differ may lie outside the month, if time zone data changed after the rows
/// were loaded.
pub async fn prove(locked: &Locked<'_>, model: &Model, month: &Month, found: Partition) -> Result<Proof> {
    let (accounts, table) = match found {
        Partition::Missing => (Accounts::new(), model.rows().clone()),
        Partition::Attached => {
            let (schema, table) = (Ident::new("kalends_raw")?, model.partition(month.period)?);
            let names: [(&str, &dyn Filling); 2] = [("schema", &schema), ("table", &table)];
            let names = [&names[..], locked.in_shards()].concat();
            (survey::read(&locked.work().query(DAYS.of(&model.shape()?.with(&names))?, &[]).await?)?.0, table)
        }
    };
    let differing = accounts::compare(&month.survey, &accounts);
    Ok(if differing.is_empty() { Proof::Equal(Proven { accounts, table }) } else { Proof::Differing(differing) })
}

/// Settles months that are in order: writes the accounts of the changed days and of all periods that contain them, and
/// records restatements. Without a run it counts nothing: accounts are only rebuilt.
pub async fn settle(locked: &Locked<'_>, model: &Model, run: Option<&mut Run>, months: &[Ready<'_>]) -> Result<()> {
    let Some(run) = run else { return follow(locked, model, months).await };
    let changed: Vec<Ready<'_>> = months.iter().filter(|ready| !ready.month.changes.is_empty()).copied().collect();
    for Ready { month, proven, .. } in &changed {
        note_before(locked, model, run, month).await?;
        combinations::note(locked, model, run, (month, &proven.table)).await?;
    }
    write_days(locked, model, &changed.iter().map(|ready| ready.month).collect::<Vec<_>>()).await?;
    follow(locked, model, months).await?;
    for Ready { month, .. } in &changed {
        note_after(locked, model, run, month).await?;
    }
    count(locked, run, months).await?;
    for Ready { month, rows, .. } in months {
        tracing::info!(month = %month.period, days = month.changes.len(), rows, "settled");
    }
    Ok(())
}

/// Writes the accounts of a month's unchanged days again, computed from its rows, because their checksums have an
/// earlier form. Their figures stay. Returns the number of days.
pub async fn renew(locked: &Locked<'_>, model: &Model, month: &Month, proven: &Proven) -> Result<usize> {
    let unchanged = proven.accounts.keys().filter(|day| !month.changes.contains_key(day));
    let changes: Changes = unchanged.map(|&day| (day, Cause::Changed)).collect();
    let days = changes.len();
    write_days(locked, model, &[&Month { changes, ..Month::of(month.period, &proven.accounts) }]).await?;
    Ok(days)
}

/// Adds the days of months, and the rows that were loaded for them, to the log entry of the run. Days whose accounts
/// are only rebuilt do not count, because nothing of them changed in production.
async fn count(locked: &Locked<'_>, run: &Run, months: &[Ready<'_>]) -> Result<()> {
    let days: BTreeSet<&Day> =
        months.iter().flat_map(|ready| ready.month.changes.keys().chain(&ready.month.load)).collect();
    if days.is_empty() {
        return Ok(());
    }
    let rows: u64 = months.iter().map(|ready| ready.rows).sum();
    let (days, rows) = (i64::try_from(days.len())?, i64::try_from(rows)?);
    let parameters: [Parameter<'_>; 3] = [(&run.number, Type::INT8), (&days, Type::INT8), (&rows, Type::INT8)];
    locked.work().execute(COUNT_RUN, &parameters).await?;
    Ok(())
}

/// The accounts that follow from those of the months' days: hours and combinations of dimensions from the rows of each
/// month, then weeks, months, quarters and years from their parts. Writes only those that changed.
async fn follow(locked: &Locked<'_>, model: &Model, months: &[Ready<'_>]) -> Result<()> {
    for ready in months {
        follow_rows(locked, model, ready).await?;
    }
    let days: BTreeSet<Day> = months.iter().flat_map(|ready| ready.month.days()).collect();
    if days.is_empty() {
        return Ok(());
    }
    for (level, split) in model.sums() {
        let part = level.part().context("a sum has parts")?;
        let (source, target) = (model.accounts(part, split)?, model.accounts(level, split)?);
        let sql = SUMS.of(&model.shape_of(level, part, split)?.with(&[("source", &source), ("target", &target)]))?;
        let periods: BTreeSet<Period> = days.iter().map(|day| day.period(level)).collect();
        let (firsts, untils): (Vec<Day>, Vec<Day>) =
            periods.iter().map(|period| (period.first(), period.span().until)).unzip();
        let parameters: [Parameter<'_>; 2] = [(&firsts, Type::DATE_ARRAY), (&untils, Type::DATE_ARRAY)];
        locked.work().execute(sql, &parameters).await?;
    }
    Ok(())
}

/// The accounts of a month's hours and combinations.
async fn follow_rows(locked: &Locked<'_>, model: &Model, Ready { month, proven, .. }: &Ready<'_>) -> Result<()> {
    let days: Vec<Day> = month.days().into_iter().collect();
    let Some((&first, final_day)) = days.first().zip(days.last()) else { return Ok(()) };
    let until = final_day.next();
    // A list of days takes the planner's guess of how many rows they have, and with it the faster plan.
    let is_span = i64::from(final_day.to_postgres()) - i64::from(first.to_postgres()) + 1 == i64::try_from(days.len())?;
    let listed = (!is_span).then_some(&days);
    // From the table of the month, which is proven, and not from the whole: where time zone data have changed, rows of
    // other months may belong to these days by now, until those months are settled.
    let (schema, table) = (Ident::new("kalends_raw")?, &proven.table);
    for (level, split) in model.details() {
        let target = model.accounts(level, split)?;
        let names: [(&str, &dyn Filling); 3] = [("schema", &schema), ("table", table), ("target", &target)];
        let sql = DETAILS.of(&model.shape_of(level, Level::Day, split)?.with(&names))?;
        let parameters: [Parameter<'_>; 3] = [(&listed, Type::DATE_ARRAY), (&first, Type::DATE), (&until, Type::DATE)];
        locked.work().execute(sql, &parameters).await?;
    }
    Ok(())
}

/// Records the accounts of a month's changed days, of the month and of its year as they were before, and that this run
/// has its year.
pub async fn note_before(locked: &Locked<'_>, model: &Model, run: &mut Run, month: &Month) -> Result<()> {
    if !run.has_past {
        return Ok(());
    }
    let causes: Vec<&str> = month.changes.values().map(|cause| cause.word()).collect();
    let year = month.period.first().year();
    // A year that this run has settled a month of already is not restated by its next month.
    let year_first = (!run.years.contains(&year)).then_some(year.first());
    let parameters: [Parameter<'_>; 5] = [
        (&run.number, Type::INT8),
        (&month.changed_days(), Type::DATE_ARRAY),
        (&causes, Type::TEXT_ARRAY),
        (&month.period.first(), Type::DATE),
        (&year_first, Type::DATE),
    ];
    run.restates |= locked.work().execute(RESTATEMENT_BEFORE.of(&model.shape()?)?, &parameters).await? > 0;
    run.years.insert(year);
    Ok(())
}

/// Completes what [`note_before`] recorded; nothing as long as the run has only settled what is new.
async fn note_after(locked: &Locked<'_>, model: &Model, run: &Run, month: &Month) -> Result<()> {
    if !run.restates {
        return Ok(());
    }
    let parameters: [Parameter<'_>; 4] = [
        (&run.number, Type::INT8),
        (&month.changed_days(), Type::DATE_ARRAY),
        (&month.period.first(), Type::DATE),
        (&month.period.first().year().first(), Type::DATE),
    ];
    locked.work().execute(RESTATEMENT_AFTER.of(&model.shape()?)?, &parameters).await?;
    Ok(())
}

/// Checks that the written accounts of days are those that were proven. They were sent to the warehouse as parameters;
/// without this check, only the next run would find a change on the way.
async fn check_written(locked: &Locked<'_>, model: &Model, months: &[&Month]) -> Result<()> {
    let Some((first, last)) = months.first().zip(months.last()) else { return Ok(()) };
    let days = Stretch { until: Stretch::from(last.period).until, ..Stretch::from(first.period) };
    let written = warehouse::stored(locked.work(), model, days).await?;
    for month in months {
        let differing = accounts::compare(&month.survey, &written);
        if month.changes.keys().any(|day| differing.contains_key(day)) {
            return Err(Refusal::failed(
                format!("accounts of {} were altered on their way to the warehouse", month.period),
                "Nothing of that month was changed. Encrypt the connection or check the network, then try again.",
            ));
        }
    }
    Ok(())
}

/// Writes the proven accounts of the changed days of months to the ledger, and removes vanished days. Then reads them
/// again.
async fn write_days(locked: &Locked<'_>, model: &Model, months: &[&Month]) -> Result<()> {
    let changed = || months.iter().flat_map(|month| month.changes.keys().map(|day| (*day, month.survey.get(day))));
    let vanished: Vec<Day> = changed().filter_map(|(day, account)| account.is_none().then_some(day)).collect();
    if !vanished.is_empty() {
        locked.work().execute(REMOVE_DAYS.of(&model.shape()?)?, &[(&vanished, Type::DATE_ARRAY)]).await?;
    }
    let present = changed().filter_map(|(day, account)| Some((day, account?)));
    let (present, written): (Vec<Day>, Vec<&Account>) = present.unzip();
    let rows: Vec<i64> = written.iter().map(|account| account.rows).collect();
    let hashes = [0, 1].map(|which| written.iter().map(|account| account.hashes()[which]).collect::<Vec<_>>());
    let columns = accounts::columns(written.iter().map(|account| account.statistics()));
    let mut parameters: Vec<Parameter<'_>> = vec![(&present, Type::DATE_ARRAY), (&rows, Type::INT8_ARRAY)];
    parameters.extend(hashes.iter().map(|column| (column as &(dyn ToSql + Sync), Type::TEXT_ARRAY)));
    parameters.extend(columns.iter().map(|column| (column as &(dyn ToSql + Sync), Type::TEXT_ARRAY)));
    if !present.is_empty() {
        locked.work().execute(WRITE_DAYS.of(&model.shape()?)?, &parameters).await?;
    }
    check_written(locked, model, months).await
}

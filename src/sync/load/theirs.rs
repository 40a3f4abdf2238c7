//! Copies rows of another tool's table into the entity's table, from one session of the warehouse to another: a COPY
//! writes many rows at once, and both servers' processes work at the same time.

use std::collections::BTreeSet;

use super::{ROWS, Source, replace};
use crate::adopt::Holds;
use crate::calendar::Day;
use crate::entity::{Model, Theirs};
use crate::error::Result;
use crate::production::{Lying, Pace};
use crate::sql::{Filling, Statement};
use crate::statement;
use crate::warehouse::{Locked, Reading};

const TAKE: Statement = statement!("load/take.sql");

/// Another tool's table.
pub struct Other<'a> {
    /// A snapshot to read it from.
    pub reading: &'a Reading<'a>,
    /// The table.
    pub theirs: &'a Theirs,
    /// What it held when it was compared.
    pub holds: &'a Holds,
}

/// Replaces the rows of some days of a month by those of another tool's table, and returns how many. If it is known
/// where they lay, the rest of that table is not read. Whether they equal production's is proven later.
///
/// # Errors
/// If the warehouse fails, or the other table was dropped.
pub async fn take(
    Other { reading, theirs, holds }: Other<'_>,
    locked: &Locked<'_>,
    model: &Model,
    days: &BTreeSet<Day>,
    passing: &dyn Fn(u64),
) -> Result<u64> {
    let (Some(&first), Some(&last)) = (days.first(), days.last()) else { return Ok(0) };
    let (month, table) = (first.month(), model.partition(first.month())?);
    replace(locked, model, month, &days.iter().copied().collect::<Vec<_>>()).await?;
    let others = holds.accounts.range(first..last).map(|(&day, _)| day).filter(|day| !days.contains(day));
    let (bounds, except) = (model.bounds(first, last.next()), others.collect::<Vec<_>>());
    let except = except.as_slice();
    let mut names = [&theirs.table_names()[..], &bounds.names(), &[("except", &except)]].concat();
    let lying = holds.ctid_ranges.as_ref().and_then(|ranges| ranges.of(days));
    if let Some(Lying { span, .. }) = &lying {
        names.extend([("first_ctid", &span.first as &dyn Filling), ("last_ctid", &span.last)]);
    }
    let broken_off = |error: anyhow::Error| error.context("could not read the other tool's table");
    let sql = TAKE.of(&model.shape_of_theirs(theirs)?.with(&names))?;
    let stream = reading.work().copy_out(&sql).await.map_err(broken_off)?;
    let source = Source { stream, pace: &Pace::new(None), broken_off: &broken_off };
    let rows = source.pump(locked, &ROWS.of(&model.shape()?.with(&[("partition", &table)]))?, passing).await?;
    tracing::info!(month = %month, days = days.len(), rows, "taken over");
    Ok(rows)
}

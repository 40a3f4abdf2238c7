//! Production's rows into the warehouse: the days to reload of one month, bytes passed through unread.

mod theirs;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::BytesMut;
use tokio_postgres::types::Type;

pub use theirs::take;

use crate::accounts::Month;
use crate::calendar::{Day, Period};
use crate::db::{CopyIn, CopyOut};
use crate::entity::Model;
use crate::error::Result;
use crate::production::{CtidRanges, RowRange, Snapshot};
use crate::sql::{Filling, Sql, Statement};
use crate::statement;
use crate::warehouse::{Locked, Partition};

const CREATE_PARTITION: Statement = statement!("load/create_partition.sql");
const ATTACH_PARTITION: Statement = statement!("load/attach_partition.sql");
const DELETE_DAYS: Statement = statement!("load/delete_days.sql");
const UNDATED_ROWS: Statement = statement!("load/undated_rows.sql");
const ROWS: Statement = statement!("load/rows.sql");

/// Large enough that a COPY message costs nothing beside its rows, small enough to keep memory flat.
const CHUNK_BYTES: usize = 64 * 1024;

/// What was loaded of a month.
#[derive(Debug, Clone, Copy, Default)]
pub struct Loaded {
    /// Rows that came from production.
    pub rows: u64,
    /// Rows that were in the warehouse already, in another tool's table.
    pub taken: u64,
    /// The days that these are of.
    pub taken_days: usize,
    /// How long they took from one server to the other.
    pub copying: Duration,
}

impl Loaded {
    /// What was loaded of another month as well.
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.taken += other.taken;
        self.taken_days += other.taken_days;
        self.copying += other.copying;
    }
}

/// Replaces the rows of a month's days that are to be loaded by production's; `passing` is told of rows as they pass.
/// Rows of `strange` days, which the month's table holds since time zone data have changed, are taken out of it.
///
/// # Errors
/// When either server fails, or production sends another number of rows than it counted.
pub async fn reload(
    snapshot: &Snapshot<'_>,
    locked: &Locked<'_>,
    month: &Month,
    strange: &[Day],
    ctid_ranges: &CtidRanges,
    passing: &dyn Fn(u64),
) -> Result<Loaded> {
    let (period, model) = (month.period, snapshot.model());
    let (table, shape) = (model.partition(period)?, model.shape()?);
    let days = [month.load.iter().copied().collect(), strange.to_vec()].concat();
    let found = replace(locked, model, period, &days).await?;
    let started = Instant::now();
    let mut loaded = Loaded::default();
    if let Some(wanted) = wanted(month, ctid_ranges) {
        let stream = snapshot.rows(&wanted).await?;
        let rows = pump(snapshot, stream, locked, &ROWS.of(&shape.with(&[("partition", &table)]))?, passing).await?;
        let counted = month.rows_to_load();
        let as_counted = u64::try_from(counted) == Ok(rows);
        anyhow::ensure!(as_counted, "production counted {counted} rows for {period} and sent {rows}");
        loaded = Loaded { rows, copying: started.elapsed(), ..loaded };
    }
    if found == Partition::Missing {
        attach(locked, model, period).await?;
    }
    tracing::info!(month = %period, days = month.load.len(), rows = loaded.rows, "loaded");
    Ok(loaded)
}

/// Makes a month's table where there is none, otherwise takes the rows of some days out of it; gives what was found.
async fn replace(locked: &Locked<'_>, model: &Model, month: Period, days: &[Day]) -> Result<Partition> {
    let found = locked.partition(model, month).await?;
    let (table, shape) = (model.partition(month)?, model.shape()?);
    match found {
        Partition::Missing => locked.work().batch(&CREATE_PARTITION.of(&shape.with(&[("partition", &table)]))?).await?,
        Partition::Attached => {
            let delete = DELETE_DAYS.of(&shape.with(&[("partition", &table)]))?;
            locked.work().execute(delete, &[(&days, Type::DATE_ARRAY)]).await?;
        }
    }
    Ok(found)
}

/// Makes the table of a month part of the whole, once it is filled: rows that are copied before need no look at their
/// bounds.
async fn attach(locked: &Locked<'_>, model: &Model, month: Period) -> Result<()> {
    let (table, span) = (model.partition(month)?, month.span());
    let (bounds, partition) = (model.bounds(span.from, span.until), ("partition", &table as &dyn Filling));
    let names = [&bounds.names()[..], &[partition]].concat();
    locked.work().batch(&ATTACH_PARTITION.of(&model.shape()?.with(&names))?).await
}

/// Takes rows out of the warehouse that belong to no day. No run of ours ever loads one.
///
/// # Errors
/// When the warehouse fails.
pub async fn remove_undated_rows(locked: &Locked<'_>, model: &Model) -> Result<()> {
    locked.work().execute(UNDATED_ROWS.of(&model.shape()?)?, &[]).await?;
    Ok(())
}

/// The days to load that production has rows of; `None` when there are none.
fn wanted(month: &Month, ctid_ranges: &CtidRanges) -> Option<RowRange> {
    let wanted: BTreeSet<Day> = month.load.iter().copied().filter(|day| month.survey.contains_key(day)).collect();
    let (from, until) = (*wanted.first()?, wanted.last()?.next());
    let others: BTreeSet<Day> = month.survey.keys().chain(&month.left).copied().collect();
    let except = others.range(from..until).filter(|day| !wanted.contains(day)).copied().collect();
    Some(RowRange { from, until, except, lying: ctid_ranges.of(&wanted)? })
}

/// Passes the rows of one COPY to the other, unread. A stream that breaks off is an error, and what was sent of it is
/// rolled back: the sink ends well only when it is finished on purpose.
async fn pump(
    snapshot: &Snapshot<'_>,
    mut stream: CopyOut,
    locked: &Locked<'_>,
    into: &Sql,
    passing: &dyn Fn(u64),
) -> Result<u64> {
    let passed = async {
        let sink = locked.work().copy_in(into).await.context("could not load rows into the warehouse")?;
        pass(snapshot, &mut stream, sink, passing).await
    };
    let passed = passed.await;
    if passed.is_err() {
        stream.stop().await;
    }
    passed
}

async fn pass(snapshot: &Snapshot<'_>, stream: &mut CopyOut, mut sink: CopyIn, passing: &dyn Fn(u64)) -> Result<u64> {
    let mut chunk = BytesMut::with_capacity(CHUNK_BYTES * 2);
    loop {
        let gathered = gather(snapshot, stream, &mut chunk).await?;
        if gathered == 0 {
            break;
        }
        sink.send(chunk.split().freeze()).await?;
        passing(gathered);
        snapshot.pace.rest(gathered).await;
    }
    sink.finish().await
}

/// Gathers messages up to a chunk or what the pace allows, and gives how many: one a row. None means that the stream
/// has ended well.
async fn gather(snapshot: &Snapshot<'_>, stream: &mut CopyOut, chunk: &mut BytesMut) -> Result<u64> {
    let mut messages = 0;
    while chunk.len() < CHUNK_BYTES && messages < snapshot.pace.most_at_once() {
        match stream.next().await.map_err(|error| snapshot.broken_off(error))? {
            None => break,
            Some(message) => chunk.extend_from_slice(&message),
        }
        messages += 1;
    }
    Ok(messages)
}

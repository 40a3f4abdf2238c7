//! Copies production's rows of some days of a month into the warehouse. The bytes are passed through unread.

mod theirs;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::BytesMut;
use tokio_postgres::types::Type;

pub use theirs::{Other, take};

use crate::accounts::Month;
use crate::calendar::{Day, Period};
use crate::db::{CopyIn, CopyOut};
use crate::entity::Model;
use crate::error::Result;
use crate::production::{CtidRanges, Pace, RowRange, Snapshot};
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
    /// The days of these rows.
    pub taken_days: usize,
    /// How long copying took from server to server.
    pub copying: Duration,
}

impl Loaded {
    /// Adds what was loaded of another month.
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.taken += other.taken;
        self.taken_days += other.taken_days;
        self.copying += other.copying;
    }
}

/// Replaces the rows of a month's days that are to be loaded by production's, and tells `passing` of the rows as they
/// pass. Rows of `strange` days, which are in the month's table because time zone data changed, are deleted from it.
///
/// # Errors
/// If a server fails, or production sends another number of rows than it counted.
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
    replace(locked, model, period, &days).await?;
    let started = Instant::now();
    let mut loaded = Loaded::default();
    if let Some(wanted) = wanted(month, ctid_ranges) {
        let stream = snapshot.rows(&wanted).await?;
        let source = Source { stream, pace: snapshot.pace, broken_off: &|error| snapshot.broken_off(error) };
        let rows = source.pump(locked, &ROWS.of(&shape.with(&[("partition", &table)]))?, passing).await?;
        let counted = month.rows_to_load();
        let as_counted = u64::try_from(counted) == Ok(rows);
        anyhow::ensure!(as_counted, "production counted {counted} rows for {period} and sent {rows}");
        loaded = Loaded { rows, copying: started.elapsed(), ..loaded };
    }
    tracing::info!(month = %period, days = month.load.len(), rows = loaded.rows, "loaded");
    Ok(loaded)
}

/// Deletes the rows of some days from a month's table. If there is none yet, it is created.
async fn replace(locked: &Locked<'_>, model: &Model, month: Period, days: &[Day]) -> Result<()> {
    let (table, shape, span) = (model.partition(month)?, model.shape()?, month.span());
    let partition: (&str, &dyn Filling) = ("partition", &table);
    match locked.partition(model, month).await? {
        Partition::Missing => {
            let bounds = model.bounds(span.from, span.until);
            locked.work().batch(&CREATE_PARTITION.of(&shape.with(&[partition]))?).await?;
            locked.distribute_month(model, &table).await?;
            let attach = ATTACH_PARTITION.of(&shape.with(&[&bounds.names()[..], &[partition]].concat()))?;
            locked.work().batch(&attach).await
        }
        Partition::Attached if days.is_empty() => Ok(()),
        Partition::Attached => {
            let delete = DELETE_DAYS.of(&shape.with(&[partition]))?;
            locked.work().execute(delete, &[(&days, Type::DATE_ARRAY)]).await.map(drop)
        }
    }
}

/// Deletes rows of the warehouse that belong to no day. Kalends never loads such rows.
///
/// # Errors
/// If the warehouse fails.
pub async fn remove_undated_rows(locked: &Locked<'_>, model: &Model) -> Result<()> {
    locked.work().execute(UNDATED_ROWS.of(&model.shape()?)?, &[]).await?;
    Ok(())
}

/// The days to load of which production has rows; `None` if there are none.
fn wanted(month: &Month, ctid_ranges: &CtidRanges) -> Option<RowRange> {
    let wanted: BTreeSet<Day> = month.load.iter().copied().filter(|day| month.survey.contains_key(day)).collect();
    let (from, until) = (*wanted.first()?, wanted.last()?.next());
    let others: BTreeSet<Day> = month.survey.keys().chain(&month.left).copied().collect();
    let except = others.range(from..until).filter(|day| !wanted.contains(day)).copied().collect();
    Some(RowRange { from, until, except, lying: ctid_ranges.of(&wanted)? })
}

/// Rows on their way.
struct Source<'a> {
    stream: CopyOut,
    /// How fast they may be read.
    pace: &'a Pace,
    /// Explains why they broke off.
    broken_off: &'a dyn Fn(anyhow::Error) -> anyhow::Error,
}

impl Source<'_> {
    /// Passes the rows of one COPY to the other, unread. A stream that breaks off is an error, and what was sent of it
    /// is rolled back, because the warehouse's COPY succeeds only if it is finished explicitly.
    async fn pump(mut self, locked: &Locked<'_>, into: &Sql, passing: &dyn Fn(u64)) -> Result<u64> {
        let passed = async {
            let sink = locked.work().copy_in(into).await.context("could not load rows into the warehouse")?;
            self.pass(sink, passing).await
        };
        let passed = passed.await;
        if passed.is_err() {
            self.stream.stop().await;
        }
        passed
    }

    async fn pass(&mut self, mut sink: CopyIn, passing: &dyn Fn(u64)) -> Result<u64> {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES * 2);
        loop {
            let gathered = self.gather(&mut chunk).await?;
            if gathered == 0 {
                break;
            }
            sink.send(chunk.split().freeze()).await?;
            passing(gathered);
            self.pace.rest(gathered).await;
        }
        sink.finish().await
    }

    /// Collects messages, one for each row, up to the size of a chunk or what the pace allows, and returns how many. 0
    /// means that the stream has ended properly.
    async fn gather(&mut self, chunk: &mut BytesMut) -> Result<u64> {
        let mut messages = 0;
        while chunk.len() < CHUNK_BYTES && messages < self.pace.most_at_once() {
            match self.stream.next().await.map_err(self.broken_off)? {
                None => break,
                Some(message) => chunk.extend_from_slice(&message),
            }
            messages += 1;
        }
        Ok(messages)
    }
}

//! Production's rows into the warehouse: the days to reload of one month, bytes passed through unread.

mod theirs;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use futures_util::stream::Fuse;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_postgres::CopyOutStream;
use tokio_postgres::types::Type;

pub use theirs::take;

use crate::accounts::Month;
use crate::calendar::Day;
use crate::db::{Filling, Sql, Statement};
use crate::entity::Model;
use crate::error::Result;
use crate::production::{Places, Snapshot, Wanted};
use crate::statement;
use crate::warehouse::Locked;

const PARTITION: Statement = statement!("load/partition.sql");
const CREATE_PARTITION: Statement = statement!("load/create_partition.sql");
const ATTACH_PARTITION: Statement = statement!("load/attach_partition.sql");
const DELETE_DAYS: Statement = statement!("load/delete_days.sql");
const ROWS_OF_NO_DAY: Statement = statement!("load/rows_of_no_day.sql");
const ROWS: Statement = statement!("load/rows.sql");

/// Large enough that a COPY message costs nothing beside its rows, small enough to keep memory flat.
const CHUNK_BYTES: usize = 64 * 1024;

/// Production sends something every so often while it reads; this long a silence is not reading.
const SILENCE: Duration = Duration::from_secs(600);

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

/// Replaces the rows of a month's changed days by production's; `passing` is told of rows as they pass.
///
/// # Errors
/// When either server fails, or production sends another number of rows than it counted.
pub async fn reload(
    snapshot: &Snapshot<'_>,
    locked: &Locked<'_>,
    month: &Month,
    places: &Places,
    passing: &dyn Fn(u64),
) -> Result<Loaded> {
    let (work, period, days, model) = (locked.work(), month.period, month.days(), snapshot.model());
    let (table, shape) = (model.partition(period)?, model.shape()?);
    let found = work.query_one(PARTITION, &[(&table.name(), Type::TEXT)]).await?;
    if found.is_none() {
        work.batch(&CREATE_PARTITION.of(&shape)?.with(&[("partition", &table)])).await?;
    } else {
        let delete = DELETE_DAYS.of(&shape)?.with(&[("partition", &table)]);
        work.execute(delete, &[(&days, Type::DATE_ARRAY)]).await?;
    }
    let started = Instant::now();
    let mut loaded = Loaded::default();
    if let Some(wanted) = wanted(month, places) {
        let stream = snapshot.rows(&wanted).await?;
        let rows = pump(snapshot, stream, locked, &ROWS.of(&shape)?.with(&[("partition", &table)]), passing).await?;
        let counted = month.changed_rows();
        let as_counted = u64::try_from(counted) == Ok(rows);
        anyhow::ensure!(as_counted, "production counted {counted} rows for {period} and sent {rows}");
        loaded = Loaded { rows, copying: started.elapsed(), ..loaded };
    }
    let attached = found.map_or(Ok(false), |row| row.get("attached"))?;
    if !attached {
        let span = period.span();
        let (bounds, partition) = (model.bounds(span.from, span.until), ("partition", &table as &dyn Filling));
        work.batch(&ATTACH_PARTITION.of(&shape)?.with(&[&bounds.names()[..], &[partition]].concat())).await?;
    }
    tracing::info!(month = %period, days = days.len(), rows = loaded.rows, "loaded");
    Ok(loaded)
}

/// Takes rows out of the warehouse that belong to no day. No run of ours ever loads one.
///
/// # Errors
/// When the warehouse fails.
pub async fn remove_rows_of_no_day(locked: &Locked<'_>, model: &Model) -> Result<()> {
    locked.work().execute(ROWS_OF_NO_DAY.of(&model.shape()?)?, &[]).await?;
    Ok(())
}

/// The changed days that production has rows of; `None` when there are none.
fn wanted(month: &Month, places: &Places) -> Option<Wanted> {
    let wanted: BTreeSet<Day> = month.changes.keys().copied().filter(|day| month.survey.contains_key(day)).collect();
    let (from, until) = (*wanted.first()?, wanted.last()?.next());
    let others: BTreeSet<Day> = month.survey.keys().chain(&month.left).copied().collect();
    let except = others.range(from..until).filter(|day| !wanted.contains(day)).copied().collect();
    Some(Wanted { from, until, except, lying: places.of(&wanted)? })
}

/// Passes the rows of one COPY to the other, unread. A stream that breaks off is an error, and what was sent of it is
/// rolled back: the sink ends well only when it is finished on purpose.
async fn pump(
    snapshot: &Snapshot<'_>,
    stream: CopyOutStream,
    locked: &Locked<'_>,
    into: &Sql,
    passing: &dyn Fn(u64),
) -> Result<u64> {
    let mut sink = std::pin::pin!(locked.work().copy_in(into).await.context("could not load rows into the warehouse")?);
    let mut stream = std::pin::pin!(stream.fuse());
    let mut chunk = BytesMut::with_capacity(CHUNK_BYTES * 2);
    loop {
        let gathering = gather(snapshot, &mut stream, &mut chunk);
        let gathered =
            tokio::time::timeout(SILENCE, gathering).await.context("production fell silent in mid copy")??;
        if gathered == 0 {
            break;
        }
        let bytes: Bytes = chunk.split().freeze();
        sink.send(bytes).await.map_err(|error| locked.work().failure(into, &error))?;
        passing(gathered);
        snapshot.pace.rest(gathered).await;
    }
    sink.finish().await.map_err(|error| locked.work().failure(into, &error))
}

/// Gathers messages up to a chunk or what the pace allows, and gives how many: one a row. None means that the stream has ended well.
async fn gather(
    snapshot: &Snapshot<'_>,
    stream: &mut std::pin::Pin<&mut Fuse<CopyOutStream>>,
    chunk: &mut BytesMut,
) -> Result<u64> {
    let mut messages = 0;
    while chunk.len() < CHUNK_BYTES && messages < snapshot.pace.most_at_once() {
        match stream.next().await {
            None => break,
            Some(message) => chunk.extend_from_slice(&message.map_err(|error| snapshot.broken_off(&error))?),
        }
        messages += 1;
    }
    Ok(messages)
}

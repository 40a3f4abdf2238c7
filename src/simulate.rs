//! The pretend production system: writes a month's rows, exactly those of the original simulator. This is the only room
//! that writes to production, and only to a database that is marked as a test source.

mod month;
mod python;

use anyhow::Context as _;
use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::Type;

pub use month::{MonthRows, Refused, Row};

use crate::calendar::Span;
use crate::db::{Access, Address, Limits, Server, Session, Work};
use crate::entity::Entity;
use crate::error::{Refusal, Result};
use crate::sql::{Ctid, Filling, Ident, Statement};
use crate::statement;

const CONSENT: Statement = statement!("simulate/consent.sql");
const MARK: Statement = statement!("simulate/mark.sql");
const TABLE: Statement = statement!("simulate/table.sql");
const CTID_RANGE: Statement = statement!("simulate/ctid_range.sql");
const DELETE: Statement = statement!("simulate/delete.sql");
const ROWS: Statement = statement!("simulate/rows.sql");

/// How PostgreSQL's binary COPY format begins: its signature, no flags, no extension. Each row follows with the number
/// of its fields, each field with its length and its bytes; -1 fields end the data.
const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Large enough that the cost of a message is negligible.
const CHUNK_BYTES: usize = 64 * 1024;

/// Whether this run may mark the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It must be marked already.
    Expected,
    /// The user confirmed with `--mark` that it is a test source.
    Given,
}

/// What a simulation wrote.
#[derive(Debug, Clone, Copy)]
pub struct Simulated {
    /// Rows of the month that were deleted.
    pub deleted: u64,
    /// Rows of the month that were inserted.
    pub inserted: u64,
}

/// Replaces a month's rows in production with the simulated ones, in one transaction.
///
/// # Errors
/// Refuses a database that is not marked as a test source, because rows are deleted.
pub async fn simulate(
    address: &Address,
    limits: Limits,
    entity: &Entity,
    span: Span,
    rows: MonthRows,
    mark: Mark,
) -> Result<Simulated> {
    let mut session = Session::connect(Server::Production, address, limits).await?;
    let work = session.begin(Access::Write, &[]).await?;
    consent(&work, mark).await?;
    work.batch(&TABLE.with(&names(entity))?).await?;
    let deleted = delete(&work, entity, span).await?;
    let inserted = insert(&work, entity, span, rows).await?;
    work.commit().await?;
    tracing::info!(deleted, inserted, "simulated");
    Ok(Simulated { deleted, inserted })
}

/// The names of table and columns, for a statement. The default table has one measure.
fn names(entity: &Entity) -> [(&'static str, &dyn Filling); 4] {
    let [schema, table] = entity.table_names();
    [schema, table, ("time", &entity.time), ("measure", &entity.measures[0])]
}

async fn consent(work: &Work<'_>, mark: Mark) -> Result<()> {
    let row = work.query_one(CONSENT, &[]).await?;
    let row = row.context("production did not say whether it is a test source")?;
    let (database, marked): (String, bool) = (row.get("database")?, row.get("marked")?);
    if marked {
        return Ok(());
    }
    if mark == Mark::Given {
        return work.batch(&MARK.with(&[("database", &Ident::new(database)?)])?).await;
    }
    Err(Refusal::refused(
        format!("database \"{database}\" is not marked as a test source, and simulating deletes rows"),
        "If it holds nothing but test data, mark it with `kalends simulate --mark YEAR MONTH`.",
    ))
}

async fn delete(work: &Work<'_>, entity: &Entity, span: Span) -> Result<u64> {
    let days = [(&span.from as _, Type::DATE), (&span.until as _, Type::DATE)];
    let Some(lies) = work.query_one(CTID_RANGE.with(&names(entity))?, &days).await? else { return Ok(0) };
    let ctid = |column| lies.get::<Option<&str>>(column).map(|ctid| ctid.and_then(Ctid::parse));
    let (Some(first), Some(last)) = (ctid("first_ctid")?, ctid("last_ctid")?) else { return Ok(0) };
    let [schema, table, time, _] = names(entity);
    let sql = DELETE.with(&[schema, table, time, ("first_ctid", &first), ("last_ctid", &last)])?;
    work.execute(sql, &days).await
}

async fn insert(work: &Work<'_>, entity: &Entity, span: Span, rows: MonthRows) -> Result<u64> {
    let mut sink = work.copy_in(&ROWS.with(&names(entity))?).await?;
    let mut chunk = BytesMut::from(COPY_HEAD);
    // A `timestamp` is counted from 2000-01-01 00:00:00, in microseconds.
    let first = i64::from(span.from.to_postgres()) * 24 * 60 * 60;
    for Row { seconds, value } in rows {
        chunk.put_i16(2);
        chunk.put_i32(8);
        chunk.put_i64((first + seconds) * 1_000_000);
        chunk.put_i32(4);
        chunk.put_i32(value);
        if chunk.len() >= CHUNK_BYTES {
            sink.send(chunk.split().freeze()).await?;
        }
    }
    chunk.put_i16(-1);
    sink.send(chunk.freeze()).await?;
    sink.finish().await
}

//! The pretend production system: a month's rows, exactly those of the original simulator. The only room that writes to
//! production, and only to a database that is marked as a test source.

mod month;
mod python;

use anyhow::Context as _;
use bytes::{BufMut as _, BytesMut};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};

pub use month::{MonthRows, Refused, Row};

use crate::calendar::Span;
use crate::db::{Access, Address, Filling, Ident, Limits, Place, Server, Session, Statement, Work};
use crate::entity::Entity;
use crate::error::{Refusal, Result};
use crate::statement;

const CONSENT: Statement = statement!("simulate/consent.sql");
const MARK: Statement = statement!("simulate/mark.sql");
const TABLE: Statement = statement!("simulate/table.sql");
const PLACE: Statement = statement!("simulate/place.sql");
const DELETE: Statement = statement!("simulate/delete.sql");
const ROWS: Statement = statement!("simulate/rows.sql");

/// Whether this run may mark the database itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It has to be marked already.
    Expected,
    /// Somebody said, by typing `--mark`, that it is a test source.
    Given,
}

/// What a simulation wrote.
#[derive(Debug, Clone, Copy)]
pub struct Simulated {
    /// Rows of the month that were there before.
    pub deleted: u64,
    /// Rows of the month that are there now.
    pub inserted: u64,
}

/// Replaces a month's rows in production by the simulated ones, in one transaction.
///
/// # Errors
/// Refuses a database that is not marked as a test source: rows are deleted.
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
    work.batch(&TABLE.with(&names(entity))).await?;
    let deleted = delete(&work, entity, span).await?;
    let inserted = insert(&work, entity, span, rows).await?;
    work.commit().await?;
    tracing::info!(deleted, inserted, "simulated");
    Ok(Simulated { deleted, inserted })
}

/// The names of table and columns, for a statement: the brief's table has one measure.
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
        return work.batch(&MARK.with(&[("database", &Ident::new(database)?)])).await;
    }
    Err(Refusal::refused(
        format!("database \"{database}\" is not marked as a test source, and simulating deletes rows"),
        "If it holds nothing but test data, mark it with `kalends simulate --mark YEAR MONTH`.",
    ))
}

async fn delete(work: &Work<'_>, entity: &Entity, span: Span) -> Result<u64> {
    let days = [(&span.from as _, Type::DATE), (&span.until as _, Type::DATE)];
    let Some(lies) = work.query_one(PLACE.with(&names(entity)), &days).await? else { return Ok(0) };
    let place = |column| lies.get::<Option<&str>>(column).map(|place| place.and_then(Place::parse));
    let (Some(first), Some(finally)) = (place("first_place")?, place("final_place")?) else { return Ok(0) };
    let [schema, table, time, _] = names(entity);
    let sql = DELETE.with(&[schema, table, time, ("first_place", &first), ("final_place", &finally)]);
    work.execute(sql, &days).await
}

async fn insert(work: &Work<'_>, entity: &Entity, span: Span, rows: MonthRows) -> Result<u64> {
    let sql = ROWS.with(&names(entity));
    let sink = work.copy_in(&sql).await?;
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &[Type::TIMESTAMP, Type::INT4]));
    let first = i64::from(span.from.to_postgres()) * 24 * 60 * 60;
    for Row { seconds, value } in rows {
        let time = Timestamp { microseconds: (first + seconds) * 1_000_000 };
        writer.as_mut().write(&[&time, &value]).await.map_err(|error| work.failure(&sql, &error))?;
    }
    writer.finish().await.map_err(|error| work.failure(&sql, &error))
}

/// A `timestamp`, counted from 2000-01-01 00:00:00, as PostgreSQL counts it.
#[derive(Debug)]
struct Timestamp {
    microseconds: i64,
}

impl ToSql for Timestamp {
    fn to_sql(&self, _type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.put_i64(self.microseconds);
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMP);
    to_sql_checked!();
}

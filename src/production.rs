//! Production: a connection that can only read. Nothing in this room writes, and its transactions are read only.

mod as_of;
mod counters;
mod ctid_ranges;
mod pace;
mod preflight;
mod suggestion;
mod survey;
mod tables;
mod watch;

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{PgLsn, Type};

use self::as_of::AsOf;
use crate::calendar::Day;
use crate::db::{Access, Address, CopyOut, Identity, Limits, Parameter, Row, Server, Session, Work, sql_state};
use crate::entity::{Entity, Found, FoundType, Model, check_encoding};
use crate::error::{Refusal, Result};
use crate::guard::Source;
use crate::sql::{Filling, Ident, Statement};
use crate::statement;

pub use counters::Counted;
pub use ctid_ranges::{CtidRanges, Lying};
pub use pace::Pace;
pub use preflight::Effort;
pub use survey::Survey;
pub use tables::Holdings;
pub use watch::Watch;

const LOCK: Statement = statement!("production/lock.sql");
const IDENTITY: Statement = statement!("production/identity.sql");
const DIMENSIONS: Statement = statement!("production/dimensions.sql");
const DATA_MOMENT: Statement = statement!("production/data_moment.sql");
const TODAY: Statement = statement!("production/today.sql");
const ROWS: Statement = statement!("production/rows.sql");

/// A connection to production.
pub struct Production {
    session: Session,
    pace: Pace,
    /// Whether this is known to be no standby. A standby's data may be older than its clock.
    is_primary: bool,
}

/// One snapshot of production. The table is locked before it is taken.
pub struct Snapshot<'a> {
    work: Work<'a>,
    model: Model,
    /// Which database this is.
    pub identity: Identity,
    /// The moment that its data are as of, UTC, as text: that of the snapshot, or of the last commit that a standby had
    /// replayed before it.
    pub as_of: String,
    /// The same in microseconds since 1970 UTC.
    pub as_of_us: i64,
    /// Positions of the write-ahead log: one that it does not go beyond, and one that it has come to.
    position: u64,
    at_least: u64,
    /// How fast its rows may be read.
    pub pace: &'a Pace,
    pid: i32,
    locked: Instant,
    taken: Instant,
    /// How long it was open, once it is released.
    durations: OnceLock<Durations>,
}

/// How long a snapshot was open.
#[derive(Debug, Clone, Copy)]
pub struct Durations {
    /// Since the lock.
    pub lock: Duration,
    /// Since the snapshot.
    pub snapshot: Duration,
}

/// The days of one month whose rows are to be read.
#[derive(Debug)]
pub struct RowRange {
    /// The first day.
    pub from: Day,
    /// The day after the last one.
    pub until: Day,
    /// Days in between whose rows are not to be read.
    pub except: Vec<Day>,
    /// Where their rows lie.
    pub lying: Lying,
}

impl Durations {
    /// The longer of each.
    #[must_use]
    pub fn longer(self, other: Self) -> Self {
        Self { lock: self.lock.max(other.lock), snapshot: self.snapshot.max(other.snapshot) }
    }
}

impl Production {
    /// Connects.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn connect(address: &Address, limits: Limits, rows_per_second: Option<NonZeroU64>) -> Result<Self> {
        let session = Session::connect(Server::Production, address, limits).await?;
        Ok(Self { session, pace: Pace::new(rows_per_second), is_primary: false })
    }

    /// Returns which database this is and which types the entity's columns have. Looks for the table before its lock is
    /// requested, because views and the like cannot be locked.
    ///
    /// # Errors
    /// As [`Production::snapshot`].
    pub async fn identity(&mut self, entity: &Entity) -> Result<(Identity, Model)> {
        let work = self.session.begin(Access::ReadSnapshot, &[]).await?;
        let (row, model) = look(&work, entity).await?;
        Ok((Identity::of(&row)?, model))
    }

    /// Takes a snapshot, with the table locked before it, and checks that the table fits the entity.
    ///
    /// # Errors
    /// Refuses if the table or a column is missing, may not be read, or has another type; busy if somebody else locks
    /// the table for longer than the limit.
    pub async fn snapshot<'a>(&'a mut self, entity: &Entity) -> Result<Snapshot<'a>> {
        let of_standby = self.data_moment().await?;
        let lock = LOCK.with(&entity.table_names())?;
        let work = self
            .session
            .begin(Access::ReadSnapshot, &[lock])
            .await
            .map_err(|error| explain(entity, error, "could not take a snapshot of production"))?;
        let locked = Instant::now();
        let (row, model) = look(&work, entity).await?;
        let position: Option<PgLsn> = row.get("position")?;
        let position = position.context("production does not say how far its log has come")?;
        let data = match of_standby {
            Some(replayed) => replayed,
            None => AsOf::of(&row, position)?,
        };
        Ok(Snapshot {
            work,
            model,
            identity: Identity::of(&row)?,
            as_of: data.text,
            as_of_us: data.us,
            pace: &self.pace,
            position: position.into(),
            at_least: data.position.into(),
            pid: row.get("pid")?,
            locked,
            taken: Instant::now(),
            durations: OnceLock::new(),
        })
    }
}

impl Production {
    /// What a standby has replayed; `None` for a primary.
    async fn data_moment(&mut self) -> Result<Option<AsOf>> {
        if self.is_primary {
            return Ok(None);
        }
        let work = self.session.begin(Access::ReadSnapshot, &[]).await?;
        let row = work.query_one(DATA_MOMENT, &[]).await?;
        self.is_primary = row.is_none();
        row.map(|row| AsOf::of(&row, row.get("position")?)).transpose()
    }
}

impl Snapshot<'_> {
    /// The entity, with the types that it has in this snapshot.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The read-only transaction.
    pub fn work(&self) -> &Work<'_> {
        &self.work
    }

    /// Which production this is, and the position of its log.
    pub fn source(&self) -> Source {
        let (position, at_least) = (self.position, self.at_least);
        Source { identity: self.identity.clone(), position, at_least, as_of: self.as_of.clone() }
    }

    /// The day of the snapshot, in the entity's time zone.
    pub async fn today(&self) -> Result<Day> {
        let zone = self.model.entity.time_zone.as_deref().unwrap_or("UTC");
        let row = self.work.query_one(TODAY, &[(&zone, Type::TEXT), (&self.as_of_us, Type::INT8)]).await?;
        row.context("production did not say what day it is")?.get("today")
    }

    /// The rows of these days, in PostgreSQL's binary COPY format.
    pub async fn rows(&self, wanted: &RowRange) -> Result<CopyOut> {
        let bounds = self.model.bounds(wanted.from, wanted.until);
        let (except, lying) = (wanted.except.as_slice(), &wanted.lying);
        let span: [(&str, &dyn Filling); 4] = [
            ("except", &except),
            ("alone", &lying.alone),
            ("first_ctid", &lying.span.first),
            ("last_ctid", &lying.span.last),
        ];
        let names = [&self.model.entity.table_names()[..], &bounds.names(), &span].concat();
        let sql = ROWS.of(&self.model.shape()?.with(&names))?;
        let rows = self.work.copy_out(&sql).await;
        rows.map_err(|error| explain(&self.model.entity, error, "could not read rows from production"))
    }

    /// Explains why the rows broke off.
    pub fn broken_off(&self, error: anyhow::Error) -> anyhow::Error {
        explain(&self.model.entity, error, "production broke off in mid copy")
    }

    /// Releases the table and the snapshot, and returns how long they were open. Nothing is read from it afterwards, so
    /// a failure here does not matter.
    pub async fn let_go(&self) -> Durations {
        if let Some(&durations) = self.durations.get() {
            return durations;
        }
        if let Err(error) = self.work.end_early().await {
            tracing::warn!("production did not answer the end of the snapshot: {error:#}");
        }
        *self.durations.get_or_init(|| Durations { lock: self.locked.elapsed(), snapshot: self.taken.elapsed() })
    }

    /// Whether it was released.
    pub fn is_let_go(&self) -> bool {
        self.durations.get().is_some()
    }

    /// Releases the table and the snapshot, if that was not done before, and returns how long they were open.
    pub async fn release(self) -> Durations {
        let held = self.let_go().await;
        self.work.leave();
        held
    }
}

/// Checks the table, and returns its identity and the model.
async fn look(work: &Work<'_>, entity: &Entity) -> Result<(Row, Model)> {
    let columns: Vec<&str> = [&entity.time].into_iter().chain(&entity.measures).map(Ident::name).collect();
    let (schema, table) = (entity.schema.name(), entity.table.name());
    let parameters: [Parameter<'_>; 3] = [(&schema, Type::TEXT), (&table, Type::TEXT), (&columns, Type::TEXT_ARRAY)];
    let found = work.query_one(IDENTITY, &parameters).await;
    let found = found.map_err(|error| explain(entity, error, "could not look at the table in production"))?;
    let Some(row) = found else { return Err(suggestion::of_table(work, entity).await) };
    check(entity, &row)?;
    let mut types: Vec<Option<String>> = row.get("types")?;
    anyhow::ensure!(types.len() == columns.len(), "production did not say the type of each column");
    let dimensions = dimensions(work, entity).await?;
    let is_there = types.iter().map(Option::is_some).chain(dimensions.iter().map(Option::is_some));
    if let Some((column, _)) = entity.columns().zip(is_there).find(|(_, is_there)| !is_there) {
        return Err(suggestion::of_column(work, entity, column).await);
    }
    let measures = types.split_off(1);
    let modifiers = row.get::<Vec<Option<i32>>>("modifiers")?.into_iter().skip(1).map(|found| found.unwrap_or(-1));
    let (time, modifiers) = (types.pop().flatten(), modifiers.collect());
    let model = Model::new(entity, &Found { time, measures, modifiers, dimensions })?;
    Ok((row, model))
}

/// The types of the dimensions, in their order.
async fn dimensions(work: &Work<'_>, entity: &Entity) -> Result<Vec<Option<FoundType>>> {
    let columns: Vec<&str> = entity.dimensions.iter().map(Ident::name).collect();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let (schema, table) = (entity.schema.name(), entity.table.name());
    let parameters: [Parameter<'_>; 3] = [(&schema, Type::TEXT), (&table, Type::TEXT), (&columns, Type::TEXT_ARRAY)];
    let rows = work.query(DIMENSIONS, &parameters).await?;
    rows.first().map_or(Ok(()), |row| check_encoding(Server::Production, row.get("encoding")?))?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let type_of = FoundType {
            written: row.get("written")?,
            stored_as: row.get("stored_as")?,
            number: row.get("number")?,
            unfit: row.get("unfit")?,
        };
        found.insert(row.get::<&str>("name")?, type_of);
    }
    // No two columns of the settings are the same.
    Ok(columns.into_iter().map(|column| found.remove(column)).collect())
}

/// Explains an error: what it means for the table if the server refused it, otherwise what we were doing.
fn explain(entity: &Entity, error: anyhow::Error, doing: &'static str) -> anyhow::Error {
    match sql_state(&error) {
        Some(&SqlState::UNDEFINED_TABLE | &SqlState::INVALID_SCHEMA_NAME) => suggestion::missing(entity, None),
        Some(&SqlState::LOCK_NOT_AVAILABLE) => Refusal::busy(
            format!("table {entity} of production is locked by another session"),
            "Try again when it is free.",
        ),
        // A standby applies its primary's changes sooner or later.
        Some(&SqlState::T_R_SERIALIZATION_FAILURE) => Refusal::busy(
            format!("production, a standby, could not keep the snapshot of table {entity}: {error}"),
            "Try again; where it happens often, max_standby_streaming_delay or hot_standby_feedback there gives more time.",
        ),
        Some(&SqlState::QUERY_CANCELED) if error.to_string().contains("statement timeout") => Refusal::failed(
            format!("production did not finish a statement on table {entity} in its time"),
            "Raise statement_timeout in [production], or read from a standby.",
        ),
        _ => error.context(doing),
    }
}

/// Checks that the table is of a kind that can be accounted for, and that all of it may be read.
fn check(entity: &Entity, row: &Row) -> Result<()> {
    let kind: &str = row.get("kind")?;
    let persistence: &str = row.get("persistence")?;
    if !matches!(kind, "r" | "p") || persistence == "t" {
        return Err(Refusal::refused(
            format!("{entity} of production is {}", spelled_out(kind)),
            "Name a table or a partitioned table.",
        ));
    }
    if row.get("gone")? {
        return Err(Refusal::busy(
            format!("table {entity} of production was replaced or dropped while this run looked at it"),
            "Try again when it is there.",
        ));
    }
    if let Some(part) = row.get::<Option<&str>>("foreign_part")? {
        return Err(Refusal::refused(
            format!("foreign table {part} is a part of table {entity} of production"),
            "Detach it, or account for another table: no lock holds the rows of another server in place.",
        ));
    }
    let (role, schema, table): (&str, &str, &str) = (row.get("role")?, row.get("schema_name")?, row.get("table_name")?);
    let (message, remedy) = if !row.get::<bool>("may_use_schema")? {
        (
            format!("role {role} may not use schema {schema} of production"),
            format!("GRANT USAGE ON SCHEMA {schema} TO {role}"),
        )
    } else if !row.get::<bool>("may_read")? {
        (format!("role {role} may not read table {entity} of production"), format!("GRANT SELECT ON {table} TO {role}"))
    } else if row.get("hides_rows")? {
        (
            format!("row-level security of table {entity} of production may hide rows from role {role}"),
            format!("ALTER ROLE {role} BYPASSRLS"),
        )
    } else {
        return Ok(());
    };
    Err(Refusal::refused(message, format!("Run `{remedy}`; nothing of this table was read or changed.")))
}

/// `pg_class.relkind` in words.
fn spelled_out(kind: &str) -> &'static str {
    match kind {
        "v" => "a view",
        "m" => "a materialized view",
        "f" => "a foreign table",
        "r" | "p" => "a temporary table",
        _ => "not a table",
    }
}

//! The guard's notes: which production was settled, what is left as it was, and which runs failed.

use anyhow::Context as _;
use serde::Serialize;
use tokio_postgres::types::{PgLsn, Type};

use super::{Locked, Reading, Warehouse};
use crate::calendar::{Day, Level, Period};
use crate::db::{Access, Identity, Parameter, Row};
use crate::error::Result;
use crate::guard::{Before, Kind, Moment, Noted, Source};
use crate::sql::Statement;
use crate::statement;

const SOURCE: Statement = statement!("guard/source.sql");
const NOTE_SOURCE: Statement = statement!("guard/note_source.sql");
const HELD: Statement = statement!("guard/held.sql");
const REMOVE_HELD: Statement = statement!("guard/remove_held.sql");
const NOTE_HELD: Statement = statement!("guard/note_held.sql");
const FAILURES: Statement = statement!("guard/failures.sql");
const NOTE_FAILURE: Statement = statement!("guard/note_failure.sql");
const REMOVE_FAILURES: Statement = statement!("guard/remove_failures.sql");

/// A run, or its part of one entity, that failed (1) or was refused (4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// When, UTC, by the warehouse's clock. The warehouse fills it in.
    pub at: String,
    /// `prepare` or `run`.
    pub command: String,
    /// The entity; `None` if the failure was not of one entity.
    pub entity: Option<String>,
    /// 1 or 4.
    pub exit_code: i32,
    /// The message, in one line.
    pub message: String,
}

impl Warehouse {
    /// Notes what of an entity is left as it was settled, and replaces earlier such notes.
    pub async fn note_held(&mut self, entity: &str, noted: &[Noted]) -> Result<()> {
        let locked = self.lock_for_notes().await?;
        locked.work.execute(REMOVE_HELD, &[(&entity, Type::TEXT)]).await?;
        let texts = |of: fn(&Noted) -> &str| noted.iter().map(of).collect::<Vec<_>>();
        let numbers = |of: fn(&Noted) -> i64| noted.iter().map(of).collect::<Vec<_>>();
        let (levels, kinds) = (texts(|noted| noted.unit.level().word()), texts(|noted| noted.kind.word()));
        let (reasons, since) = (texts(|noted| &noted.reason), numbers(|noted| noted.since.0));
        let (before, now) = (numbers(|noted| noted.rows_before), numbers(|noted| noted.rows_now));
        let firsts: Vec<Day> = noted.iter().map(|noted| noted.unit.first()).collect();
        let digests: Vec<Option<&str>> = noted.iter().map(|noted| noted.digest.as_deref()).collect();
        let parameters: [Parameter<'_>; 9] = [
            (&entity, Type::TEXT),
            (&levels, Type::TEXT_ARRAY),
            (&firsts, Type::DATE_ARRAY),
            (&kinds, Type::TEXT_ARRAY),
            (&reasons, Type::TEXT_ARRAY),
            (&before, Type::INT8_ARRAY),
            (&now, Type::INT8_ARRAY),
            (&since, Type::INT8_ARRAY),
            (&digests, Type::TEXT_ARRAY),
        ];
        locked.work.execute(NOTE_HELD, &parameters).await?;
        locked.commit().await
    }

    /// Notes failures, and keeps the last 20.
    pub async fn note_failures(&mut self, failures: &[Failure]) -> Result<()> {
        let work = self.session.begin(Access::Write, &[]).await?;
        for failure in failures {
            let parameters: [Parameter<'_>; 4] = [
                (&failure.command, Type::TEXT),
                (&failure.entity, Type::TEXT),
                (&failure.exit_code, Type::INT4),
                (&failure.message, Type::TEXT),
            ];
            work.execute(NOTE_FAILURE, &parameters).await?;
        }
        work.execute(REMOVE_FAILURES, &[]).await?;
        work.commit().await
    }
}

impl Reading<'_> {
    /// What earlier runs have noted of an entity.
    pub async fn before(&self, entity: &str) -> Result<Before> {
        if !self.prepared {
            return Ok(Before::default());
        }
        let source = self.work.query_one(SOURCE, &[(&entity, Type::TEXT)]).await?;
        let source = source.as_ref().map(of_source).transpose()?;
        let noted = self.noted().await?.into_iter().filter(|(name, _)| name == entity);
        Ok(Before { source, noted: noted.map(|(_, noted)| noted).collect() })
    }

    /// What is left as it was settled, of all entities, each with its entity's name.
    pub async fn noted(&self) -> Result<Vec<(String, Noted)>> {
        if !self.prepared {
            return Ok(Vec::new());
        }
        self.work.query(HELD, &[]).await?.iter().map(|row| Ok((row.get("entity")?, noted(row)?))).collect()
    }

    /// The last failures, the newest first.
    pub async fn failures(&self) -> Result<Vec<Failure>> {
        if !self.prepared {
            return Ok(Vec::new());
        }
        let rows = self.work.query(FAILURES, &[]).await?;
        let failures = rows.iter().map(|row| {
            Ok(Failure {
                at: row.get("at")?,
                command: row.get("command")?,
                entity: row.get("entity")?,
                exit_code: row.get("exit_code")?,
                message: row.get("message")?,
            })
        });
        failures.collect()
    }
}

impl Locked<'_> {
    /// Notes which production the entity is settled from.
    pub async fn note_source(&self, entity: &str, source: &Source) -> Result<()> {
        let position = PgLsn::from(source.position);
        let parameters: [Parameter<'_>; 5] = [
            (&entity, Type::TEXT),
            (&source.identity.system_identifier, Type::TEXT),
            (&source.identity.database_oid, Type::OID),
            (&position, Type::PG_LSN),
            (&source.as_of, Type::TEXT),
        ];
        self.work.execute(NOTE_SOURCE, &parameters).await?;
        Ok(())
    }
}

fn of_source(row: &Row) -> Result<Source> {
    let position = row.get::<PgLsn>("position")?.into();
    Ok(Source { identity: Identity::of(row)?, position, at_least: position, as_of: row.get("production_as_of")? })
}

fn noted(row: &Row) -> Result<Noted> {
    let (level, kind): (&str, &str) = (row.get("level")?, row.get("kind")?);
    let level = [Level::Day, Level::Month].into_iter().find(|known| known.word() == level);
    let first = row.get("period")?;
    let unit = level.and_then(|level| Period::new(level, first));
    let (unit, kind) = unit.zip(Kind::of(kind)).context("kalends.held holds a note of an unknown form")?;
    Ok(Noted {
        unit,
        kind,
        reason: row.get("reason")?,
        rows_before: row.get("rows_before")?,
        rows_now: row.get("rows_now")?,
        since: Moment(row.get("since")?),
        digest: row.get("digest")?,
    })
}

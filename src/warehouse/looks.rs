//! As of when the days of an entity were looked at, and production's counters at that time.

use anyhow::Context as _;
use tokio_postgres::types::Type;

use super::lock::hold;
use super::{Reading, Warehouse};
use crate::calendar::{Day, Level, Period};
use crate::db::{AnyDate, Parameter};
use crate::entity::Model;
use crate::error::{self, Result};
use crate::look::{Looked, Noted, Older};
use crate::sql::Statement;
use crate::statement;

const LOOKS: Statement = statement!("looked/looks.sql");
const OLDER: Statement = statement!("looked/older.sql");
const MONTHS: Statement = statement!("looked/months.sql");
const REMOVE: Statement = statement!("looked/remove.sql");
const NOTE: Statement = statement!("looked/note.sql");
const COUNT: Statement = statement!("looked/count.sql");

/// What is known of earlier looks at an entity.
#[derive(Debug, Default)]
pub struct Looks {
    /// As of when its days were looked at.
    pub looked: Looked,
    /// The moment that the recent days are proven as of, in microseconds since 1970 UTC; `None` if nothing was proven
    /// yet.
    pub proven_us: Option<i64>,
    /// The first day that had not ended then.
    pub open_from: Option<Day>,
    /// Whether nothing of it was ever settled.
    pub is_unsettled: bool,
    /// Whether nothing was settled since then.
    pub whole: bool,
    /// Production's counters.
    pub counted: Option<Noted>,
}

impl Reading<'_> {
    /// What is known of earlier looks at an entity that has tables here.
    pub async fn looks(&self, model: &Model) -> Result<Looks> {
        let zone = model.zone();
        let parameters: [Parameter<'_>; 2] = [(&model.name(), Type::TEXT), (&zone, Type::TEXT)];
        let Some(row) = self.work.query_one(LOOKS, &parameters).await? else { return Ok(Looks::default()) };
        let noted: Option<&str> = row.get("noted")?;
        Ok(Looks {
            looked: Looked { recent_from: row.get("recent_from")?, older: self.older(model).await? },
            proven_us: row.get("proven_us")?,
            open_from: row.get("open_from")?,
            is_unsettled: row.get("is_unsettled")?,
            whole: row.get("whole")?,
            // A note of another version is none.
            counted: noted.and_then(|noted| serde_json::from_str(noted).ok()),
        })
    }

    /// The older days of an entity, with the moments that they were looked at as of.
    pub async fn older(&self, model: &Model) -> Result<Vec<Older>> {
        let rows = self.work.query(OLDER, &[(&model.name(), Type::TEXT)]).await?;
        let older = rows.iter().map(|row| {
            let from = row.get::<AnyDate>("from_day")?.day();
            Ok(Older { from, until: row.get("until_day")?, as_of_us: row.get("as_of_us")? })
        });
        older.collect()
    }

    /// How many rows each month before a day has.
    pub async fn rows_of_months(&self, model: &Model, before: Day) -> Result<Vec<(Period, i64)>> {
        let rows = self.work.query(MONTHS.of(&model.shape()?)?, &[(&before, Type::DATE)]).await?;
        let months = rows.iter().map(|row| {
            let month = Period::new(Level::Month, row.get("month")?).context("an account of a month begins in it")?;
            Ok((month, row.get("rows")?))
        });
        months.collect()
    }
}

impl Warehouse {
    /// Notes as of when days were looked at, and production's counters. Nothing is noted if another run is at work or
    /// has settled something since `generation`, because the comparison may be outdated. Returns whether it was noted.
    pub async fn note_looks(
        &mut self,
        entity: &str,
        generation: i64,
        looked: Option<&Looked>,
        counted: Option<&Noted>,
    ) -> Result<bool> {
        let held = hold(&mut self.session).await;
        if held.as_ref().is_err_and(error::waits_for_a_run) {
            return Ok(false);
        }
        let work = held?;
        if let Some(looked) = looked {
            let parameters: [Parameter<'_>; 3] =
                [(&entity, Type::TEXT), (&generation, Type::INT8), (&looked.recent_from, Type::DATE)];
            if work.query(REMOVE, &parameters).await?.is_empty() {
                return Ok(false);
            }
            let from: Vec<Option<Day>> = looked.older.iter().map(|older| older.from).collect();
            let until: Vec<Day> = looked.older.iter().map(|older| older.until).collect();
            let as_of: Vec<i64> = looked.older.iter().map(|older| older.as_of_us).collect();
            let parameters: [Parameter<'_>; 4] = [
                (&entity, Type::TEXT),
                (&from, Type::DATE_ARRAY),
                (&until, Type::DATE_ARRAY),
                (&as_of, Type::INT8_ARRAY),
            ];
            work.execute(NOTE, &parameters).await?;
        }
        if let Some(counted) = counted {
            let noted = serde_json::to_string(counted)?;
            work.execute(COUNT, &[(&entity, Type::TEXT), (&noted, Type::TEXT)]).await?;
        }
        work.commit().await?;
        Ok(true)
    }
}

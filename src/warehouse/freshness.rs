//! As of when each entity is proven equal to production.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::lock::hold;
use super::{Locked, Reading, Warehouse};
use crate::calendar::Day;
use crate::db::{Parameter, Row};
use crate::error::{self, Result};
use crate::sql::Statement;
use crate::statement;

const NOTE_SETTLED: Statement = statement!("warehouse/note_settled.sql");
const CONFIRM: Statement = statement!("warehouse/confirm.sql");
const MAKE_WHOLE: Statement = statement!("warehouse/make_whole.sql");
const FRESHNESS: Statement = statement!("warehouse/freshness.sql");
const COMPLETE_THROUGH: Statement = statement!("warehouse/complete_through.sql");

/// As of when an entity is proven equal to production.
#[derive(Debug, Clone)]
pub struct Freshness {
    /// The moment of production's data that the entity was last proven equal to: as a whole, or its recent days.
    pub proof: Option<Proof>,
    /// The recent days, if not all days were proven together.
    pub recent: Option<Recent>,
    /// Whether nothing was settled since then. False between the months of a run, after an interrupted run, and if
    /// something was settled while a part was held.
    pub whole: bool,
    /// The moment of production's data that was settled last, UTC; `None` if nothing was settled yet.
    pub settled_as_of: Option<String>,
    /// Counts the months that were settled, each time.
    pub settlement: i64,
}

/// Which days a proof is of, if not of all.
#[derive(Debug, Clone)]
pub struct Recent {
    /// The first of them.
    pub from: Day,
    /// The moment that all older days were looked at as of, or later, and found or made equal; `None` if that is not
    /// noted.
    pub older: Option<Proof>,
}

/// A proof that an entity was equal to production.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The moment of production's data, UTC.
    pub as_of: String,
    /// The same in seconds since 1970 UTC.
    pub as_of_seconds: f64,
    /// How long ago that was, in seconds, by the warehouse's clock.
    pub age_seconds: f64,
}

impl Locked<'_> {
    /// Notes that a part of an entity is settled as of a moment of production's data, in microseconds since 1970 UTC,
    /// how many months it has, and whether the entity as a whole is now equal to production.
    pub async fn note_settled(&self, entity: &str, as_of_us: i64, (months, whole): (usize, bool)) -> Result<()> {
        let months = i64::try_from(months)?;
        let parameters: [Parameter<'_>; 4] =
            [(&entity, Type::TEXT), (&as_of_us, Type::INT8), (&whole, Type::BOOL), (&months, Type::INT8)];
        self.work.execute(NOTE_SETTLED, &parameters).await?;
        Ok(())
    }
}

impl Warehouse {
    /// Notes that a run found an entity equal to production and had nothing to settle. If the entity was proven
    /// already, at an earlier moment, no tuple changes. Nothing is noted if another run is at work or has settled
    /// something since `generation`, because the comparison may be outdated. Returns the generation after that.
    pub async fn confirm(&mut self, entity: &str, generation: i64, as_of_us: i64) -> Result<i64> {
        let work = match hold(&mut self.session).await {
            Err(error) if error::waits_for_a_run(&error) => return Ok(generation),
            held => held?,
        };
        let parameters: [Parameter<'_>; 3] =
            [(&entity, Type::TEXT), (&generation, Type::INT8), (&as_of_us, Type::INT8)];
        let mut taken = 0;
        if work.query(CONFIRM, &parameters).await?.is_empty() {
            taken = work.execute(MAKE_WHOLE, &parameters).await?;
        }
        work.commit().await?;
        Ok(generation + taken.cast_signed())
    }
}

impl Reading<'_> {
    /// As of when each entity is proven equal to production, by name.
    pub async fn freshness(&self) -> Result<BTreeMap<String, Freshness>> {
        if !self.prepared {
            return Ok(BTreeMap::new());
        }
        let rows = self.work.query(FRESHNESS, &[]).await?;
        rows.iter().map(of_entity).collect()
    }

    /// The final day of each entity that is closed: it had ended, in the entity's time zone, when the entity was
    /// proven. None if nothing was proven yet.
    pub async fn complete_through(&self) -> Result<BTreeMap<String, Day>> {
        let entities = self.entities().await?;
        if entities.is_empty() {
            return Ok(BTreeMap::new());
        }
        let names: Vec<&str> = entities.iter().map(|model| model.name()).collect();
        let zones: Vec<&str> = entities.iter().map(|model| model.zone()).collect();
        let parameters = [(&names as _, Type::TEXT_ARRAY), (&zones as _, Type::TEXT_ARRAY)];
        let rows = self.work.query(COMPLETE_THROUGH, &parameters).await?;
        rows.iter().map(|row| Ok((row.get("entity")?, row.get("complete_through")?))).collect()
    }
}

fn of_entity(row: &Row) -> Result<(String, Freshness)> {
    let proof = of_columns(row, ["proven_as_of", "proven_seconds", "age_seconds"])?;
    let older = of_columns(row, ["older_as_of", "older_seconds", "older_age_seconds"])?;
    let recent = row.get::<Option<Day>>("recent_from")?.map(|from| Recent { from, older });
    let (whole, settled_as_of) = (row.get("whole")?, row.get("settled_as_of")?);
    Ok((row.get("entity")?, Freshness { proof, recent, whole, settled_as_of, settlement: row.get("settlement")? }))
}

fn of_columns(row: &Row, [as_of, seconds, age]: [&str; 3]) -> Result<Option<Proof>> {
    let Some(as_of) = row.get(as_of)? else { return Ok(None) };
    Ok(Some(Proof { as_of, as_of_seconds: row.get(seconds)?, age_seconds: row.get(age)? }))
}

impl Freshness {
    /// The moment that all days were looked at as of, or later.
    pub fn oldest(&self) -> Option<&Proof> {
        let proof = self.proof.as_ref()?;
        let Some(recent) = &self.recent else { return Some(proof) };
        let older = recent.older.as_ref()?;
        Some(if older.as_of_seconds < proof.as_of_seconds { older } else { proof })
    }
}

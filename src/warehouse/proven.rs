//! How fresh the warehouse is: the snapshot of production that it was proven equal to last.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::{Reading, Warehouse};
use crate::calendar::Day;
use crate::db::{Access, Statement};
use crate::error::Result;
use crate::statement;

const NOTE_PROVEN: Statement = statement!("warehouse/note_proven.sql");
const FRESHNESS: Statement = statement!("warehouse/freshness.sql");
const COMPLETE_THROUGH: Statement = statement!("warehouse/complete_through.sql");

/// When the warehouse was proven equal to production, all entities of the settings.
#[derive(Debug, Clone)]
pub struct Freshness {
    /// The moment of production's snapshot, the earliest of the entities', UTC.
    pub proven_as_of: String,
    /// The same in seconds since 1970 UTC.
    pub proven_seconds: f64,
    /// How long ago that was, in seconds, by the warehouse's clock.
    pub age_seconds: f64,
}

impl Warehouse {
    /// Notes that all entities were proven equal to production: the moment of the earliest snapshot, in microseconds since
    /// 1970 UTC. No tuple changes, so that a run with nothing to do writes none.
    pub async fn note_proven(&mut self, as_of_us: i64) -> Result<()> {
        let work = self.session.begin(Access::Write, &[]).await?;
        work.query(NOTE_PROVEN, &[(&as_of_us, Type::INT8)]).await?;
        work.commit().await
    }
}

impl Reading<'_> {
    /// How fresh the warehouse is; `None` where nothing was proven yet.
    pub async fn freshness(&self) -> Result<Option<Freshness>> {
        if !self.prepared {
            return Ok(None);
        }
        let row = self.work.query_one(FRESHNESS, &[]).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Freshness {
            proven_as_of: row.get("proven_as_of")?,
            proven_seconds: row.get("proven_seconds")?,
            age_seconds: row.get("age_seconds")?,
        }))
    }

    /// The final day of each entity that is closed: it had ended, in the entity's time zone, when it was proven. None where
    /// nothing was proven yet.
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

//! All that a run does with a table of production, but for reading its rows: whether it could.

use anyhow::Context as _;
use tokio_postgres::types::Type;

use super::{DAYS, Production, explain};
use crate::db::{Facts, Parameter, knows_zone};
use crate::entity::{Entity, Model};
use crate::error::{Refusal, Result};
use crate::sql::{Sql, Statement};
use crate::statement;

const REHEARSE: Statement = statement!("production/rehearse.sql");
const EFFORT: Statement = statement!("production/effort.sql");

/// What reading a table takes.
#[derive(Debug)]
pub struct Effort {
    /// Size of the table, its partitions and what it stores aside; without indexes.
    pub bytes: u64,
    /// Whether an index begins with the time column.
    pub indexed: bool,
    /// How far rows lie in the order of time, from 0 to 1; `None` where nobody knows.
    pub order_of_time: Option<f32>,
}

impl Production {
    /// What the server says of itself.
    ///
    /// # Errors
    /// As [`crate::db::Session::facts`].
    pub async fn facts(&mut self) -> Result<Facts> {
        self.session.facts().await
    }

    /// Takes a snapshot, the table held in place, and plans the survey, so that all rights are checked that a run
    /// needs. No row is read. Says what reading them would take.
    ///
    /// # Errors
    /// Those that a run ends with: as [`Production::identity`], [`Production::snapshot`] and `Snapshot::survey`.
    pub async fn rehearse(&mut self, entity: &Entity, model: &Model) -> Result<Effort> {
        let snapshot = self.snapshot(entity).await?;
        let survey = DAYS.of(&model.shape()?.with(&entity.table_names()))?;
        let planned = Sql::joined(&[REHEARSE.into(), survey]);
        let planning = snapshot.work.query(planned, &[]).await;
        planning.map_err(|error| explain(entity, error, "could not plan the survey of production"))?;
        if let Some(zone) = &entity.time_zone
            && !knows_zone(&snapshot.work, zone).await?
        {
            return Err(Refusal::refused(
                format!("production knows no time zone \"{zone}\""),
                "Use a name of the IANA database, such as \"Europe/Paris\".",
            ));
        }
        let (schema, table, time) = (entity.schema.name(), entity.table.name(), entity.time.name());
        let parameters: [Parameter<'_>; 3] = [(&schema, Type::TEXT), (&table, Type::TEXT), (&time, Type::TEXT)];
        let row = snapshot.work.query_one(EFFORT, &parameters).await?;
        let row = row.with_context(|| format!("production did not say how large {entity} is"))?;
        Ok(Effort {
            bytes: u64::try_from(row.get::<i64>("bytes")?).unwrap_or_default(),
            indexed: row.get("indexed")?,
            order_of_time: row.get("order_of_time")?,
        })
    }
}

//! Checks whether a run could start: does all that a run does with a table of production, except reading its rows.

use anyhow::Context as _;
use tokio_postgres::types::Type;

use super::survey::DAYS;
use super::{Production, explain};
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
    /// Size of the table with its partitions and TOAST tables, without indexes.
    pub bytes: u64,
    /// Whether an index begins with the time column.
    pub indexed: bool,
    /// How closely the rows lie in the order of time, from 0 to 1; `None` if unknown.
    pub order_of_time: Option<f32>,
}

impl Production {
    /// What the server says about itself.
    ///
    /// # Errors
    /// As [`crate::db::Session::facts`].
    pub async fn facts(&mut self) -> Result<Facts> {
        self.session.facts().await
    }

    /// Takes a snapshot, with the table locked, and plans the survey, which checks all rights that a run needs. Reads
    /// no row. Returns what reading them would take.
    ///
    /// # Errors
    /// Those of a run: as [`Production::identity`], [`Production::snapshot`] and `Snapshot::survey`.
    pub async fn rehearse(&mut self, entity: &Entity, model: &Model) -> Result<Effort> {
        let snapshot = self.snapshot(entity).await?;
        let survey = DAYS.of(&model.shape()?.with(&[&entity.table_names()[..], &[("with_ctids", &true)]].concat()))?;
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

//! The tables of an entity's months.

use tokio_postgres::types::Type;

use super::Locked;
use crate::calendar::Period;
use crate::db::Parameter;
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::sql::Statement;
use crate::statement;

const PARTITION: Statement = statement!("warehouse/partition.sql");

/// The table of a month's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// There is none yet.
    Missing,
    /// It is attached to the entity's table.
    Attached,
}

impl Locked<'_> {
    /// Whether a month's rows have a table.
    ///
    /// # Errors
    /// Refuses if something else has its name.
    pub async fn partition(&self, model: &Model, month: Period) -> Result<Partition> {
        let table = model.partition(month)?;
        let parameters: [Parameter<'_>; 2] = [(&table.name(), Type::TEXT), (&model.rows().name(), Type::TEXT)];
        match self.work.query_one(PARTITION, &parameters).await? {
            None => Ok(Partition::Missing),
            Some(row) if row.get("attached")? => Ok(Partition::Attached),
            Some(_) => Err(Refusal::refused(
                format!(
                    "table \"kalends_raw.{}\" of the warehouse is in the way of month {month} of entity \"{}\"",
                    table.name(),
                    model.name()
                ),
                "Rename it, or the entity that it belongs to; nothing of the month was changed.",
            )),
        }
    }
}

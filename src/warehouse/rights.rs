//! Which right the role lacks in the warehouse.

use tokio_postgres::types::Type;

use super::Warehouse;
use super::schemas::NAMES;
use crate::db::Access;
use crate::error::{Refusal, Result};
use crate::sql::Statement;
use crate::statement;

const LACKING: Statement = statement!("warehouse/lacking.sql");

impl Warehouse {
    /// The first right that is missing on the schemas or on what they hold, as a refusal; `None` if none is missing.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub async fn lacking(&mut self) -> Result<Option<anyhow::Error>> {
        let work = self.session.begin(Access::ReadSnapshot, &[]).await?;
        let found = work.query_one(LACKING, &[(&NAMES.as_slice(), Type::TEXT_ARRAY)]).await?;
        let Some(row) = found else { return Ok(None) };
        let (role, object, remedy): (&str, &str, &str) = (row.get("role")?, row.get("object")?, row.get("remedy")?);
        if let Some(owner) = row.get::<Option<&str>>("owner")? {
            return Ok(Some(Refusal::refused(
                format!("the schemas of the warehouse belong to role \"{owner}\", and this is role {role}"),
                format!("Use \"{owner}\" in KALENDS_WAREHOUSE_URL."),
            )));
        }
        Ok(Some(Refusal::refused(
            format!("role {role} lacks a right in the warehouse that a run needs on {object}"),
            format!("Run `{remedy}`, then run again."),
        )))
    }
}

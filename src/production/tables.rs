//! What production is asked before any entity is set: which tables there are.

use anyhow::Context as _;

use super::Production;
use super::suggestion::TABLES;
use crate::db::{Access, Seen};
use crate::entity::{Entity, SourceTable};
use crate::error::Result;
use crate::sql::Statement;
use crate::statement;

const TIME_ZONE: Statement = statement!("production/time_zone.sql");

/// What production holds, as far as the role may see it.
#[derive(Debug)]
pub struct Holdings {
    /// Tables and what looks like them, by schema and name.
    pub tables: Vec<SourceTable>,
    /// The default time zone of its sessions.
    pub time_zone: String,
}

impl Production {
    /// Whether it is a warehouse, and whether it has an entity's table.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub async fn seen(&mut self, entity: &Entity) -> Result<Seen> {
        self.session.seen(&entity.schema, &entity.table).await
    }

    /// Its tables with their columns, and its time zone. Reads only the catalogue.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub async fn holdings(&mut self) -> Result<Holdings> {
        let work = self.session.begin(Access::ReadSnapshot, &[]).await?;
        let zone = work.query_one(TIME_ZONE, &[]).await?;
        let mut tables = Vec::new();
        for row in work.query(TABLES, &[]).await? {
            tables.push(SourceTable {
                schema: row.get("schema")?,
                name: row.get("name")?,
                kind: row.get("kind")?,
                // NULL if somebody has just dropped the table.
                readable: row.get::<Option<bool>>("readable")?.unwrap_or_default(),
                hides_rows: row.get::<Option<bool>>("hides_rows")?.unwrap_or_default(),
                extension: row.get("extension")?,
                parent: row.get("parent")?,
                columns: serde_json::from_str(row.get("columns")?)
                    .context("production described columns in an unknown form")?,
            });
        }
        Ok(Holdings { tables, time_zone: zone.map_or(Ok(String::new()), |row| row.get("time_zone"))? })
    }
}

//! Forgetting an entity: what would be gone, and taking it out of the warehouse.

use anyhow::Context as _;
use serde::Serialize;

use tokio_postgres::types::Type;

use super::{Reading, Warehouse, confirmed, hold, remove};
use crate::db::Statement;
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::statement;

const FORGET: Statement = statement!("warehouse/forget.sql");
const FORGET_ENTITY: Statement = statement!("warehouse/forget_entity.sql");
const REMOVE_CONFIRMED: Statement = statement!("warehouse/remove_confirmed.sql");
const FORGETTABLE: Statement = statement!("warehouse/forgettable.sql");

/// What the warehouse holds of an entity.
#[derive(Debug, Serialize)]
pub struct Forgettable {
    /// Rows, as in production, that its accounts count.
    pub rows: i64,
    /// Days that have rows.
    pub days: i64,
    /// Accounts of all levels, days among them.
    pub accounts: i64,
    /// Restatements: its history.
    pub restatements: i64,
    /// Files that were published of it.
    pub files: i64,
}

impl Warehouse {
    /// What would be gone once an entity was forgotten.
    ///
    /// # Errors
    /// Refuses (usage) a name that was never settled.
    pub async fn forgettable(&mut self, name: &str) -> Result<Forgettable> {
        let reading = self.read().await?;
        let model = reading.entity(name).await?;
        reading.forgettable(&model).await
    }
}

impl Reading<'_> {
    /// An entity that has tables here.
    ///
    /// # Errors
    /// Refuses (usage) a name that was never settled.
    pub(super) async fn entity(&self, name: &str) -> Result<Model> {
        let known = self.entities().await?;
        let names: Vec<String> = known.iter().map(|known| format!("\"{}\"", known.name())).collect();
        let names = if names.is_empty() { "none".to_string() } else { names.join(", ") };
        known.into_iter().find(|known| known.name() == name).ok_or_else(|| {
            Refusal::usage(format!("the warehouse has no entity \"{name}\""), format!("It has: {names}."))
        })
    }

    async fn forgettable(&self, model: &Model) -> Result<Forgettable> {
        let row = self.work.query_one(FORGETTABLE.of(&model.shape()?)?, &[]).await?;
        let row = row.context("the warehouse did not say what it holds")?;
        Ok(Forgettable {
            rows: row.get("rows")?,
            days: row.get("days")?,
            accounts: row.get("accounts")?,
            restatements: row.get("restatements")?,
            files: row.get("files")?,
        })
    }
}

impl Warehouse {
    /// Takes an entity's tables, views and history out of the warehouse.
    ///
    /// # Errors
    /// Refuses (usage) a name that was never settled, and a warehouse that cannot be written to; busy while another run
    /// holds it.
    pub async fn forget(&mut self, name: &str) -> Result<()> {
        let reading = self.read().await?;
        reading.check_lasting().await?;
        let model = reading.entity(name).await?;
        drop(reading);
        let work = hold(&mut self.session).await?;
        remove(&work, &model, true).await?;
        if let Some(row) = work.query_one(FORGET_ENTITY, &[(&name, Type::TEXT)]).await? {
            work.batch(&REMOVE_CONFIRMED.with(&[("sequence", &confirmed(row.get("number")?)?)])).await?;
        }
        work.batch(&FORGET.of(&model.shape()?)?).await?;
        work.commit().await
    }
}

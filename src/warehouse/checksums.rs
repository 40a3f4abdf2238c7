//! The definition that an entity's accounts have, and accounts whose checksums have an earlier form.

use anyhow::Context as _;
use tokio_postgres::types::Type;

use super::{Locked, Reading, stored};
use crate::accounts::Accounts;
use crate::db::Work;
use crate::entity::Model;
use crate::error::Result;
use crate::look::Sight;
use crate::sql::Statement;
use crate::statement;

const NOTE_ENTITY: Statement = statement!("warehouse/note_entity.sql");

/// Records the definition of an entity's accounts. Returns the entity's number.
pub(super) async fn note_entity(work: &Work<'_>, model: &Model) -> Result<i32> {
    let definition = serde_json::to_string(model)?;
    let row = work.query_one(NOTE_ENTITY, &[(&model.name(), Type::TEXT), (&definition, Type::TEXT)]).await?;
    row.context("the warehouse gave the entity no number")?.get("number")
}

impl Reading<'_> {
    /// The accounts of these days of an entity that was settled as `known`, to be compared with accounts of `model`:
    /// without their checksums if these have another form.
    pub async fn accounts_for(&self, known: &Model, model: &Model, sight: &Sight) -> Result<Accounts> {
        let mut accounts = Accounts::new();
        for &stretch in sight.stretches() {
            accounts.extend(stored(&self.work, known, stretch).await?);
        }
        if known.hashes_as(model) {
            return Ok(accounts);
        }
        Ok(accounts.into_iter().map(|(day, account)| (day, account.without_hashes())).collect())
    }
}

impl Locked<'_> {
    /// Notes that all accounts of the entity's days have checksums in the form of this model.
    pub async fn note_checksums(&self, model: &Model) -> Result<()> {
        note_entity(&self.work, model).await?;
        Ok(())
    }
}

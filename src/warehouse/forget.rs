//! Forgetting an entity: what would be lost, and removing it from the warehouse.
//!
//! One transaction removes the entity and renames its table of rows. Other transactions drop the months of this table,
//! as many at a time as the server has locks for. If they are interrupted, the next command that writes continues.

use anyhow::Context as _;
use serde::Serialize;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::lock::{hold, hold_next};
use super::{Reading, Warehouse, confirmed, lock_replacing};
use crate::db::{Work, sql_state};
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::sql::{Filling, Ident, Sql, Statement};
use crate::statement;

const FORGET: Statement = statement!("warehouse/forget.sql");
const FORGET_ENTITY: Statement = statement!("warehouse/forget_entity.sql");
const REMOVE_ACCOUNTS: Statement = statement!("warehouse/remove_accounts.sql");
const PUT_ROWS_ASIDE: Statement = statement!("warehouse/put_rows_aside.sql");
const DEPENDENTS: Statement = statement!("warehouse/dependents.sql");
const NOTE_FORGOTTEN: Statement = statement!("warehouse/note_forgotten.sql");
const FORGOTTEN: Statement = statement!("warehouse/forgotten.sql");
const MONTHS_ASIDE: Statement = statement!("warehouse/months_aside.sql");
const DROP_MONTH: Statement = statement!("warehouse/drop_month.sql");
const DROP_ROWS_ASIDE: Statement = statement!("warehouse/drop_rows_aside.sql");
const REMOVE_FORGOTTEN: Statement = statement!("warehouse/remove_forgotten.sql");
const REMOVE_CONFIRMED: Statement = statement!("warehouse/remove_confirmed.sql");
const FORGETTABLE: Statement = statement!("warehouse/forgettable.sql");

/// What the warehouse holds of an entity.
#[derive(Debug, Default, Serialize)]
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
    /// What would be lost if an entity were forgotten.
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
    pub async fn entity(&self, name: &str) -> Result<Model> {
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

/// An entity that was forgotten and whose rows have not all been dropped yet.
#[derive(Debug)]
pub(super) struct Forgotten {
    number: i32,
    name: String,
}

impl Reading<'_> {
    /// Those whose rows are still to be dropped.
    pub(super) async fn forgotten(&self) -> Result<Vec<Forgotten>> {
        if !self.is_current().await? {
            return Ok(Vec::new());
        }
        let rows = self.work.query(FORGOTTEN, &[]).await?;
        rows.iter().map(|row| Ok(Forgotten { number: row.get("number")?, name: row.get("entity")? })).collect()
    }
}

impl Warehouse {
    /// Whether some rows of a forgotten entity are still there, because forgetting it was interrupted.
    pub async fn is_half_forgotten(&mut self, name: &str) -> Result<bool> {
        let reading = self.read().await?;
        Ok(reading.settled_as(name).await?.is_none()
            && reading.forgotten().await?.iter().any(|forgotten| forgotten.name == name))
    }

    /// Removes an entity's tables, views and history from the warehouse, or continues where that was interrupted.
    ///
    /// # Errors
    /// Refuses (usage) a name that was never settled, and a warehouse that cannot be written to; busy while another run
    /// has locked it.
    pub async fn forget(&mut self, name: &str) -> Result<()> {
        let reading = self.read().await?;
        reading.check_lasting().await?;
        if reading.forgotten().await?.iter().any(|forgotten| forgotten.name == name) {
            drop(reading);
            self.drop_forgotten().await?;
            return Ok(());
        }
        let model = reading.entity(name).await?;
        let is_current = reading.is_current().await?;
        drop(reading);
        if !is_current {
            self.migrate().await?;
        }
        self.drop_forgotten().await?;
        let work = hold(&mut self.session).await?;
        put_aside(&work, &model).await?;
        work.commit().await?;
        self.drop_forgotten().await
    }

    /// Drops the rows of all entities that were forgotten, in transactions of some months each.
    ///
    /// # Errors
    /// Busy while somebody reads them, or another run has locked the warehouse; what was dropped by then stays dropped.
    pub(super) async fn drop_forgotten(&mut self) -> Result<()> {
        loop {
            let forgotten = self.read().await?.forgotten().await?;
            let Some(forgotten) = forgotten.first() else { return Ok(()) };
            self.drop_some(forgotten).await.map_err(|error| match sql_state(&error) {
                Some(&SqlState::LOCK_NOT_AVAILABLE) => Refusal::held(
                    format!(
                        "rows of entity \"{}\", which was forgotten, are in use and cannot be dropped",
                        forgotten.name
                    ),
                    "Try again when that has ended, or wait for it with --wait 60s; the next run goes on with it.",
                ),
                Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => Refusal::refused(
                    format!("other objects depend on rows of entity \"{}\", which was forgotten", forgotten.name),
                    "Drop them, such as views that select from kalends_raw; the next run goes on with it.",
                ),
                _ => error,
            })?;
        }
    }

    /// Drops some months of a forgotten entity, or the rest if there are no months any more.
    async fn drop_some(&mut self, forgotten: &Forgotten) -> Result<()> {
        let work = hold_next(&mut self.session).await?;
        let aside = aside(forgotten.number)?;
        let months = work.query(MONTHS_ASIDE, &[(&aside.name(), Type::TEXT)]).await?;
        tracing::info!(entity = forgotten.name, months = months.len(), "dropping rows of a forgotten entity");
        if months.is_empty() {
            work.batch(&DROP_ROWS_ASIDE.with(&[("aside", &aside)])?).await?;
            work.execute(REMOVE_FORGOTTEN, &[(&forgotten.number, Type::INT4)]).await?;
            return work.commit().await;
        }
        let drops = months.iter().map(|month| {
            let (schema, table) = (Ident::new(month.get::<&str>("schema")?)?, Ident::new(month.get::<&str>("name")?)?);
            let names: [(&str, &dyn Filling); 2] = [("schema", &schema), ("table", &table)];
            DROP_MONTH.with(&names)
        });
        work.batch(&Sql::joined(&drops.collect::<Result<Vec<_>>>()?)).await?;
        work.commit().await
    }
}

/// Drops all of an entity but its rows, renames the table of these, and notes that it is to be dropped.
async fn put_aside(work: &Work<'_>, model: &Model) -> Result<()> {
    let name = model.name();
    remove_accounts(work, model).await?;
    if let Some(row) = work.query_one(FORGET_ENTITY, &[(&name, Type::TEXT)]).await? {
        let number: i32 = row.get("number")?;
        let aside = aside(number)?;
        work.batch(&REMOVE_CONFIRMED.with(&[("sequence", &confirmed(number)?)])?).await?;
        work.batch(&PUT_ROWS_ASIDE.of(&model.shape()?.with(&[("aside", &aside)]))?).await?;
        if work.query_one(DEPENDENTS, &[(&aside.name(), Type::TEXT)]).await?.is_some() {
            return Err(has_dependents(name));
        }
        work.execute(NOTE_FORGOTTEN, &[(&number, Type::INT4), (&name, Type::TEXT)]).await?;
    }
    work.batch(&FORGET.of(&model.shape()?)?).await
}

/// Removes an entity's accounts and views.
///
/// # Errors
/// Refuses if other objects depend on them; busy while somebody reads the entities' tables.
pub(super) async fn remove_accounts(work: &Work<'_>, model: &Model) -> Result<()> {
    lock_replacing(work).await?;
    work.batch(&REMOVE_ACCOUNTS.of(&model.shape()?)?).await.map_err(|error| depended_on(error, model.name()))
}

/// Names the objects that prevent an entity's tables from being dropped.
pub(super) fn depended_on(error: anyhow::Error, entity: &str) -> anyhow::Error {
    match sql_state(&error) {
        Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => has_dependents(entity),
        _ => error,
    }
}

fn has_dependents(entity: &str) -> anyhow::Error {
    Refusal::refused(
        format!("other objects of the warehouse depend on tables or views of entity \"{entity}\""),
        "Drop them, such as views that select from kalends_stats, and create them again afterwards; nothing of the \
         entity was changed.",
    )
}

/// What the table of rows of a forgotten entity is called until it is dropped.
fn aside(number: i32) -> Result<Ident> {
    Ident::new(format!("~forgotten_{number}"))
}

//! What an entity needs in the warehouse before it can be settled: the schemas, its tables and its views.

use anyhow::Context as _;

use super::checksums::note_entity;
use super::cluster::{EVERYWHERE, HERE, distribute};
use super::forget::{depended_on, remove_accounts};
use super::lock::hold;
use super::{ENTITIES, Locked, Reading, Rebuild, Warehouse, confirmed, named, preflight};
use crate::db::{Identity, Server, Work};
use crate::entity::{Model, check_encoding};
use crate::error::Result;
use crate::settings::Cluster;
use crate::sql::Statement;
use crate::statement;

const ENCODING: Statement = statement!("warehouse/encoding.sql");
const ENTITY: Statement = statement!("warehouse/entity.sql");
const ENTITY_VIEWS: Statement = statement!("warehouse/entity_views.sql");
const ENTITY_TRENDS: Statement = statement!("warehouse/entity_trends.sql");
const ENTITY_ROWS: Statement = statement!("warehouse/entity_rows.sql");
const REMOVE_ROWS: Statement = statement!("warehouse/remove_rows.sql");
const CREATE_CONFIRMED: Statement = statement!("warehouse/create_confirmed.sql");

/// What has to be created before an entity can be settled.
enum Lacking {
    /// The schemas, or a migration of them.
    Schemas,
    /// Tables of entities that were forgotten are still to be dropped.
    Drops,
    /// The entity's tables.
    Tables,
    /// What its columns declare is to be noted again.
    Declared,
}

impl Warehouse {
    /// Brings the schemas and an entity's tables up to date. Writes nothing if they are.
    ///
    /// # Errors
    /// Refuses a warehouse that is production, that cannot be written to or does not keep what is written, and schemas
    /// that a newer Kalends made or that are not ours to fill.
    pub async fn make_ready(&mut self, production: &Identity, model: &Model) -> Result<()> {
        loop {
            let lacking = self.read().await?.lacking_for(production, model).await?;
            match lacking {
                None => return Ok(()),
                Some(Lacking::Schemas) => self.migrate().await?,
                Some(Lacking::Drops) => self.drop_forgotten().await?,
                Some(Lacking::Tables) => self.make(model).await?,
                Some(Lacking::Declared) => self.note_declared(model).await?,
            }
        }
    }

    /// Notes what an entity's columns declare by now.
    async fn note_declared(&mut self, model: &Model) -> Result<()> {
        let work = hold(&mut self.session).await?;
        let known = work.query(ENTITIES, &[]).await?.iter().map(named).collect::<Result<Vec<_>>>()?;
        // Whoever was faster may have noted it, or another definition.
        let known = known.iter().find(|known| known.name() == model.name());
        let Some(declared) = known.and_then(|known| known.declared_as(model)) else { return Ok(()) };
        note_entity(&work, &declared).await?;
        work.commit().await
    }

    /// The entity's tables and views.
    async fn make(&mut self, model: &Model) -> Result<()> {
        let cluster = self.cluster;
        let work = hold(&mut self.session).await?;
        tracing::info!(entity = model.name(), "making the entity's tables");
        // Whoever was faster has made them.
        let known = work.query(ENTITIES, &[]).await?;
        if known.iter().any(|row| named(row).is_ok_and(|known| known.name() == model.name())) {
            return Ok(());
        }
        preflight::check_new(&work, model).await?;
        preflight::check_apart(&work, model).await?;
        make_rows(&work, cluster, model).await?;
        let number = make_accounts(&work, model).await?;
        work.batch(&CREATE_CONFIRMED.with(&[("sequence", &confirmed(number)?)])?).await?;
        work.commit().await
    }
}

impl Reading<'_> {
    /// The first thing that is missing of all that an entity needs.
    async fn lacking_for(&self, production: &Identity, model: &Model) -> Result<Option<Lacking>> {
        self.check_is_not(production)?;
        self.check_lasting().await?;
        self.check_cluster(model).await?;
        if !self.is_current().await? {
            return Ok(Some(Lacking::Schemas));
        }
        if !self.forgotten().await?.is_empty() {
            return Ok(Some(Lacking::Drops));
        }
        let Some(known) = self.settled_as(model.name()).await? else { return Ok(Some(Lacking::Tables)) };
        Ok(known.declared_as(model).map(|_| Lacking::Declared))
    }
}

impl Locked<'_> {
    /// Creates an entity's tables again, for the settings of today.
    ///
    /// # Errors
    /// Refuses if objects that are not ours depend on them.
    pub async fn rebuild(&self, rebuild: &Rebuild, model: &Model) -> Result<()> {
        tracing::info!(entity = model.name(), "making the entity's tables anew");
        remove_accounts(&self.work, &rebuild.known).await?;
        if !rebuild.keeps_rows {
            let removed = self.work.batch(&REMOVE_ROWS.of(&rebuild.known.shape()?)?).await;
            removed.map_err(|error| depended_on(error, model.name()))?;
            make_rows(&self.work, self.cluster, model).await?;
        }
        make_accounts(&self.work, model).await?;
        Ok(())
    }
}

/// Creates the table of rows, which is empty, on all nodes of a cluster.
async fn make_rows(work: &Work<'_>, cluster: Option<Cluster>, model: &Model) -> Result<()> {
    work.batch(&ENTITY_ROWS.of(&model.shape()?)?).await?;
    distribute(work, cluster, model, model.rows(), "default").await
}

/// Creates accounts and views, and records the definition that they were created for. Returns the entity's number.
async fn make_accounts(work: &Work<'_>, model: &Model) -> Result<i32> {
    if !model.entity.dimensions.is_empty() {
        let row = work.query_one(ENCODING, &[]).await?.context("the warehouse did not say its encoding")?;
        check_encoding(Server::Warehouse, row.get("encoding")?)?;
    }
    work.batch(&HERE.into()).await?;
    work.batch(&ENTITY.of(&model.shape()?)?).await?;
    make_views(work, model).await?;
    work.batch(&EVERYWHERE.into()).await?;
    note_entity(work, model).await
}

/// Creates an entity's views, or gives them their present form.
pub(super) async fn make_views(work: &Work<'_>, model: &Model) -> Result<()> {
    work.batch(&ENTITY_VIEWS.of(&model.shape()?)?).await?;
    work.batch(&ENTITY_TRENDS.of(&model.shape()?)?).await
}

//! A cluster as the warehouse: tables of rows are distributed over the nodes of Citus, by the time of their rows.
//! Accounts and notes are ordinary tables of the coordinator.

use tokio_postgres::types::Type;

use super::{Locked, Reading};
use crate::db::{Parameter, Row, Work};
use crate::entity::{Model, Storage};
use crate::error::{Refusal, Result};
use crate::settings::Cluster;
use crate::sql::{Filling, Ident, Statement};
use crate::statement;

const DISTRIBUTE: Statement = statement!("cluster/distribute.sql");
const DISTRIBUTED: Statement = statement!("cluster/distributed.sql");
/// Before tables and views of the coordinator are created.
pub(super) const HERE: Statement = statement!("cluster/here.sql");
/// After that.
pub(super) const EVERYWHERE: Statement = statement!("cluster/everywhere.sql");
const LOCAL: Statement = statement!("cluster/local.sql");
const NODES: Statement = statement!("cluster/nodes.sql");

/// What the account statement is filled with so that it is aggregated in the shards of a cluster.
pub(super) const IN_SHARDS: &[(&str, &dyn Filling)] = &[("in_shards", &true)];

/// A node of the cluster, as the coordinator reaches it.
#[derive(Debug)]
pub struct Node {
    /// Host and port.
    pub name: String,
    /// Whether the coordinator uses it.
    pub active: bool,
    /// Whether it answers the coordinator.
    pub answers: bool,
    /// What it said.
    pub said: String,
}

impl Locked<'_> {
    /// What the account statement is filled with here, besides names.
    pub fn in_shards(&self) -> &'static [(&'static str, &'static dyn Filling)] {
        in_shards(self.cluster)
    }

    /// Distributes the table of a new month, which is empty, like the table of all rows. Does nothing on one server.
    ///
    /// # Errors
    /// If a node fails.
    pub async fn distribute_month(&self, model: &Model, table: &Ident) -> Result<()> {
        distribute(&self.work, self.cluster, model, table, &in_raw(model.rows())).await
    }
}

impl Reading<'_> {
    /// Whether the warehouse is what the settings say, for an entity.
    ///
    /// # Errors
    /// Refuses a database without Citus that the settings call a cluster, and tables of rows that are distributed and
    /// should not be, or the other way round.
    pub async fn check_cluster(&self, model: &Model) -> Result<()> {
        match (self.cluster, self.has_citus) {
            (Some(Cluster::Citus), false) => Err(Refusal::refused(
                "the settings say that the warehouse is a Citus cluster, and its database has no extension citus",
                "Make it the coordinator of a cluster (docs/guides/cluster.md), or remove cluster from [warehouse].",
            )),
            (None, false) => Ok(()),
            (cluster, true) => match (cluster, self.is_distributed(model).await?) {
                (Some(Cluster::Citus), Some(false)) => Err(Refusal::refused(
                    format!(
                        "the rows of entity \"{}\" are not distributed over the nodes of the cluster",
                        model.name()
                    ),
                    "Run `kalends spread`, which says how long that will take.",
                )),
                (None, Some(true)) => Err(Refusal::refused(
                    format!(
                        "the rows of entity \"{}\" are distributed over a Citus cluster, which the settings do not say",
                        model.name()
                    ),
                    "Set cluster = \"citus\" below [warehouse].",
                )),
                _ => Ok(()),
            },
        }
    }

    /// As [`Locked::in_shards`].
    pub fn in_shards(&self) -> &'static [(&'static str, &'static dyn Filling)] {
        in_shards(self.cluster)
    }

    /// Whether the database could distribute rows, and the settings do not ask for it.
    pub fn could_distribute(&self) -> bool {
        self.has_citus && self.cluster.is_none()
    }

    /// The nodes that may have shards; `None` if the warehouse is no cluster, by the settings or in fact.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub async fn nodes(&self) -> Result<Option<Vec<Node>>> {
        if self.cluster.is_none() || !self.has_citus {
            return Ok(None);
        }
        let rows = self.work.query(NODES, &[]).await?;
        let node = |row: &Row| {
            let (name, active) = (row.get("name")?, row.get("active")?);
            Ok(Node { name, active, answers: row.get("answers")?, said: row.get("said")? })
        };
        rows.iter().map(node).collect::<Result<_>>().map(Some)
    }

    /// Where the rows of another tool's table or view are stored. Citus plans no statement that asks for the `ctid` of
    /// a distributed table's rows. The tables of a view are not looked up: they may be distributed.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub async fn storage_of(&self, schema: &Ident, table: &Ident, is_table: bool) -> Result<Storage> {
        if !self.has_citus {
            return Ok(Storage { has_ctids: is_table, in_shards: false });
        }
        let row = self.work.query_one(LOCAL, &[(&schema.name(), Type::TEXT), (&table.name(), Type::TEXT)]).await?;
        let is_local: bool = row.map(|row| row.get("local")).transpose()?.unwrap_or(false);
        Ok(Storage { has_ctids: is_table && is_local, in_shards: self.cluster.is_some() && !is_local })
    }

    /// Whether an entity's table of rows is distributed; `None` if there is no such table.
    pub(super) async fn is_distributed(&self, model: &Model) -> Result<Option<bool>> {
        let row = self.work.query_one(DISTRIBUTED, &[(&model.rows().name(), Type::TEXT)]).await?;
        row.map(|row| row.get("distributed")).transpose()
    }
}

fn in_shards(cluster: Option<Cluster>) -> &'static [(&'static str, &'static dyn Filling)] {
    if cluster.is_some() { IN_SHARDS } else { &[] }
}

/// Distributes a table of rows, if the warehouse is a cluster, in the same way as another or by `default`: as all other
/// tables whose time has the same type.
pub(super) async fn distribute(
    work: &Work<'_>,
    cluster: Option<Cluster>,
    model: &Model,
    table: &Ident,
    alike: &str,
) -> Result<()> {
    if cluster.is_none() {
        return Ok(());
    }
    let parameters: [Parameter<'_>; 3] =
        [(&table.name(), Type::TEXT), (&model.entity.time.name(), Type::TEXT), (&alike, Type::TEXT)];
    work.query(DISTRIBUTE, &parameters).await?;
    Ok(())
}

/// A table of rows as Citus takes the name of one.
fn in_raw(table: &Ident) -> String {
    format!("kalends_raw.{}", table.filled())
}

//! Spreads an existing warehouse over the nodes of a cluster: distributes tables of rows that are the coordinator's.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio_postgres::types::Type;

use super::cluster::{IN_SHARDS, distribute};
use super::lock::{hold, hold_next};
use super::{Reading, Warehouse, lock_replacing, stored};
use crate::accounts;
use crate::db::Work;
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::look::Stretch;
use crate::settings::Cluster;
use crate::sql::{Filling, Ident, Statement};
use crate::statement;
use crate::survey;

const DAYS: Statement = statement!("accounts/days.sql");
const SIZE: Statement = statement!("cluster/size.sql");
const SAMPLE: Statement = statement!("cluster/sample.sql");
const FILL_SAMPLE: Statement = statement!("cluster/fill_sample.sql");
const DROP_LOCAL: Statement = statement!("cluster/drop_local.sql");

/// Rows that are distributed to see how fast that is: some seconds' worth, and more than what a table costs by itself.
const SAMPLE_ROWS: i64 = 100_000;

/// An entity whose rows are the coordinator's.
#[derive(Debug)]
pub struct Spreadable {
    /// The definition that its tables were created for.
    pub model: Model,
    /// Rows that its accounts count.
    pub rows: i64,
    /// Their tables, without indexes.
    pub bytes: i64,
    /// Tables of months.
    pub months: i64,
}

/// What was spread.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// Rows that were proven on the nodes.
    pub rows: i64,
    /// How long it took, with the proof.
    pub took: Duration,
}

impl Reading<'_> {
    /// The entities whose rows are still the coordinator's.
    ///
    /// # Errors
    /// Refuses a warehouse that is no cluster, by the settings or in fact.
    pub async fn spreadable(&self) -> Result<Vec<Spreadable>> {
        if self.cluster.is_none() {
            return Err(Refusal::usage(
                "the settings do not say that the warehouse is a cluster",
                "Set cluster = \"citus\" below [warehouse].",
            ));
        }
        let mut found = Vec::new();
        for model in self.entities().await? {
            if !self.has_citus {
                self.check_cluster(&model).await?;
            }
            if self.is_distributed(&model).await? != Some(false) {
                continue;
            }
            let row = self.work.query_one(SIZE.of(&model.shape()?)?, &[(&model.rows().name(), Type::TEXT)]).await?;
            let row = row.context("the warehouse did not say how large an entity is")?;
            found.push(Spreadable {
                rows: row.get("rows")?,
                bytes: row.get("bytes")?,
                months: row.get("months")?,
                model,
            });
        }
        Ok(found)
    }
}

impl Warehouse {
    /// How long distributing an entity's rows will take: distributes a part of them to see, and rolls that back.
    ///
    /// # Errors
    /// Busy if another run is at work; if a node fails.
    pub async fn estimate(&mut self, entity: &Spreadable) -> Result<Duration> {
        let cluster = self.cluster;
        let work = hold(&mut self.session).await?;
        let (table, _) = tried(&work, cluster, &entity.model, ("~empty", 0)).await?;
        let (sample, rows) = tried(&work, cluster, &entity.model, ("~sample", SAMPLE_ROWS)).await?;
        let months = table * u32::try_from(entity.months)?;
        // Without rows there is nothing but tables.
        let share = entity.rows as f64 / rows.max(1) as f64;
        Ok(months + sample.saturating_sub(table).mul_f64(share))
    }

    /// Distributes an entity's rows, and proves on the nodes that they are those that were settled, in one transaction.
    /// Then the coordinator's copy is dropped.
    ///
    /// # Errors
    /// Busy if another run is at work or reads; refuses rows that are not those that were settled.
    pub async fn spread(&mut self, entity: &Spreadable) -> Result<Spread> {
        let (cluster, model, started) = (self.cluster, &entity.model, Instant::now());
        let work = hold(&mut self.session).await?;
        lock_replacing(&work).await?;
        distribute(&work, cluster, model, model.rows(), "default").await?;
        let rows = prove(&work, model).await?;
        work.commit().await?;
        let took = started.elapsed();
        let work = hold_next(&mut self.session).await?;
        work.query(DROP_LOCAL, &[(&model.rows().name(), Type::TEXT)]).await?;
        work.commit().await?;
        Ok(Spread { rows, took })
    }
}

/// How long it takes to distribute a table with at most so many rows, and how many it has.
async fn tried(
    work: &Work<'_>,
    cluster: Option<Cluster>,
    model: &Model,
    (name, most): (&str, i64),
) -> Result<(Duration, u64)> {
    let table = Ident::new(name)?;
    let shape = model.shape()?;
    work.batch(&SAMPLE.of(&shape.with(&[("table", &table)]))?).await?;
    let rows = work.execute(FILL_SAMPLE.of(&shape.with(&[("table", &table)]))?, &[(&most, Type::INT8)]).await?;
    let started = Instant::now();
    distribute(work, cluster, model, &table, "none").await?;
    Ok((started.elapsed(), rows))
}

/// Compares the rows on the nodes with the accounts of days, and returns how many there are.
async fn prove(work: &Work<'_>, model: &Model) -> Result<i64> {
    let (schema, table) = (Ident::new("kalends_raw")?, model.rows());
    let names: [(&str, &dyn Filling); 2] = [("schema", &schema), ("table", table)];
    let names = [&names[..], IN_SHARDS].concat();
    let (found, _) = survey::read(&work.query(DAYS.of(&model.shape()?.with(&names))?, &[]).await?)?;
    let differing = accounts::compare(&stored(work, model, Stretch::ALL).await?, &found);
    if let Some(day) = differing.keys().next() {
        return Err(Refusal::refused(
            format!("the rows of {day} in entity \"{}\" are not what was settled; nothing was spread", model.name()),
            "Take cluster out of [warehouse], run `kalends verify --repair`, put it back and try again.",
        ));
    }
    Ok(found.values().map(|account| account.rows).sum())
}

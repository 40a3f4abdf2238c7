//! The rows of a day that production and the warehouse do not share, as multisets: how often each is there counts.
//!
//! Both servers sort, and the two answers are merged as they come, so memory does not grow with them. Reads only.

use std::cmp::Ordering;

use anyhow::Context as _;
use serde::Serialize;

use crate::calendar::Day;
use crate::db::{Filling, Ident, Rows, Sql, Statement, Work};
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::production::Snapshot;
use crate::statement;
use crate::warehouse::Reading;

const ROWS: Statement = statement!("diff/rows.sql");

/// Which side lacks a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The warehouse has more of it.
    Production,
    /// Production has more of it.
    Warehouse,
}

/// A row that one side has more often than the other.
#[derive(Debug, Serialize)]
pub struct Lacking {
    /// The side that has fewer of it, or none.
    pub lacks: Side,
    /// How many it lacks.
    pub copies: i64,
    /// The values in the order of the columns, as text; null is NULL.
    pub values: Vec<Option<String>>,
}

/// What the two sides of a day do not share.
#[derive(Debug, Default, Serialize)]
pub struct Difference {
    /// Names of the columns that are compared, time first.
    pub columns: Vec<String>,
    /// Rows of the day in production.
    pub production_rows: i64,
    /// Rows of the day in the warehouse.
    pub warehouse_rows: i64,
    /// Rows that production has and the warehouse has not.
    pub warehouse_lacks: i64,
    /// Rows that the warehouse has and production has not.
    pub production_lacks: i64,
    /// The first of them, each once, in the order of their times.
    pub rows: Vec<Lacking>,
    /// Different rows that are counted and not listed.
    pub not_listed: u64,
}

/// Compares the rows of a day; lists no more than `limit` different ones.
///
/// # Errors
/// Refuses an entity whose rows in the warehouse have other columns. Fails when a server does.
pub async fn of_day(snapshot: &Snapshot<'_>, reading: &Reading<'_>, day: Day, limit: usize) -> Result<Difference> {
    let model = snapshot.model();
    let in_production = rows_of_day(model, day, &model.entity.table_names())?;
    let in_warehouse = if is_settled(reading, model).await? {
        let schema = Ident::new("kalends_raw")?;
        Some(rows_of_day(model, day, &[("schema", &schema), ("table", model.rows())])?)
    } else {
        None
    };
    // Both servers sort at once.
    let (mut production, mut warehouse) = tokio::try_join!(
        Sorted::open(snapshot.work(), Some(in_production)),
        Sorted::open(reading.work(), in_warehouse)
    )?;
    let columns = model.entity.columns().map(|column| column.name().to_string()).collect();
    let mut found = Difference { columns, ..Difference::default() };
    loop {
        let order = match (&production.next, &warehouse.next) {
            (None, None) => return Ok(found),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.row.cmp(&other.row),
        };
        let mine = if order.is_le() { production.take().await? } else { None };
        let theirs = if order.is_ge() { warehouse.take().await? } else { None };
        found.add(mine, theirs, limit)?;
    }
}

/// Whether the warehouse has rows of the entity, with the columns that are asked for.
async fn is_settled(reading: &Reading<'_>, model: &Model) -> Result<bool> {
    let Some(known) = reading.entities().await?.into_iter().find(|known| known.name() == model.name()) else {
        return Ok(false);
    };
    known.change_to(model)?;
    if model.has_rows_of(&known) {
        return Ok(true);
    }
    Err(Refusal::refused(
        format!("entity \"{}\" was settled with other columns", model.name()),
        "Settle it anew with `kalends run`, then compare its rows.",
    ))
}

fn rows_of_day(model: &Model, day: Day, names: &[(&str, &dyn Filling); 2]) -> Result<Sql> {
    let bounds = model.bounds(day, day.next());
    Ok(ROWS.of(&model.shape()?)?.with(&[&names[..], &bounds.names()].concat()))
}

/// Equal rows of one side.
struct Copies {
    row: Vec<u8>,
    copies: i64,
}

/// A sorted answer, of which one row is held.
struct Sorted {
    next: Option<Copies>,
    rest: Option<Rows>,
}

impl Sorted {
    /// Asks, and waits for the first row. Without a statement there are none.
    async fn open(work: &Work<'_>, sql: Option<Sql>) -> Result<Self> {
        let mut sorted = Self { next: None, rest: None };
        if let Some(sql) = sql {
            sorted.rest = Some(work.stream(&sql, &[]).await?);
            sorted.take().await?;
        }
        Ok(sorted)
    }

    /// The row that is held; the one after it is held then.
    async fn take(&mut self) -> Result<Option<Copies>> {
        let Some(rest) = &mut self.rest else { return Ok(self.next.take()) };
        let next = match rest.next().await? {
            Some(row) => {
                let copies = row.get("copies")?;
                anyhow::ensure!((1..1 << 48).contains(&copies), "a server counted {copies} copies of a row");
                Some(Copies { row: row.get("row")?, copies })
            }
            None => None,
        };
        Ok(std::mem::replace(&mut self.next, next))
    }
}

impl Difference {
    /// Counts the copies of one row on both sides, and lists it where they differ.
    fn add(&mut self, production: Option<Copies>, warehouse: Option<Copies>, limit: usize) -> Result<()> {
        let copies = |side: &Option<Copies>| side.as_ref().map_or(0, |side| side.copies);
        let (in_production, in_warehouse) = (copies(&production), copies(&warehouse));
        self.production_rows += in_production;
        self.warehouse_rows += in_warehouse;
        let (lacks, copies) = match in_production - in_warehouse {
            0 => return Ok(()),
            more @ 1.. => (Side::Warehouse, more),
            fewer => (Side::Production, -fewer),
        };
        match lacks {
            Side::Warehouse => self.warehouse_lacks += copies,
            Side::Production => self.production_lacks += copies,
        }
        if self.rows.len() >= limit {
            self.not_listed += 1;
            return Ok(());
        }
        let row = production.or(warehouse).map(|side| side.row).unwrap_or_default();
        let values = serde_json::from_slice(&row).context("a server printed a row in an unknown form")?;
        self.rows.push(Lacking { lacks, copies, values });
        Ok(())
    }

    /// Whether the two sides have the same rows, equally often.
    pub fn is_none(&self) -> bool {
        self.warehouse_lacks == 0 && self.production_lacks == 0
    }
}

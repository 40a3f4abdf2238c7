//! The rows that differ between production and the warehouse, compared as multisets: the number of copies counts. Of
//! one day, lists the rows; of all days, only the days that differ.
//!
//! Both servers sort, and the two answers are merged as they arrive, so memory does not grow with them. Reads only.

use std::cmp::Ordering;

use anyhow::Context as _;
use serde::Serialize;

use crate::accounts::{Cause, Changes};
use crate::calendar::Day;
use crate::db::{AnyDate, Pairs, Row, Sortable};
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::production::Snapshot;
use crate::sql::{Filling, Ident, Sql, Statement};
use crate::statement;
use crate::warehouse::Reading;

const ROWS: Statement = statement!("diff/rows.sql");
const ALL_ROWS: Statement = statement!("diff/all_rows.sql");

/// Which side lacks a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lacks {
    /// The warehouse has more copies.
    Production,
    /// Production has more copies.
    Warehouse,
}

/// A row that one side has more often than the other.
#[derive(Debug, Serialize)]
pub struct Lacking {
    /// The side that has fewer copies, or none.
    pub lacks: Lacks,
    /// How many copies it lacks.
    pub copies: i64,
    /// The values in the order of the columns, as text; null is NULL.
    pub values: Vec<Option<String>>,
}

/// How the rows of a day differ.
#[derive(Debug, Default, Serialize)]
pub struct RowDifferences {
    /// Names of the compared columns, time first.
    pub columns: Vec<String>,
    /// Rows of the day in production.
    pub production_rows: i64,
    /// Rows of the day in the warehouse.
    pub warehouse_rows: i64,
    /// Rows that production has and the warehouse lacks.
    pub warehouse_lacks: i64,
    /// Rows that the warehouse has and production lacks.
    pub production_lacks: i64,
    /// The first of these rows, without copies, in the order of their times.
    pub rows: Vec<Lacking>,
    /// How many different rows are counted but not listed.
    pub not_listed: u64,
}

/// Compares the rows of a day. Lists at most `limit` different ones.
///
/// # Errors
/// Refuses an entity whose rows in the warehouse have other columns. Fails if a server does.
pub async fn of_day(snapshot: &Snapshot<'_>, reading: &Reading<'_>, day: Day, limit: usize) -> Result<RowDifferences> {
    let model = snapshot.model();
    let in_production = rows_of_day(model, day, &model.entity.table_names())?;
    let in_warehouse = if is_settled(reading, model).await? {
        let schema = Ident::new("kalends_raw")?;
        Some(rows_of_day(model, day, &[("schema", &schema), ("table", model.rows())])?)
    } else {
        None
    };
    let columns = model.entity.columns().map(|column| column.name().to_string()).collect();
    let mut found = RowDifferences { columns, ..RowDifferences::default() };
    let (of_production, of_warehouse) = (snapshot.work(), reading.work());
    let mut pairs =
        Pairs::<Copies>::open((of_production, Some(in_production), &[]), (of_warehouse, in_warehouse, &[])).await?;
    while let Some((mine, theirs)) = pairs.next().await? {
        found.add(mine, theirs, limit)?;
    }
    Ok(found)
}

/// Compares all rows with each other, and returns the days that differ.
///
/// # Errors
/// As [`of_day`].
pub async fn of_all(snapshot: &Snapshot<'_>, reading: &Reading<'_>) -> Result<Changes> {
    let model = snapshot.model();
    let shape = model.shape()?;
    let in_production = ALL_ROWS.of(&shape.with(&model.entity.table_names()))?;
    let in_warehouse = if is_settled(reading, model).await? {
        let schema = Ident::new("kalends_raw")?;
        Some(ALL_ROWS.of(&shape.with(&[("schema", &schema), ("table", model.rows())]))?)
    } else {
        None
    };
    let (of_production, of_warehouse) = (snapshot.work(), reading.work());
    let mut pairs =
        Pairs::<Copies>::open((of_production, Some(in_production), &[]), (of_warehouse, in_warehouse, &[])).await?;
    let mut changes = Changes::new();
    // The current day, its rows on both sides, and whether a row of it differs.
    let mut under_way: Option<(Day, [i64; 2], bool)> = None;
    while let Some((mine, theirs)) = pairs.next().await? {
        // Rows that belong to no day are in no account.
        let Some(day) = mine.as_ref().or(theirs.as_ref()).and_then(|side| side.day) else { continue };
        if let Some(ended) = under_way.take_if(|(other, ..)| *other != day) {
            changes.extend(change(ended));
        }
        let (_, rows, differs) = under_way.get_or_insert((day, [0, 0], false));
        let copies = [&mine, &theirs].map(|side| side.as_ref().map_or(0, |side| side.copies));
        *rows = [rows[0] + copies[0], rows[1] + copies[1]];
        *differs |= copies[0] != copies[1];
    }
    changes.extend(under_way.and_then(change));
    Ok(changes)
}

/// How a day differs, from its rows in production and in the warehouse.
fn change((day, [production, warehouse], differs): (Day, [i64; 2], bool)) -> Option<(Day, Cause)> {
    let cause = match (production, warehouse) {
        _ if !differs => return None,
        (_, 0) => Cause::New,
        (0, _) => Cause::Vanished,
        _ => match production.cmp(&warehouse) {
            Ordering::Greater => Cause::Grown,
            Ordering::Equal => Cause::Changed,
            Ordering::Less => Cause::Shrunk,
        },
    };
    Some((day, cause))
}

/// Whether the warehouse has rows of the entity, with the columns of the settings.
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
        "Settle it again with `kalends run`, then compare its rows.",
    ))
}

fn rows_of_day(model: &Model, day: Day, names: &[(&str, &dyn Filling); 2]) -> Result<Sql> {
    let bounds = model.bounds(day, day.next());
    ROWS.of(&model.shape()?.with(&[&names[..], &bounds.names()].concat()))
}

/// Equal rows on one side.
struct Copies {
    /// If all days are compared: `None` for rows that belong to no day.
    day: Option<Day>,
    /// The position of their time in the server's order; NULL is last.
    place: i64,
    row: Vec<u8>,
    copies: i64,
}

impl Sortable for Copies {
    fn read(row: &Row) -> Result<Self> {
        let (date, copies) = (row.get::<Option<AnyDate>>("day")?, row.get("copies")?);
        anyhow::ensure!((1..1 << 48).contains(&copies), "a server counted {copies} copies of a row");
        let place = date.map_or(i64::MAX, AnyDate::sorted);
        Ok(Self { day: date.and_then(AnyDate::day), place, row: row.get("row")?, copies })
    }

    fn order(&self, other: &Self) -> Ordering {
        (self.place, &self.row).cmp(&(other.place, &other.row))
    }
}

impl RowDifferences {
    /// Counts the copies of a row on both sides, and lists the row if the counts differ.
    fn add(&mut self, production: Option<Copies>, warehouse: Option<Copies>, limit: usize) -> Result<()> {
        let copies = |side: &Option<Copies>| side.as_ref().map_or(0, |side| side.copies);
        let (in_production, in_warehouse) = (copies(&production), copies(&warehouse));
        self.production_rows += in_production;
        self.warehouse_rows += in_warehouse;
        let (lacks, copies) = match in_production - in_warehouse {
            0 => return Ok(()),
            more @ 1.. => (Lacks::Warehouse, more),
            fewer => (Lacks::Production, -fewer),
        };
        match lacks {
            Lacks::Warehouse => self.warehouse_lacks += copies,
            Lacks::Production => self.production_lacks += copies,
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

    /// Whether both sides have the same rows, with the same number of copies.
    pub fn is_none(&self) -> bool {
        self.warehouse_lacks == 0 && self.production_lacks == 0
    }
}

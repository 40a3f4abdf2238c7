//! Compares another tool's table of the same rows, in the warehouse, with production. Reads only.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Serialize;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::accounts::{self, Accounts, SetAside};
use crate::calendar::Day;
use crate::db::{Parameter, sql_state};
use crate::entity::{Model, Storage, TheirType, Theirs};
use crate::error::{Refusal, Result};
use crate::production::CtidRanges;
use crate::sql::{Filling, Ident, Statement};
use crate::statement;
use crate::survey;
use crate::warehouse::{Locked, Reading};

const TABLE: Statement = statement!("adopt/table.sql");
const UNLIKE: Statement = statement!("adopt/unlike.sql");
const DAYS: Statement = statement!("accounts/days.sql");
const BEGIN: Statement = statement!("adopt/begin.sql");
const BEGUN: Statement = statement!("adopt/begun.sql");
const END: Statement = statement!("adopt/end.sql");

/// The table as it was typed.
#[derive(Debug)]
pub struct Named {
    /// Its schema.
    pub schema: Ident,
    /// Its name.
    pub table: Ident,
    /// The names of production's columns in the table, if they differ.
    pub columns: BTreeMap<String, Ident>,
}

/// What the table holds.
#[derive(Debug)]
pub struct Holds {
    /// The accounts of its days.
    pub accounts: Accounts,
    /// Its rows that belong to no day.
    pub set_aside: SetAside,
    /// Its rows with a value that production's types cannot hold. They are counted only here.
    pub unlike: i64,
    /// Where the rows of each day lie; `None` if that is a view or the like.
    pub ctid_ranges: Option<CtidRanges>,
}

/// How a day differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Production has more rows.
    Missing,
    /// The table has more rows than production.
    Extra,
    /// Both have as many rows, but different ones.
    Changed,
}

/// A day on which the table differs from production.
#[derive(Debug, Serialize)]
pub struct DifferingDay {
    /// The day, as people write it.
    pub day: String,
    /// How it differs.
    pub how: How,
    /// Rows of the day in production.
    pub production_rows: i64,
    /// Rows of the day in the table.
    pub their_rows: i64,
}

/// Missing, extra or changed rows, and on how many days.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Rows.
    pub rows: i64,
    /// Days.
    pub days: usize,
}

/// How the table compares with production.
#[derive(Debug, Default, Serialize)]
pub struct Compared {
    /// Missing rows, by the number of rows of each day.
    pub missing: Tally,
    /// Extra rows, by the number of rows of each day.
    pub extra: Tally,
    /// Days with as many rows as production, but different ones, and their rows.
    pub changed: Tally,
    /// Rows with a value that production's types cannot hold.
    pub unlike_rows: i64,
    /// Rows of production that belong to no day.
    pub set_aside: SetAside,
    /// Rows of the table that belong to no day.
    pub their_set_aside: SetAside,
    /// The days that differ.
    pub differences: Vec<DifferingDay>,
}

/// Looks up the table, and which of its columns correspond to production's.
///
/// # Errors
/// Usage if a named column is not one of the entity; refuses a missing table or column, and types that cannot be
/// compared.
pub async fn look(reading: &Reading<'_>, model: &Model, named: &Named) -> Result<Theirs> {
    let ours: Vec<&str> = model.entity.columns().map(Ident::name).collect();
    if let Some(unknown) = named.columns.keys().find(|name| !ours.contains(&name.as_str())) {
        return Err(Refusal::usage(
            format!("entity \"{}\" has no column \"{unknown}\"", model.name()),
            format!("Its columns are {}; --column is PRODUCTION=THEIRS.", ours.join(", ")),
        ));
    }
    let wanted: Vec<&Ident> =
        model.entity.columns().map(|ours| named.columns.get(ours.name()).unwrap_or(ours)).collect();
    let names: Vec<&str> = wanted.iter().map(|theirs| theirs.name()).collect();
    let (schema, table) = (named.schema.name(), named.table.name());
    let parameters: [Parameter<'_>; 3] = [(&schema, Type::TEXT), (&table, Type::TEXT), (&names, Type::TEXT_ARRAY)];
    let rows = reading.work().query(TABLE, &parameters).await?;
    let kind: Option<&str> = rows.first().map(|row| row.get("kind")).transpose()?;
    let readable = matches!(kind, Some("r" | "p" | "v" | "m" | "f"));
    if !readable {
        return Err(Refusal::refused(
            format!("the warehouse has no table {named}"),
            "Check --from SCHEMA.TABLE, and that KALENDS_WAREHOUSE_URL names the right database.",
        ));
    }
    let found = wanted.into_iter().zip(&rows).map(|(name, row)| {
        Ok(TheirType { name: name.clone(), known: row.get("known")?, written: row.get("written")? })
    });
    let mut theirs = Theirs::new(model, named.schema.clone(), named.table.clone(), found.collect::<Result<_>>()?)?;
    theirs.storage = reading.storage_of(&named.schema, &named.table, matches!(kind, Some("r" | "p"))).await?;
    Ok(theirs)
}

/// Reads what the table holds, with the statement that surveys production.
///
/// # Errors
/// Refuses a table that may not be read as a whole.
pub async fn holds(reading: &Reading<'_>, model: &Model, named: &Named, theirs: &Theirs) -> Result<Holds> {
    let shape = model.shape_of_theirs(theirs)?;
    let explain = |error: anyhow::Error| match sql_state(&error) {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Refusal::refused(
            format!("the warehouse does not let this role read all of table {named}"),
            format!(
                "Grant it with `GRANT USAGE ON SCHEMA {schema} TO …` and `GRANT SELECT ON {schema}.{} TO …`, and exempt the \
                 role from row-level security.",
                named.table.quoted(),
                schema = named.schema.quoted(),
            ),
        ),
        _ => error.context(format!("could not read {named} of the warehouse")),
    };
    let Storage { has_ctids, in_shards } = theirs.storage;
    let (mut reader, mut ctid_ranges) = (survey::Reader::default(), has_ctids.then(CtidRanges::default));
    let ways: [(bool, (&str, &dyn Filling)); 2] =
        [(has_ctids, ("with_ctids", &true)), (in_shards, ("in_shards", &true))];
    let ways = ways.into_iter().filter_map(|(is_so, way)| is_so.then_some(way));
    let sql = DAYS.of(&shape.with(&theirs.table_names().into_iter().chain(ways).collect::<Vec<_>>()))?;
    for row in &reading.work().query(sql, &[]).await.map_err(explain)? {
        let day = reader.take(row)?;
        ctid_ranges.as_mut().map_or(Ok(()), |ctid_ranges| ctid_ranges.take(day, row))?;
    }
    let (accounts, set_aside) = reader.all();
    let mut unlike = 0;
    if theirs.is_judged() {
        let sql = UNLIKE.of(&shape.with(&theirs.table_names()))?;
        let row = reading.work().query_one(sql, &[]).await?.context("the warehouse counted nothing")?;
        unlike = row.get("rows")?;
    }
    Ok(Holds { accounts, set_aside, unlike, ctid_ranges })
}

/// Whether a run has begun to take over an entity's rows and has not ended.
pub async fn is_begun(reading: &Reading<'_>, model: &Model) -> Result<bool> {
    Ok(reading.prepared && reading.work().query_one(BEGUN, &[(&model.name(), Type::TEXT)]).await?.is_some())
}

/// Notes that an entity's rows are being taken over.
pub async fn begin(locked: &Locked<'_>, model: &Model, named: &Named) -> Result<()> {
    locked.work().execute(BEGIN, &[(&model.name(), Type::TEXT), (&named.to_string(), Type::TEXT)]).await?;
    Ok(())
}

/// Notes that they have been taken over.
pub async fn end(locked: &Locked<'_>, model: &Model) -> Result<()> {
    locked.work().execute(END, &[(&model.name(), Type::TEXT)]).await?;
    Ok(())
}

/// Compares the table with production, day by day.
pub fn compare(survey: &Accounts, set_aside: SetAside, theirs: &Holds) -> Compared {
    let mut compared =
        Compared { unlike_rows: theirs.unlike, set_aside, their_set_aside: theirs.set_aside, ..Compared::default() };
    for day in accounts::compare(survey, &theirs.accounts).into_keys() {
        let rows = |accounts: &Accounts, day: Day| accounts.get(&day).map_or(0, |account| account.rows);
        let (production_rows, their_rows) = (rows(survey, day), rows(&theirs.accounts, day));
        let (how, tally, rows) = match production_rows - their_rows {
            0 => (How::Changed, &mut compared.changed, their_rows),
            short @ 1.. => (How::Missing, &mut compared.missing, short),
            extra => (How::Extra, &mut compared.extra, -extra),
        };
        tally.rows += rows;
        tally.days += 1;
        compared.differences.push(DifferingDay { day: day.to_string(), how, production_rows, their_rows });
    }
    compared
}

impl Compared {
    /// Whether the table has production's account on every day, and as many rows that belong to no day.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.unlike_rows == 0 && self.set_aside == self.their_set_aside
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}.{}\"", self.schema.name(), self.table.name())
    }
}

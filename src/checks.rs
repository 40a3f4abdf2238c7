//! Checks production = rows = accounts = files, by day and by content, not only by counts. Reads only.

use std::collections::BTreeSet;

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::accounts::{self, Accounts, Changes, SetAside};
use crate::calendar::{Day, Level, Period};
use crate::db::Parameter;
use crate::entity::{Change, Entity, Model};
use crate::error::{Refusal, Result};
use crate::exports::{self, Pages, Scope, Trust, Which};
use crate::look::{Sight, Stretch};
use crate::settings::Exports;
use crate::sql::{Filling, Ident, Shape, Statement};
use crate::statement;
use crate::survey;
use crate::warehouse::Reading;

const DAYS: Statement = statement!("accounts/days.sql");
const DETAILS: Statement = statement!("checks/details.sql");

/// Which of the three copies of production differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The warehouse's rows.
    Rows,
    /// The accounts of days, months and years.
    Accounts,
    /// The published files.
    Files,
}

/// One thing that differs from production.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// With several entities, the one whose rows or accounts differ. A file's path contains its entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// What differs.
    pub layer: Layer,
    /// The period, or the file's path.
    pub what: String,
    /// How it differs, in one word: `new` is only in production, `vanished` is no longer in production.
    pub how: &'static str,
}

impl Difference {
    fn new(layer: Layer, what: impl Into<String>, how: &'static str) -> Self {
        Self { entity: None, layer, what: what.into(), how }
    }
}

/// How an entity's data differ from production.
#[derive(Debug, Default)]
pub struct Found {
    /// Days whose rows in the warehouse differ.
    pub rows: Changes,
    /// Whether the warehouse has rows that belong to no day.
    pub undated_rows: bool,
    /// Days whose accounts differ.
    pub accounts: Changes,
    /// Periods whose accounts do not follow from those of their days, or from their rows.
    pub inconsistent: BTreeSet<Period>,
}

impl Found {
    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.rows.is_empty() && !self.undated_rows && self.accounts.is_empty() && self.inconsistent.is_empty()
    }

    /// One by one: first rows, then accounts.
    pub fn differences(&self) -> Vec<Difference> {
        let mut found = days(Layer::Rows, &self.rows);
        if self.undated_rows {
            found.push(Difference::new(Layer::Rows, "rows of no day", "vanished"));
        }
        found.extend(days(Layer::Accounts, &self.accounts));
        let changed = |period: &Period| Difference::new(Layer::Accounts, period.to_string(), "changed");
        found.extend(self.inconsistent.iter().map(changed));
        found
    }
}

/// What the warehouse holds of an entity.
#[derive(Debug, Default)]
pub struct Holds {
    /// What its rows add up to.
    rows: Accounts,
    undated_rows: bool,
    /// Its accounts of days; `None` if they are not compared, because only a sample of the rows was looked at.
    accounts: Option<Accounts>,
    inconsistent: BTreeSet<Period>,
}

impl Holds {
    /// Compares it with what it should be.
    pub fn compared_with(&self, target: &Accounts) -> Found {
        Found {
            rows: accounts::compare(target, &self.rows),
            undated_rows: self.undated_rows,
            accounts: self.accounts.as_ref().map(|stored| accounts::compare(target, stored)).unwrap_or_default(),
            inconsistent: self.inconsistent.clone(),
        }
    }
}

/// What the warehouse holds of an entity, whose rows are all read.
///
/// # Errors
/// If the warehouse cannot be read. Refuses an entity that was settled with other settings, types or columns, because
/// then days cannot be compared.
pub async fn holds(reading: &Reading<'_>, model: &Model) -> Result<Holds> {
    let Some(known) = settled(reading, model).await? else {
        return Ok(Holds { accounts: Some(Accounts::new()), ..Holds::default() });
    };
    reading.spare_locks(model).await?;
    let (rows, set_aside) = rows(reading, model, &model.shape()?).await?;
    let accounts = reading.accounts_for(&known, model, &Sight::all()).await?;
    let mut inconsistent = details(reading, model).await?;
    inconsistent.extend(reading.inconsistent(model, Stretch::ALL).await?);
    Ok(Holds { rows, undated_rows: set_aside != SetAside::default(), accounts: Some(accounts), inconsistent })
}

/// The same of a sample of the rows, so many of a million. Accounts are only compared with each other.
///
/// # Errors
/// As [`holds`].
pub async fn holds_of_sample(reading: &Reading<'_>, model: &Model, of_a_million: u32) -> Result<Holds> {
    if settled(reading, model).await?.is_none() {
        return Ok(Holds::default());
    }
    reading.spare_locks(model).await?;
    let (rows, _) = rows(reading, model, &model.shape_of_sample(of_a_million)?).await?;
    let inconsistent = reading.inconsistent(model, Stretch::ALL).await?.into_iter().collect();
    Ok(Holds { rows, inconsistent, ..Holds::default() })
}

/// The model that the entity was settled with, if it fits the settings; `None` if it was never settled.
async fn settled(reading: &Reading<'_>, model: &Model) -> Result<Option<Model>> {
    let Some(known) = reading.settled_as(model.name()).await? else {
        return Ok(None);
    };
    let Change::Rebuild(what) = known.change_to(model)? else { return Ok(Some(known)) };
    Err(Refusal::refused(
        format!("entity \"{}\" was settled before its settings changed: {}", model.name(), what.join(", ")),
        "Run `kalends prepare`, which settles it again; nothing of it was changed.",
    ))
}

/// Checks, as far as possible without production, that entities were settled with the present settings, so that what is
/// published now is what they ask for.
///
/// # Errors
/// Refuses an entity that was settled with other settings.
pub async fn settled_as_set(reading: &Reading<'_>, entities: &[Entity]) -> Result<()> {
    let known = reading.entities().await?;
    let changed =
        entities.iter().find(|set| known.iter().any(|one| one.entity.name == set.name && one.entity != **set));
    changed.map_or(Ok(()), |entity| {
        Err(Refusal::refused(
            format!("the settings of entity \"{}\" have changed since it was settled", entity.name.name()),
            "Run `kalends prepare`, which settles it again or says why it cannot; nothing was changed.",
        ))
    })
}

/// The files of all entities that differ from the accounts.
///
/// # Errors
/// If the warehouse or the folder cannot be read.
pub async fn files(
    reading: &Reading<'_>,
    exports: &Exports,
    which: Which,
    pages: &impl Pages,
) -> Result<Vec<Difference>> {
    let due = exports::due(reading, exports, Scope::Everything, (which, Trust::Bytes), pages).await?;
    let mut found = Vec::new();
    found.extend(due.write.into_iter().map(|(what, fault)| Difference::new(Layer::Files, what, fault.words())));
    found.extend(due.remove.into_iter().map(|what| Difference::new(Layer::Files, what, "vanished")));
    Ok(found)
}

/// The accounts of the warehouse's rows, computed again from all of them or from a sample.
async fn rows(reading: &Reading<'_>, model: &Model, shape: &Shape) -> Result<(Accounts, SetAside)> {
    let schema = Ident::new("kalends_raw")?;
    let names: [(&str, &dyn Filling); 2] = [("schema", &schema), ("table", model.rows())];
    let names = [&names[..], reading.in_shards()].concat();
    survey::read(&reading.work().query(DAYS.of(&shape.with(&names))?, &[]).await?)
}

/// Days whose accounts of hours, or of combinations of dimensions, do not follow from the warehouse's rows.
async fn details(reading: &Reading<'_>, model: &Model) -> Result<BTreeSet<Period>> {
    let mut found = BTreeSet::new();
    for (level, split) in model.details() {
        let (schema, target) = (Ident::new("kalends_raw")?, model.accounts(level, split)?);
        let names: [(&str, &dyn Filling); 3] = [("schema", &schema), ("table", model.rows()), ("target", &target)];
        let sql = DETAILS.of(&model.shape_of(level, Level::Day, split)?.with(&names))?;
        let all: [Parameter<'_>; 3] =
            [(&None::<Vec<Day>>, Type::DATE_ARRAY), (&None::<Day>, Type::DATE), (&None::<Day>, Type::DATE)];
        let days = reading.work().query(sql, &all).await?;
        for row in &days {
            found.insert(row.get::<Day>("period")?.period(Level::Day));
        }
    }
    Ok(found)
}

fn days(layer: Layer, changes: &Changes) -> Vec<Difference> {
    changes.iter().map(|(day, cause)| Difference::new(layer, day.to_string(), cause.word())).collect()
}

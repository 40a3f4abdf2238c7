//! production = rows = accounts = files: content and not only counts, by day. Reads only.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::accounts::{self, Accounts, SetAside};
use crate::calendar::{Day, Level, Period};
use crate::db::{Filling, Ident, Parameter, Statement};
use crate::entity::Model;
use crate::error::Result;
use crate::exports::{self, Fault, Scope};
use crate::statement;
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

/// One thing that is not what production holds.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Where.
    pub layer: Layer,
    /// The period, or the file's path.
    pub what: String,
    /// In which way, as a word: `new` is what only production has, `vanished` what production has no more.
    pub how: &'static str,
}

/// What differs from production of an entity, rows first, then accounts.
///
/// # Errors
/// When the warehouse cannot be read.
pub async fn differences(survey: &Accounts, reading: &Reading<'_>, model: &Model) -> Result<Vec<Difference>> {
    let settled = reading.entities().await?.iter().any(|known| known == model);
    if !settled {
        let nothing = Accounts::new();
        return Ok([Layer::Rows, Layer::Accounts]
            .into_iter()
            .flat_map(|layer| days_that_differ(layer, survey, &nothing))
            .collect());
    }
    let (rows, set_aside) = rows(reading, model).await?;
    let mut found = days_that_differ(Layer::Rows, survey, &rows);
    if set_aside != SetAside::default() {
        found.push(Difference { layer: Layer::Rows, what: "rows of no day".to_string(), how: "vanished" });
    }
    found.extend(days_that_differ(Layer::Accounts, survey, &reading.accounts(model).await?));
    let unsummed: BTreeSet<Period> =
        reading.unsummed(model).await?.into_iter().chain(details(reading, model).await?).collect();
    let changed = |period: Period| Difference { layer: Layer::Accounts, what: period.to_string(), how: "changed" };
    found.extend(unsummed.into_iter().map(changed));
    Ok(found)
}

/// The files that differ from the accounts, of all entities.
///
/// # Errors
/// When the warehouse or the folder cannot be read.
pub async fn files(reading: &Reading<'_>, exports: &Path) -> Result<Vec<Difference>> {
    let due = exports::due(reading, exports, Scope::Everything).await?;
    let mut found = Vec::new();
    found.extend(due.write.into_iter().map(|(what, fault)| Difference { layer: Layer::Files, what, how: word(fault) }));
    found.extend(due.remove.into_iter().map(|what| Difference { layer: Layer::Files, what, how: "vanished" }));
    Ok(found)
}

/// The accounts of the warehouse's rows, made again from all of them.
async fn rows(reading: &Reading<'_>, model: &Model) -> Result<(Accounts, SetAside)> {
    let schema = Ident::new("kalends_raw")?;
    let names: [(&str, &dyn Filling); 2] = [("schema", &schema), ("table", model.rows())];
    Ok(accounts::read(&reading.work().query(DAYS.of(&model.shape()?)?.with(&names), &[]).await?))
}

/// Days whose accounts of hours, or of combinations of dimensions, are not what the warehouse's rows say.
async fn details(reading: &Reading<'_>, model: &Model) -> Result<BTreeSet<Period>> {
    let mut found = BTreeSet::new();
    for (level, split) in model.details() {
        let target = model.accounts(level, split)?;
        let sql = DETAILS.of(&model.shape_of(level, Level::Day, split)?)?.with(&[("target", &target)]);
        let all: [Parameter<'_>; 3] =
            [(&None::<Vec<Day>>, Type::DATE_ARRAY), (&None::<Day>, Type::DATE), (&None::<Day>, Type::DATE)];
        let days = reading.work().query(sql, &all).await?;
        found.extend(days.iter().map(|row| row.get::<_, Day>("period").period(Level::Day)));
    }
    Ok(found)
}

fn days_that_differ(layer: Layer, survey: &Accounts, found: &Accounts) -> Vec<Difference> {
    let changes = accounts::compare(survey, found);
    changes.into_iter().map(|(day, cause)| Difference { layer, what: day.to_string(), how: cause.word() }).collect()
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Missing => "missing",
        Fault::Differs => "changed",
        Fault::Unlisted => "unlisted",
    }
}

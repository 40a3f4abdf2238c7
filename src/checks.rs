//! production = rows = accounts = files: content and not only counts, by day. Reads only.

use std::path::Path;

use serde::Serialize;

use crate::accounts::{self, Accounts, SetAside};
use crate::calendar::Period;
use crate::db::{Filling, Ident, Statement};
use crate::error::Result;
use crate::exports::{self, Fault, Scope};
use crate::statement;
use crate::warehouse::Reading;

const DAYS: Statement = statement!("accounts/days.sql");

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

/// Everything that differs from production, rows first, then accounts, then files.
///
/// # Errors
/// When a server or the folder cannot be read.
pub async fn differences(survey: &Accounts, reading: &Reading<'_>, exports: &Path) -> Result<Vec<Difference>> {
    let (rows, set_aside) = rows(reading).await?;
    let mut found = days_that_differ(Layer::Rows, survey, &rows);
    if set_aside != SetAside::default() {
        found.push(Difference { layer: Layer::Rows, what: "rows of no day".to_string(), how: "vanished" });
    }
    found.extend(days_that_differ(Layer::Accounts, survey, &reading.accounts().await?));
    let unsummed = reading.unsummed().await?;
    let changed = |period: Period| Difference { layer: Layer::Accounts, what: period.to_string(), how: "changed" };
    found.extend(unsummed.into_iter().map(changed));
    let due = exports::due(reading, exports, Scope::Everything).await?;
    found.extend(due.write.into_iter().map(|(what, fault)| Difference { layer: Layer::Files, what, how: word(fault) }));
    found.extend(due.remove.into_iter().map(|what| Difference { layer: Layer::Files, what, how: "vanished" }));
    Ok(found)
}

/// The accounts of the warehouse's rows, made again from all of them.
async fn rows(reading: &Reading<'_>) -> Result<(Accounts, SetAside)> {
    if !reading.prepared {
        return Ok((Accounts::new(), SetAside::default()));
    }
    let [schema, table, time, measure] =
        [Ident::new("kalends_raw")?, Ident::new("entity")?, Ident::new("created_at")?, Ident::new("value")?];
    let names: [(&str, &dyn Filling); 4] =
        [("schema", &schema), ("table", &table), ("time", &time), ("measure", &measure)];
    Ok(accounts::read(&reading.work().query(DAYS.with(&names), &[]).await?))
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

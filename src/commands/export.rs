//! `export`: the files of a month and its year, or all that are due.

use std::time::Instant;

use serde::Serialize;

use super::World;
use crate::calendar::{Day, Period};
use crate::checks;
use crate::error::{Exit, Refusal, Result};
use crate::exports::{self, Claim, Published, Scope, Which};
use crate::report::{self, Outcome, count, counted};
use crate::warehouse::Warehouse;

#[derive(Serialize)]
struct Exported {
    month: Option<Period>,
    #[serde(flatten)]
    files: Files,
}

/// The files, by what was done with them; each is counted once.
#[derive(Debug, Serialize)]
pub(super) struct Files {
    /// Those whose bytes were written.
    written_files: usize,
    /// Those that were as they should be, and that the manifest says anew.
    listed_files: usize,
    removed_files: usize,
    /// Those that were as they should be.
    unchanged_files: usize,
    /// Those of open periods that were not meant.
    open_files: usize,
}

impl Files {
    pub(super) fn of(published: &Published) -> Self {
        Self {
            written_files: published.written,
            listed_files: published.listed,
            removed_files: published.removed,
            unchanged_files: published.unchanged,
            open_files: published.open,
        }
    }
}

/// What was typed as a year and a month; nothing typed means everything.
pub(super) fn scope(typed: Option<(i32, u8)>) -> Result<Scope> {
    let Some((year, month)) = typed else { return Ok(Scope::Everything) };
    let first = Day::new(year, month, 1).ok_or_else(|| {
        Refusal::usage(
            format!("there is no month {month} of year {year}"),
            "Months go from 1 to 12; years before Christ are negative, and there is no year 0.",
        )
    })?;
    Ok(Scope::Month(first.month()))
}

pub(super) async fn run(world: &World<'_>, scope: Scope, which: Which, claim: Claim) -> Result<Outcome> {
    let started = Instant::now();
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    reading.check_lasting().await?;
    checks::settled_as_set(&reading, &world.settings.entities).await?;
    drop(reading);
    let published = publish(world, &mut warehouse, scope, which, claim).await?;
    let month = match scope {
        Scope::Everything => None,
        Scope::Month(month) => Some(month),
    };
    let text = text(world, month, &published, started.elapsed().as_secs_f64());
    Ok(Outcome::new(Exit::Done, text, &Exported { month, files: Files::of(&published) }))
}

/// Publishes, after another run that does so where somebody waits for it.
pub(super) async fn publish(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    scope: Scope,
    which: Which,
    claim: Claim,
) -> Result<Published> {
    let publish = async || exports::publish(warehouse, &world.settings.exports, scope, which, claim).await;
    world.manner.patiently(publish).await
}

fn text(world: &World<'_>, month: Option<Period>, published: &Published, took_seconds: f64) -> String {
    let without_rows = month.filter(|_| !published.month_has_rows).map(|month| format!("{month} holds no rows"));
    let done = if published.written + published.listed + published.removed > 0 {
        line(world, published, took_seconds)
    } else if published.relisted {
        relisted()
    } else if published.unchanged > 0 {
        format!("nothing to do: {} as the accounts have them", counted(published.unchanged, "file"))
    } else {
        "nothing to publish".to_string()
    };
    report::list_lines(without_rows.into_iter().chain([done]))
}

/// No file was due, but the manifest was behind.
pub(super) fn relisted() -> String {
    "listed      the manifest was written again; no file was due".to_string()
}

/// What was published, as a line of a result.
pub(super) fn line(world: &World<'_>, published: &Published, took_seconds: f64) -> String {
    let Published { written, listed, removed, open, .. } = *published;
    let and = |number: usize, what: &str| match number {
        0 => String::new(),
        number => format!(", {} {what}", count(i64::try_from(number).unwrap_or(i64::MAX))),
    };
    if written + removed == 0 && listed > 0 {
        let what = format!("{}, none rewritten{}", counted(listed, "file"), and(open, "open left out"));
        return report::line("listed", &what, took_seconds);
    }
    let folder = world.settings.exports.display().to_string();
    let (removed, listed, open) = (and(removed, "removed"), and(listed, "only listed"), and(open, "open left out"));
    let what = format!("{} in {}/{removed}{listed}{open}", counted(written, "file"), folder.trim_end_matches('/'));
    report::line("published", &what, took_seconds)
}

//! `export`: the files of a month and its year, or all that are due.

use std::time::Instant;

use serde::Serialize;

use super::World;
use crate::calendar::{Day, Period};
use crate::checks;
use crate::error::{Exit, Refusal, Result};
use crate::exports::{self, Claim, Published, Scope, Which};
use crate::report::{self, Outcome, counted};
use crate::warehouse::Warehouse;

#[derive(Serialize)]
struct Exported {
    month: Option<Period>,
    written_files: usize,
    removed_files: usize,
    unchanged_files: usize,
    open_files: usize,
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
    let json = Exported {
        month,
        written_files: published.written,
        removed_files: published.removed,
        unchanged_files: published.unchanged,
        open_files: published.open,
    };
    Ok(Outcome::new(Exit::Done, text, &json))
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
    let done = if published.written + published.removed > 0 {
        line(world, published, took_seconds)
    } else if published.relisted {
        relisted()
    } else if published.unchanged > 0 {
        format!("nothing to do: {} as they should be", counted(published.unchanged, "file"))
    } else {
        "nothing to publish".to_string()
    };
    report::list_lines(without_rows.into_iter().chain([done]))
}

/// No file was due, but more is closed than the manifest said.
pub(super) fn relisted() -> String {
    "listed      the manifest says anew what is closed; no file was due".to_string()
}

/// What was published, as a line of a result.
pub(super) fn line(world: &World<'_>, published: &Published, took_seconds: f64) -> String {
    let removed = match published.removed {
        0 => String::new(),
        removed => format!(", {removed} removed"),
    };
    let open = match published.open {
        0 => String::new(),
        open => format!(", {open} open left out"),
    };
    let folder = world.settings.exports.display().to_string();
    let what = format!("{} in {}/{removed}{open}", counted(published.written, "file"), folder.trim_end_matches('/'));
    report::line("published", &what, took_seconds)
}

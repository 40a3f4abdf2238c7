//! The second step: the files that are due.

use serde::Serialize;

use crate::error::Result;
use crate::exports::{self, Claim, Pages, Published, Scope, Which};
use crate::report::{self, Figure, Gauge, count, counted};
use crate::warehouse::Warehouse;
use crate::world::World;

/// Publishes the files that are due. With `--wait`, it waits for another run that publishes.
pub async fn publish(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    scope: Scope,
    which: Which,
    claim: Claim,
) -> Result<Published> {
    publish_with(world, warehouse, (scope, which), claim, &world.pages()).await
}

/// The same, with pages other than those of the settings.
pub async fn publish_with(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    (scope, which): (Scope, Which),
    claim: Claim,
    pages: &impl Pages,
) -> Result<Published> {
    let exports = &world.settings.exports;
    // A folder has a lock of its own. That of a place in a store is held over another connection, because this one
    // reads and notes in several transactions.
    let mut beside = if exports.to.folder().is_none() { Some(world.warehouse().await?) } else { None };
    let publish = async || {
        let _held = match &mut beside {
            Some(beside) => Some(exports::hold(beside, &exports.to).await?),
            None => None,
        };
        exports::publish(warehouse, exports, scope, which, claim, pages).await
    };
    world.patiently(publish).await
}

/// How many files there are, by what was done with them. Each is counted once.
#[derive(Debug, Serialize)]
pub struct Files {
    /// Those whose bytes were written.
    written_files: usize,
    /// Those whose content was right, and whose entry in the manifest was written again.
    listed_files: usize,
    removed_files: usize,
    /// Those that were as they should be.
    unchanged_files: usize,
    /// Those of open periods that `--closed-only` left alone.
    open_files: usize,
    /// Pages of the report whose bytes were written.
    written_pages: usize,
    removed_pages: usize,
}

impl Files {
    /// Counts what was published.
    pub fn of(published: &Published) -> Self {
        Self {
            written_files: published.written,
            listed_files: published.listed,
            removed_files: published.removed,
            unchanged_files: published.unchanged,
            open_files: published.open,
            written_pages: published.written_pages,
            removed_pages: published.removed_pages,
        }
    }

    /// For monitoring; labelled with the entity if it is the only one.
    pub fn figures(&self, entity: Option<&str>) -> Vec<Figure> {
        vec![
            Figure::count(Gauge::WrittenFiles, entity, self.written_files),
            Figure::count(Gauge::ListedFiles, entity, self.listed_files),
            Figure::count(Gauge::RemovedFiles, entity, self.removed_files),
            Figure::count(Gauge::UnchangedFiles, entity, self.unchanged_files),
        ]
    }
}

/// No file was due, but the manifest was behind.
pub fn relisted() -> String {
    "listed      the manifest was written again; no file was due".to_string()
}

/// What was published, as a line of a result.
pub fn line(world: &World<'_>, published: &Published, took_seconds: f64) -> String {
    let Published { written, listed, removed, open, written_pages, removed_pages, .. } = *published;
    let and = |number: usize, what: &str| match number {
        0 => String::new(),
        number => format!(", {} {what}", count(i64::try_from(number).unwrap_or(i64::MAX))),
    };
    let pages = [(written_pages, ""), (removed_pages, " removed")].into_iter().filter(|(number, _)| *number > 0);
    let pages = pages.map(|(number, how)| format!(", {}{how}", counted(number, "page"))).collect::<String>();
    if written + removed + listed == 0 && !pages.is_empty() {
        return report::line("report", pages.trim_start_matches(", "), took_seconds);
    }
    if written + removed == 0 && listed > 0 {
        let what = format!("{}, none rewritten{pages}{}", counted(listed, "file"), and(open, "open left out"));
        return report::line("listed", &what, took_seconds);
    }
    let folder = world.settings.exports.to.to_string();
    let (removed, listed, open) = (and(removed, "removed"), and(listed, "only listed"), and(open, "open left out"));
    let what =
        format!("{} in {}/{removed}{listed}{open}{pages}", counted(written, "file"), folder.trim_end_matches('/'));
    report::line("published", &what, took_seconds)
}

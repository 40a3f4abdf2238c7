//! Publishes accounts as files: which are due, and writing them.
//!
//! What a file should contain follows from the accounts alone, so after a crash the next run simply publishes again.

mod age;
#[cfg(feature = "stores")]
mod bucket;
mod columns;
mod content;
mod csv;
mod due;
mod entries;
mod folder;
mod formed;
mod index;
mod jsonl;
mod known;
mod listed;
mod lock;
mod manifest;
mod notes;
pub mod pages;
#[cfg(feature = "parquet")]
mod parquet;
mod place;
mod preflight;
mod preview;
mod rendering;
mod renewal;
mod stat;
mod state;
mod trust;
mod unmoved;
mod wanted;
mod way;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Context as _;

pub use content::{Scope, Which};
pub use due::{Due, Fault};
use entries::Entry;
pub use lock::hold;
use manifest::{Manifest, Settled};
pub use pages::Pages;
use place::Place;
use preflight::{Intended, allowed};
pub use preflight::{ready, room};
pub use preview::{Line, Preview, preview};
use renewal::{Done, renew};
pub use trust::Trust;
use unmoved::Unmoved;
pub use wanted::Claim;
use wanted::{File, Target, compare, is_behind, wanted};

use crate::calendar::Level;
use crate::error::Result;
use crate::settings::Exports;
use crate::warehouse::{Reading, Warehouse};

/// What publishing did.
#[derive(Debug, Default)]
pub struct Published {
    /// Files whose bytes were written.
    pub written: usize,
    /// Files whose content was right, and whose entry in the manifest was written again.
    pub listed: usize,
    /// Files that were removed, without those that somebody had removed already.
    pub removed: usize,
    /// Files whose content was right, and which were left alone.
    pub unchanged: usize,
    /// Files of open periods that `--closed-only` left alone.
    pub open: usize,
    /// Pages of the report whose bytes were written.
    pub written_pages: usize,
    /// Pages that were removed.
    pub removed_pages: usize,
    /// Whether there are pages now. Those of a single month are not looked at.
    pub has_pages: bool,
    /// Whether the manifest was written. If no file was due, more periods are closed, or a killed run left it
    /// unfinished.
    pub relisted: bool,
    /// Whether the month that was asked for has rows; without a month, whether any has.
    pub month_has_rows: bool,
    /// The written file of the newest period.
    pub newest: Option<Newest>,
}

impl Published {
    /// Whether a file or a page was written, listed or removed.
    pub fn is_something(&self) -> bool {
        [self.written, self.listed, self.removed, self.written_pages, self.removed_pages] != [0; 5]
    }
}

/// Where to look at what was published.
#[derive(Debug)]
pub struct Newest {
    /// The file's path in the folder.
    pub path: String,
    /// The view of the warehouse that has the same columns, with its schema.
    pub view: String,
}

/// How many bytes of due files are held in memory in all. Further files are read from the warehouse again.
const HELD_BYTES: usize = 8 << 20;

/// The files of a scope that are due. Reads only, and reads all of them, but for objects that are as they were put.
///
/// # Errors
/// Refuses a manifest that cannot be read; busy when another run is publishing.
pub async fn due(
    reading: &Reading<'_>,
    exports: &Exports,
    scope: Scope,
    (which, trust): (Which, Trust),
    pages: &impl Pages,
) -> Result<Due> {
    lock::share(reading, &exports.to).await?;
    let folder = Place::open(&exports.to, trust)?;
    let manifest = folder.as_ref().map_or(Ok(None), Place::manifest)?.unwrap_or_default();
    let wanted = wanted(reading, (folder.as_ref(), &manifest), exports, scope, 0, Unmoved::default()).await?;
    let mut due = compare(&wanted, folder.as_ref(), &manifest, scope, which)?;
    let of_pages = pages::due(pages, reading, folder.as_ref(), manifest.pages_known(), scope, which).await?;
    due.relist |= !of_pages.is_nothing();
    let fault = |path: &String| if manifest.pages.contains_key(path) { Fault::Differs } else { Fault::Missing };
    due.write.extend(of_pages.write.into_keys().map(|path| (path.clone(), fault(&path))));
    due.remove.extend(of_pages.remove);
    Ok(due)
}

/// Publishes the files of a scope that are due, and removes those whose periods have no rows any more.
///
/// # Errors
/// Refuses to replace a file, or to write into a folder, that is not Kalends'. Each file is complete, or as it was.
pub async fn publish(
    warehouse: &mut Warehouse,
    exports: &Exports,
    scope: Scope,
    which: Which,
    claim: Claim,
    pages: &impl Pages,
) -> Result<Published> {
    let to = &exports.to;
    // The folder is held before the accounts are read: whoever comes second publishes what is newer.
    let mut folder = Place::open(to, Trust::ETags)?;
    if folder.is_none() {
        let something = content::any(&warehouse.read().await?, scope, which).await?;
        folder = if something { Some(Place::make(to)?) } else { None };
    }
    let Some(folder) = folder else { return Ok(Published::default()) };
    let reading = warehouse.read().await?;
    let unmoved = unmoved(&reading, &folder, exports).await?;
    if unmoved.is_everything()
        && let Some(index) = &unmoved.index
        && pages::due(pages, &reading, Some(&folder), (&index.head.pages, &BTreeMap::new()), scope, which)
            .await?
            .is_nothing()
    {
        folder.check_staged(manifest::NAME)?;
        unstage(&folder)?;
        return Ok(Published { has_pages: !index.head.pages.is_empty(), ..untouched(&unmoved, scope, which) });
    }
    let Intended { mut manifest, wanted, due, others } =
        allowed(&reading, (&folder, exports), (scope, which), claim, HELD_BYTES, unmoved).await?;
    let due_pages = pages::due(pages, &reading, Some(&folder), manifest.pages_known(), scope, which).await?;
    due_pages.check((&folder, to), &manifest, &wanted)?;
    unstage(&folder)?;
    let unfinished = manifest.pending.keys().any(|path| scope.covers(path));
    let changes = !due.is_empty() || !due_pages.is_nothing() || unfinished || others;
    let (mut removed, mut written) = (0, None);
    if changes {
        let (due, scope) = ((&due, &due_pages), scope);
        let (removals, bytes) = replace(reading, &folder, &mut manifest, &wanted, due, scope).await?;
        (removed, written) = (removals, Some(bytes));
    } else {
        drop(reading);
        if due.relist {
            list(&mut manifest, &wanted, scope)?;
            written = Some(folder.write_manifest(&manifest)?);
        }
    }
    let noted = notes::note(warehouse, &manifest, (&wanted, &due), scope).await?;
    let is_due = changes || due.relist || wanted.unmoved.is_worn(scope, which);
    if let Some(folder) = folder.local().filter(|_| is_due) {
        let (manifest, wanted, due) = (&manifest, &wanted, &due);
        renew(&Done { folder, manifest, written, wanted, due, scope, which, noted });
    }
    tracing::info!(written = due.rewritten().count(), listed = due.listed().count(), removed, "published");
    let (written_pages, removed_pages) = (due_pages.write.len(), due_pages.remove.len());
    Ok(Published {
        removed,
        written_pages,
        removed_pages,
        has_pages: !manifest.pages.is_empty(),
        relisted: changes || due.relist,
        newest: newest(&wanted, &due)?,
        ..counted(&wanted, &due, scope)
    })
}

/// What need not be looked at. Of objects that is told by their ETags, once they are rendered.
async fn unmoved(reading: &Reading<'_>, folder: &Place, exports: &Exports) -> Result<Unmoved> {
    match folder.local() {
        Some(folder) => Unmoved::look(reading, folder, exports).await,
        None => Ok(Unmoved::default()),
    }
}

/// Removes what a run that died left of a manifest and an index.
fn unstage(folder: &Place) -> Result<()> {
    // Something else in the place of a cache is no harm.
    let _ = folder.unstage(index::NAME);
    folder.unstage(manifest::NAME)
}

/// How many files there are, by what was due.
fn counted(wanted: &Target, due: &Due, scope: Scope) -> Published {
    // Where nothing so small is published, nobody can tell by the files.
    let tells = wanted.entities.iter().any(|one| one.model.entity.levels.iter().any(|&level| within_month(level)));
    let month_has_rows = !tells
        || wanted.files.values().any(|file| within_month(file.period.level()))
        || wanted.unmoved.of(scope).any(|(level, ..)| within_month(level));
    Published {
        written: due.rewritten().count(),
        listed: due.listed().count(),
        unchanged: due.unchanged,
        open: due.open.len(),
        month_has_rows,
        ..Published::default()
    }
}

/// Whether a level's files are of a month or a part of one.
fn within_month(level: Level) -> bool {
    level <= Level::Month && level != Level::Week
}

/// What is said if nothing is due: neither accounts nor files have moved.
fn untouched(unmoved: &Unmoved, scope: Scope, which: Which) -> Published {
    let (unchanged, open) = unmoved.counted(scope, which);
    let tells = unmoved.levels().any(within_month);
    let month_has_rows = !tells || unmoved.of(scope).any(|(level, ..)| within_month(level));
    Published { unchanged, open: open.len(), month_has_rows, ..Published::default() }
}

/// The written file of the newest period, and the view that shows the same.
fn newest(wanted: &Target, due: &Due) -> Result<Option<Newest>> {
    let written = due.rewritten().filter_map(|(path, _)| Some((path, wanted.files.get(path)?)));
    let last = |(_, file): &(&String, &File)| (file.period.first(), Reverse(file.period.level()), Reverse(file.format));
    let Some((path, file)) = written.max_by_key(last) else { return Ok(None) };
    let Some(entity) = wanted.entity(&file.entry) else { return Ok(None) };
    let view = format!("kalends_stats.{}", entity.model.stats_view(file.period.level())?.name());
    Ok(Some(Newest { path: path.clone(), view }))
}

/// Writes to the manifest what it is about to do, does it, and writes that it is done. If it is killed in between, the
/// next run finds in the manifest which files are Kalends'. Returns how many files were removed, and the manifest as it
/// was written in the end.
async fn replace(
    reading: Reading<'_>,
    folder: &Place,
    manifest: &mut Manifest,
    wanted: &Target,
    (due, pages): (&Due, &pages::Due),
    scope: Scope,
) -> Result<(usize, Vec<u8>)> {
    let stale: Vec<String> = manifest.pending.keys().filter(|path| scope.covers(path)).cloned().collect();
    let files = &wanted.files;
    for path in due.write.keys() {
        manifest.pending.insert(path.clone(), Some(files[path].entry.sha256.clone()));
    }
    for path in &due.remove {
        manifest.files.remove(path);
        manifest.pending.insert(path.clone(), None);
    }
    pages.begin(manifest);
    manifest.warehouse.clone_from(&wanted.warehouse);
    manifest.settled.extend(wanted.fresh.iter().filter_map(|(entity, fresh)| {
        let as_of = fresh.settled_as_of.clone()?;
        Some((entity.clone(), Settled { as_of, settlement: fresh.settlement }))
    }));
    folder.write_manifest(manifest)?;

    stale.iter().try_for_each(|path| folder.unstage(path))?;
    let mut rewritten: Vec<&str> = due.rewritten().map(|(path, _)| path.as_str()).collect();
    stage(reading, folder, wanted, &rewritten).await?;
    let written: Vec<(&str, &[u8])> = pages.write.iter().map(|(path, bytes)| (path.as_str(), &bytes[..])).collect();
    folder.stage(&written)?;
    rewritten.extend(pages.write.keys().map(String::as_str));
    folder.flush(&rewritten)?;
    folder.place(&rewritten)?;
    let mut removed = 0;
    for path in &due.remove {
        removed += usize::from(folder.remove(path)?);
    }
    pages.remove.iter().try_for_each(|path| folder.remove(path).map(drop))?;
    let gone = due.remove.iter().chain(&pages.remove).map(String::as_str);
    let touched: Vec<&str> = rewritten.into_iter().chain(gone).collect();
    folder.flush(&touched)?;

    for path in due.write.keys() {
        manifest.files.insert(path, &Entry { etag: folder.etag(path), ..files[path].entry.clone() })?;
    }
    // What a dead run had begun elsewhere stays noted until its own scope is published.
    manifest.pending.retain(|path, _| !scope.covers(path));
    let is_listed = |entity: &String| manifest.files.all().any(|(_, file)| file.entity == *entity);
    let (published, known) = (&mut manifest.settled, &wanted.fresh);
    published.retain(|entity, _| known.contains_key(entity) || is_listed(entity));
    list(manifest, wanted, scope)?;
    pages.list(manifest, folder);
    Ok((removed, folder.write_manifest(manifest)?))
}

/// The manifest's entries of all files.
fn list(manifest: &mut Manifest, wanted: &Target, scope: Scope) -> Result<()> {
    for (path, file) in &wanted.files {
        manifest.files.close(path, file.entry.closed)?;
    }
    if is_behind(manifest, wanted, scope) {
        manifest.complete_through.clone_from(&wanted.complete_through);
    }
    manifest.production_as_of.clone_from(&wanted.production_as_of);
    let in_parts = wanted.fresh.iter().filter(|(_, fresh)| fresh.recent.is_some());
    let oldest = in_parts.filter_map(|(entity, fresh)| Some((entity.clone(), fresh.oldest()?.as_of.clone())));
    manifest.oldest_proof = oldest.collect();
    Ok(())
}

/// Stages files beside their paths. Those that were too many to hold are read from the warehouse again, from the same
/// snapshot, which ends as soon as it is not needed.
async fn stage(reading: Reading<'_>, folder: &Place, wanted: &Target, paths: &[&str]) -> Result<()> {
    let (held, others): (Vec<&str>, Vec<&str>) = paths.iter().partition(|path| wanted.files[**path].bytes.is_some());
    let reading = if others.is_empty() { None } else { Some(reading) };
    let bytes = |path| wanted.files[path].bytes.as_deref().unwrap_or_default();
    folder.stage(&held.into_iter().map(|path| (path, bytes(path))).collect::<Vec<_>>())?;
    for path in others {
        let (Some(reading), file) = (&reading, &wanted.files[path]) else { continue };
        let entity = wanted.entity(&file.entry).context("a file is of no entity")?;
        let content = content::one(reading, &entity.model, file.period, file.format).await?;
        let content = content.with_context(|| format!("the accounts of {} went away", file.period))?;
        folder.stage(&[(path, &content.bytes)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_month_are_its_own_and_those_of_its_hours_and_days() {
        let within: Vec<Level> = Level::ALL.into_iter().filter(|&level| within_month(level)).collect();
        assert_eq!(within, [Level::Hour, Level::Day, Level::Month]);
    }
}

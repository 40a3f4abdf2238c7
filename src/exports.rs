//! Publishes accounts as files: which are due, and writing them.
//!
//! What a file should contain follows from the accounts alone, so after a crash the next run simply publishes again.

mod age;
mod content;
mod csv;
mod due;
mod folder;
mod manifest;
mod notes;
mod preflight;
mod preview;
mod wanted;

use std::cmp::Reverse;
use std::path::Path;

use anyhow::Context as _;

pub use content::{Scope, Which};
pub use due::Due;
use folder::Folder;
use manifest::{Manifest, Settled};
use preflight::{Intended, allowed};
pub use preflight::{ready, room};
pub use preview::{Line, Preview, preview};
pub use wanted::Claim;
use wanted::{File, Target, compare, is_behind, wanted};

use crate::calendar::Level;
use crate::error::Result;
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
    /// Whether the manifest was written although no file was due: more periods are closed, or a killed run left it
    /// unfinished.
    pub relisted: bool,
    /// Whether the month that was asked for has rows; without a month, whether any has.
    pub month_has_rows: bool,
    /// The written file of the newest period.
    pub newest: Option<Newest>,
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

/// The files of a scope that are due. Reads only.
///
/// # Errors
/// Refuses a manifest that cannot be read; busy when another run is publishing.
pub async fn due(reading: &Reading<'_>, path: &Path, scope: Scope, which: Which) -> Result<Due> {
    let folder = Folder::open(path)?;
    let manifest = folder.as_ref().map_or(Ok(None), Folder::manifest)?.unwrap_or_default();
    let wanted = wanted(reading, folder.as_ref(), &manifest, scope, 0).await?;
    compare(&wanted, folder.as_ref(), &manifest, scope, which)
}

/// Publishes the files of a scope that are due, and removes those whose periods have no rows any more.
///
/// # Errors
/// Refuses to replace a file, or to write into a folder, that is not Kalends'. Each file is complete, or as it was.
pub async fn publish(
    warehouse: &mut Warehouse,
    path: &Path,
    scope: Scope,
    which: Which,
    claim: Claim,
) -> Result<Published> {
    // The folder is held before the accounts are read: whoever comes second publishes what is newer.
    let mut folder = Folder::open(path)?;
    if folder.is_none() {
        let wanted = wanted(&warehouse.read().await?, None, &Manifest::default(), scope, 0).await?;
        let nothing = !wanted.files.values().any(|file| file.is_meant(which));
        folder = if nothing { None } else { Some(Folder::make(path)?) };
    }
    let Some(folder) = folder else { return Ok(Published::default()) };
    let reading = warehouse.read().await?;
    let Intended { mut manifest, wanted, due, others } =
        allowed(&reading, &folder, path, (scope, which), claim, HELD_BYTES).await?;
    // What a run that died left of a manifest.
    folder.unstage(manifest::NAME)?;
    let unfinished = manifest.pending.keys().any(|path| scope.covers(path));
    let changes = !due.write.is_empty() || !due.remove.is_empty() || unfinished || others;
    let mut removed = 0;
    if changes {
        removed = replace(reading, &folder, &mut manifest, &wanted, &due, scope).await?;
    } else {
        drop(reading);
        if due.relist {
            list(&mut manifest, &wanted, scope);
            folder.write_manifest(&manifest)?;
        }
    }
    notes::note(warehouse, &wanted, &due, scope).await?;
    let newest = newest(&wanted, &due)?;
    tracing::info!(written = due.rewritten().count(), listed = due.listed().count(), removed, "published");
    let within_month = |level: Level| level <= Level::Month && level != Level::Week;
    // Where nothing so small is published, nobody can tell by the files.
    let tells = wanted.models.iter().any(|model| model.entity.levels.iter().any(|&level| within_month(level)));
    let month_has_rows = !tells || wanted.files.values().any(|file| within_month(file.period.level()));
    Ok(Published {
        written: due.rewritten().count(),
        listed: due.listed().count(),
        removed,
        unchanged: due.unchanged,
        open: due.open.len(),
        relisted: (changes || due.relist) && due.write.is_empty() && removed == 0,
        month_has_rows,
        newest,
    })
}

/// The written file of the newest period, and the view that shows the same.
fn newest(wanted: &Target, due: &Due) -> Result<Option<Newest>> {
    let written = due.rewritten().filter_map(|(path, _)| Some((path, wanted.files.get(path)?)));
    let last = |(_, file): &(&String, &File)| (file.period.first(), Reverse(file.period.level()));
    let Some((path, file)) = written.max_by_key(last) else { return Ok(None) };
    let Some(model) = wanted.models.iter().find(|model| model.name() == file.entry.entity) else { return Ok(None) };
    let view = format!("kalends_stats.{}", model.stats_view(file.period.level())?.name());
    Ok(Some(Newest { path: path.clone(), view }))
}

/// Writes to the manifest what it is about to do, does it, and writes that it is done. If it is killed in between, the
/// next run finds in the manifest which files are Kalends'. Returns how many files were removed.
async fn replace(
    reading: Reading<'_>,
    folder: &Folder,
    manifest: &mut Manifest,
    wanted: &Target,
    due: &Due,
    scope: Scope,
) -> Result<usize> {
    let stale: Vec<String> = manifest.pending.keys().filter(|path| scope.covers(path)).cloned().collect();
    let files = &wanted.files;
    for path in due.write.keys() {
        manifest.pending.insert(path.clone(), Some(files[path].entry.sha256.clone()));
    }
    for path in &due.remove {
        manifest.files.remove(path);
        manifest.pending.insert(path.clone(), None);
    }
    manifest.warehouse.clone_from(&wanted.warehouse);
    manifest.settled.extend(wanted.fresh.iter().filter_map(|(entity, fresh)| {
        let as_of = fresh.settled_as_of.clone()?;
        Some((entity.clone(), Settled { as_of, settlement: fresh.settlement }))
    }));
    folder.write_manifest(manifest)?;

    stale.iter().try_for_each(|path| folder.unstage(path))?;
    let rewritten: Vec<&str> = due.rewritten().map(|(path, _)| path.as_str()).collect();
    stage(reading, folder, wanted, &rewritten).await?;
    folder.flush(&rewritten)?;
    rewritten.iter().try_for_each(|path| folder.place(path))?;
    let mut removed = 0;
    for path in &due.remove {
        removed += usize::from(folder.remove(path)?);
    }
    let touched: Vec<&str> = rewritten.into_iter().chain(due.remove.iter().map(String::as_str)).collect();
    folder.flush(&touched)?;

    for path in due.write.keys() {
        manifest.files.insert(path.clone(), files[path].entry.clone());
    }
    // What a dead run had begun elsewhere stays noted until its own scope is published.
    manifest.pending.retain(|path, _| !scope.covers(path));
    let is_listed = |entity: &String| manifest.files.values().any(|file| file.entity == *entity);
    let (published, known) = (&mut manifest.settled, &wanted.fresh);
    published.retain(|entity, _| known.contains_key(entity) || is_listed(entity));
    list(manifest, wanted, scope);
    folder.write_manifest(manifest)?;
    Ok(removed)
}

/// The manifest's entries of all files.
fn list(manifest: &mut Manifest, wanted: &Target, scope: Scope) {
    for (path, file) in &wanted.files {
        if let Some(listed) = manifest.files.get_mut(path) {
            listed.closed = file.entry.closed;
        }
    }
    if is_behind(manifest, wanted, scope) {
        manifest.complete_through.clone_from(&wanted.complete_through);
    }
    manifest.production_as_of.clone_from(&wanted.production_as_of);
}

/// Stages files beside their paths. Those that were too many to hold are read from the warehouse again, from the same
/// snapshot, which ends as soon as it is not needed.
async fn stage(reading: Reading<'_>, folder: &Folder, wanted: &Target, paths: &[&str]) -> Result<()> {
    let (held, others): (Vec<&str>, Vec<&str>) = paths.iter().partition(|path| wanted.files[**path].bytes.is_some());
    let reading = if others.is_empty() { None } else { Some(reading) };
    for path in held {
        let bytes = wanted.files[path].bytes.as_deref().unwrap_or_default();
        folder.stage(path, bytes)?;
    }
    for path in others {
        let (Some(reading), file) = (&reading, &wanted.files[path]) else { continue };
        let model = wanted.models.iter().find(|model| model.name() == file.entry.entity);
        let model = model.context("a file is of no entity")?;
        let content = content::one(reading, model, file.period).await?;
        let content = content.with_context(|| format!("the accounts of {} went away", file.period))?;
        folder.stage(path, &content.bytes)?;
    }
    Ok(())
}

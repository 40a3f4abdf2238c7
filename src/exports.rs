//! Accounts into files: which are due, and publishing them.
//!
//! What a file should say follows from the accounts alone, so a run that dies in between is simply published again.

mod content;
mod folder;
mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tokio_postgres::types::Type;

pub use content::Scope;
use content::{Contents, contents, sha256};
use folder::Folder;
use manifest::{Entry, Manifest};

use crate::calendar::{Day, Level};
use crate::db::{Parameter, Statement};
use crate::error::{Refusal, Result};
use crate::statement;
use crate::warehouse::{Reading, Warehouse};

const RECORDED: Statement = statement!("exports/recorded.sql");
const NOTE_FILES: Statement = statement!("exports/note_files.sql");
const NOTE_REMOVED: Statement = statement!("exports/note_removed.sql");

/// Files that are not as they should be, by path.
#[derive(Debug, Default)]
pub struct Due {
    /// To be written, because they are missing, differ, or are not listed.
    pub write: BTreeMap<String, Fault>,
    /// To be removed, because their periods hold no rows any more.
    pub remove: BTreeSet<String>,
    /// Files that are as they should be.
    pub unchanged: usize,
}

/// Why a file is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// Its content is another.
    Differs,
    /// It is as it should be and the manifest does not say so.
    Unlisted,
}

/// Whose files may be replaced and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Those that this warehouse published.
    Own,
    /// Those of another warehouse as well: somebody said so, by typing `--take-over`.
    TakeOver,
}

/// What publishing did.
#[derive(Debug, Default)]
pub struct Published {
    /// Files written.
    pub written: usize,
    /// Files removed.
    pub removed: usize,
    /// Files that were as they should be, and were left alone.
    pub unchanged: usize,
    /// Whether the month that was asked for, or any, holds rows.
    pub month_has_rows: bool,
}

/// What the warehouse says of the files.
struct Wanted {
    /// Which warehouse says so; `None` before anything was prepared in it.
    warehouse: Option<String>,
    contents: Contents,
    /// SHA-256 of each file as it was published, by path.
    recorded: BTreeMap<String, String>,
    production_as_of: Option<String>,
}

/// The files of a scope that are due. Reads only.
///
/// # Errors
/// Refuses a manifest that cannot be read; busy when another run is publishing.
pub async fn due(reading: &Reading<'_>, path: &Path, scope: Scope) -> Result<Due> {
    let wanted = wanted(reading, scope).await?;
    let folder = Folder::open(path)?;
    let manifest = folder.as_ref().map_or(Ok(None), Folder::manifest)?.unwrap_or_default();
    compare(&wanted, folder.as_ref(), &manifest, scope)
}

/// Publishes the files of a scope that are due, and removes those whose periods hold no rows any more.
///
/// # Errors
/// Refuses to replace a file, or to write into a folder, that is not Kalends'. A file is whole or as it was.
pub async fn publish(warehouse: &mut Warehouse, path: &Path, scope: Scope, claim: Claim) -> Result<Published> {
    // The folder is held before the accounts are read: whoever comes second publishes what is newer.
    let mut folder = Folder::open(path)?;
    let mut wanted = read_wanted(warehouse, scope).await?;
    if folder.is_none() && !wanted.contents.is_empty() {
        folder = Some(Folder::make(path)?);
        wanted = read_wanted(warehouse, scope).await?;
    }
    let Some(folder) = folder else { return Ok(Published::default()) };
    let found = folder.manifest()?;
    check_folder(&folder, path, found.as_ref())?;
    let mut manifest = found.unwrap_or_default();
    let due = compare(&wanted, Some(&folder), &manifest, scope)?;
    let others = manifest.warehouse.is_some() && manifest.warehouse != wanted.warehouse;
    if others && claim == Claim::Own {
        check_takes_nothing(path, &due, scope)?;
    }
    check_owned(&folder, path, &manifest, &wanted, &due)?;
    // What a run that died left of a manifest.
    folder.unstage(manifest::NAME)?;
    let unfinished = manifest.pending.keys().any(|path| scope.covers(path));
    if !due.write.is_empty() || !due.remove.is_empty() || unfinished || others {
        replace(&folder, &mut manifest, &wanted, &due, scope)?;
    }
    note(warehouse, &wanted, scope).await?;
    tracing::info!(written = due.write.len(), removed = due.remove.len(), "published");
    let month_has_rows = wanted.contents.values().any(|content| content.period.level() == Level::Month);
    Ok(Published { written: due.write.len(), removed: due.remove.len(), unchanged: due.unchanged, month_has_rows })
}

async fn read_wanted(warehouse: &mut Warehouse, scope: Scope) -> Result<Wanted> {
    let reading = warehouse.read().await?;
    wanted(&reading, scope).await
}

async fn wanted(reading: &Reading<'_>, scope: Scope) -> Result<Wanted> {
    if !reading.prepared {
        return Ok(Wanted {
            warehouse: None,
            contents: Contents::new(),
            recorded: BTreeMap::new(),
            production_as_of: None,
        });
    }
    let recorded = reading.work().query(RECORDED, &[]).await?;
    let run = reading.last_run().await?;
    Ok(Wanted {
        warehouse: reading.name().await?,
        contents: contents(reading, scope).await?,
        recorded: recorded.iter().map(|row| (row.get("path"), row.get("sha256"))).collect(),
        production_as_of: run.map(|run| run.production_as_of),
    })
}

/// What is due: by content, not by date or size, so a file that somebody edited is due as well.
fn compare(wanted: &Wanted, folder: Option<&Folder>, manifest: &Manifest, scope: Scope) -> Result<Due> {
    let mut due = Due::default();
    let read = |path: &str| folder.map_or(Ok(None), |folder| folder.read(path));
    for (path, content) in &wanted.contents {
        let found = read(path)?;
        let listed = manifest.files.get(path).is_some_and(|entry| *entry == entry_of(content));
        match found {
            None => drop(due.write.insert(path.clone(), Fault::Missing)),
            Some(bytes) if bytes != content.bytes => drop(due.write.insert(path.clone(), Fault::Differs)),
            Some(_) if !listed => drop(due.write.insert(path.clone(), Fault::Unlisted)),
            Some(_) => due.unchanged += 1,
        }
    }
    let gone = |path: &&String| scope.covers(path) && !wanted.contents.contains_key(*path);
    due.remove = manifest.files.keys().chain(manifest.pending.keys()).filter(gone).cloned().collect();
    // Where the manifest was lost, the warehouse knows what is ours.
    for path in wanted.recorded.keys().filter(gone) {
        if read(path)?.is_some_and(|bytes| wanted.recorded[path] == sha256(&bytes)) {
            due.remove.insert(path.clone());
        }
    }
    Ok(due)
}

/// A folder that holds things and no manifest is somebody else's.
fn check_folder(folder: &Folder, path: &Path, manifest: Option<&Manifest>) -> Result<()> {
    if manifest.is_some() {
        return Ok(());
    }
    let Some(name) = folder.foreign()? else { return Ok(()) };
    Err(Refusal::refused(
        format!("the export folder \"{}\" holds files that Kalends did not write, such as \"{name}\"", path.display()),
        "Name an empty or new folder with --exports or KALENDS_EXPORTS.",
    ))
}

/// Files of another warehouse are not replaced or removed. If all of them are equal to ours, it is this one built anew.
fn check_takes_nothing(path: &Path, due: &Due, scope: Scope) -> Result<()> {
    let takes = !due.remove.is_empty() || due.write.values().any(|fault| *fault == Fault::Differs);
    if !takes && matches!(scope, Scope::Everything) {
        return Ok(());
    }
    Err(Refusal::refused(
        format!("the files in \"{}\" were published from another warehouse", path.display()),
        "Check KALENDS_WAREHOUSE_URL and the folder; if this warehouse is to replace them, say --take-over.",
    ))
}

/// Before anything is written: no file that is to be replaced may be somebody else's.
fn check_owned(folder: &Folder, path: &Path, manifest: &Manifest, wanted: &Wanted, due: &Due) -> Result<()> {
    for (file, _) in due.write.iter().filter(|(_, fault)| **fault == Fault::Differs) {
        if manifest.owns(file) {
            continue;
        }
        let recorded = wanted.recorded.get(file);
        let ours = folder.read(file)?.is_none_or(|bytes| recorded == Some(&sha256(&bytes)));
        if !ours {
            return Err(Refusal::refused(
                format!("\"{}\" is in the way, and Kalends did not write it", path.join(file).display()),
                "Move it away, or name another folder with --exports or KALENDS_EXPORTS.",
            ));
        }
    }
    Ok(())
}

/// Says what is about to happen, does it, and says that it is done. Killed in between, the next run finds in the
/// manifest what is its own.
fn replace(folder: &Folder, manifest: &mut Manifest, wanted: &Wanted, due: &Due, scope: Scope) -> Result<()> {
    let stale: Vec<String> = manifest.pending.keys().filter(|path| scope.covers(path)).cloned().collect();
    let contents = &wanted.contents;
    for path in due.write.keys() {
        manifest.pending.insert(path.clone(), Some(sha256(&contents[path].bytes)));
    }
    for path in &due.remove {
        manifest.files.remove(path);
        manifest.pending.insert(path.clone(), None);
    }
    manifest.warehouse.clone_from(&wanted.warehouse);
    folder.write_manifest(manifest)?;

    stale.iter().try_for_each(|path| folder.unstage(path))?;
    let rewritten: Vec<&str> =
        due.write.iter().filter(|(_, fault)| **fault != Fault::Unlisted).map(|(path, _)| path.as_str()).collect();
    rewritten.iter().try_for_each(|path| folder.stage(path, &contents[*path].bytes))?;
    folder.flush(&rewritten)?;
    rewritten.iter().try_for_each(|path| folder.place(path))?;
    due.remove.iter().try_for_each(|path| folder.remove(path))?;
    folder.flush(&rewritten)?;

    for path in due.write.keys() {
        manifest.files.insert(path.clone(), entry_of(&contents[path]));
    }
    // What a dead run had begun elsewhere stays noted until its own scope is published.
    manifest.pending.retain(|path, _| !scope.covers(path));
    manifest.production_as_of.clone_from(&wanted.production_as_of);
    folder.write_manifest(manifest)
}

fn entry_of(content: &content::Content) -> Entry {
    Entry {
        entity: content.entity.clone(),
        level: content.period.level(),
        period: content.period.to_string(),
        rows: 1,
        entity_rows: content.entity_rows,
        bytes: content.bytes.len() as u64,
        sha256: sha256(&content.bytes),
    }
}

/// Notes in the warehouse what is published, where it does not know yet: after a crash in between as well.
async fn note(warehouse: &mut Warehouse, wanted: &Wanted, scope: Scope) -> Result<()> {
    let hashed = wanted.contents.iter().map(|(path, content)| (path, content, entry_of(content)));
    let news: Vec<_> = hashed.filter(|(path, _, entry)| wanted.recorded.get(*path) != Some(&entry.sha256)).collect();
    let removed: Vec<&String> =
        wanted.recorded.keys().filter(|path| scope.covers(path) && !wanted.contents.contains_key(*path)).collect();
    if news.is_empty() && removed.is_empty() {
        return Ok(());
    }
    let locked = warehouse.lock_for_notes().await?;
    locked.work().execute(NOTE_REMOVED, &[(&removed, Type::TEXT_ARRAY)]).await?;
    let paths: Vec<&String> = news.iter().map(|(path, ..)| *path).collect();
    let entities: Vec<&str> = news.iter().map(|(_, _, entry)| entry.entity.as_str()).collect();
    let levels: Vec<&str> = news.iter().map(|(_, _, entry)| entry.level.word()).collect();
    let periods: Vec<Day> = news.iter().map(|(_, content, _)| content.period.first()).collect();
    let rows: Vec<i64> = news.iter().map(|(_, _, entry)| entry.entity_rows).collect();
    let bytes: Vec<i64> = news.iter().map(|(_, _, entry)| entry.bytes.cast_signed()).collect();
    let hashes: Vec<&str> = news.iter().map(|(_, _, entry)| entry.sha256.as_str()).collect();
    let parameters: [Parameter<'_>; 7] = [
        (&paths, Type::TEXT_ARRAY),
        (&entities, Type::TEXT_ARRAY),
        (&levels, Type::TEXT_ARRAY),
        (&periods, Type::DATE_ARRAY),
        (&rows, Type::INT8_ARRAY),
        (&bytes, Type::INT8_ARRAY),
        (&hashes, Type::TEXT_ARRAY),
    ];
    locked.work().execute(NOTE_FILES, &parameters).await?;
    locked.commit().await
}

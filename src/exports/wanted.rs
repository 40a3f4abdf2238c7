//! What files should contain according to the warehouse, compared with the folder.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::content::{self, Content, Scope, Which, sha256};
use super::due::{Due, Fault};
use super::folder::Folder;
use super::manifest::{Entry, Manifest};
use crate::calendar::Period;
use crate::db::Parameter;
use crate::entity::Model;
use crate::error::Result;
use crate::sql::Statement;
use crate::statement;
use crate::warehouse::{Freshness, Reading};

pub(super) const RECORDED: Statement = statement!("exports/recorded.sql");
const KNOWN: Statement = statement!("exports/known.sql");

/// Whose files may be replaced and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Those that this warehouse published.
    Own,
    /// Those of another warehouse as well, because of `--take-over`.
    TakeOver,
    /// Those of another tool as well, if they have the paths of ours, because of `adopt`.
    Adopt,
}

/// What files should contain according to the warehouse, and how the folder's differ.
pub(super) struct Target {
    /// Which warehouse this is; `None` before anything was prepared in it.
    pub(super) warehouse: Option<String>,
    pub(super) models: Vec<Model>,
    /// By path.
    pub(super) files: BTreeMap<String, File>,
    /// SHA-256 of each file as it was published, by path.
    pub(super) recorded: BTreeMap<String, String>,
    pub(super) production_as_of: Option<String>,
    pub(super) complete_through: BTreeMap<String, String>,
    /// As of when each entity is settled.
    pub(super) fresh: BTreeMap<String, Freshness>,
    /// By entity, the last settlement that this warehouse has made of the moment that the files were published as of.
    pub(super) known: BTreeMap<String, i64>,
}

/// A file as it should be.
pub(super) struct File {
    pub(super) period: Period,
    pub(super) entry: Entry,
    /// Why it is due, if it is.
    pub(super) fault: Option<Fault>,
    /// Its bytes, if they are to be written and were not too many to hold.
    pub(super) bytes: Option<Vec<u8>>,
}

/// What the files of a scope should contain. Each is compared with the folder's as soon as it is rendered.
pub(super) async fn wanted(
    reading: &Reading<'_>,
    folder: Option<&Folder>,
    manifest: &Manifest,
    scope: Scope,
    held_bytes: usize,
) -> Result<Target> {
    if !reading.prepared {
        return Ok(Target {
            warehouse: None,
            models: Vec::new(),
            files: BTreeMap::new(),
            recorded: BTreeMap::new(),
            production_as_of: None,
            complete_through: BTreeMap::new(),
            fresh: BTreeMap::new(),
            known: BTreeMap::new(),
        });
    }
    let recorded = reading.work().query(RECORDED, &[]).await?;
    let run = reading.last_run().await?;
    let complete_through = reading.complete_through().await?;
    let (models, mut files, mut room) = (reading.entities().await?, BTreeMap::new(), held_bytes);
    content::each(reading, &models, scope, |model, content| {
        let path = model.path(content.period);
        let mut file = compared(folder, manifest, &path, content)?;
        file.bytes = file.bytes.filter(|bytes| bytes.len() <= room);
        room -= file.bytes.as_ref().map_or(0, Vec::len);
        files.insert(path, file);
        Ok(())
    })
    .await?;
    Ok(Target {
        warehouse: reading.name().await?,
        models,
        files,
        recorded: recorded.iter().map(|row| Ok((row.get("path")?, row.get("sha256")?))).collect::<Result<_>>()?,
        production_as_of: run.map(|run| run.production_as_of),
        complete_through: complete_through.into_iter().map(|(entity, day)| (entity, day.to_string())).collect(),
        fresh: reading.freshness().await?,
        known: known(reading, manifest).await?,
    })
}

/// A file as it should be, compared with the folder's.
pub(super) fn compared(folder: Option<&Folder>, manifest: &Manifest, path: &str, content: Content) -> Result<File> {
    let entry = entry_of(&content);
    // What is closed is listed by itself.
    let listed = manifest.files.get(path).map(|listed| Entry { closed: entry.closed, ..listed.clone() });
    let fault = match folder.map_or(Ok(None), |folder| folder.read(path))? {
        None => Some(Fault::Missing),
        Some(bytes) if bytes != content.bytes => Some(Fault::Differs),
        Some(_) if listed.as_ref() != Some(&entry) => Some(Fault::Unlisted),
        Some(_) => None,
    };
    let rewritten = matches!(fault, Some(Fault::Missing | Fault::Differs));
    Ok(File { period: content.period, entry, fault, bytes: rewritten.then_some(content.bytes) })
}

/// What is due. Content is compared, not date or size, so a file that somebody edited is due as well.
pub(super) fn compare(
    wanted: &Target,
    folder: Option<&Folder>,
    manifest: &Manifest,
    scope: Scope,
    which: Which,
) -> Result<Due> {
    let mut due = Due { relist: is_behind(manifest, wanted, scope), ..Due::default() };
    for (path, file) in &wanted.files {
        due.relist |= manifest.files.get(path).is_some_and(|listed| listed.closed != file.entry.closed);
        if !file.is_meant(which) {
            due.open.insert(path.clone());
            continue;
        }
        match file.fault {
            Some(fault) => drop(due.write.insert(path.clone(), fault)),
            None => due.unchanged += 1,
        }
    }
    let gone = |path: &&String| scope.covers(path) && !wanted.files.contains_key(*path);
    due.remove = manifest.files.keys().chain(manifest.pending.keys()).filter(gone).cloned().collect();
    // What is no file is not Kalends' to remove.
    due.remove.iter().try_for_each(|path| folder.map_or(Ok(()), |folder| folder.check(path)))?;
    // Where the manifest was lost, the warehouse knows what is ours.
    for path in wanted.recorded.keys().filter(gone) {
        let found = folder.map_or(Ok(None), |folder| folder.read(path))?;
        if found.is_some_and(|bytes| wanted.recorded[path] == sha256(&bytes)) {
            due.remove.insert(path.clone());
        }
    }
    Ok(due)
}

impl File {
    pub(super) fn is_meant(&self, which: Which) -> bool {
        which == Which::All || self.entry.closed
    }
}

/// Whether the manifest has another final closed day. Publishing a single month does not change it, because the files
/// of other months stay as they are.
pub(super) fn is_behind(manifest: &Manifest, wanted: &Target, scope: Scope) -> bool {
    let moves = matches!(scope, Scope::Everything) || manifest.complete_through.is_empty();
    moves && !manifest.files.is_empty() && manifest.complete_through != wanted.complete_through
}

/// By entity, the last settlement that this warehouse has made of the moment that the manifest's files were published
/// as of.
pub(super) async fn known(reading: &Reading<'_>, manifest: &Manifest) -> Result<BTreeMap<String, i64>> {
    if !reading.prepared || manifest.settled.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (entities, moments): (Vec<&str>, Vec<&str>) =
        manifest.settled.iter().map(|(entity, settled)| (entity.as_str(), settled.as_of.as_str())).unzip();
    let parameters: [Parameter<'_>; 2] = [(&entities, Type::TEXT_ARRAY), (&moments, Type::TEXT_ARRAY)];
    let rows = reading.work().query(KNOWN, &parameters).await?;
    rows.iter().map(|row| Ok((row.get("entity")?, row.get("settlement")?))).collect()
}

fn entry_of(content: &Content) -> Entry {
    Entry {
        entity: content.entity.clone(),
        level: content.period.level(),
        period: content.period.to_string(),
        rows: content.lines,
        entity_rows: content.entity_rows,
        closed: content.closed,
        bytes: content.bytes.len() as u64,
        sha256: sha256(&content.bytes),
    }
}

//! What files should contain according to the warehouse, compared with the folder.

use std::collections::BTreeMap;

use super::content::{self, Content, Scope, Which, sha256};
use super::due::{Due, Fault};
use super::entries::Entry;
use super::formed::Formed;
use super::known;
use super::listed::is_page;
use super::manifest::Manifest;
use super::place::Place;
use super::stat::{Moment, Stat};
use super::unmoved::Unmoved;
use crate::calendar::Period;
use crate::entity::{Format, Model};
use crate::error::Result;
use crate::settings::Exports;
use crate::sql::Statement;
use crate::statement;
use crate::warehouse::{Freshness, Reading};

const RECORDED: Statement = statement!("exports/recorded.sql");

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
    pub(super) entities: Vec<Formed>,
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
    /// Files that are not in `files` because they are known to be right.
    pub(super) unmoved: Unmoved,
}

/// A file as it should be.
pub(super) struct File {
    pub(super) period: Period,
    pub(super) format: Format,
    pub(super) entry: Entry,
    /// Why it is due, if it is.
    pub(super) fault: Option<Fault>,
    /// Its bytes, if they are to be written and were not too many to hold.
    pub(super) bytes: Option<Vec<u8>>,
    /// Its stat data from before it was read, if its content is right and any later change will show in them.
    pub(super) stat: Option<Stat>,
}

/// What the files of a scope should contain. Each is compared with the folder's as soon as it is rendered; those that
/// are known to be right are not rendered.
pub(super) async fn wanted(
    reading: &Reading<'_>,
    (folder, manifest): (Option<&Place>, &Manifest),
    exports: &Exports,
    scope: Scope,
    held_bytes: usize,
    unmoved: Unmoved,
) -> Result<Target> {
    if !reading.prepared {
        return Ok(Target {
            warehouse: None,
            entities: Vec::new(),
            files: BTreeMap::new(),
            recorded: BTreeMap::new(),
            production_as_of: None,
            complete_through: BTreeMap::new(),
            fresh: BTreeMap::new(),
            known: BTreeMap::new(),
            unmoved,
        });
    }
    let recorded = match unmoved.recorded(manifest) {
        Some(recorded) => recorded,
        None => recorded(reading).await?,
    };
    let run = reading.last_run().await?;
    let complete_through = reading.complete_through().await?;
    let (mut files, mut room) = (BTreeMap::new(), held_bytes);
    let entities = Formed::all(reading, exports, manifest).await?;
    let spans = |model: &Model, level| unmoved.spans(model, level, scope);
    content::each(reading, &entities, spans, |entity, content| {
        let path = entity.path(content.period, content.format);
        if unmoved.has(&path) {
            return Ok(());
        }
        let mut file = compared(folder, manifest, &path, content, unmoved.begun)?;
        file.bytes = file.bytes.filter(|bytes| bytes.len() <= room);
        room -= file.bytes.as_ref().map_or(0, Vec::len);
        files.insert(path, file);
        Ok(())
    })
    .await?;
    Ok(Target {
        warehouse: reading.name().await?,
        entities,
        files,
        recorded,
        production_as_of: run.map(|run| run.production_as_of),
        complete_through: complete_through.into_iter().map(|(entity, day)| (entity, day.to_string())).collect(),
        fresh: reading.freshness().await?,
        known: settled(reading, manifest).await?,
        unmoved,
    })
}

/// A file as it should be, compared with the folder's, which was not looked at before the moment `begun`.
pub(super) fn compared(
    folder: Option<&Place>,
    manifest: &Manifest,
    path: &str,
    content: Content,
    begun: Option<Moment>,
) -> Result<File> {
    let mut entry = entry_of(&content);
    // What is closed is listed by itself.
    let listed = manifest.files.get(path).map(|listed| Entry { closed: entry.closed, ..listed });
    let put = listed.as_ref().filter(|put| put.sha256 == entry.sha256).and_then(|put| put.etag.as_deref());
    let is_as_put = folder.is_some_and(|folder| folder.is_as_put(path, put));
    let found = if is_as_put { None } else { folder.map_or(Ok(None), |folder| folder.read_seen(path))? };
    entry.etag = folder.and_then(|folder| folder.etag(path));
    let (fault, seen) = match found {
        None if is_as_put => ((listed.as_ref() != Some(&entry)).then_some(Fault::Unlisted), None),
        None => (Some(Fault::Missing), None),
        Some((bytes, _)) if bytes != content.bytes => (Some(Fault::Differs), None),
        Some((_, seen)) if listed.as_ref() != Some(&entry) => (Some(Fault::Unlisted), seen),
        Some((_, seen)) => (None, seen),
    };
    let rewritten = matches!(fault, Some(Fault::Missing | Fault::Differs));
    let stat = seen.filter(|stat| begun.is_some_and(|begun| stat.is_past(begun)));
    let (period, format, bytes) = (content.period, content.format, rewritten.then_some(content.bytes));
    Ok(File { period, format, entry, fault, bytes, stat })
}

/// SHA-256 of each file as it was published, by path, as the warehouse has noted it.
pub(super) async fn recorded(reading: &Reading<'_>) -> Result<BTreeMap<String, String>> {
    if !reading.prepared {
        return Ok(BTreeMap::new());
    }
    let rows = reading.work().query(RECORDED, &[]).await?;
    rows.iter().map(|row| Ok((row.get("path")?, row.get("sha256")?))).collect()
}

/// What is due. Content is compared, not date or size, so a file that somebody edited is due as well.
pub(super) fn compare(
    wanted: &Target,
    folder: Option<&Place>,
    manifest: &Manifest,
    scope: Scope,
    which: Which,
) -> Result<Due> {
    let (unchanged, open) = wanted.unmoved.counted(scope, which);
    let mut due = Due { relist: is_behind(manifest, wanted, scope), unchanged, open, ..Due::default() };
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
    let is_doubted = |path: &&String| !wanted.unmoved.has(path) && !is_page(path);
    let listed = wanted.unmoved.doubted(manifest.files.paths());
    due.remove = listed.chain(manifest.pending.keys().filter(is_doubted)).filter(gone).cloned().collect();
    // What is no file is not Kalends' to remove.
    due.remove.iter().try_for_each(|path| folder.map_or(Ok(()), |folder| folder.check(path)))?;
    // Where the manifest was lost, the warehouse knows what is ours.
    for path in wanted.recorded.keys().filter(gone).filter(is_doubted) {
        let found = folder.map_or(Ok(None), |folder| folder.read(path))?;
        if found.is_some_and(|bytes| wanted.recorded[path] == sha256(&bytes)) {
            due.remove.insert(path.clone());
        }
    }
    Ok(due)
}

impl Target {
    /// The entity of a file.
    pub(super) fn entity(&self, entry: &Entry) -> Option<&Formed> {
        self.entities.iter().find(|entity| entity.model.name() == entry.entity)
    }
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
pub(super) async fn settled(reading: &Reading<'_>, manifest: &Manifest) -> Result<BTreeMap<String, i64>> {
    let published = manifest.settled.iter().map(|(entity, settled)| (entity.as_str(), settled.as_of.as_str()));
    known::of(reading, published).await
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
        etag: None,
    }
}

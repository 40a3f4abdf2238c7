//! All that publishing checks before it writes. Nothing is written here.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{Access, access, statvfs};

use super::age;
use super::content::{Scope, Which, sha256};
use super::due::{Due, Fault};
use super::lock;
use super::manifest::{self, Manifest};
use super::place::Place;
use super::trust::Trust;
use super::unmoved::Unmoved;
use super::wanted::{Claim, Target, compare, wanted};
use crate::error::{Refusal, Result};
use crate::settings::{Destination, Exports};
use crate::warehouse::Reading;

/// Room on a file system.
#[derive(Debug)]
pub struct Room {
    /// The folder that exists; one that is created below it is on the same file system.
    pub at: PathBuf,
    /// What a process without privileges may still write.
    pub free_bytes: u64,
}

/// Whether the files that are due now could be published.
///
/// # Errors
/// Those that [`super::publish`] ends with: a folder that is not Kalends' or another warehouse's, one that cannot be
/// read or written. Busy while another run publishes.
pub async fn ready(reading: &Reading<'_>, exports: &Exports) -> Result<()> {
    let to = &exports.to;
    lock::share(reading, to).await?;
    let found = Place::open(to, Trust::ETags)?;
    if let Some(path) = to.folder() {
        match found {
            Some(_) => writable(path, path)?,
            None => return writable(&existing(path)?, path),
        }
    }
    let Some(folder) = found else { return Ok(()) };
    if !reading.prepared && folder.manifest()?.is_some_and(|manifest| manifest.warehouse.is_some()) {
        return Err(of_another_warehouse(to));
    }
    let everything = (Scope::Everything, Which::All);
    let due = allowed(reading, (&folder, exports), everything, Claim::Own, 0, Unmoved::default()).await?.due;
    drop(folder);
    let Some(path) = to.folder() else { return Ok(()) };
    let parents =
        due.write.keys().chain(&due.remove).filter_map(|file| path.join(file).parent().map(Path::to_path_buf));
    parents.collect::<std::collections::BTreeSet<_>>().iter().try_for_each(|parent| writable(&existing(parent)?, path))
}

/// What publishing is to do in a folder.
pub(super) struct Intended {
    pub(super) manifest: Manifest,
    pub(super) wanted: Target,
    pub(super) due: Due,
    /// Whether the files are another warehouse's.
    pub(super) others: bool,
}

/// What is due, if all of it may be published.
pub(super) async fn allowed(
    reading: &Reading<'_>,
    (folder, exports): (&Place, &Exports),
    (scope, which): (Scope, Which),
    claim: Claim,
    held_bytes: usize,
    unmoved: Unmoved,
) -> Result<Intended> {
    let found = folder.manifest_as(unmoved.index.as_ref().map(|index| index.head.manifest))?;
    let (is_published, manifest) = (found.is_some(), found.unwrap_or_default());
    let wanted = wanted(reading, (Some(folder), &manifest), exports, scope, held_bytes, unmoved).await?;
    let mut intended = Intended::of(manifest, wanted, Some(folder), (scope, which))?;
    if intended.due.remove.iter().any(|path| !intended.wanted.unmoved.knows(path)) {
        // The index lacks a file that the manifest lists, so it tells nothing.
        let (manifest, unmoved) = (intended.manifest, intended.wanted.unmoved.without_index());
        let found = (Some(folder), &manifest);
        let wanted = super::wanted::wanted(reading, found, exports, scope, held_bytes, unmoved).await?;
        intended = Intended::of(manifest, wanted, Some(folder), (scope, which))?;
    }
    intended.check((folder, &exports.to), is_published, scope, claim)?;
    Ok(intended)
}

impl Intended {
    /// What is due. Does not check whether it may be published.
    pub(super) fn of(
        manifest: Manifest,
        wanted: Target,
        folder: Option<&Place>,
        (scope, which): (Scope, Which),
    ) -> Result<Self> {
        let due = compare(&wanted, folder, &manifest, scope, which)?;
        let others = manifest.warehouse.is_some() && manifest.warehouse != wanted.warehouse;
        Ok(Self { manifest, wanted, due, others })
    }

    /// Checks that it may be published into a folder that has a manifest or not.
    pub(super) fn check(
        &self,
        (folder, to): (&Place, &Destination),
        is_published: bool,
        scope: Scope,
        claim: Claim,
    ) -> Result<()> {
        let written = self.due.rewritten().map(|(path, _)| path.as_str()).chain([manifest::NAME]);
        written.chain(self.due.remove.iter().map(String::as_str)).try_for_each(|path| folder.check_staged(path))?;
        // Whose the files are does not matter to whoever adopts them.
        if claim == Claim::Adopt {
            return Ok(());
        }
        check_folder(folder, to, is_published, &self.wanted)?;
        if self.others && claim == Claim::Own {
            check_takes_nothing(to, &self.due, scope)?;
        }
        if !self.others && claim == Claim::Own {
            age::check_not_older(to, &self.manifest, &self.wanted, &self.due)?;
        }
        check_owned(folder, to, &self.manifest, &self.wanted, &self.due)
    }
}

/// Refuses a folder that has files and no manifest: it is somebody else's.
fn check_folder(folder: &Place, to: &Destination, is_published: bool, wanted: &Target) -> Result<()> {
    if is_published {
        return Ok(());
    }
    let ours = wanted.files.keys().chain(wanted.recorded.keys()).filter_map(|path| path.split('/').next()).collect();
    let Some(name) = folder.foreign(&ours)? else { return Ok(()) };
    Err(Refusal::refused(
        format!("the export folder \"{to}\" holds files that Kalends did not write, such as \"{name}\""),
        "Name an empty or new folder with --exports or KALENDS_EXPORTS.",
    ))
}

/// Refuses to replace or remove files of another warehouse. If all of them are equal to ours, ours is the same one,
/// loaded again.
fn check_takes_nothing(to: &Destination, due: &Due, scope: Scope) -> Result<()> {
    let takes = !due.remove.is_empty() || due.write.values().any(|fault| *fault == Fault::Differs);
    if !takes && matches!(scope, Scope::Everything) {
        return Ok(());
    }
    Err(of_another_warehouse(to))
}

fn of_another_warehouse(to: &Destination) -> anyhow::Error {
    Refusal::refused(
        format!("the files in \"{to}\" were published from another warehouse"),
        "Check KALENDS_WAREHOUSE_URL and the folder; to let this warehouse replace them, add --take-over.",
    )
}

/// Checks, before anything is written, that no file that is to be replaced is somebody else's.
fn check_owned(folder: &Place, to: &Destination, manifest: &Manifest, wanted: &Target, due: &Due) -> Result<()> {
    for (file, _) in due.write.iter().filter(|(_, fault)| **fault == Fault::Differs) {
        if manifest.owns(file) {
            continue;
        }
        let recorded = wanted.recorded.get(file);
        let ours = folder.read(file)?.is_none_or(|bytes| recorded == Some(&sha256(&bytes)));
        if !ours {
            return Err(Refusal::refused(
                format!("\"{}\" is in the way, and Kalends did not write it", to.at(file)),
                "Move it away, or name another folder with --exports or KALENDS_EXPORTS.",
            ));
        }
    }
    Ok(())
}

/// How much room there is for files.
///
/// # Errors
/// If the file system does not say.
pub fn room(path: &Path) -> Result<Room> {
    let at = existing(path)?;
    let found = statvfs(&at).with_context(|| format!("could not ask for the room in \"{}\"", at.display()))?;
    let free_bytes = found.f_bavail.saturating_mul(found.f_frsize);
    Ok(Room { at, free_bytes })
}

/// The folder, or the nearest one above it that exists.
fn existing(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).with_context(|| format!("could not tell where \"{}\" is", path.display()))?;
    Ok(path.ancestors().find(|above| above.symlink_metadata().is_ok()).unwrap_or(&path).to_path_buf())
}

fn writable(folder: &Path, exports: &Path) -> Result<()> {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        Refusal::failed(
            format!("nothing can be written to \"{}\": {error}", folder.display()),
            format!("Let the user of this process write there, or name another folder than \"{}\".", exports.display()),
        )
    })
}

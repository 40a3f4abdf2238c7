//! What is not Kalends', or not this warehouse's, is not replaced or removed without consent. Looks, and writes nothing.

use std::path::Path;

use super::content::sha256;
use super::{Due, Fault, Folder, Manifest, Scope, Wanted};
use crate::error::{Refusal, Result};

/// A folder that holds things and no manifest is somebody else's.
pub(super) fn check_folder(folder: &Folder, path: &Path, manifest: Option<&Manifest>) -> Result<()> {
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
pub(super) fn check_takes_nothing(path: &Path, due: &Due, scope: Scope) -> Result<()> {
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
pub(super) fn check_owned(folder: &Folder, path: &Path, manifest: &Manifest, wanted: &Wanted, due: &Due) -> Result<()> {
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

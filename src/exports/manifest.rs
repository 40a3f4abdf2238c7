//! `_manifest.json`: what Kalends has published in a folder, and what it is about to publish. Kalends does not touch
//! files that it does not name.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::entries::Entries;
use super::listed::{Known, Listed};
use crate::error::{Refusal, Result};

/// The manifest's name in the export folder.
pub const NAME: &str = "_manifest.json";

/// The version of the manifest's format. It goes up if earlier readers would misread a new one.
pub const VERSION: u32 = 1;

/// The manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub version: u32,
    /// The warehouse that the files were published from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<String>,
    /// The moment of the production snapshot that was settled last, UTC.
    pub production_as_of: Option<String>,
    /// The final closed day of each entity: it had ended when the entity was proven equal to production.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub complete_through: BTreeMap<String, String>,
    /// Of each entity of which not all days are looked at by every run: the moment of production's data that all of
    /// them were looked at as of, or later, when this manifest was written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub oldest_proof: BTreeMap<String, String>,
    /// Of each entity, what was settled last before files were published.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settled: BTreeMap<String, Settled>,
    /// The files, by path. All of them exist.
    pub files: Entries,
    /// The pages of the report, by path. All of them exist.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<String, Listed>,
    /// Paths that a run is about to write or remove, with the SHA-256 that they will have; empty if no run is at work.
    /// After a crash it shows which unlisted files are Kalends'.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pending: BTreeMap<String, Option<String>>,
}

/// Which settlement of an entity files were published from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The moment of production's data, UTC.
    pub as_of: String,
    /// Counts the months of the entity that were settled, each time.
    pub settlement: i64,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            version: VERSION,
            warehouse: None,
            production_as_of: None,
            complete_through: BTreeMap::new(),
            oldest_proof: BTreeMap::new(),
            settled: BTreeMap::new(),
            files: Entries::default(),
            pages: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }
}

impl Manifest {
    /// As it was read from where it is shown to be. Of one that is known to be as Kalends wrote it, entries are not
    /// checked.
    ///
    /// # Errors
    /// Refuses a manifest that cannot be read: without it, nothing shows which files are Kalends'.
    pub(super) fn read(bytes: &[u8], path: &str, is_known: bool) -> Result<Self> {
        let refused = |error: String| {
            let message = format!("\"{path}\" is not a manifest of Kalends: {error}");
            Refusal::refused(message, "Restore it, or remove it and publish again.")
        };
        let parsed: Self = serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
        if parsed.version > VERSION {
            let message = format!("\"{path}\" is of version {}, this Kalends knows {VERSION}", parsed.version);
            return Err(Refusal::refused(message, "Use the newer Kalends that wrote it."));
        }
        if !is_known {
            parsed.files.check().map_err(refused)?;
        }
        if let Some(strange) = parsed.files.paths().chain(parsed.pending.keys()).find(|path| !is_inside(path)) {
            return Err(Refusal::refused(
                format!("\"{path}\" lists \"{strange}\", which is no path of Kalends"),
                "Restore the manifest, or remove it and publish again; nothing was written or removed.",
            ));
        }
        Ok(parsed)
    }

    /// As it is written.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The pages that it lists, and what a dead run had begun.
    pub(super) fn pages_known(&self) -> Known<'_> {
        (&self.pages, &self.pending)
    }

    /// Whether Kalends wrote the file, or was about to.
    pub fn owns(&self, path: &str) -> bool {
        self.files.has(path) || self.pending.contains_key(path)
    }
}

/// Whether a path is one of a file below the folder.
fn is_inside(path: &str) -> bool {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    !path.is_empty() && !path.contains('\0') && Path::new(path).components().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_inside_if_it_goes_down_by_plain_names() {
        assert!(["a.csv", "year=2024/a.csv", "year=2024/month=1/.a.csv.staged"].into_iter().all(is_inside));
        for path in ["", "/", "/etc/passwd", "..", "../a", "a/../../b", "a/..", ".", "./a", "a\0b", "year=2024/\0"] {
            assert!(!is_inside(path), "{path:?}");
        }
    }
}

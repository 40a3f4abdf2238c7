//! `_manifest.json`: what Kalends has published in a folder, and what it is about to publish. Kalends does not touch
//! files that it does not name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::listed::{Known, Listed};
use crate::calendar::Level;
use crate::error::Result;

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
    pub files: BTreeMap<String, Entry>,
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
    /// Counts the transactions that settled something of the entity.
    pub settlement: i64,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its entity; missing in a manifest of an earlier version.
    #[serde(default)]
    pub entity: String,
    /// Its level.
    pub level: Level,
    /// Its period, as people write it.
    pub period: String,
    /// Rows in the file, without the header.
    pub rows: u64,
    /// Rows of the entity that it accounts for.
    pub entity_rows: i64,
    /// Whether the period is closed: it had ended when the entity was proven equal to production. The figures of an
    /// open one may grow.
    #[serde(default)]
    pub closed: bool,
    /// The file's size.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
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
            files: BTreeMap::new(),
            pages: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }
}

impl Manifest {
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
        self.files.contains_key(path) || self.pending.contains_key(path)
    }
}

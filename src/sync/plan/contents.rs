//! What a plan says.

use serde::Serialize;

use super::entity::OfEntity;
use crate::calendar::Period;
use crate::db::Identity;
use crate::exports::Due;

/// The version of a plan's file format.
pub(super) const VERSION: u32 = 1;

/// How the file names itself.
pub(super) const KIND: &str = "plan of Kalends";

/// What a run would do; in JSON also the plan's file.
#[derive(Serialize)]
pub struct Plan {
    /// The version of the format. It goes up if earlier readers would misread a new one.
    pub version: u32,
    /// How the file names itself.
    pub kind: &'static str,
    /// Whether a run would change nothing.
    pub nothing_to_do: bool,
    /// Which warehouse; null before anything was prepared in it.
    pub warehouse: Option<String>,
    /// The database that this is in.
    pub warehouse_database: Identity,
    /// How many settlements the warehouse has seen; null before anything was prepared in it.
    pub generation: Option<i64>,
    /// Which losses it accepts: null for none, an empty list for all.
    pub accept_loss: Option<Vec<Period>>,
    /// Entity by entity.
    pub entities: Vec<OfEntity>,
    /// What would be published.
    pub files: Files,
    /// Why the files would not be published, if they would not.
    pub publishing_refused: Option<String>,
}

impl Plan {
    /// The same with its files, and why publishing them would be refused, if it would.
    #[must_use]
    pub fn with_files(self, (due, refused): (Due, Option<anyhow::Error>)) -> Self {
        let files = Files {
            write: due.rewritten().map(|(path, fault)| File { path: path.clone(), why: fault.words() }).collect(),
            list: due.listed().cloned().collect(),
            remove: due.remove.into_iter().collect(),
            unchanged_files: due.unchanged,
        };
        let nothing_to_do = self.nothing_to_do && !files.any();
        Self { files, nothing_to_do, publishing_refused: refused.map(|refused| refused.to_string()), ..self }
    }
}

/// What would be published.
#[derive(Default, Serialize)]
pub struct Files {
    /// Those that would be written.
    pub write: Vec<File>,
    /// Those whose content is right, but which the manifest lists wrongly or not at all.
    pub list: Vec<String>,
    /// Those that would be removed.
    pub remove: Vec<String>,
    /// How many are as they should be.
    pub unchanged_files: usize,
}

impl Files {
    /// Whether any file would change.
    pub fn any(&self) -> bool {
        !(self.write.is_empty() && self.list.is_empty() && self.remove.is_empty())
    }
}

/// A file that would be written.
#[derive(Serialize)]
pub struct File {
    /// Below the folder of files.
    pub path: String,
    /// Why it is due.
    pub why: &'static str,
}

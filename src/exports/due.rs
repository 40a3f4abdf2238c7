//! What is due: files to be written and removed, and why.

use std::collections::{BTreeMap, BTreeSet};

/// Files that are not as they should be, by path.
#[derive(Debug, Default)]
pub struct Due {
    /// To be written, because they are missing or differ, or only to be listed.
    pub write: BTreeMap<String, Fault>,
    /// To be removed, because their periods hold no rows any more.
    pub remove: BTreeSet<String>,
    /// Files that are as they should be.
    pub unchanged: usize,
    /// Files of open periods, where those are not meant.
    pub open: BTreeSet<String>,
    /// Whether the manifest is behind in what is closed.
    pub relist: bool,
}

impl Due {
    /// The files whose bytes are to be written, and why.
    pub fn rewritten(&self) -> impl Iterator<Item = (&String, Fault)> {
        self.write.iter().filter(|(_, fault)| **fault != Fault::Unlisted).map(|(path, &fault)| (path, fault))
    }

    /// The files that are as they should be, and that the manifest does not list, or not so.
    pub fn listed(&self) -> impl Iterator<Item = &String> {
        self.write.iter().filter(|(_, fault)| **fault == Fault::Unlisted).map(|(path, _)| path)
    }
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
    /// Rows that it accounts for will be others; what its lines say of them is not known yet.
    MayDiffer,
}

impl Fault {
    /// The fault in a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Differs => "changed",
            Self::Unlisted => "unlisted",
            Self::MayDiffer => "may change",
        }
    }
}

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
    /// Files of open periods, with `--closed-only`.
    pub open: BTreeSet<String>,
    /// Whether more periods are closed than the manifest says.
    pub relist: bool,
}

impl Due {
    /// Whether no file is to be written, listed or removed.
    pub fn is_empty(&self) -> bool {
        self.write.is_empty() && self.remove.is_empty()
    }

    /// The files whose bytes are to be written, and why.
    pub fn rewritten(&self) -> impl Iterator<Item = (&String, Fault)> {
        self.write.iter().filter(|(_, fault)| **fault != Fault::Unlisted).map(|(path, &fault)| (path, fault))
    }

    /// The files whose content is right, but which the manifest lists wrongly or not at all.
    pub fn listed(&self) -> impl Iterator<Item = &String> {
        self.write.iter().filter(|(_, fault)| **fault == Fault::Unlisted).map(|(path, _)| path)
    }
}

/// Why a file is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// Its content differs.
    Differs,
    /// Its content is right, but the manifest lists it wrongly or not at all.
    Unlisted,
    /// Its rows will change; its lines are known only after loading.
    MayDiffer,
}

impl Fault {
    /// The reason in a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Differs => "changed",
            Self::Unlisted => "unlisted",
            Self::MayDiffer => "may change",
        }
    }
}

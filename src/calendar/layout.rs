//! Layouts: which folders the files of periods are in.

use serde::{Deserialize, Serialize};

/// Which folders files are in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One tree for all entities and levels: a folder for each year, in it one for each month, and so on.
    #[default]
    Tree,
    /// A tree for each level of an entity in a format, whose folders are named as partitions of Hive, with padded
    /// numbers. The files of hours and days are in the folders of their months.
    Hive,
}

/// How many folders in the layout of Hive are above those of periods: entity, format and level.
const ABOVE: usize = 3;

impl Layout {
    /// The layout of a file of ours, and the part of its path that begins with the folders of periods. No entity's
    /// folder has an equals sign in its name.
    pub fn of(path: &str) -> (Self, &str) {
        match path.split('/').next() {
            Some(first) if !first.contains('=') => (Self::Hive, path.splitn(ABOVE + 1, '/').nth(ABOVE).unwrap_or("")),
            _ => (Self::Tree, path),
        }
    }

    /// A number as it is in a path.
    pub(super) fn number(self, number: i32, digits: usize) -> String {
        let sign = if number < 0 { "-" } else { "" };
        match self {
            Self::Tree => number.to_string(),
            Self::Hive => format!("{sign}{:0digits$}", number.unsigned_abs()),
        }
    }

    /// How many of the numbers of a period have a folder.
    pub(super) fn folders(self) -> usize {
        match self {
            Self::Tree => usize::MAX,
            Self::Hive => 2,
        }
    }
}

//! What must never be.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A period is said to be closed, by the manifest or by the proof, and a month of it is older than that.
    NotClosed,
    /// An entity is said to be equal to production at a moment, and is not.
    NotFresh,
    /// Publishing reads tables that are younger than its snapshot, and so empty to it.
    YoungerTables,
    /// A file is removed although its accounts are not gone, and nobody asked for it.
    FileVanished,
    /// A file is replaced by an older one.
    OlderFile,
    /// A warehouse that was never restored is refused as an older one.
    WronglyRefused,
    /// When all is quiet, one run does not make everything equal.
    Stuck,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotClosed => "what is said to be closed was not settled since",
            Self::NotFresh => "what is said to be equal to production is not",
            Self::YoungerTables => "publishing reads tables that are younger than its snapshot",
            Self::FileVanished => "a file vanishes although its accounts did not",
            Self::OlderFile => "an older file is put back",
            Self::WronglyRefused => "a warehouse that was never restored is refused as an older one",
            Self::Stuck => "when all is quiet, one run does not make everything equal",
        })
    }
}

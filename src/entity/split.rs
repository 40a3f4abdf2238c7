//! Which accounts of a level a statement is about.

/// Accounts of a level: of its periods, or of each combination of dimensions in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Of the whole period.
    Whole,
    /// Of each combination.
    Combinations,
}

//! A run, as it stands in the warehouse's log.

use std::collections::BTreeSet;

use crate::calendar::Period;

/// A run in the warehouse's log.
#[derive(Debug, Clone)]
pub struct Run {
    pub(super) number: i64,
    /// The years whose accounts it has noted as they were before.
    pub(super) years: BTreeSet<Period>,
    /// Whether the entity may have been settled before.
    pub(super) has_past: bool,
    /// Whether it has recorded a restatement.
    pub(super) restates: bool,
}

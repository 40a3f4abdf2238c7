//! Figures of a result for monitoring: those of its JSON, under other names.

/// What a figure measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gauge {
    SurveyedRows,
    SurveyedDays,
    LoadedRows,
    SettledMonths,
    ProductionLockSeconds,
    ProductionSnapshotSeconds,
    ProductionReadRows,
    OlderRows,
    WrittenFiles,
    ListedFiles,
    RemovedFiles,
    UnchangedFiles,
    SettledRows,
    SettledDays,
    DueFiles,
    DueListings,
    DueRemovals,
    HeldPeriods,
    ChangingPeriods,
}

/// A figure of the whole command, or of an entity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    /// What it measures.
    pub(crate) gauge: Gauge,
    /// The entity; `None`: the whole command.
    pub(crate) entity: Option<String>,
    /// Its value.
    pub(crate) value: f64,
}

impl Figure {
    /// A figure of the whole command, if no entity is named.
    pub(crate) fn new(gauge: Gauge, entity: Option<&str>, value: f64) -> Self {
        Self { gauge, entity: entity.map(str::to_string), value }
    }

    /// A number of something.
    pub(crate) fn count(gauge: Gauge, entity: Option<&str>, number: impl TryInto<i64>) -> Self {
        Self::new(gauge, entity, number.try_into().unwrap_or(i64::MAX) as f64)
    }
}

impl Gauge {
    /// Its name without the program's prefix, and its description.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::SurveyedRows => ("surveyed_rows", "Rows that production's survey counted"),
            Self::SurveyedDays => ("surveyed_days", "Days that production has rows of"),
            Self::LoadedRows => ("loaded_rows", "Rows that were copied from production"),
            Self::SettledMonths => ("settled_months", "Months that were settled"),
            Self::ProductionLockSeconds => ("production_lock_seconds", "How long a table of production was locked"),
            Self::ProductionSnapshotSeconds => {
                ("production_snapshot_seconds", "How long a snapshot of production was held")
            }
            Self::ProductionReadRows => ("production_read_rows", "Rows that production read out"),
            Self::OlderRows => ("older_rows", "Rows of older days that were looked at"),
            Self::WrittenFiles => ("written_files", "Files that were written"),
            Self::ListedFiles => ("listed_files", "Files that were right and are listed again"),
            Self::RemovedFiles => ("removed_files", "Files that were removed"),
            Self::UnchangedFiles => ("unchanged_files", "Files that were already right"),
            Self::SettledRows => ("settled_rows", "Rows that the accounts hold"),
            Self::SettledDays => ("settled_days", "Days that the accounts hold"),
            Self::DueFiles => ("due_files", "Files that are due to be written"),
            Self::DueListings => ("due_listings", "Files that are due to be listed"),
            Self::DueRemovals => ("due_removals", "Files that are due to be removed"),
            Self::HeldPeriods => ("held_periods", "Periods that are held until somebody accepts their loss"),
            Self::ChangingPeriods => {
                ("changing_periods", "Periods that are left as they were until they have settled down")
            }
        }
    }
}

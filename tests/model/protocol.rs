//! What stands between a command and a wrong figure. Each defence can be taken away, to see what it is for.

/// How it is known since when an entity is equal to production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// One sequence for all entities, set at the end of a run over the entities of its settings (0.1.0).
    Global,
    /// In the entity's row, and a sequence for what was only confirmed.
    OfEntity,
}

/// When a warehouse is too old to replace files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Never (0.1.0).
    Never,
    /// When the moment of its last settling or confirmation is earlier than the one that the manifest notes.
    Moment,
    /// Unless it noted itself that it published the file as it is listed, or is whole and as new as the manifest says.
    Recorded,
    /// Unless it knows the settling that was published, or its proof is as new.
    Lineage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    pub proof: Proof,
    /// An entity is not whole while a run is between its months, or something is held.
    pub whole: bool,
    /// A confirmation says which settlement it confirms, and counts for no other.
    pub tag: bool,
    /// A confirmation is made under the warehouse's lock, of the generation that was compared.
    pub confirm_locked: bool,
    /// A run that finds nothing to do makes an entity whole that an interrupted run left.
    pub completes: bool,
    /// That takes a generation: a run that compared before has to start again.
    pub completing_counts: bool,
    /// Readers lock `kalends.entity` before their snapshot, against those that replace tables.
    pub table_lock: bool,
    pub age: Age,
    /// An older warehouse does not put files back either where there are none.
    pub age_of_missing: bool,
    /// The manifest notes what is about to be published before the first file is replaced.
    pub age_first: bool,
    /// Files of an entity that the warehouse does not know are removed only if it noted that it published them.
    pub own_files: bool,
    /// Files that are left alone stay in the manifest's `pending` if they are there.
    pub keeps_pending: bool,
}

/// As version 0.1.0 has it.
pub const OLD: Protocol = Protocol {
    proof: Proof::Global,
    whole: false,
    tag: false,
    confirm_locked: false,
    completes: false,
    completing_counts: false,
    table_lock: false,
    age: Age::Never,
    age_of_missing: false,
    age_first: false,
    own_files: false,
    keeps_pending: false,
};

/// As the code has it today. What it lacks of `NEW` is told in README.md.
pub const TODAY: Protocol = Protocol { keeps_pending: false, ..NEW };

/// No fault is found in any world.
pub const NEW: Protocol = Protocol {
    proof: Proof::OfEntity,
    whole: true,
    tag: true,
    confirm_locked: true,
    completes: true,
    completing_counts: true,
    table_lock: true,
    age: Age::Lineage,
    age_of_missing: true,
    age_first: true,
    own_files: true,
    keeps_pending: true,
};

//! Worlds to be searched, each small: what may happen in it, and how often.

use crate::fault::Fault;
use crate::kalends::Kalends;
use crate::protocol::Protocol;
use crate::state::Left;

/// A world before anything happens.
#[derive(Clone)]
pub struct World {
    pub name: &'static str,
    /// How many processes are at work at once.
    processes: usize,
    /// Whether everything was settled and published before.
    is_settled: bool,
    left: Left,
    /// The same, for a search that may take minutes.
    at_large: Left,
}

const NOTHING: Left = Left {
    changes: 0,
    runs_a: 0,
    runs_b: 0,
    others: 0,
    exports: 0,
    forgets: 0,
    crashes: 0,
    backups: 0,
    restores: 0,
    holds: false,
};

pub const FIRST_LOAD: World = World {
    name: "a first load",
    processes: 2,
    is_settled: false,
    left: Left { changes: 2, runs_a: 2, crashes: 1, ..NOTHING },
    at_large: Left { changes: 2, runs_a: 2, exports: 1, crashes: 1, ..NOTHING },
};

pub const TWO_RUNS: World = World {
    name: "two runs at once",
    processes: 2,
    is_settled: true,
    left: Left { changes: 2, runs_a: 2, ..NOTHING },
    at_large: Left { changes: 3, runs_a: 2, exports: 1, crashes: 1, holds: true, ..NOTHING },
};

pub const SETTINGS_BY_TURNS: World = World {
    name: "old and new settings",
    processes: 2,
    is_settled: true,
    left: Left { changes: 1, runs_a: 1, runs_b: 1, exports: 1, ..NOTHING },
    at_large: Left { changes: 2, runs_a: 1, runs_b: 1, exports: 1, crashes: 1, holds: true, ..NOTHING },
};

pub const FORGET: World = World {
    name: "forget beside a run",
    processes: 2,
    is_settled: true,
    left: Left { changes: 1, runs_a: 1, exports: 1, forgets: 1, crashes: 1, ..NOTHING },
    at_large: Left { changes: 2, runs_a: 2, exports: 1, forgets: 1, crashes: 1, ..NOTHING },
};

pub const OTHER_SETTINGS: World = World {
    name: "settings of another entity",
    processes: 1,
    is_settled: true,
    left: Left { changes: 2, runs_a: 1, others: 1, exports: 1, crashes: 1, holds: true, ..NOTHING },
    at_large: Left { changes: 3, runs_a: 3, others: 1, exports: 2, crashes: 2, holds: true, ..NOTHING },
};

pub const RESTORED: World = World {
    name: "an older warehouse",
    processes: 1,
    is_settled: true,
    left: Left { changes: 2, runs_a: 2, exports: 1, crashes: 1, backups: 1, restores: 1, ..NOTHING },
    at_large: Left { changes: 3, runs_a: 3, exports: 1, crashes: 1, backups: 1, restores: 1, ..NOTHING },
};

/// The backup may be of a warehouse that knows no entity.
pub const RESTORED_TO_NOTHING: World = World {
    name: "an older warehouse, before the first load",
    processes: 1,
    is_settled: false,
    left: Left { changes: 1, runs_a: 2, exports: 1, crashes: 1, backups: 1, restores: 1, ..NOTHING },
    at_large: Left { changes: 2, runs_a: 3, exports: 1, crashes: 1, backups: 1, restores: 1, ..NOTHING },
};

/// Whether worlds are searched at large, as by `tests/sweep`.
pub fn sweeping() -> bool {
    std::env::var("KALENDS_SWEEP").is_ok_and(|sweep| sweep == "all")
}

impl World {
    pub fn at_large(&self) -> Self {
        Self { left: self.at_large, ..self.clone() }
    }

    pub fn under(&self, protocol: Protocol, only: Option<Fault>) -> Kalends {
        let Self { processes, left, is_settled, .. } = *self;
        Kalends { protocol, processes, left, is_settled, only }
    }
}

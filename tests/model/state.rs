//! Production, warehouse and export folder, as small as they can be: one entity of two months.

use crate::fault::Fault;
use crate::protocol::{Proof, Protocol};

pub const MONTHS: usize = 2;
/// Moments of production: the first, and one more for each change.
pub const MOMENTS: usize = 4;
/// The moment that closes each month; the year ends with the second month.
pub const CLOSES: [Moment; MONTHS] = [1, 2];

/// A moment of production.
pub type Moment = u8;
/// Which rows a month has; 0: none.
pub type Rows = u8;

/// What a file says: accounts of some rows, as some settings ask for them.
pub type Content = Option<(Settings, Rows)>;

/// Two settings files that ask for different measures of the same entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settings {
    A,
    B,
}

#[derive(Debug, Clone, Hash)]
pub struct State {
    pub history: [[Rows; MONTHS]; MOMENTS],
    pub now: Moment,
    pub warehouse: Warehouse,
    /// Who holds the advisory lock.
    pub locked_by: Option<usize>,
    pub backup: Option<Warehouse>,
    pub folder: Folder,
    pub processes: [Option<Work>; 2],
    /// How often tables were made.
    pub made: u8,
    pub was_restored: bool,
    /// How often each of these may still happen.
    pub left: Left,
    /// What an action did that it must not.
    pub fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, Hash)]
pub struct Left {
    pub changes: u8,
    pub runs_a: u8,
    pub runs_b: u8,
    pub others: u8,
    pub exports: u8,
    pub forgets: u8,
    pub crashes: u8,
    pub backups: u8,
    pub restores: u8,
    /// Whether a month that lost all rows may be held.
    pub holds: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Warehouse {
    pub generation: u8,
    /// 0.1.0: the moment that everything is said to be equal to.
    pub proven: Option<Moment>,
    pub entity: Option<Entity>,
    /// `kalends.settled`: the last settlement of each moment, 0 where there was none.
    pub runs: [u8; MOMENTS],
    /// `kalends.file`.
    pub files: [Content; MONTHS],
}

/// A row of `kalends.entity`, its tables, and its sequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entity {
    /// Which tables these are: others after a rebuild or `forget`.
    pub tables: u8,
    pub settings: Settings,
    pub months: [Rows; MONTHS],
    /// For the oracle alone: the moment that each month is known to be equal to, once it is settled.
    pub at: [Option<Moment>; MONTHS],
    pub settlement: u8,
    pub settled: Option<Moment>,
    pub proven: Option<Moment>,
    pub whole: bool,
    /// The sequence, which no snapshot holds still: a moment, and the settlement that it confirms.
    pub confirmed: Option<(Moment, u8)>,
}

#[derive(Debug, Clone, Hash)]
pub struct Folder {
    pub locked_by: Option<usize>,
    pub files: [Content; MONTHS],
    /// For the oracle alone: the moment of what each file says, or of its absence; none where no file was ever, or the
    /// entity was forgotten.
    pub at: [Option<Moment>; MONTHS],
    pub listed: [Content; MONTHS],
    pub pending: [bool; MONTHS],
    pub closed: [bool; MONTHS],
    /// The settling that was published last: its moment and its number.
    pub age: Option<(Moment, u8)>,
}

/// What a process is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    Run(Settings),
    Export,
    Forget,
}

/// What a process does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Ledger,
    Snapshot,
    Lock,
    Settle,
    MakeAnew,
    Forget,
    NoteProven,
    Confirm,
    OpenFolder,
    Read,
    Wanted,
    Begin,
    Place,
    List,
    NoteFiles,
}

/// A process at work, with all that it remembers.
#[derive(Debug, Clone, Hash)]
pub struct Work {
    pub command: Command,
    pub step: Step,
    pub generation: u8,
    pub settlement: u8,
    pub anew: bool,
    /// What the months were when it looked, and then what they are to become.
    pub months: [Rows; MONTHS],
    pub moment: Moment,
    pub due: [bool; MONTHS],
    pub held: bool,
    pub has_settled: bool,
    /// Its snapshot of the warehouse, while it has one.
    pub reading: Option<Warehouse>,
    /// What files should say, what of that is due, and of which moments it is.
    pub wanted: [Content; MONTHS],
    pub write: [bool; MONTHS],
    pub at: [Option<Moment>; MONTHS],
    pub closed: [bool; MONTHS],
    pub age: Option<(Moment, u8)>,
    /// Whether the warehouse has the entity at all.
    pub knows: bool,
}

impl Work {
    pub fn new(command: Command) -> Self {
        let step = match command {
            Command::Run(_) => Step::Ledger,
            Command::Export => Step::OpenFolder,
            Command::Forget => Step::Lock,
        };
        Self {
            command,
            step,
            generation: 0,
            settlement: 0,
            anew: false,
            months: [0; MONTHS],
            moment: 0,
            due: [false; MONTHS],
            held: false,
            has_settled: false,
            reading: None,
            wanted: [None; MONTHS],
            write: [false; MONTHS],
            at: [None; MONTHS],
            closed: [false; MONTHS],
            age: None,
            knows: false,
        }
    }
}

impl Entity {
    pub fn new(tables: u8, settings: Settings, settlement: u8) -> Self {
        Self {
            tables,
            settings,
            months: [0; MONTHS],
            at: [None; MONTHS],
            settlement,
            settled: None,
            proven: None,
            whole: false,
            confirmed: None,
        }
    }

    /// Since when it is known to be equal: by its row, and by what the sequence says now.
    pub fn proof(&self, protocol: &Protocol, confirmed: Option<(Moment, u8)>) -> Option<Moment> {
        match confirmed {
            Some((moment, tag)) if (self.whole || !protocol.whole) && (tag == self.settlement || !protocol.tag) => {
                Some(moment)
            }
            _ => self.proven,
        }
    }

    /// The newest moment that its accounts hold.
    pub fn newest(&self, confirmed: Option<(Moment, u8)>) -> Option<Moment> {
        match confirmed {
            Some((moment, tag)) if self.whole && tag == self.settlement => Some(moment),
            _ => self.settled,
        }
    }

    /// One transaction settles these months.
    pub fn settle(&mut self, months: &[usize], rows: [Rows; MONTHS], moment: Moment, completes: bool) {
        for &month in months {
            (self.months[month], self.at[month]) = (rows[month], Some(moment));
        }
        self.settlement += u8::try_from(months.len()).expect("there are few");
        self.settled = Some(moment);
        self.whole = completes;
        if completes {
            self.proven = Some(moment);
            self.at = [Some(moment); MONTHS];
        }
    }
}

impl Warehouse {
    /// What a reader with this snapshot takes the entity's proof for; what sequences say is as of now.
    pub fn proof(&self, protocol: &Protocol, now: &Self) -> Option<Moment> {
        let entity = self.entity.as_ref()?;
        match protocol.proof {
            Proof::Global => now.proven,
            Proof::OfEntity => entity.proof(protocol, now.entity.as_ref().and_then(|entity| entity.confirmed)),
        }
    }
}

impl State {
    /// Nothing was settled yet, and production has a row or more in each month.
    pub fn new(left: Left) -> Self {
        Self {
            history: [[1; MONTHS]; MOMENTS],
            now: 0,
            warehouse: Warehouse {
                generation: 0,
                proven: None,
                entity: None,
                runs: [0; MOMENTS],
                files: [None; MONTHS],
            },
            locked_by: None,
            backup: None,
            folder: Folder {
                locked_by: None,
                files: [None; MONTHS],
                at: [None; MONTHS],
                listed: [None; MONTHS],
                pending: [false; MONTHS],
                closed: [false; MONTHS],
                age: None,
            },
            processes: [None, None],
            made: 0,
            was_restored: false,
            left,
            fault: None,
        }
    }

    pub fn production(&self) -> [Rows; MONTHS] {
        self.history[usize::from(self.now)]
    }

    /// Whether production had a month so at a moment from this one on.
    pub fn was_so(&self, month: usize, rows: Rows, from: Moment) -> bool {
        (from..=self.now).any(|moment| self.history[usize::from(moment)][month] == rows)
    }

    /// Whether a reader has `kalends.entity` locked.
    pub fn has_reader(&self, protocol: &Protocol) -> bool {
        protocol.table_lock && self.processes.iter().flatten().any(|work| work.reading.is_some())
    }

    /// Whether the warehouse's lock can be had.
    pub fn is_free(&self, process: usize) -> bool {
        self.locked_by.is_none_or(|holder| holder == process)
    }

    /// The process ends, or is killed, and lets go of everything.
    pub fn end(&mut self, process: usize) {
        self.processes[process] = None;
        if self.locked_by == Some(process) {
            self.locked_by = None;
        }
        if self.folder.locked_by == Some(process) {
            self.folder.locked_by = None;
        }
    }
}

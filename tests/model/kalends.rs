//! Everything that can happen, and what must never be.

use std::fmt;

use crate::fault::Fault;
use crate::protocol::{Proof, Protocol};
use crate::search::World;
use crate::state::{CLOSES, Command, Content, Left, MONTHS, Settings, State, Step, Work};
use crate::{prepare, publish};

/// A protocol, and how much of everything may happen.
pub struct Kalends {
    pub protocol: Protocol,
    /// How many processes are at work at once.
    pub processes: usize,
    pub left: Left,
    /// Whether everything was settled and published at the first moment.
    pub is_settled: bool,
    /// The fault to look for; any where there is none.
    pub only: Option<Fault>,
}

/// What happened, and by whom.
pub struct Happened(Option<(usize, Command)>, &'static str);

impl World for Kalends {
    type State = State;
    type Step = Happened;
    type Fault = Fault;

    fn beginning(&self) -> State {
        let state = State::new(self.left);
        if self.is_settled { self.run_alone(&state).expect("the first run ends") } else { state }
    }

    fn next(&self, state: &State) -> Vec<(Happened, State)> {
        let mut found = Vec::new();
        for (process, work) in (0..self.processes).zip(&state.processes) {
            match work {
                Some(work) => {
                    let steps = self.step(state, process, work).into_iter();
                    found.extend(steps.map(|(told, next)| (Happened(Some((process, work.command)), told), next)));
                    crash(state, process, work, &mut found);
                }
                // Processes are alike: the first that is idle begins.
                None if state.processes[..process].iter().all(Option::is_some) => start(state, process, &mut found),
                None => {}
            }
        }
        change(state, &mut found);
        self.happen(state, &mut found);
        if self.only.is_some() {
            for (_, next) in &mut found {
                next.fault = next.fault.filter(|&fault| Some(fault) == self.only);
            }
        }
        found
    }

    fn fault(&self, state: &State) -> Option<Fault> {
        let looks_for = |fault: &Fault| self.only.is_none_or(|only| only == *fault);
        let claims = || self.overclaims(state).filter(looks_for);
        state.fault.or_else(claims).or_else(|| self.is_stuck(state).then_some(Fault::Stuck).filter(looks_for))
    }
}

impl Kalends {
    /// What a process does next.
    fn step(&self, state: &State, process: usize, work: &Work) -> Vec<(&'static str, State)> {
        let protocol = &self.protocol;
        let settings = if let Command::Run(settings) = work.command { settings } else { Settings::A };
        match work.step {
            Step::Ledger => prepare::ledger(protocol, state, process, settings),
            Step::Snapshot => prepare::snapshot(protocol, state, process),
            Step::Lock => prepare::lock(state, process, work),
            Step::Settle => prepare::settle(protocol, state, process),
            Step::MakeAnew => prepare::make_anew(protocol, state, process, settings),
            Step::Forget => prepare::forget(protocol, state, process),
            Step::NoteProven => prepare::note_proven(state, process),
            Step::Confirm => prepare::confirm(protocol, state, process),
            Step::OpenFolder => publish::open_folder(state, process),
            Step::Read => publish::read(state, process),
            Step::Wanted => publish::wanted(protocol, state, process, work),
            Step::Begin => publish::begin(protocol, state, process, work),
            Step::Place => publish::place(state, process),
            Step::List => publish::list(protocol, state, process, work),
            Step::NoteFiles => publish::note_files(state, process, work),
        }
    }

    /// What befalls the warehouse from outside.
    fn happen(&self, state: &State, found: &mut Vec<(Happened, State)>) {
        if state.left.others > 0 {
            let mut next = state.clone();
            next.left.others -= 1;
            if self.protocol.proof == Proof::Global {
                next.warehouse.proven = Some(state.now);
            }
            found.push((Happened(None, "a run with settings of another entity proves that one"), next));
        }
        if state.left.backups > 0 {
            let mut next = state.clone();
            next.left.backups -= 1;
            next.backup = Some(state.warehouse.clone());
            found.push((Happened(None, "the warehouse is backed up"), next));
        }
        if let (Some(backup), true) = (&state.backup, state.left.restores > 0) {
            let mut next = state.clone();
            next.left.restores -= 1;
            next.was_restored = true;
            (next.warehouse, next.backup) = (backup.clone(), None);
            (0..self.processes).for_each(|process| next.end(process));
            found.push((Happened(None, "the warehouse is restored from its backup"), next));
        }
    }

    /// Whether warehouse or manifest say what is not so.
    fn overclaims(&self, state: &State) -> Option<Fault> {
        let entity = state.warehouse.entity.as_ref()?;
        let listed = |month: usize| state.folder.listed[month].map(|(_, rows)| rows);
        let not_closed = |month: usize| {
            let is_older = |rows| !state.was_so(month, rows, CLOSES[month]);
            state.folder.closed[month] && listed(month).is_some_and(is_older)
        };
        if (0..MONTHS).any(not_closed) {
            return Some(Fault::NotClosed);
        }
        let proof = state.warehouse.proof(&self.protocol, &state.warehouse)?;
        if (0..MONTHS).any(|month| !state.was_so(month, entity.months[month], proof)) {
            return Some(Fault::NotClosed);
        }
        // 0.1.0 calls everything proven that has a moment.
        let is_fresh = self.protocol.proof == Proof::Global || !self.protocol.whole || entity.whole;
        (is_fresh && entity.months != state.history[usize::from(proof)]).then_some(Fault::NotFresh)
    }

    /// Where nobody is at work, one run has to make everything equal.
    fn is_stuck(&self, state: &State) -> bool {
        if self.protocol.proof == Proof::Global || state.processes.iter().any(Option::is_some) {
            return false;
        }
        let Some(after) = self.run_alone(state) else { return true };
        let production = state.production();
        let is_equal =
            after.warehouse.entity.as_ref().is_some_and(|entity| entity.months == production && entity.whole);
        let files = after.folder.files.map(|file| file.map_or(0, |(_, rows)| rows));
        let proof = after.warehouse.proof(&self.protocol, &after.warehouse);
        let is_listed = after.folder.listed == after.folder.files && after.warehouse.files == after.folder.files;
        !(is_equal && files == production && is_listed && proof == Some(state.now))
    }

    /// A run to its end, with nobody beside it.
    fn run_alone(&self, state: &State) -> Option<State> {
        let mut state = state.clone();
        state.processes[0] = Some(Work::new(Command::Run(Settings::A)));
        for _ in 0..40 {
            let Some(work) = state.processes[0].clone() else { return Some(state) };
            // The first of what can be is that nothing is held.
            state = self.step(&state, 0, &work).into_iter().next()?.1;
        }
        None
    }
}

fn crash(state: &State, process: usize, work: &Work, found: &mut Vec<(Happened, State)>) {
    if state.left.crashes > 0 {
        let mut next = state.clone();
        next.left.crashes -= 1;
        next.end(process);
        found.push((Happened(Some((process, work.command)), "is killed"), next));
    }
}

/// A command begins.
fn start(state: &State, process: usize, found: &mut Vec<(Happened, State)>) {
    let mut begin = |command: Command, left: Left| {
        let mut next = state.clone();
        next.left = left;
        next.processes[process] = Some(Work::new(command));
        found.push((Happened(Some((process, command)), "begins"), next));
    };
    let left = state.left;
    if left.runs_a > 0 {
        begin(Command::Run(Settings::A), Left { runs_a: left.runs_a - 1, ..left });
    }
    if left.runs_b > 0 {
        begin(Command::Run(Settings::B), Left { runs_b: left.runs_b - 1, ..left });
    }
    if left.exports > 0 {
        begin(Command::Export, Left { exports: left.exports - 1, ..left });
    }
    if left.forgets > 0 && state.warehouse.entity.is_some() {
        begin(Command::Forget, Left { forgets: left.forgets - 1, ..left });
    }
}

/// Production moves: a month's rows become others, or none, or what they were.
fn change(state: &State, found: &mut Vec<(Happened, State)>) {
    if state.left.changes == 0 {
        return;
    }
    let production = state.production();
    for month in 0..MONTHS {
        for rows in (0..=2).filter(|&rows| rows != production[month]) {
            let mut next = state.clone();
            next.left.changes -= 1;
            next.now += 1;
            let mut moved = production;
            moved[month] = rows;
            next.history[usize::from(next.now)..].fill(moved);
            found.push((Happened(None, "production moves"), next));
        }
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => write!(f, "{}", self.1),
            Some((process, Command::Run(settings))) => write!(f, "{}: run {settings:?}: {}", process + 1, self.1),
            Some((process, Command::Export)) => write!(f, "{}: export: {}", process + 1, self.1),
            Some((process, Command::Forget)) => write!(f, "{}: forget: {}", process + 1, self.1),
        }
    }
}

/// What people would look at.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "production {}@{}", months(self.production()), self.now)?;
        match &self.warehouse.entity {
            None => write!(f, "  accounts none")?,
            Some(entity) => {
                let whole = if entity.whole { " whole" } else { "" };
                let moment = |moment: Option<u8>| moment.map_or("-".into(), |moment| moment.to_string());
                write!(f, "  accounts {} settled@{}", months(entity.months), moment(entity.settled))?;
                write!(f, " proven@{}{whole}", moment(self.warehouse.proven.or(entity.proven)))?;
            }
        }
        let files = |files: [Content; MONTHS]| months(files.map(|file| file.map_or(0, |(_, rows)| rows)));
        write!(f, "  files {}", files(self.folder.files))
    }
}

fn months(rows: [u8; MONTHS]) -> String {
    rows.map(|rows| if rows == 0 { "-".to_string() } else { rows.to_string() }).join("")
}

//! What `run` does until the warehouse is equal, and `forget`; a step a transaction, or what can happen in between.

use crate::protocol::{Proof, Protocol};
use crate::state::{Command, Entity, MONTHS, Settings, State, Step, Work};

type Next = Vec<(&'static str, State)>;

/// `Warehouse::ledger`: what is there, read before production's snapshot; tables where there are none.
pub fn ledger(protocol: &Protocol, state: &State, process: usize, settings: Settings) -> Next {
    let mut next = state.clone();
    let Some(entity) = &state.warehouse.entity else {
        if !state.is_free(process) {
            next.end(process);
            return vec![("gives way", next)];
        }
        if state.has_reader(protocol) {
            return Vec::new();
        }
        next.made += 1;
        next.warehouse.entity = Some(Entity::new(next.made, settings, state.warehouse.generation));
        return vec![("make: COMMIT of empty tables", next)];
    };
    let work = next.processes[process].as_mut().expect("it is at work");
    work.generation = state.warehouse.generation;
    work.settlement = entity.settlement;
    work.months = entity.months;
    work.anew = entity.settings != settings;
    work.step = Step::Snapshot;
    vec![("ledger", next)]
}

/// `Production::snapshot`, `Snapshot::survey`, `accounts::compare` and `guard::judge`.
pub fn snapshot(protocol: &Protocol, state: &State, process: usize) -> Next {
    let production = state.production();
    let surveyed = |holds: bool| {
        let mut next = state.clone();
        let work = next.processes[process].as_mut().expect("it is at work");
        let before = std::mem::replace(&mut work.months, production);
        let lost = |month: usize| before[month] != 0 && production[month] == 0;
        work.moment = state.now;
        work.held = holds && (0..MONTHS).any(lost);
        work.due = std::array::from_fn(|month| before[month] != production[month] && !(work.held && lost(month)));
        work.step = if work.anew {
            if work.held { Step::OpenFolder } else { Step::Lock }
        } else if work.due.contains(&true) {
            Step::Lock
        } else {
            settled(protocol, work)
        };
        (work.held, next)
    };
    let mut all = vec![("snapshot, survey, compare", surveyed(false).1)];
    if state.left.holds {
        let (held, next) = surveyed(true);
        all.extend(held.then_some(("snapshot, survey, compare; the guard holds a lost month", next)));
    }
    all
}

/// What follows when nothing is to be settled any more.
fn settled(protocol: &Protocol, work: &Work) -> Step {
    match protocol.proof {
        Proof::Global if work.held => Step::OpenFolder,
        Proof::Global => Step::NoteProven,
        // The transaction that settled last has noted it.
        Proof::OfEntity if work.held || work.has_settled => Step::OpenFolder,
        Proof::OfEntity => Step::Confirm,
    }
}

/// `Warehouse::lock` and `lock_next`, or that of `forget`.
pub fn lock(state: &State, process: usize, work: &Work) -> Next {
    let mut next = state.clone();
    let outdated = work.command != Command::Forget && work.generation != state.warehouse.generation;
    if !state.is_free(process) {
        if work.has_settled {
            return Vec::new();
        }
        next.end(process);
        return vec![("gives way", next)];
    }
    if outdated {
        next.end(process);
        return vec![("is outdated by another run, and ends", next)];
    }
    next.locked_by = Some(process);
    next.processes[process].as_mut().expect("it is at work").step = match work.command {
        Command::Forget => Step::Forget,
        _ if work.anew => Step::MakeAnew,
        _ => Step::Settle,
    };
    vec![("lock: begins a transaction", next)]
}

/// `Settling::settle_together`: a month's rows, proven, with all accounts, and COMMIT; or those of several new months.
pub fn settle(protocol: &Protocol, state: &State, process: usize) -> Next {
    let work = state.processes[process].as_ref().expect("it is at work");
    let entity = state.warehouse.entity.as_ref().expect("what was forgotten has another generation");
    let due: Vec<usize> = (0..MONTHS).filter(|&month| work.due[month]).collect();
    let mut all = vec![("settle: COMMIT of a month", settle_months(protocol, state, process, &due[..1]))];
    if due.len() > 1 && due.iter().all(|&month| entity.months[month] == 0) {
        all.push(("settle: COMMIT of new months", settle_months(protocol, state, process, &due)));
    }
    all
}

fn settle_months(protocol: &Protocol, state: &State, process: usize, months: &[usize]) -> State {
    let mut next = state.clone();
    let work = next.processes[process].as_mut().expect("it is at work");
    months.iter().for_each(|&month| work.due[month] = false);
    work.generation += 1;
    work.has_settled = true;
    let completes = !work.due.contains(&true) && !work.held;
    let entity = next.warehouse.entity.as_mut().expect("what was forgotten has another generation");
    let before = (entity.whole, entity.proven);
    entity.settle(months, work.months, work.moment, completes);
    if !protocol.whole {
        entity.whole = before.0 || completes;
    }
    next.warehouse.generation += 1;
    next.warehouse.runs[usize::from(work.moment)] = entity.settlement;
    next.locked_by = None;
    work.step = if work.due.contains(&true) { Step::Lock } else { settled(protocol, work) };
    next
}

/// `Settling::rebuild`: other tables, and all months, in one transaction.
pub fn make_anew(protocol: &Protocol, state: &State, process: usize, settings: Settings) -> Next {
    if state.has_reader(protocol) {
        return Vec::new();
    }
    let mut next = state.clone();
    next.made += 1;
    let work = next.processes[process].as_mut().expect("it is at work");
    let entity = next.warehouse.entity.as_mut().expect("what was forgotten has another generation");
    (entity.tables, entity.settings) = (next.made, settings);
    entity.settle(&[0, 1], work.months, work.moment, true);
    next.warehouse.generation += 1;
    next.warehouse.runs[usize::from(work.moment)] = entity.settlement;
    next.locked_by = None;
    work.has_settled = true;
    work.step = settled(protocol, work);
    vec![("make_anew: COMMIT of other tables, all settled", next)]
}

/// `Warehouse::forget`.
pub fn forget(protocol: &Protocol, state: &State, process: usize) -> Next {
    if state.has_reader(protocol) {
        return Vec::new();
    }
    let mut next = state.clone();
    next.warehouse.entity = None;
    next.warehouse.generation += 1;
    // Somebody asked for it: whatever becomes of the files is theirs.
    next.folder.at = [None; MONTHS];
    next.processes.iter_mut().flatten().for_each(|work| work.at = [None; MONTHS]);
    next.end(process);
    vec![("forget: tables are dropped, COMMIT", next)]
}

/// 0.1.0's `Warehouse::note_proven`: without lock, of whatever is there now.
pub fn note_proven(state: &State, process: usize) -> Next {
    let mut next = state.clone();
    let work = next.processes[process].as_mut().expect("it is at work");
    next.warehouse.proven = Some(work.moment);
    work.step = Step::OpenFolder;
    vec![("note_proven", next)]
}

/// A run that found nothing to do sets the entity's sequence.
pub fn confirm(protocol: &Protocol, state: &State, process: usize) -> Next {
    let mut next = state.clone();
    let work = next.processes[process].as_mut().expect("it is at work");
    work.step = Step::OpenFolder;
    let is_outdated = !state.is_free(process) || work.generation != state.warehouse.generation;
    if protocol.confirm_locked && is_outdated {
        next.end(process);
        return vec![("confirms nothing: another run was at work, and ends", next)];
    }
    let Some(entity) = next.warehouse.entity.as_mut() else {
        next.end(process);
        return vec![("confirms nothing: there is no such entity, and ends", next)];
    };
    if !entity.whole && protocol.completes {
        // A run before this one was interrupted, and production is as that left it.
        next.warehouse.generation += u8::from(protocol.completing_counts);
        (entity.whole, entity.proven, entity.settled) = (true, Some(work.moment), Some(work.moment));
        entity.at = [Some(work.moment); MONTHS];
        return vec![("confirm: COMMIT, the entity is whole", next)];
    }
    entity.confirmed = Some((work.moment, if protocol.confirm_locked { entity.settlement } else { work.settlement }));
    entity.at = if protocol.confirm_locked { [Some(work.moment); MONTHS] } else { entity.at };
    vec![("confirm: sets the sequence", next)]
}

//! What `exports::publish` does, from the folder's lock to the notes in the warehouse.

use crate::fault::Fault;
use crate::protocol::{Age, Protocol};
use crate::state::{CLOSES, Content, Entity, Folder, MONTHS, Moment, Rows, State, Step, Warehouse, Work};

type Next = Vec<(&'static str, State)>;

/// `Folder::open`.
pub fn open_folder(state: &State, process: usize) -> Next {
    let mut next = state.clone();
    if state.folder.locked_by.is_some() {
        next.end(process);
        return vec![("finds the folder locked, and ends", next)];
    }
    next.folder.locked_by = Some(process);
    next.processes[process].as_mut().expect("it is at work").step = Step::Read;
    vec![("opens and locks the folder", next)]
}

/// `Warehouse::read`: the snapshot.
pub fn read(state: &State, process: usize) -> Next {
    let mut next = state.clone();
    let work = next.processes[process].as_mut().expect("it is at work");
    work.reading = Some(state.warehouse.clone());
    work.step = Step::Wanted;
    vec![("takes a snapshot of the warehouse", next)]
}

/// `exports::wanted` and `allowed`: what files should say, from the views, which may have been replaced since; what is
/// due; and whether it may be done.
pub fn wanted(protocol: &Protocol, state: &State, process: usize, work: &Work) -> Next {
    let reading = work.reading.as_ref().expect("a snapshot is taken before it is read");
    let mut next = state.clone();
    let rows = match (&reading.entity, &state.warehouse.entity) {
        (None, _) => None,
        (Some(_), None) => {
            next.end(process);
            return vec![("finds views gone, and fails", next)];
        }
        (Some(known), Some(now)) if known.tables != now.tables => {
            next.fault = Some(Fault::YoungerTables);
            Some((known, [0; MONTHS]))
        }
        (Some(known), Some(_)) => Some((known, known.months)),
    };
    let proof = reading.proof(protocol, &state.warehouse);
    let folder = &state.folder;
    let wanted = rows.map_or([None; MONTHS], |(known, rows)| rows.map(|rows| content(known, rows)));
    let gone = |month: usize| folder.listed[month].is_some() || folder.pending[month];
    let due: [bool; MONTHS] = std::array::from_fn(|month| match wanted[month] {
        Some(_) => folder.files[month] != wanted[month],
        None if rows.is_none() && protocol.own_files => {
            folder.files[month].is_some() && folder.files[month] == reading.files[month]
        }
        None => gone(month),
    });
    let confirmed = state.warehouse.entity.as_ref().and_then(|entity| entity.confirmed);
    let is_older = |month: usize| {
        let (Some((known, _)), Some(age)) = (rows, folder.age) else { return false };
        let moments = (proof, known.newest(confirmed));
        let taken = folder.files[month].is_some() || protocol.age_of_missing;
        due[month] && taken && is_older(protocol.age, (reading, known, folder), moments, (month, age))
    };
    if (0..MONTHS).any(is_older) {
        next.end(process);
        if !state.was_restored {
            next.fault = Some(Fault::WronglyRefused);
        }
        return vec![("is refused: the files are of a newer warehouse", next)];
    }
    let work = next.processes[process].as_mut().expect("it is at work");
    (work.wanted, work.write) = (wanted, due);
    work.closed = std::array::from_fn(|month| wanted[month].is_some() && proof >= Some(CLOSES[month]));
    work.at = rows.map_or([None; MONTHS], |(known, _)| known.at);
    work.age = rows.and_then(|(known, _)| known.newest(confirmed).map(|newest| (newest, known.settlement)));
    work.knows = rows.is_some() || !protocol.keeps_pending;
    // All is held in memory from here on.
    work.reading = None;
    work.step =
        if due.contains(&true) || work.knows && folder.pending.contains(&true) { Step::Begin } else { Step::List };
    vec![("wanted: renders what files should say", next)]
}

fn content(known: &Entity, rows: Rows) -> Content {
    (rows != 0).then_some((known.settings, rows))
}

/// Whether the warehouse must not touch the file of a month, where the manifest says what was published last.
fn is_older(
    age: Age,
    (reading, known, folder): (&Warehouse, &Entity, &Folder),
    (proof, newest): (Option<Moment>, Option<Moment>),
    (month, (moment, settlement)): (usize, (Moment, u8)),
) -> bool {
    match age {
        Age::Never => false,
        Age::Moment => newest < Some(moment),
        // What a dead run had begun is neither listed nor noted.
        Age::Recorded if folder.pending[month] => newest < Some(moment),
        Age::Recorded => reading.files[month] != folder.listed[month] && !(known.whole && newest >= Some(moment)),
        Age::Lineage => reading.runs[usize::from(moment)] < settlement && proof < Some(moment),
    }
}

/// The manifest says what is about to happen.
pub fn begin(protocol: &Protocol, state: &State, process: usize, work: &Work) -> Next {
    let mut next = state.clone();
    for month in (0..MONTHS).filter(|&month| work.write[month]) {
        next.folder.pending[month] = true;
        if work.wanted[month].is_none() {
            next.folder.listed[month] = None;
        }
    }
    if protocol.age_first {
        next.folder.age = work.age.or(state.folder.age);
    }
    next.processes[process].as_mut().expect("it is at work").step = Step::Place;
    vec![("writes the manifest with what is pending", next)]
}

/// `Folder::place` and `Folder::remove`.
pub fn place(state: &State, process: usize) -> Next {
    let mut next = state.clone();
    let work = next.processes[process].as_mut().expect("it is at work");
    let Some(month) = work.write.iter().position(|&due| due) else {
        work.step = Step::List;
        return vec![("has placed all files", next)];
    };
    work.write[month] = false;
    let (wanted, at) = (work.wanted[month], work.at[month]);
    let folder = &mut next.folder;
    let rows = wanted.map_or(0, |(_, rows)| rows);
    // A file may only say what production said at the moment of the one before, or later.
    let before = folder.at[month].filter(|&before| !state.was_so(month, rows, before));
    if before.is_some() && next.fault.is_none() {
        next.fault = Some(match wanted {
            None => Fault::FileVanished,
            Some(_) => Fault::OlderFile,
        });
    }
    folder.files[month] = wanted;
    folder.at[month] = at;
    vec![(if wanted.is_some() { "place: renames a file into its place" } else { "remove: unlinks a file" }, next)]
}

/// The manifest says what there is.
pub fn list(protocol: &Protocol, state: &State, process: usize, work: &Work) -> Next {
    let mut next = state.clone();
    let folder = &mut next.folder;
    for month in 0..MONTHS {
        folder.pending[month] &= !work.knows && folder.files[month].is_some();
        let is_there = folder.files[month].is_some() && folder.files[month] == work.wanted[month];
        folder.listed[month] = if is_there { work.wanted[month] } else { folder.listed[month] };
        folder.closed[month] = is_there && work.closed[month];
    }
    if folder.files != state.folder.listed && !protocol.age_first {
        folder.age = work.age.or(folder.age);
    }
    next.processes[process].as_mut().expect("it is at work").step = Step::NoteFiles;
    vec![("list: writes the manifest", next)]
}

/// `notes::note`.
pub fn note_files(state: &State, process: usize, work: &Work) -> Next {
    let mut next = state.clone();
    next.warehouse.files = work.wanted;
    next.end(process);
    vec![("notes in the warehouse what was published", next)]
}

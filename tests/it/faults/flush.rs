//! What a power cut could lose: nothing that was renamed or listed. Seen in the order of the calls.

use super::calls::{available, traced};
use super::stage::{Stage, Start};
use crate::kit::INDEX;

/// A call, and what it is about: a path below the export folder, or `.` for the folder.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Wrote(String),
    /// One file or folder.
    Flushed(String),
    FlushedAll,
    Placed(String),
    Removed(String),
}

const MANIFEST: &str = "_manifest.json";

fn steps(log: &str, exports: &str) -> Vec<Step> {
    let quoted = |line: &str| line.split('"').nth(1).unwrap_or_default().to_string();
    let opened = |line: &str| {
        let path = line.split_once('<').unwrap().1.split_once('>').unwrap().0;
        path.strip_prefix(exports).map(|path| path.trim_start_matches('/').to_string())
    };
    let step = |line: &str| {
        let call = line.split_once('(')?.0.split_whitespace().next_back()?;
        match call {
            _ if !line.contains(exports) || line.contains(" = -1 ") => None,
            "write" => opened(line).map(Step::Wrote),
            "fsync" | "fdatasync" => opened(line).map(Step::Flushed),
            "syncfs" => Some(Step::FlushedAll),
            "renameat" | "renameat2" | "rename" => {
                // Folder and name, as they are given to the call.
                let folder = opened(line)?;
                let name = line.split('"').nth(3)?.to_string();
                Some(Step::Placed(if folder.is_empty() { name } else { format!("{folder}/{name}") }))
            }
            "unlinkat" if !line.contains("AT_REMOVEDIR") => Some(Step::Removed(quoted(line))),
            _ => None,
        }
    };
    log.lines().filter_map(step).collect()
}

fn staged(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/.{name}.staged"),
        None => format!(".{path}.staged"),
    }
}

#[test]
fn what_is_put_into_its_place_was_flushed_before_and_its_folder_is_flushed_after() {
    if !available() {
        return;
    }
    for start in [Start::FirstRun, Start::Change] {
        let mut stage = Stage::new(start);
        let log = traced(&mut stage);
        let steps = steps(&log, &stage.world.exports.display().to_string());
        let mut placed = 0;
        for (number, step) in steps.iter().enumerate() {
            let Step::Placed(path) = step else { continue };
            // A cache, whose bytes are sealed: what a power cut leaves of it is not used.
            if path == INDEX {
                continue;
            }
            placed += 1;
            let (before, after) = (&steps[..number], &steps[number + 1..]);
            let written = before.iter().rposition(|step| *step == Step::Wrote(staged(path)));
            let flushed = |step: &Step| *step == Step::FlushedAll || *step == Step::Flushed(staged(path));
            assert!(before[written.unwrap()..].iter().any(flushed), "{path} was not flushed before it was placed");
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
            let kept = |step: &Step| *step == Step::FlushedAll || *step == Step::Flushed(folder.clone());
            let listed = |step: &Step| *step == Step::Wrote(staged(MANIFEST));
            let until = after.iter().position(listed).unwrap_or(after.len());
            assert!(after[..until].iter().any(kept), "the folder of {path} was not flushed before the next step");
        }
        announced_first_and_listed_last(&steps);
        eprintln!("{start:?}: {placed} files put into their places, each flushed before and its folder after");
        assert!(placed > 8, "{steps:?}");
    }
}

/// The manifest says what is about to happen before it does, and that it has only when it has.
fn announced_first_and_listed_last(steps: &[Step]) {
    let manifest = |step: &Step| *step == Step::Placed(MANIFEST.to_string());
    let published = |step: &Step| match step {
        Step::Placed(path) => ![MANIFEST, INDEX].contains(&path.as_str()),
        Step::Removed(path) => path.ends_with(".csv"),
        _ => false,
    };
    let (first, last) = (steps.iter().position(manifest).unwrap(), steps.iter().rposition(manifest).unwrap());
    let (begun, done) = (steps.iter().position(published).unwrap(), steps.iter().rposition(published).unwrap());
    assert!(first < begun && done < last, "{steps:?}");
    assert!(steps[first..begun].contains(&Step::Flushed(String::new())), "the announcement was not flushed");
    assert!(steps[done..last].contains(&Step::FlushedAll), "what is listed was not flushed");
}

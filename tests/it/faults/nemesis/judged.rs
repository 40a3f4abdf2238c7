//! What may be seen after a command, whatever was done to it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Life, Ran, Replay, ask};
use crate::faults::whole::manifest_is_true;
use crate::faults::worlds::ready::{Months, months, texts};

/// Warehouse and files at some moment, and what production held.
pub struct Seen {
    pub files: BTreeMap<String, String>,
    months: Months,
    /// As it is read.
    source: Months,
}

impl Seen {
    pub fn of(life: &Life<'_>, source: &str) -> Self {
        let asked = life.asked();
        Self {
            files: texts(&life.world.exports),
            months: months(&asked, |sql| life.world.ask_warehouse(sql), "kalends_raw.t"),
            source: months(&asked, |sql| ask(source, sql), "t"),
        }
    }
}

impl Seen {
    pub fn has_settled_since(&self, before: &Self) -> bool {
        self.months != before.months
    }
}

fn rows(months: &Months) -> Vec<String> {
    let mut rows: Vec<String> = months.values().flatten().cloned().collect();
    rows.sort();
    rows
}

impl Life<'_> {
    pub fn is_judged(&self, command: &str, ran: &Ran, before: &Seen, source: &str) -> Seen {
        let after = Seen::of(self, source);
        complains_once(ran);
        manifest_is_true(&self.world.exports);
        let asked = self.asked();
        let Some(now) = asked.expected(&rows(&after.source)) else { return after };
        let of_warehouse = asked.expected(&rows(&after.months)).unwrap();
        // An older warehouse publishes nothing of its own.
        let allowed = if self.older { &now } else { &of_warehouse };
        if !self.other_zones {
            months_are_whole(before, &after);
            files_are_whole(before, &after, allowed);
        }
        if ran.code == Some(0) {
            let equal = rows(&after.months) == rows(&after.source);
            assert!(equal || command == "export", "{command} succeeded, and rows differ");
            match command {
                "export" if self.other_zones => {}
                "export" => assert_eq!(after.files, of_warehouse, "{command} succeeded, and files differ"),
                _ if command.starts_with("prepare") => {}
                _ => assert_eq!(after.files, now, "{command} succeeded, and files differ"),
            }
        }
        let is_older = self.replay == Replay::Behind && source != self.world.production_url && !self.older;
        assert!(!is_older || !after.has_settled_since(before), "an older state of production was settled");
        self.what_is_proven_is_equal(&after);
        after
    }

    /// What status says to be proven as of a moment after production's last edit is equal to production.
    fn what_is_proven_is_equal(&self, after: &Seen) {
        let status = self.world.kalends("status --json");
        assert!(matches!(status.code, Some(0 | 3)), "{}", status.stderr);
        let Some(proven) = status.json()["proven_as_of"].as_str().map(str::to_string) else { return };
        let later = format!("SELECT timestamptz '{proven}' > timestamptz '{}'", self.edited_at);
        if self.world.ask_production(&later) == ["t"] && !self.other_zones {
            let production = months(&self.asked(), |sql| self.world.ask_production(sql), "t");
            assert_eq!(after.months, production, "said to be proven as of {proven}, edited at {}", self.edited_at);
        }
    }
}

fn complains_once(ran: &Ran) {
    let Some(code) = ran.code else { return };
    assert!(matches!(code, 0 | 1 | 3 | 4 | 75), "{code}: {}", ran.stderr);
    let is_held = ran.stderr.lines().any(|line| line.starts_with("error: entity ") && line.contains(" held"));
    let complaints = match code {
        0 | 3 => 0,
        // What is held, and what ended the run after that: a failure, or files that are newer than what is left.
        1 if is_held => 2,
        4 if is_held && ran.stderr.contains("unless something is held") => 2,
        _ => 1,
    };
    assert_eq!(ran.stderr.matches("error:").count(), complaints, "{code}: {}", ran.stderr);
}

/// Each month as it was, or as production holds it.
fn months_are_whole(before: &Seen, after: &Seen) {
    let all = [before, after].into_iter().flat_map(|seen| seen.months.keys().chain(seen.source.keys()));
    for month in all.collect::<BTreeSet<_>>() {
        let found = after.months.get(month);
        let whole = found == before.months.get(month) || found == after.source.get(month);
        assert!(whole, "month {month} is neither as before nor as production: {found:?}");
    }
}

/// Each file as it was, or as it should be; none is gone that should be there.
fn files_are_whole(before: &Seen, after: &Seen, allowed: &BTreeMap<String, String>) {
    for path in before.files.keys().chain(after.files.keys()) {
        let found = after.files.get(path);
        let whole = found == before.files.get(path) || found == allowed.get(path);
        assert!(whole, "{path} is neither as before nor as it should be: {found:?}, not {:?}", allowed.get(path));
    }
}

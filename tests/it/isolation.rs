//! Each command beside each other: one is held up while it replaces or settles, another one comes along, and both go
//! on.
//!
//! Production stays as it is, so no file may go away but by `forget`, and every file says what one of the two settings
//! files asks for. Afterwards one run makes everything whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::faults::held::{Hold, Running};
use crate::faults::sweeping;
use crate::kit::World;
use crate::own_servers::Side;

/// What can be held up while it changes the warehouse, each with the settings that it has.
const FIRST: [(&str, &str); 4] =
    [("run --accept-loss", "new"), ("forget entity --yes", "old"), ("run --accept-loss", "grown"), ("prepare", "new")];

/// Where: locks that let others read and not write, in the order in which a run comes by.
const HELD_AT: [&str; 5] = [
    "kalends.restatement IN SHARE",
    "kalends.run IN SHARE",
    "kalends.source IN SHARE",
    "kalends.state IN SHARE",
    "kalends.file IN SHARE",
];

/// What comes along, and with which settings.
const SECOND: [(&str, &str); 9] = [
    ("export", "old"),
    ("export", "new"),
    ("status", "old"),
    ("verify", "old"),
    ("plan", "new"),
    ("run --accept-loss", "old"),
    ("export 2024 1", "old"),
    ("forget entity --yes", "old"),
    ("history", "old"),
];

fn settings(name: &str) -> String {
    let statistics = if name == "new" { "[\"sum\", \"count\"]" } else { "[\"sum\"]" };
    format!(
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\nstatistics = {statistics}\n"
    )
}

type Files = BTreeMap<String, Vec<u8>>;

/// A command and its settings.
type Typed = (&'static str, &'static str);

/// What becomes of a pair: the files before, and after both have ended.
struct Stage {
    world: World,
    /// By settings, what the files say.
    expected: BTreeMap<&'static str, Files>,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        for name in ["old", "new", "grown"] {
            fs::write(world.folder().join(format!("{name}.toml")), settings(name)).unwrap();
        }
        let mut stage = Self { world, expected: BTreeMap::new() };
        for name in ["new", "old"] {
            stage.made(name);
            let files = stage.world.files();
            stage.expected.insert(name, files);
        }
        stage
    }

    /// Everything as the settings of this name ask for.
    fn made(&self, name: &str) {
        let rows = "('2024-01-02', 5), ('2024-02-29', 8), ('2025-03-01', 2)";
        self.world.production_sql(&format!("BEGIN; TRUNCATE entity; INSERT INTO entity VALUES {rows}; COMMIT"));
        self.kalends("run --accept-loss", name).succeeds();
    }

    fn variables(&self, settings: &str) -> [(&'static str, String); 1] {
        [("KALENDS_CONFIG", self.world.folder().join(format!("{settings}.toml")).display().to_string())]
    }

    fn kalends(&self, command: &str, settings: &str) -> crate::kit::Ran {
        let [(name, value)] = self.variables(settings);
        self.world.kalends_with(command, &[(name, &value)])
    }

    fn started(&self, command: &str, settings: &str) -> Running {
        let mut started = self.world.command(command);
        started.envs(self.variables(settings));
        Running::started(started)
    }

    /// Holds the first up, lets the second come along, lets both go on, and judges what became of the files.
    fn beside(&self, first: (&str, &str), at: &str, second: (&str, &str)) {
        self.made("old");
        if first.1 == "grown" {
            self.world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 5)");
        }
        let before = self.world.files();
        let hold = Hold::by(&self.world.warehouse_url, &format!("LOCK TABLE {at} MODE"));
        let mut one = self.started(first.0, first.1);
        // Not every command comes by every lock.
        let held = one.is_held_or_ends(&self.world, Side::Warehouse);
        let mut other = self.started(second.0, second.1);
        if held {
            // It ends, or comes to something that the first has locked.
            other.ends_or_waits(&self.world, Side::Warehouse, 2);
        }
        drop(hold);
        let said = format!("{first:?} held at {at}, beside {second:?}");
        let forgets = [first, second].map(|command| command.0 == "forget entity --yes");
        let codes = [one.ends(), other.ends()].map(|ran| {
            // Of two that forget an entity, the later one finds none.
            let none =
                forgets == [true; 2] && ran.code == Some(2) && ran.stderr.contains("the warehouse has no entity");
            let ended = none || matches!(ran.code, Some(0 | 3 | 4 | 75));
            assert!(ended, "{said}: {:?}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
            ran.code
        });
        self.judge(&before, &format!("{said}, which ended with {codes:?}"), forgets.contains(&true));
    }

    fn judge(&self, before: &Files, said: &str, forgotten: bool) {
        let after = self.world.files();
        let lost: BTreeSet<_> = before.keys().filter(|path| !after.contains_key(*path)).collect();
        assert!(lost.is_empty() || forgotten, "{said}: files went away although no account did: {lost:?}");
        self.kalends("run --accept-loss", "old").succeeds();
        let grown = self.world.ask_production("SELECT count(*) FROM entity") == ["4"];
        if !grown {
            for (path, bytes) in &after {
                let known = self.expected.values().any(|files| files.get(path) == Some(bytes));
                assert!(known, "{said}: {path} says what nobody asked for");
            }
            assert_eq!(self.world.files(), self.expected["old"], "{said}: not whole after one run");
        }
        self.kalends("verify", "old").succeeds();
        let status = self.kalends("status --max-age 1h", "old");
        status.succeeds().says("proven      equal to production as of");
    }
}

fn pairs() -> Vec<(Typed, &'static str, Typed)> {
    let mut pairs = Vec::new();
    for first in FIRST {
        for at in HELD_AT {
            pairs.extend(SECOND.map(|second| (first, at, second)));
        }
    }
    pairs
}

/// The pairs that once went wrong, and a few of all; a sweep tries all of them.
#[test]
fn no_command_beside_another_takes_files_away_or_says_what_nobody_asked_for() {
    let stage = Stage::new();
    let all = pairs();
    if sweeping() {
        for (first, at, second) in all {
            stage.beside(first, at, second);
        }
        return;
    }
    // One that does not publish afterwards: it would put back what the other has taken away.
    let rebuild = FIRST[3];
    for second in [SECOND[0], SECOND[3], SECOND[7]] {
        stage.beside(rebuild, HELD_AT[0], second);
    }
    for (first, at, second) in all.into_iter().step_by(37) {
        stage.beside(first, at, second);
    }
}

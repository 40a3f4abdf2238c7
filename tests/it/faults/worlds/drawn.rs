//! A world from a seed, and how it comes to the moment at which its command begins.

use std::fs;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::set;
use crate::entities::asked::Asked;
use crate::entities::drawn::{Edit, History, MOMENTS, edit, history, runner};
use crate::kit::World;
use crate::kit::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Run,
    Prepare,
    /// After damage by hand.
    Repair,
    /// By other settings.
    Rebuild,
    Forget,
    ExportMonth,
    Adopt,
}

pub const COMMANDS: [Command; 7] = [
    Command::Run,
    Command::Prepare,
    Command::Repair,
    Command::Rebuild,
    Command::Forget,
    Command::ExportMonth,
    Command::Adopt,
];

/// Of rows and accounts in the warehouse.
const DAMAGES: [&str; 9] = [
    "DELETE FROM kalends_raw.t WHERE at = (SELECT min(at) FROM kalends_raw.t)",
    "UPDATE kalends_raw.t SET a = 7 WHERE at = (SELECT max(at) FROM kalends_raw.t)",
    "INSERT INTO kalends_raw.t SELECT * FROM kalends_raw.t",
    "UPDATE kalends_stats.t_day SET rows = rows + 1 WHERE day = (SELECT min(day) FROM kalends_stats.t_day)",
    "DELETE FROM kalends_stats.t_day WHERE day = (SELECT max(day) FROM kalends_stats.t_day)",
    "UPDATE kalends_stats.t_month SET sum_a = 1",
    "DELETE FROM kalends_stats.t_month",
    "UPDATE kalends_stats.t_year SET rows = rows + 1",
    "DELETE FROM kalends_stats.t_year",
];

impl Command {
    /// Whether files are as production after it.
    pub fn publishes_all(self) -> bool {
        matches!(self, Self::Run | Self::Repair | Self::Rebuild | Self::Adopt)
    }
}

#[derive(Debug)]
pub struct Drawn {
    pub command: Command,
    pub table: History,
    /// Whose statistics and levels the entity has before a rebuild.
    before: History,
    /// How many measures, and whether dimensions, it has before a rebuild.
    narrow: (bool, bool),
    first: Vec<Edit>,
    then: Vec<Edit>,
}

impl Drawn {
    /// The command follows from the seed alone, so that seeds in a row have one of each.
    pub fn new(seed: u64, random: &mut Random) -> Self {
        let mut runner = runner(seed);
        let mut edits = |range| prop::collection::vec(edit(), range).new_tree(&mut runner).unwrap().current();
        let (first, then) = (edits(6..25), edits(2..12));
        let [table, mut before] = [(); 2].map(|()| history().new_tree(&mut runner).unwrap().current());
        if table.time != before.time {
            before.levels.retain(|level| *level != "hour");
        }
        if before.levels.is_empty() {
            before.levels.push("day");
        }
        let command = COMMANDS[usize::try_from(seed % 7).unwrap()];
        let narrow = (random.below(2) == 0, random.below(2) == 0);
        Self { command, table, before, narrow, first, then }
    }

    /// The entity before a rebuild, and as it is asked for in the end.
    pub fn asked<'a>(&'a self, columns: &'a [(&'a str, &'a str)]) -> [Asked<'a>; 2] {
        let asked = self.table.asked("t", columns);
        let mut earlier = self.table.asked("t", columns);
        if self.command == Command::Rebuild {
            earlier.statistics = &self.before.statistics;
            earlier.levels = &self.before.levels;
            earlier.measures = if self.narrow.0 { &columns[1..2] } else { earlier.measures };
            earlier.dimensions = if self.narrow.1 { &[] } else { earlier.dimensions };
        }
        [earlier, asked]
    }

    /// Everything up to the command, which it gives.
    pub fn makes_ready(&self, world: &World, [earlier, asked]: [&Asked<'_>; 2], random: &mut Random) -> String {
        world.production_sql(&self.table.create("t"));
        self.table.edit(world, "t", self.first.iter());
        set(world, earlier);
        let edited = || self.table.edit(world, "t", self.then.iter());
        if self.command == Command::Adopt {
            copy(world, asked);
            edited();
            return "adopt --from theirs.t".to_string();
        }
        world.kalends("run --accept-loss").succeeds();
        match self.command {
            Command::Forget => return "forget t --yes".to_string(),
            Command::Repair | Command::Rebuild if random.below(2) == 0 => {}
            _ => edited(),
        }
        match self.command {
            Command::Prepare => "prepare --accept-loss".to_string(),
            Command::Repair => {
                damage(world, random);
                "verify --repair --accept-loss".to_string()
            }
            Command::ExportMonth => {
                world.kalends("prepare --accept-loss").succeeds();
                let (year, rest) = random.one_of(&MOMENTS).split_once('-').unwrap();
                format!("export {year} {}", &rest[..2])
            }
            _ => {
                set(world, asked);
                "run --accept-loss".to_string()
            }
        }
    }
}

/// Another tool's table, with production's rows of now.
fn copy(world: &World, asked: &Asked<'_>) {
    let columns: Vec<_> = [(asked.time, time_type(world, asked))]
        .into_iter()
        .chain(asked.measures.iter().chain(asked.dimensions).map(|(name, kind)| (*name, (*kind).to_string())))
        // The warehouse has no type of ours.
        .map(|(name, kind)| (name, kind.replace("mood", "text")))
        .collect();
    let made: Vec<String> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    let values: Vec<String> = (0..).zip(&columns).map(|(at, (_, kind))| format!("(r ->> {at})::{kind}")).collect();
    let rows = world.ask_production(&asked.rows_of("t")).join(", ").replace('\'', "''");
    world.warehouse_sql(&format!(
        "SET TimeZone = 'UTC'; CREATE SCHEMA theirs; CREATE TABLE theirs.t ({});
         INSERT INTO theirs.t SELECT {} FROM jsonb_array_elements('[{rows}]') AS r;
         GRANT USAGE ON SCHEMA theirs TO PUBLIC; GRANT SELECT ON theirs.t TO PUBLIC",
        made.join(", "),
        values.join(", ")
    ));
}

fn time_type(world: &World, asked: &Asked<'_>) -> String {
    let sql = format!(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = '{}'",
        asked.time
    );
    world.ask_production(&sql).remove(0)
}

/// By hand: of the warehouse, of files, or of both.
fn damage(world: &World, random: &mut Random) {
    for _ in 0..random.below(3) {
        let damage: &&str = random.one_of(&DAMAGES);
        world.warehouse_sql(damage);
    }
    let paths: Vec<String> = world.files().into_keys().collect();
    if random.below(4) == 0 {
        // Without it a file that was altered as well is nobody's, and refused.
        let _ = fs::remove_file(world.exports.join("_manifest.json"));
        return;
    }
    for _ in 0..random.below(4) {
        let Some(path) = (!paths.is_empty()).then(|| world.exports.join(random.one_of(&paths))) else { continue };
        let _ = match random.below(3) {
            0 => fs::remove_file(path),
            1 => fs::write(path, ""),
            _ => fs::write(path, "year,sum\n2024,1\n"),
        };
    }
}

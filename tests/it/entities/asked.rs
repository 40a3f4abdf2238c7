//! An entity of a world, and what Python makes of its rows.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

use crate::kit::World;

/// An entity of a world, as both the settings and the oracle need it.
pub struct Asked<'a> {
    pub name: &'a str,
    pub table: &'a str,
    pub time: &'a str,
    pub zone: Option<&'a str>,
    /// Where Python reads the zone, if not where this machine has it.
    pub zones: Option<&'a std::path::Path>,
    /// Columns with their types.
    pub measures: &'a [(&'a str, &'a str)],
    pub dimensions: &'a [(&'a str, &'a str)],
    pub statistics: &'a [&'a str],
    pub levels: &'a [&'a str],
}

impl Default for Asked<'_> {
    fn default() -> Self {
        Self {
            name: "t",
            table: "t",
            time: "at",
            zone: None,
            zones: None,
            measures: &[],
            dimensions: &[],
            statistics: &["sum", "min", "max", "mean", "count"],
            levels: &["day", "month", "year"],
        }
    }
}

impl Asked<'_> {
    pub fn settings(&self) -> String {
        let names = |columns: &[(&str, &str)]| columns.iter().map(|(name, _)| (*name).to_string()).collect::<Vec<_>>();
        let zone = self.zone.map_or(String::new(), |zone| format!("time_zone = {zone:?}\n"));
        format!(
            "[[entity]]\nname = {:?}\ntable = {:?}\ntime = {:?}\n{zone}measures = {:?}\ndimensions = {:?}\n\
             statistics = {:?}\nlevels = {:?}\n",
            self.name,
            self.table,
            self.time,
            names(self.measures),
            names(self.dimensions),
            self.statistics,
            self.levels
        )
    }

    pub fn columns(&self) -> Vec<&str> {
        let others = self.measures.iter().chain(self.dimensions).map(|(name, _)| *name);
        [self.time].into_iter().chain(others).collect()
    }

    /// Asks for the rows of a table that has these columns, sorted: each as its values in text.
    pub fn rows_of(&self, table: &str) -> String {
        // To a measure -0 is 0, and is not loaded again where it was the one and is the other.
        let measures = self.measures.iter().map(|(name, kind)| match *kind {
            "real" | "double precision" => format!("({} + 0::{kind})::text", quoted(name)),
            _ => format!("{}::text", quoted(name)),
        });
        let others = |name: &str| format!("{}::text", quoted(name));
        let columns = [others(self.time)].into_iter().chain(measures);
        let columns = columns.chain(self.dimensions.iter().map(|(name, _)| others(name)));
        let texts = columns.collect::<Vec<_>>().join(", ");
        format!(
            "SET TimeZone = 'UTC'; SELECT to_jsonb(ARRAY[{texts}]) FROM {table} ORDER BY ARRAY[{texts}] COLLATE \"C\""
        )
    }

    /// Asks the warehouse for the entity's rows, in the same way.
    pub fn rows_in_warehouse(&self) -> String {
        self.rows_of(&format!("kalends_raw.{}", quoted(self.name)))
    }

    /// The warehouse's rows are production's, which it gives.
    pub fn has_production_s_rows(&self, world: &World) -> Vec<String> {
        let rows = world.ask_production(&self.rows_of(self.table));
        assert_eq!(world.ask_warehouse(&self.rows_in_warehouse()), rows, "rows");
        rows
    }

    /// The entity's files, as text.
    pub fn files(&self, world: &World) -> BTreeMap<String, String> {
        let mine = |path: &str| path.contains(&format!("/{}_stats_", self.name));
        let found = world.files().into_iter().filter(|(path, _)| mine(path));
        found.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
    }

    /// Files and rows are what Python makes of production's rows.
    pub fn is_exact(&self, world: &World) {
        if let Some(expected) = self.expected(&self.has_production_s_rows(world)) {
            assert_eq!(self.files(world), expected);
        }
    }

    /// The files that Python makes of these rows; `None` if there is no Python.
    pub fn expected(&self, rows: &[String]) -> Option<BTreeMap<String, String>> {
        let rows: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        let zone =
            self.zone.map(|zone| self.zones.map_or(zone.to_string(), |zones| zones.join(zone).display().to_string()));
        let asked = json!({
            "name": self.name, "zone": zone, "levels": self.levels, "statistics": self.statistics,
            "measures": self.measures, "dimensions": self.dimensions, "rows": rows,
        });
        let Some(answer) = python(&asked.to_string()) else {
            eprintln!("not tried: the files, since there is no python3");
            return None;
        };
        Some(serde_json::from_str(&answer).unwrap())
    }
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

type Pipes = (ChildStdin, BufReader<ChildStdout>);

/// What Python makes of it; `None` where there is none. One process answers all tests.
fn python(asked: &str) -> Option<String> {
    static PYTHON: OnceLock<Option<Mutex<Pipes>>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let oracle = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/entities/oracle.py");
        let python = Command::new("python3").arg(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        Some(Mutex::new((python.stdin?, BufReader::new(python.stdout?))))
    });
    let mut python = python.as_ref()?.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (stdin, stdout) = &mut *python;
    writeln!(stdin, "{asked}").unwrap();
    let mut answer = String::new();
    stdout.read_line(&mut answer).unwrap();
    assert!(!answer.is_empty(), "the oracle ended on {asked}");
    Some(answer)
}

/// The files as another script of this folder makes them; `None` where there is no Python.
pub fn files_by(script: &str, asked: &Value) -> Option<BTreeMap<String, String>> {
    let script = format!("{}/tests/it/entities/{script}", env!("CARGO_MANIFEST_DIR"));
    let python = Command::new("python3").arg(script).arg(asked.to_string()).output().ok()?;
    Some(serde_json::from_slice(&python.stdout).unwrap_or_else(|error| panic!("{error}: {python:?}")))
}

/// One run settles, verify agrees, and a further run writes nothing.
pub fn settles(world: &World) {
    settles_by(world, "run");
}

/// The same where this is what has to be run.
pub fn settles_by(world: &World, command: &str) {
    world.kalends(command).succeeds();
    world.kalends("verify").succeeds();
    let (tuples, tree) = (world.tuples(), world.tree());
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!((world.tuples(), world.tree()), (tuples, tree), "a run with nothing to do wrote something");
}

pub const NUMBERS: [(&str, &str); 6] = [
    ("tiny", "smallint"),
    ("whole", "integer"),
    ("large", "bigint"),
    ("exact", "numeric"),
    ("short", "real"),
    ("long", "double precision"),
];

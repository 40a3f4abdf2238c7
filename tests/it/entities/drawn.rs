//! Tables and edits that are drawn at random: types, time zones, dimensions, statistics, levels, and what is done to
//! the rows. A failure can be shrunk, as proptest does.

use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::asked::{Asked, NUMBERS};
use crate::kit::World;

const ZONES: [&str; 5] = ["Europe/Paris", "Australia/Lord_Howe", "America/Havana", "America/St_Johns", "Pacific/Apia"];

/// Days around which the clocks of these zones change, one of them left out altogether, and ends of months and years.
pub const MOMENTS: [&str; 8] =
    ["2024-03-31", "2024-10-27", "2020-11-01", "2006-10-29", "2011-12-30", "2024-02-29", "1999-12-31", "1969-12-31"];

const VALUES: [&str; 10] =
    ["NULL", "0", "1", "-1", "32767", "7", "'0.1'::numeric", "'2.50'::numeric", "'-0.3'::numeric", "12"];

const TIMES: [&str; 3] = ["timestamptz", "timestamp", "date"];

const STATISTICS: [&str; 6] = ["sum", "min", "max", "mean", "count", "stddev"];

const LEVELS: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];

/// A type of our own, of one of the dimensions.
pub const MOOD: &str = "CREATE TYPE mood AS ENUM ('sad', '=ok', 'glad')";

/// Types of dimensions, each with values that are easily taken for one another.
const DIMENSIONS: [(&str, [&str; 6]); 8] = [
    ("text", ["NULL", "''", "'a'", "'A, \"b\"'", "E'e\\u0301\\n'", "'=1'"]),
    ("integer", ["NULL", "0", "-5", "7", "2147483647", "-2147483648"]),
    ("boolean", ["NULL", "true", "false", "true", "false", "NULL"]),
    ("numeric", ["NULL", "1.0", "1.00", "-1", "'NaN'", "0"]),
    ("interval", ["NULL", "'1 day'", "'24:00'", "'-1 mon'", "'30 days'", "'0'"]),
    ("character(3)", ["NULL", "'a'", "'b'", "''", "'''x'", "'+1'"]),
    ("double precision", ["NULL", "'-0'", "0", "'NaN'", "0.1", "-2.5"]),
    ("mood", ["NULL", "'sad'", "'=ok'", "'glad'", "'sad'", "'glad'"]),
];

#[derive(Debug, Clone)]
pub enum Edit {
    Insert { moment: usize, minutes: i32, values: [usize; 2], dimensions: [usize; 2] },
    Move { row: usize, minutes: i32 },
    Set { row: usize, value: usize },
    SetDimension { row: usize, value: usize },
    Negate { row: usize },
    SwapRows { one: usize, other: usize },
    SwapColumns { row: usize },
    Delete { row: usize },
    Twice { row: usize },
    DeleteMonth { moment: usize },
}

#[derive(Debug, Clone)]
pub struct History {
    pub time: usize,
    pub zone: usize,
    measures: [usize; 2],
    /// None, one or two of them.
    pub dimensions: Vec<usize>,
    pub statistics: Vec<&'static str>,
    pub levels: Vec<&'static str>,
    pub steps: Vec<Vec<Edit>>,
}

pub fn edit() -> impl Strategy<Value = Edit> {
    let minutes = || -3000..3000_i32;
    prop_oneof![
        6 => (0..MOMENTS.len(), minutes(), [0..VALUES.len(), 0..VALUES.len()], [0..6_usize, 0..6_usize])
            .prop_map(|(moment, minutes, values, dimensions)| Edit::Insert { moment, minutes, values, dimensions }),
        2 => (0..50_usize, minutes()).prop_map(|(row, minutes)| Edit::Move { row, minutes }),
        2 => (0..50_usize, 0..VALUES.len()).prop_map(|(row, value)| Edit::Set { row, value }),
        2 => (0..50_usize, 0..6_usize).prop_map(|(row, value)| Edit::SetDimension { row, value }),
        2 => (0..50_usize).prop_map(|row| Edit::Negate { row }),
        2 => (0..50_usize, 0..50_usize).prop_map(|(one, other)| Edit::SwapRows { one, other }),
        2 => (0..50_usize).prop_map(|row| Edit::SwapColumns { row }),
        2 => (0..50_usize).prop_map(|row| Edit::Delete { row }),
        1 => (0..50_usize).prop_map(|row| Edit::Twice { row }),
        1 => (0..MOMENTS.len()).prop_map(|moment| Edit::DeleteMonth { moment }),
    ]
}

pub fn history() -> impl Strategy<Value = History> {
    let steps = prop::collection::vec(prop::collection::vec(edit(), 1..12), 1..4);
    let table = (0..3_usize, 0..ZONES.len(), [0..NUMBERS.len(), 0..NUMBERS.len()]);
    let dimensions = prop::collection::vec(0..DIMENSIONS.len(), 0..3);
    let asked = (subsequence(STATISTICS.to_vec(), 1..=6), subsequence(LEVELS.to_vec(), 1..=6));
    (table, dimensions, asked, steps).prop_map(
        |((time, zone, measures), dimensions, (statistics, mut levels), steps)| {
            if TIMES[time] == "date" {
                levels.retain(|level| *level != "hour");
            }
            if levels.is_empty() {
                levels.push("day");
            }
            History { time, zone, measures, dimensions, statistics, levels, steps }
        },
    )
}

/// Draws from a seed what proptest draws.
pub fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

impl History {
    /// Time, measures, dimensions: names and types.
    pub fn columns(&self) -> Vec<(&'static str, &'static str)> {
        let measures = ["a", "b"].into_iter().zip(self.measures.map(|at| NUMBERS[at].1));
        let dimensions = ["day", "d"].into_iter().zip(self.dimensions.iter().map(|&at| DIMENSIONS[at].0));
        [("at", TIMES[self.time])].into_iter().chain(measures).chain(dimensions).collect()
    }

    /// The entity of this name, of a table of the same name.
    pub fn asked<'a>(&'a self, name: &'a str, columns: &'a [(&'a str, &'a str)]) -> Asked<'a> {
        Asked {
            name,
            table: name,
            zone: (self.time == 0).then_some(ZONES[self.zone]),
            measures: &columns[1..3],
            dimensions: &columns[3..],
            statistics: &self.statistics,
            levels: &self.levels,
            ..Asked::default()
        }
    }

    pub fn create(&self, table: &str) -> String {
        let columns: Vec<String> = self.columns().iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        format!("CREATE TABLE {table} ({})", columns.join(", "))
    }

    pub fn edit<'a>(&self, world: &World, table: &str, edits: impl Iterator<Item = &'a Edit>) {
        let edits: Vec<String> = edits.map(|edit| self.sql(edit, table)).collect();
        world.production_sql(&format!("SET TimeZone = 'UTC'; {}", edits.join(";\n")));
    }

    fn sql(&self, edit: &Edit, table: &str) -> String {
        let columns = self.columns();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let order: Vec<String> = names.iter().map(|name| format!("{name}::text")).collect();
        let order = order.join(", ");
        let place = |row: &usize| format!("(SELECT ctid FROM {table} ORDER BY {order}, ctid OFFSET {row} LIMIT 1)");
        let row = |row: &usize| format!("ctid = {}", place(row));
        match edit {
            Edit::Insert { moment, minutes, values, dimensions } => {
                let measures = values.iter().map(|&at| VALUES[at]);
                let dimensions = self.dimensions.iter().zip(dimensions).map(|(&at, &value)| DIMENSIONS[at].1[value]);
                let typed = measures.chain(dimensions).zip(&columns[1..]);
                let typed: Vec<String> = typed.map(|(value, (_, kind))| format!("({value})::{kind}")).collect();
                format!(
                    "INSERT INTO {table} SELECT timestamptz '{} 00:00+00' + {minutes} * interval '1 minute', {}",
                    MOMENTS[*moment],
                    typed.join(", ")
                )
            }
            Edit::Move { row: at, minutes } => {
                format!("UPDATE {table} SET at = at + {minutes} * interval '1 minute' WHERE {}", row(at))
            }
            Edit::Set { row: at, value } => {
                format!("UPDATE {table} SET b = ({})::{} WHERE {}", VALUES[*value], columns[2].1, row(at))
            }
            Edit::SetDimension { row: at, value } => match self.dimensions.last() {
                None => "SELECT".to_string(),
                Some(&dimension) => {
                    let ((name, kind), value) = (columns[columns.len() - 1], DIMENSIONS[dimension].1[*value]);
                    format!("UPDATE {table} SET {name} = ({value})::{kind} WHERE {}", row(at))
                }
            },
            Edit::Negate { row: at } => format!("UPDATE {table} SET b = -b WHERE {}", row(at)),
            Edit::SwapRows { one, other } => format!(
                "WITH two AS MATERIALIZED (SELECT {one} AS one, {other} AS other),
                 swapped AS MATERIALIZED (
                     SELECT t.ctid AS place, CASE WHEN t.ctid = one THEN other ELSE one END AS from_place
                     FROM {table} AS t, two WHERE t.ctid IN (one, other) AND one IS NOT NULL AND other IS NOT NULL
                 )
                 UPDATE {table} AS t SET b = source.b FROM swapped
                     INNER JOIN {table} AS source ON source.ctid = from_place
                 WHERE t.ctid = swapped.place",
                one = place(one),
                other = place(other)
            ),
            Edit::SwapColumns { row: at } => {
                format!("UPDATE {table} SET a = b::{}, b = a::{} WHERE {}", columns[1].1, columns[2].1, row(at))
            }
            Edit::Delete { row: at } => format!("DELETE FROM {table} WHERE {}", row(at)),
            Edit::Twice { row: at } => format!("INSERT INTO {table} SELECT * FROM {table} WHERE {}", row(at)),
            Edit::DeleteMonth { moment } => format!(
                "DELETE FROM {table} WHERE at >= date_trunc('month', timestamp '{0}')
                 AND at < date_trunc('month', timestamp '{0}') + interval '1 month'",
                MOMENTS[*moment]
            ),
        }
    }
}

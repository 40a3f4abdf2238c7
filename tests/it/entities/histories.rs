//! Random tables and random histories of edits: after each run rows, accounts and files are what Python makes of
//! production's rows. A failure is shrunk and prints what it was made from; those that were found stay as stories.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Asked, NUMBERS, set};
use crate::kit::World;

/// Histories in a run of the tests; `KALENDS_HISTORIES` says another number.
const HISTORIES: u32 = 40;

const ZONES: [&str; 5] = ["Europe/Paris", "Australia/Lord_Howe", "America/Havana", "America/St_Johns", "Pacific/Apia"];

/// Days around which the clocks of these zones change, one of them left out altogether, and ends of months and years.
const MOMENTS: [&str; 8] =
    ["2024-03-31", "2024-10-27", "2020-11-01", "2006-10-29", "2011-12-30", "2024-02-29", "1999-12-31", "1969-12-31"];

const VALUES: [&str; 10] =
    ["NULL", "0", "1", "-1", "32767", "7", "'0.1'::numeric", "'2.50'::numeric", "'-0.3'::numeric", "12"];

#[derive(Debug, Clone)]
enum Edit {
    Insert { moment: usize, minutes: i32, values: [usize; 2] },
    Move { row: usize, minutes: i32 },
    Set { row: usize, value: usize },
    Delete { row: usize },
    Twice { row: usize },
    DeleteMonth { moment: usize },
}

#[derive(Debug, Clone)]
struct History {
    time: usize,
    zone: usize,
    measures: [usize; 2],
    steps: Vec<Vec<Edit>>,
}

fn edit() -> impl Strategy<Value = Edit> {
    let minutes = || -3000..3000_i32;
    prop_oneof![
        6 => (0..MOMENTS.len(), minutes(), [0..VALUES.len(), 0..VALUES.len()])
            .prop_map(|(moment, minutes, values)| Edit::Insert { moment, minutes, values }),
        2 => (0..50_usize, minutes()).prop_map(|(row, minutes)| Edit::Move { row, minutes }),
        2 => (0..50_usize, 0..VALUES.len()).prop_map(|(row, value)| Edit::Set { row, value }),
        2 => (0..50_usize).prop_map(|row| Edit::Delete { row }),
        1 => (0..50_usize).prop_map(|row| Edit::Twice { row }),
        1 => (0..MOMENTS.len()).prop_map(|moment| Edit::DeleteMonth { moment }),
    ]
}

fn history() -> impl Strategy<Value = History> {
    let steps = prop::collection::vec(prop::collection::vec(edit(), 1..12), 1..4);
    (0..3_usize, 0..ZONES.len(), [0..NUMBERS.len(), 0..NUMBERS.len()], steps)
        .prop_map(|(time, zone, measures, steps)| History { time, zone, measures, steps })
}

const TIMES: [&str; 3] = ["timestamptz", "timestamp", "date"];

fn sql(edit: &Edit, types: [&str; 2]) -> String {
    let row = |row: &usize| format!("ctid = (SELECT ctid FROM t ORDER BY at, a, b, ctid OFFSET {row} LIMIT 1)");
    match edit {
        Edit::Insert { moment, minutes, values } => format!(
            "INSERT INTO t SELECT timestamptz '{} 00:00+00' + {minutes} * interval '1 minute', ({})::{}, ({})::{}",
            MOMENTS[*moment], VALUES[values[0]], types[0], VALUES[values[1]], types[1]
        ),
        Edit::Move { row: at, minutes } => {
            format!("UPDATE t SET at = at + {minutes} * interval '1 minute' WHERE {}", row(at))
        }
        Edit::Set { row: at, value } => {
            format!("UPDATE t SET b = ({})::{} WHERE {}", VALUES[*value], types[1], row(at))
        }
        Edit::Delete { row: at } => format!("DELETE FROM t WHERE {}", row(at)),
        Edit::Twice { row: at } => format!("INSERT INTO t SELECT * FROM t WHERE {}", row(at)),
        Edit::DeleteMonth { moment } => format!(
            "DELETE FROM t WHERE at >= date_trunc('month', timestamp '{0}') AND at < date_trunc('month', timestamp '{0}') + interval '1 month'",
            MOMENTS[*moment]
        ),
    }
}

fn check(history: &History) {
    let world = World::new();
    let types = history.measures.map(|at| NUMBERS[at].1);
    world.production_sql(&format!("CREATE TABLE t (at {}, a {}, b {})", TIMES[history.time], types[0], types[1]));
    let measures = [("a", types[0]), ("b", types[1])];
    let zone = (history.time == 0).then_some(ZONES[history.zone]);
    let asked = Asked { name: "t", table: "t", time: "at", zone, measures: &measures };
    set(&world, &asked.settings());
    for step in &history.steps {
        let edits: Vec<String> = step.iter().map(|edit| sql(edit, types)).collect();
        world.production_sql(&format!("SET TimeZone = 'UTC'; {}", edits.join(";\n")));
        world.kalends("run").succeeds();
        asked.is_exact(&world);
    }
    world.kalends("verify").succeeds();
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn every_history_of_every_table_is_exact() {
    let cases = std::env::var("KALENDS_HISTORIES").map_or(HISTORIES, |number| number.parse().unwrap());
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&history(), |history| {
        std::panic::catch_unwind(|| check(&history))
            .map_err(|panic| TestCaseError::fail(panic.downcast_ref::<String>().cloned().unwrap_or_default()))
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

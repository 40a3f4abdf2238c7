//! Days that changed at equal count, sum, smallest and largest, each of which 0.1.0 took for what it was.

use kalends::entity::Model;

use super::{DAYS_OF_0_1_0, bigints, times};
use crate::kit::{self, World};

/// The rows of a day, two columns each.
type Day = Vec<[String; 2]>;

/// The type of the value, or of two with the second one's name between them, and rows before and after: time and
/// values.
fn changes() -> Vec<(&'static str, Day, Day)> {
    let row = |time: &str, value: &str| [time.to_string(), value.to_string()];
    let swapped = |kind, one: &str, other: &str| {
        let at = ["'2024-01-05 10:00'", "'2024-01-05 11:00'"];
        (kind, vec![row(at[0], one), row(at[1], other)], vec![row(at[0], other), row(at[1], one)])
    };
    // A float's zero left the seed as it was: that of what comes behind it.
    let twice = |kinds| {
        let rows = |values: [&str; 3]| values.map(|values| row("'2024-01-05'", values)).to_vec();
        (kinds, rows(["100, 0", "0, 0", "100, 100"]), rows(["0, 100", "0, 0", "100, 100"]))
    };
    let ends = ["9223372036854775807", "-9223372036854775808"].map(|end| row("'2024-01-05'", end));
    let of_values = |at: [usize; 2]| {
        let values = at.map(|at| row("'2024-01-05'", &bigints()[at]));
        values.into_iter().chain(ends.clone()).collect::<Vec<_>>()
    };
    // The last four of the times are crossed, as are the first four of the values.
    let far = times().split_off(times().len() - 4);
    let of_times = |at: [usize; 2]| at.map(|at| row(&far[at], "1")).to_vec();
    vec![
        swapped("numeric", "100", "-100"),
        swapped("numeric", "'NaN'", "'Infinity'"),
        twice("double precision, m double precision"),
        twice("real, m real"),
        ("bigint", of_values([0, 3]), of_values([1, 2])),
        ("integer", of_times([0, 3]), of_times([1, 2])),
    ]
}

/// What 0.1.0 made of the rows of a table.
fn accounts_of_0_1_0(world: &World, table: usize) -> Vec<String> {
    let found = world.ask_warehouse(&format!("SELECT definition FROM kalends.entity WHERE name = 't{table}'"));
    let model: Model = serde_json::from_str(&found[0]).unwrap();
    let days = kit::of_table(DAYS_OF_0_1_0, &model, "public", &format!("t{table}"));
    world.ask_production(&format!("SELECT day, rows, hash_a, hash_b FROM ({days}) AS accounts ORDER BY day"))
}

fn insert(table: usize, rows: &[[String; 2]]) -> String {
    let rows: Vec<String> = rows.iter().map(|[time, value]| format!("({time}, {value})")).collect();
    format!("TRUNCATE t{table}; INSERT INTO t{table} VALUES {};", rows.join(", "))
}

#[test]
fn days_that_change_between_equal_figures_are_seen() {
    let world = World::new();
    let changes = changes();
    let mut settings = String::new();
    for (table, (kind, before, _)) in changes.iter().enumerate() {
        world.production_sql(&format!("CREATE TABLE t{table} (at timestamp, n {kind}); {}", insert(table, before)));
        let measures = if kind.contains(", m ") { "\"n\", \"m\"" } else { "\"n\"" };
        let named = format!("name = \"t{table}\"\ntable = \"t{table}\"\ntime = \"at\"");
        settings += &format!("[[entity]]\n{named}\nmeasures = [{measures}]\n");
    }
    world.settings(settings);
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    for (table, (kind, _, after)) in changes.iter().enumerate() {
        let before = accounts_of_0_1_0(&world, table);
        world.production_sql(&insert(table, after));
        assert_eq!(accounts_of_0_1_0(&world, table), before, "{kind}: seen by 0.1.0");
    }
    let seen = world.kalends("run --json").succeeds().json();
    for (table, (kind, _, after)) in changes.iter().enumerate() {
        assert_eq!(seen["entities"][table]["settled_days"], serde_json::json!({"changed": 1}), "{kind}: {after:?}");
        let rows = |relation: String| format!("SELECT * FROM {relation} AS t ORDER BY t::text");
        let loaded = world.ask_warehouse(&rows(format!("kalends_raw.t{table}")));
        assert_eq!(loaded, world.ask_production(&rows(format!("t{table}"))), "{kind}");
    }
    world.kalends("verify --exact").succeeds();
}

/// Count, sum, smallest and largest of both columns stay, and NULL is hashed as zero, with another first seed.
#[test]
fn rows_that_differ_only_in_which_column_is_null_are_seen() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE t (at timestamp, n integer, m integer);
         INSERT INTO t VALUES ('2024-01-05', NULL, 0), ('2024-01-05', 0, NULL)",
    );
    world.settings("[[entity]]\nname = \"t\"\ntable = \"t\"\ntime = \"at\"\nmeasures = [\"n\", \"m\"]\n");
    world.kalends("run").succeeds();
    world.production_sql("TRUNCATE t; INSERT INTO t VALUES ('2024-01-05', NULL, NULL), ('2024-01-05', 0, 0)");
    let seen = world.kalends("run --json").succeeds().json();
    assert_eq!(seen["settled_days"], serde_json::json!({"changed": 1}));
    assert_eq!(world.ask_warehouse("SELECT n, m FROM kalends_raw.t ORDER BY n"), ["0|0", "|"]);
}

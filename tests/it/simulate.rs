//! The pretend production system writes exactly what the original writes, and only where it may.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use kalends::simulate::MonthRows;
use sha2::{Digest as _, Sha256};

use crate::kit::{Ran, World, command};

const FIGURES: &str = "SELECT count(*), sum(value), min(value), max(value) FROM entity";

/// A database that is marked as a test source.
fn marked() -> World {
    let world = World::new();
    world.production_sql(&format!("ALTER DATABASE {} SET kalends.test_source = 'on'", name(&world)));
    world
}

fn name(world: &World) -> String {
    world.ask_production("SELECT current_database()").remove(0)
}

fn simulate(world: &World, month: u8, controller: &str) -> Ran {
    world.kalends_with(&format!("simulate 2023 {month}"), &[("RANDOM_MAIN_CONTROLLER", controller)])
}

fn figures(world: &World, month: u8) -> String {
    world.ask_production(&format!("{FIGURES} WHERE date_part('month', created_at) = {month}")).remove(0)
}

#[test]
fn a_year_at_controller_1_has_the_figures_of_the_original() {
    let world = marked();
    for month in 1..=12 {
        simulate(&world, month, "1").succeeds();
    }
    assert_eq!(figures(&world, 1), "176|339|1|4");
    assert_eq!(figures(&world, 6), "1034|11764|6|24");
    assert_eq!(world.ask_production(FIGURES), ["7379|61629|1|24"]);
    world.settles();
    assert_eq!(world.files().len(), 365 + 12 + 1);
}

#[test]
fn a_year_at_the_default_controller_has_the_figures_of_the_original() {
    let world = marked();
    for month in 1..=12 {
        // Empty is as good as unset.
        simulate(&world, month, "").succeeds();
    }
    assert_eq!(figures(&world, 1), "17860|3452878|100|400");
    assert_eq!(figures(&world, 6), "105825|120686862|600|2400");
    assert_eq!(figures(&world, 12), "17879|3536487|100|400");
    assert_eq!(world.ask_production(FIGURES), ["742784|623260080|100|2400"]);

    let january = "SELECT * FROM entity WHERE created_at < '2023-02-01' ORDER BY created_at";
    assert_eq!(
        world.ask_production(&format!("{january} LIMIT 3")),
        ["2023-01-01 00:00:00|320", "2023-01-01 00:02:03|386", "2023-01-01 00:04:57|277"]
    );
    assert_eq!(world.ask_production(&format!("{january} DESC LIMIT 1")), ["2023-01-31 23:57:44|160"]);
}

#[test]
fn what_was_written_is_said() {
    let world = marked();
    simulate(&world, 1, "1").succeeds().says("simulated   176 rows of entity, 2023-01");
    let said = world.kalends_with("simulate 2023 1 --json", &[("RANDOM_MAIN_CONTROLLER", "2")]).succeeds().json();
    assert_eq!(said, serde_json::json!({"month": "2023-01", "deleted_rows": 176, "inserted_rows": 357, "version": 1}));
}

#[test]
fn a_month_again_is_the_same_and_leaves_the_others_alone() {
    let world = marked();
    let others =
        "SELECT ctid, xmin, * FROM entity WHERE created_at < '2023-02-01' OR created_at >= '2023-03-01' ORDER BY 1";
    let february = "SELECT * FROM entity WHERE created_at >= '2023-02-01' AND created_at < '2023-03-01' ORDER BY 1, 2";
    for month in [1, 2, 3] {
        simulate(&world, month, "1").succeeds();
    }
    // At the very ends of the month, and beyond them.
    world.production(
        "created_at                 | value
         2023-01-31 23:59:59.999999 | 1
         2023-02-01 00:00:00        | 2
         2023-02-28 23:59:59.999999 | 3
         2023-03-01 00:00:00        | 4
         2022-02-10 00:00:00        | 5
         NULL                       | 6
         infinity                   | 7",
    );
    let before = (world.ask_production(others), world.ask_production(february));
    simulate(&world, 2, "1").succeeds();
    let after = (world.ask_production(others), world.ask_production(february));
    assert_eq!(after.0, before.0);
    assert_eq!(after.1.len(), before.1.len() - 2, "what others had put into the month is gone");
    assert_eq!(
        world.ask_production(
            "SELECT count(*) FROM entity WHERE value IN (6, 7) AND (created_at IS NULL OR created_at = 'infinity')"
        ),
        ["2"]
    );

    simulate(&world, 2, "1").succeeds();
    assert_eq!((world.ask_production(others), world.ask_production(february)), after);
}

#[test]
fn the_table_is_made_where_there_is_none() {
    let world = marked();
    world.production_sql("DROP TABLE entity");
    simulate(&world, 1, "1").succeeds();
    let columns = "SELECT attname, format_type(atttypid, NULL), attnotnull FROM pg_attribute
                   WHERE attrelid = 'public.entity'::regclass AND attnum > 0 ORDER BY attnum";
    assert_eq!(world.ask_production(columns), ["created_at|timestamp without time zone|f", "value|integer|f"]);
    assert_eq!(world.ask_production(FIGURES), ["176|339|1|4"]);
}

#[test]
fn the_names_of_the_first_scripts_still_work() {
    let world = marked();
    world.kalends_with("insert-monthly-data 2023 1", &[("RANDOM_MAIN_CONTROLLER", "1")]).succeeds();
    world.kalends("data-preparation").succeeds();
    world.kalends("data-export 2023 1").succeeds();
    world.is_exact();
    world.kalends("verify").succeeds();
}

#[test]
fn a_database_that_nobody_marked_is_refused_until_somebody_does() {
    let world = World::new();
    world.production("created_at | value\n 2023-01-05 | 7");
    let rows = "SELECT ctid, xmin, * FROM entity";
    let before = world.ask_production(rows);
    let refused = format!("database \"{}\" is not marked as a test source", name(&world));
    simulate(&world, 1, "1").fails_with(4).says(&refused).says("--mark");
    assert_eq!(world.ask_production(rows), before);

    // What a session says of itself is no consent.
    let pretending = format!("{}?options=-c%20kalends.test_source%3Don", world.production_url);
    let variables = [("KALENDS_PRODUCTION_URL", pretending.as_str()), ("RANDOM_MAIN_CONTROLLER", "1")];
    world.kalends_with("simulate 2023 1", &variables).fails_with(4);
    world.production_sql(&format!("ALTER ROLE kalends IN DATABASE {} SET kalends.test_source = 'on'", name(&world)));
    simulate(&world, 1, "1").fails_with(4);
    world.production_sql(&format!("ALTER DATABASE {} SET kalends.test_source = 'off'", name(&world)));
    simulate(&world, 1, "1").fails_with(4);
    world.production_sql("DROP TABLE entity");
    simulate(&world, 1, "1").fails_with(4);
    assert_eq!(world.ask_production("SELECT to_regclass('entity')"), [""], "not even the table is made");

    world.kalends_with("simulate --mark 2023 1", &[("RANDOM_MAIN_CONTROLLER", "1")]).succeeds();
    assert_eq!(world.ask_production(FIGURES), ["176|339|1|4"]);
    simulate(&world, 2, "1").succeeds();
}

#[test]
fn what_cannot_be_simulated_is_refused_before_any_server_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    for (arguments, controller, said) in [
        ("2023 13", "1", "month 13 is not one of 1 to 12"),
        ("2023 0", "1", "month 0 is not one of 1 to 12"),
        ("0 1", "1", "year 0 is not one of 1 to 9999"),
        ("10000 1", "1", "year 10000 is not one of 1 to 9999"),
        ("-5 1", "1", "-5"),
        ("2023 -1", "1", "-1"),
        ("2023 june", "1", "june"),
        ("2023 256", "1", "256"),
        ("2023", "1", "MONTH"),
        ("2023 1", "0", "RANDOM_MAIN_CONTROLLER is \"0\", not a positive whole number"),
        ("2023 1", "-1", "RANDOM_MAIN_CONTROLLER is \"-1\", not a positive whole number"),
        ("2023 1", "abc", "RANDOM_MAIN_CONTROLLER is \"abc\", not a positive whole number"),
        ("2023 1", "1e3", "RANDOM_MAIN_CONTROLLER is \"1e3\", not a positive whole number"),
        ("2023 1", "1.0", "RANDOM_MAIN_CONTROLLER is \"1.0\", not a positive whole number"),
        ("2023 1", " ", "RANDOM_MAIN_CONTROLLER is \" \", not a positive whole number"),
        ("2023 6", "3334", "controller 3334 is above 3333, the largest for month 6"),
        ("2023 12", "20001", "controller 20001 is above 20000, the largest for month 12"),
        ("2023 12", "4294967295", "controller 4294967295 is above 20000, the largest for month 12"),
        ("2023 12", "99999999999", "99999999999"),
    ] {
        let typed: Vec<&str> = ["simulate"].into_iter().chain(arguments.split(' ')).collect();
        let variables = [("KALENDS_LOCAL", place.as_str()), ("RANDOM_MAIN_CONTROLLER", controller)];
        let output = command(&typed, &variables).current_dir(folder.path()).output().unwrap();
        Ran::of(output, arguments).fails_with(2).says(said);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{arguments} at {controller} made something");
    }
}

#[test]
fn a_controller_that_is_a_number_and_too_large_is_told_the_largest() {
    let ran = command(&["simulate", "2023", "6"], &[("RANDOM_MAIN_CONTROLLER", "99999999999")]).output().unwrap();
    Ran::of(ran, "simulate").fails_with(2).says("3333");
}

#[test]
fn any_month_is_that_of_python_itself() {
    let mut triples =
        vec![(1, 1, 1), (9999, 12, 2000), (1, 12, 1), (2024, 2, 500), (1900, 2, 7), (2000, 2, 7), (1908, 2, 5)];
    let mut random = Lcg(20_230_101);
    while triples.len() < 220 {
        let month = u8::try_from(1 + random.below(12)).unwrap();
        // Log-uniform: as many small ones as large ones, and seconds and not minutes in all.
        let controller = 120_f64.powf(f64::from(random.below(1_000_000)) / 1e6);
        triples.push((i32::try_from(1 + random.below(9999)).unwrap(), month, controller.round() as u32));
    }
    let mut asked = String::new();
    for (year, month, controller) in &triples {
        writeln!(asked, "{year} {month} {controller}").unwrap();
    }

    let oracle = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/simulate_oracle.py");
    let mut python = Command::new("python3");
    let Ok(mut python) = python.arg(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        return eprintln!("not tried: there is no python3");
    };
    python.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let ours: String =
        triples.into_iter().map(|(year, month, controller)| month_line(year, month, controller)).collect();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), 220);
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
}

/// A month's figures and hash, in the words of the oracle.
fn month_line(year: i32, month: u8, controller: u32) -> String {
    let (mut rows, mut sum, mut min, mut max) = (0, 0_i64, i32::MAX, i32::MIN);
    let mut text = String::new();
    for row in MonthRows::new(year, month, controller.into()).unwrap() {
        (rows, sum) = (rows + 1, sum + i64::from(row.value));
        (min, max) = (min.min(row.value), max.max(row.value));
        writeln!(text, "{},{}", row.seconds, row.value).unwrap();
    }
    let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{year} {month} {controller} {rows} {sum} {min} {max} {hash}\n")
}

/// Numbers that look random and are the same each time (Knuth's MMIX generator).
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit)).unwrap()
    }
}

//! What is said while a command works: a bar on a terminal, nothing that is not asked for elsewhere.

use std::process::Stdio;

use crate::faults::held::{Hold, Running};
use crate::kit::{BINARY, Ran, World};
use crate::own_servers::Side;

/// Runs on a terminal of its own with so many columns, and gives what was drawn there; `None` where there is no
/// `script` to make one.
pub fn on_a_terminal(world: &World, columns: usize, arguments: &str) -> Option<String> {
    let mut script = std::process::Command::new("script");
    let command = format!("stty rows 24 cols {columns}; {BINARY} {arguments}");
    script.args(["-qec", &command, "/dev/null"]).stdin(Stdio::null());
    script
        .current_dir(world.folder())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "xterm")
        .envs(world.variables());
    let Ok(output) = script.output() else {
        eprintln!("not tried: there is no script(1) to make a terminal");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What is seen of it: lines and frames without colours and movements of the cursor.
pub fn seen(drawn: &str) -> Vec<String> {
    let (mut plain, mut rest) = (String::new(), drawn);
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain += before;
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || ";?".contains(c)).get(1..).unwrap_or_default();
    }
    plain += rest;
    // A bar blanks what it does not fill.
    plain.split(['\r', '\n']).map(|line| line.trim_end().to_string()).collect()
}

fn many_rows(world: &World) {
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 second', n FROM generate_series(1, 400000) AS n",
    );
}

#[test]
fn long_work_draws_a_bar_on_a_terminal_and_only_there() {
    let world = World::new();
    many_rows(&world);
    let Some(drawn) = on_a_terminal(&world, 100, "prepare") else { return };
    let frames = seen(&drawn);
    assert!(frames.iter().all(|line| line.chars().count() <= 100), "{frames:#?}");
    assert!(drawn.contains(" of 400,000 rows  ") && drawn.contains("/s  ") && drawn.contains(" left"), "{drawn}");
    assert!(drawn.contains("settled     5 days (5 new), 1 month"), "{drawn}");

    world.production_sql("UPDATE entity SET value = value + 1");
    let quiet = on_a_terminal(&world, 100, "prepare --quiet").unwrap();
    assert_eq!(quiet, "");

    // So little that it takes no 10 s on a machine that is busy otherwise.
    world.production_sql("DELETE FROM entity WHERE value > 1000");
    let ran: Ran = world.kalends("prepare --accept-loss");
    assert_eq!(ran.succeeds().stderr, "", "work of less than 10 s says nothing in a log");
}

#[test]
fn a_bar_fits_a_narrow_terminal_and_names_the_entity() {
    let world = World::new();
    many_rows(&world);
    let settings = "[[entity]]\nname = \"visits_of_all_shops\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    std::fs::write(world.folder().join("kalends.toml"), settings).unwrap();
    let Some(drawn) = on_a_terminal(&world, 40, "prepare") else { return };
    let frames = seen(&drawn);
    let bars: Vec<&String> = frames.iter().filter(|line| line.starts_with("visits_of_all_s… ")).collect();
    assert!(bars.iter().any(|bar| bar.contains('%')), "{frames:#?}");
    assert!(frames.iter().all(|line| line.chars().count() <= 40), "{frames:#?}");
}

#[test]
fn an_interrupted_run_says_how_many_months_are_committed() {
    let world = World::new();
    world.production("created_at | value\n 2023-12-31 | 1");
    world.settles();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-02 | 6\n 2024-03-02 | 7\n 2024-04-02 | 8");
    // A row a second, so that each month has a transaction of its own.
    world.settings("[production]\nmax_rows_per_second = 1\n");
    // Somebody else is about to add the day of the third month: whoever does so as well has to wait.
    let day = "INSERT INTO kalends_stats.entity_day SELECT (jsonb_populate_record(d, '{\"day\": \"2024-03-02\"}')).*
               FROM kalends_stats.entity_day AS d LIMIT 1";
    for (signal, code, said) in [("-INT", 130, "interrupted"), ("-TERM", 143, "told to stop")] {
        let hold = Hold::by(&world.warehouse_url, day);
        let run = Running::started(world.command("run")).once_held(&world, Side::Warehouse);
        run.signal(signal);
        let ran = run.ends();
        let months = if code == 130 { "2 of 4 months" } else { "0 of 2 months" };
        ran.fails_with(code);
        assert_eq!(
            ran.stderr,
            format!("{said}: {months} of entity are committed, the rest is rolled back; run again to go on\n")
        );
        drop(hold);
    }
    world.settles();
}

//! Colours and long lines: on a terminal, and nowhere else.

use std::fs;

use crate::kit::World;
use crate::progress::{on_a_terminal, seen};

const RED: &str = "\u{1b}[1m\u{1b}[31m";

fn settled() -> World {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.kalends("run").succeeds();
    world
}

#[test]
fn errors_and_verdicts_are_in_colour_where_colours_are_wanted() {
    let world = settled();
    let forced = [("CLICOLOR_FORCE", "1")];
    let error = world.kalends_with("run --config missing.toml", &forced);
    assert!(error.fails_with(2).stderr.starts_with(&format!("{RED}error:\u{1b}[0m there is no")), "{:?}", error.stderr);
    assert!(error.stderr.contains(" hint:\u{1b}[0m Check"), "{:?}", error.stderr);
    let equal = world.kalends_with("verify", &forced);
    assert!(equal.succeeds().stdout.starts_with("\u{1b}[1m\u{1b}[32mequal\u{1b}[0m: production"), "{:?}", equal.stdout);
    world.production_sql("DELETE FROM entity WHERE value = 8");
    let differs = world.kalends_with("verify", &forced);
    assert!(
        differs.fails_with(3).stdout.starts_with(&format!("{RED}2 differences\u{1b}[0m between")),
        "{:?}",
        differs.stdout
    );
    let held = world.kalends_with("run", &forced);
    assert!(held.fails_with(4).stdout.contains("\u{1b}[33mheld\u{1b}[0m        2024-02: "), "{:?}", held.stdout);
    // As clap's own.
    let typed = world.kalends_with("rnu", &forced);
    assert!(typed.fails_with(2).stderr.starts_with(&format!("{RED}error:\u{1b}[0m")), "{:?}", typed.stderr);

    for (arguments, variables) in [
        ("verify", &[][..]),
        ("verify", &[("NO_COLOR", "1")]),
        ("verify --json", &forced),
        ("check --json", &forced),
        ("init --out -", &forced),
        ("completions bash", &forced),
    ] {
        let ran = world.kalends_with(arguments, variables);
        assert!(
            !format!("{}{}", ran.stdout, ran.stderr).contains('\u{1b}'),
            "{arguments} {variables:?}: {}",
            ran.stdout
        );
    }
    world.kalends_with("run --accept-loss", &forced).succeeds();
    assert!(world.files().values().all(|bytes| !bytes.contains(&0x1b)));
}

#[test]
fn no_line_is_too_long_for_a_terminal() {
    let world = settled();
    world.production_sql("DELETE FROM entity WHERE value = 8; INSERT INTO entity VALUES ('2024-01-03', 1)");
    for columns in [60, 200] {
        for arguments in
            ["check", "verify", "plan", "run", "status", "history", "run --config missing.toml", "forget entity"]
        {
            let Some(drawn) = on_a_terminal(&world, columns, arguments) else { return };
            let lines = seen(&drawn);
            // A path and a command that is to be typed stay whole.
            let is_whole = |line: &str| line.split(' ').any(|word| word.chars().count() > columns.min(100) - 14);
            let long = lines.iter().find(|line| line.chars().count() > columns.min(100) && !is_whole(line));
            assert_eq!(long, None, "{arguments}");
        }
        let Some(drawn) = on_a_terminal(&world, columns, "run --config missing.toml") else { return };
        let hint = seen(&drawn).into_iter().skip_while(|line| !line.starts_with(" hint:")).collect::<Vec<_>>();
        if columns == 60 {
            assert!(hint.iter().skip(1).any(|line| line.starts_with("       ")), "{hint:#?}");
        }
    }
    // Elsewhere a line is a line, and a file is as it would be written.
    let error = world.kalends("run --config missing.toml");
    assert_eq!(error.stderr.lines().count(), 2, "{}", error.stderr);
    let Some(drawn) = on_a_terminal(&world, 60, "init --out -") else { return };
    let printed = world.kalends("init --out -").stdout.clone();
    assert_eq!(drawn.replace("\r\n", "\n"), printed);
    let _ = fs::remove_file(world.folder().join("kalends.toml"));
}

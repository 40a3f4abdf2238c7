//! Worked examples of the documents: what they show is run, and has to come out as it stands there.

use std::fs;
use std::path::Path;

use crate::kit::{Ran, World};

/// Runs a document's examples on a new world, one after the other: blocks of SQL on the server that their first line
/// names, and in consoles what stands behind `$`. `KALENDS_BLESS=1` writes the answers anew.
pub fn example_holds(document: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(&path).unwrap();
    let world = World::new();
    // As the private servers and those of the compose file are.
    let database = world.ask_production("SELECT current_database()").remove(0);
    world.production_sql(&format!("ALTER DATABASE {database} SET kalends.test_source = 'on'"));
    let (mut found, mut consoles) = (String::new(), 0);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        found += &format!("{line}\n");
        let block: Vec<&str> = match line {
            "```sql" | "```console" => lines.by_ref().take_while(|line| *line != "```").collect(),
            _ => continue,
        };
        if line == "```sql" {
            match block[0] {
                "-- on production" => world.production_sql(&block.join("\n")),
                "-- in the warehouse" => world.warehouse_sql(&block.join("\n")),
                other => panic!("{document}: on which server is {other:?}?"),
            }
            found += &format!("{}\n", block.join("\n"));
        } else {
            found += &console(&world, &block);
            consoles += 1;
        }
        found += "```\n";
    }
    assert!(consoles > 0, "{document} shows nothing");
    if std::env::var_os("KALENDS_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(masked(&text), masked(&found), "{document} is not what happens; KALENDS_BLESS=1 writes it anew");
}

/// The commands of a console, with what they say now.
fn console(world: &World, block: &[&str]) -> String {
    let (mut said, mut code) = (String::new(), Some(0));
    for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
        said += &format!("$ {command}\n");
        if command == "echo $?" {
            said += &format!("{}\n", code.unwrap());
            continue;
        }
        let script = command.replacen("kalends", &format!("'{}'", crate::kit::BINARY), 1);
        // Errors stand where a terminal shows them.
        let script = format!("{{ {script}\n}} 2>&1");
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", &script])
            .current_dir(world.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap());
        shell.envs(world.variables());
        // As it is where people run it.
        shell.env("KALENDS_EXPORTS", "exports");
        if command.contains("kalends simulate") {
            // By the role that owns the database: nobody else may write there.
            shell.env("KALENDS_PRODUCTION_URL", &world.production_url);
        }
        let ran = Ran::of(shell.output().unwrap(), command);
        said += &masked(&ran.stdout);
        code = ran.code;
    }
    said
}

/// Moments, durations and names that are others each time are those of one example.
fn masked(text: &str) -> String {
    text.lines().map(|line| durations(&moments(line)) + "\n").collect()
}

fn durations(line: &str) -> String {
    let is_duration = |word: &str| word.contains('.') && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let words: Vec<&str> = line.split(' ').collect();
    let masked = words.iter().enumerate().map(|(at, word)| {
        let unit = words.get(at + 1).map_or("", |next| next.trim_end_matches(','));
        if unit == "s" && is_duration(word) { "0.01" } else { word }
    });
    masked.collect::<Vec<_>>().join(" ")
}

fn moments(line: &str) -> String {
    let mut parts = line.split(" UTC");
    let mut masked = String::new();
    let mut part = parts.next().unwrap_or_default().to_string();
    for next in parts {
        let end = part.trim_end_matches(|c: char| c.is_ascii_digit() || ":. -".contains(c)).len();
        let (rest, moment) = part.split_at(end);
        masked += rest;
        if moment.contains(':') {
            let blank = if moment.starts_with(' ') { " " } else { "" };
            let fraction = if moment.contains('.') { ".123456" } else { "" };
            masked += &format!("{blank}2026-11-24 02:15:07{fraction} UTC");
        } else {
            masked += &format!("{moment} UTC");
        }
        part = next.to_string();
    }
    masked + &part
}

#[test]
fn the_worked_example_of_the_commands_comes_out_as_it_stands_there() {
    example_holds("docs/tutorial/a-month.md");
}

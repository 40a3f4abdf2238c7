//! `docs/tutorial/first-hour.md`, as it stands: its SQL is run, its commands typed, and what it shows compared.

use std::fs;
use std::path::Path;

use crate::kit::World;

/// The indented blocks of the page, in their order.
fn blocks() -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial/first-hour.md")).unwrap();
    let mut blocks = vec![String::new()];
    for line in page.lines() {
        let block = blocks.last_mut().unwrap();
        match line.strip_prefix("    ") {
            Some(code) => block.extend([code, "\n"]),
            // An empty line may be of a block.
            None if line.is_empty() => block.push('\n'),
            None if block.trim().is_empty() => block.clear(),
            None => blocks.push(String::new()),
        }
    }
    blocks.into_iter().map(|block| block.trim().to_string()).filter(|block| !block.is_empty()).collect()
}

/// The text is as the page shows it, where `…` stands for anything.
#[track_caller]
fn is_as_shown(found: &str, shown: &str) {
    let mut rest = found;
    for (place, part) in shown.split('…').enumerate() {
        let at = rest.find(part).filter(|&at| place > 0 || at == 0);
        let at = at.unwrap_or_else(|| panic!("{part:?} is not shown\nfound: {found}\nshown: {shown}"));
        rest = &rest[at + part.len()..];
    }
    assert!(rest.trim().is_empty() || shown.ends_with('…'), "more than shown: {rest:?}\nfound: {found}");
}

/// Runs `docs/grants.sql` with the variables of a line of psql.
fn grants_as_shown(world: &World, arguments: &str) {
    let rest = arguments.strip_suffix(" -f docs/grants.sql").unwrap();
    let (database, variables) = rest.strip_prefix("-d ").unwrap().split_once(' ').unwrap();
    let variables: Vec<&str> = variables.split_whitespace().filter(|word| *word != "-v").collect();
    world.grants(database.strip_suffix("_data").unwrap(), &variables);
}

#[test]
fn the_first_steps_are_as_the_page_shows_them() {
    let world = World::new();
    let database = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!("DROP TABLE entity; ALTER DATABASE {database} SET TimeZone = 'Europe/Paris'"));
    let mut typed = Vec::new();
    for block in blocks() {
        let Some(command) = block.strip_prefix("$ ") else {
            world.production_sql(&block);
            continue;
        };
        if let Some(arguments) = command.strip_prefix("psql ") {
            grants_as_shown(&world, arguments);
            continue;
        }
        let (command, shown) = command.split_once('\n').unwrap();
        typed.push(command.to_string());
        if let Some(file) = command.strip_prefix("cat exports/") {
            is_as_shown(&fs::read_to_string(world.exports.join(file)).unwrap(), shown);
            continue;
        }
        let ran = world.kalends(command.strip_prefix("kalends ").unwrap());
        ran.fails_with(if command.contains("/dev/null") { 1 } else { 0 });
        // Below what `init` says the page shows the file.
        let (said, file) = shown.split_once("\n\n").unwrap_or((shown, ""));
        is_as_shown(&ran.stdout, said);
        if !file.is_empty() {
            is_as_shown(&fs::read_to_string(world.folder().join("kalends.toml")).unwrap(), file);
        }
    }
    assert_eq!(typed.len(), 5, "{typed:?}");
    world.kalends("run").succeeds().says("nothing to do");
}

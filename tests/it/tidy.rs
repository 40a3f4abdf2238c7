//! House rules, as tests.

mod arrows;
mod faults;
mod pages;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kalends::calendar::Day;
use kalends::sql::{Ctid, Filling, Ident};

use crate::kit::{self, World};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_statement_has_its_header_and_is_used() {
    let sources: String = files("src", ".rs").into_values().collect();
    for (name, text) in files("sql", ".sql") {
        for heading in ["-- Reads:   ", "-- Writes:  ", "-- Params:  ", "-- Repeat:  "] {
            assert!(text.lines().any(|line| line.starts_with(heading)), "{name} has no line {heading:?}");
        }
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("-- ") && !first.contains(":  "), "{name} does not say first what it is for");
        let comments = text.lines().filter(|line| line.trim_start().starts_with("--"));
        assert!(
            comments.clone().all(|line| !line.contains("{{")),
            "{name} fills a name into a comment, which it could end"
        );
        let mention = format!("statement!(\"{}\")", name.strip_prefix("sql/").unwrap());
        assert!(sources.contains(&mention), "{name} is used nowhere");
    }
}

/// A statement is sent as it is, with its comments, and a database of another encoding may have no other characters.
#[test]
fn statements_are_written_in_ascii() {
    for (name, text) in files("sql", ".sql").into_iter().chain(files("sql", ".jinja")) {
        assert!(text.is_ascii(), "{name}");
    }
}

#[test]
fn every_statement_of_one_query_prepares_on_its_server() {
    let world = World::new();
    world.kalends("prepare").succeeds();
    world.warehouse_sql("CREATE TABLE kalends_raw.entity_2024_01 (LIKE kalends_raw.entity)");
    let (mut prepared, mut other) = (0, Vec::new());
    for (name, text) in files("sql", ".sql") {
        // These prepare where there is Citus, or where there are dimensions: tests/it/citus and tests/it/pages.rs run
        // them.
        if name.starts_with("sql/cluster/") || name == "sql/pages/combinations.sql" {
            continue;
        }
        let production = name.starts_with("sql/production/") || name.starts_with("sql/simulate/");
        let (url, schema, table) = match production {
            true => (&world.production_url, "public", "entity"),
            false => (&world.warehouse_url, "kalends_raw", "entity_2024_01"),
        };
        let ident = |name: &str| Ident::new(name).unwrap();
        let idents = [
            ("schema", ident(schema)),
            ("table", ident(table)),
            ("time", ident("created_at")),
            ("measure", ident("value")),
            ("partition", ident(table)),
            ("source", ident("entity_day")),
            ("target", ident("entity_day")),
            ("view", ident("entity_daily")),
            ("dimension", ident("day")),
        ];
        let days = [1, 2].map(|date| Day::new(2024, 1, date).unwrap());
        let places = ["(0,1)", "(9,9)"].map(|place| Ctid::parse(place).unwrap());
        let none: &[Day] = &[];
        let mut names: Vec<(&'static str, &dyn Filling)> = vec![
            ("from", &days[0]),
            ("until", &days[1]),
            ("alone", &false),
            ("except", &none),
            ("first_ctid", &places[0]),
            ("last_ctid", &places[1]),
        ];
        for unprepared in ["aside", "sequence", "database", "lock_ms", "statement_ms", "idle_ms", "dead_ms"] {
            names.push((unprepared, &idents[0].1));
        }
        names.extend(idents.iter().map(|(name, ident)| (*name, ident as &dyn Filling)));
        let text = kit::of_default_table(text, &names);
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
        let word = code.split_whitespace().next().unwrap();
        if !["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"].contains(&word) || code.contains(";\n") {
            let is_ddl =
                ["ALTER", "COMMENT", "COPY", "CREATE", "DROP", "EXPLAIN", "DO", "LOCK", "ROLLBACK", "SAVEPOINT", "SET"]
                    .contains(&word);
            other.extend((!is_ddl && !code.contains(";\n")).then_some(name));
            continue;
        }
        kit::run_sql(url, &format!("PREPARE it AS {}", code.trim_end().trim_end_matches(';')));
        prepared += 1;
    }
    assert!(prepared >= 25, "only {prepared} statements were prepared");
    // PREPARE takes neither COPY, LOCK, SET, EXPLAIN and DDL nor several statements at once. Other tests run all of
    // these.
    assert_eq!(other, [""; 0]);
}

#[test]
fn the_survey_of_the_default_table_stays_the_one_that_was_measured() {
    // What was measured in bench/README.md: whatever else an entity can have costs the default table nothing.
    let text = read("sql/accounts/days.sql");
    let named = |name: &str| Ident::new(name).unwrap();
    golden(
        "tests/it/survey_of_default_table.sql",
        &kit::of_default_table(
            text,
            &[("schema", &named("schema")), ("table", &named("table")), ("with_ctids", &true)],
        ),
    );
}

#[test]
fn the_warehouse_is_as_its_snapshot_shows() {
    let world = World::new();
    world.kalends("prepare").succeeds();
    let columns = world.ask_warehouse(
        "SELECT format('%-8s %s.%s.%s %s%s', CASE relkind WHEN 'v' THEN 'view' WHEN 'p' THEN 'parts' ELSE 'table' END,
                       nspname, relname, attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END)
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute a ON attrelid = c.oid
         WHERE nspname LIKE 'kalends%' AND relkind IN ('r', 'p', 'v') AND attnum > 0 AND NOT attisdropped
         ORDER BY nspname, relname, attnum",
    );
    let constraints = world.ask_warehouse(
        "SELECT format('%-8s %s %s', 'rule', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
         WHERE connamespace::regnamespace::text LIKE 'kalends%' AND contype <> 'n' ORDER BY 1",
    );
    let found: String = columns.into_iter().chain(constraints).map(|line| line + "\n").collect();
    golden("sql/warehouse/schema.snapshot.txt", &found);
}

/// Compares with a file; with `KALENDS_BLESS=1` writes it.
fn golden(name: &str, found: &str) {
    if std::env::var_os("KALENDS_BLESS").is_some() {
        fs::write(root().join(name), found).unwrap();
    }
    assert_eq!(read(name), found, "{name}; KALENDS_BLESS=1 writes it anew");
}

#[test]
fn what_is_built_in_is_copied_into_the_image() {
    let (dockerfile, context) = (read("Dockerfile"), read(".dockerignore"));
    let mut folders = BTreeSet::from(["src".to_string(), "sql".to_string()]);
    for code in files("src", ".rs").into_values().map(|text| text.split("#[cfg(test)]").next().unwrap().to_string()) {
        // From `src` or a folder in it up to the root.
        let paths = code.split("include_str!(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_string());
        folders.extend(paths.map(|path| path.trim_start_matches("../").split('/').next().unwrap().to_string()));
    }
    assert!(folders.len() > 2, "{folders:?}");
    for folder in folders {
        assert!(dockerfile.contains(&format!("COPY {folder} {folder}\n")), "the Dockerfile does not copy {folder}");
        assert!(context.contains(&format!("!{folder}\n")), ".dockerignore leaves out {folder}");
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for (name, text) in files("src", ".rs").into_iter().chain(files("sql", ".sql")).chain(files("tests", ".rs")) {
        assert!(text.lines().count() <= 400, "{name} has {} lines: which room is missing?", text.lines().count());
    }
}

#[test]
fn the_documents_name_every_command_setting_and_the_version() {
    let help = kit::kalends(&["--help"], &[]).stdout;
    let help = String::from_utf8(help).unwrap();
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let commands: BTreeSet<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() >= 8, "{commands:?}");
    let (readme, page) = (read("README.md"), read("docs/reference/commands.md"));
    for command in commands.iter().filter(|command| **command != "help") {
        assert!(readme.contains(&format!("kalends {command}")), "README.md does not name `kalends {command}`");
        let heading = format!("## kalends {command}\n");
        assert!(page.contains(&heading), "docs/reference/commands.md has no section `kalends {command}`");
        for flag in flags_of(command) {
            let named = page.contains(&format!("`{flag}")) || flag == "--help";
            assert!(named, "docs/reference/commands.md does not name {flag} of `kalends {command}`");
        }
    }
    let settings = read("docs/reference/settings.md");
    let example = read("kalends.example.toml");
    let keys = example.lines().filter_map(|line| line.trim_start_matches("#= ").split_once(" = ")).map(|(key, _)| key);
    for key in keys.filter(|key| !key.contains(' ')) {
        assert!(settings.contains(&format!("`{key}`")), "docs/reference/settings.md does not name `{key}`");
    }
    let sources: String =
        files("src/settings", ".rs").into_values().collect::<String>() + &read("src/settings.rs") + &read("src/db.rs");
    for variable in sources.split('"').filter(|part| part.starts_with("KALENDS_") && part.len() > 8) {
        assert!(settings.contains(variable), "docs/reference/settings.md does not name {variable}");
    }
    assert!(read("CHANGELOG.md").contains(&format!("## {}", env!("CARGO_PKG_VERSION"))));
}

/// The long flags that a command's help names.
fn flags_of(command: &str) -> Vec<String> {
    let help = String::from_utf8(kit::kalends(&[command, "--help"], &[]).stdout).unwrap();
    let options = help.lines().filter(|line| line.starts_with("      --") || line.trim_start().starts_with('-'));
    let flags = options.flat_map(|line| line.split_whitespace().take(2).filter(|word| word.starts_with("--")));
    flags.map(|flag| flag.trim_end_matches(['.', ',']).to_string()).collect()
}

/// All tests by their place: `faults::race::of_two_runs_at_once_each_is_done_or_gives_way`.
fn tests() -> BTreeSet<String> {
    let named = files("tests/it", ".rs").into_iter().flat_map(|(name, text)| {
        let place = name.trim_start_matches("tests/it/").trim_end_matches(".rs").replace('/', "::");
        let after = text.split("#[test]\nfn ").skip(1);
        let names: Vec<String> = after.map(|rest| format!("{place}::{}", rest.split('(').next().unwrap())).collect();
        names
    });
    named.collect()
}

#[test]
fn the_guarantees_number_all_pitfalls_and_name_tests_that_exist() {
    let text = read("docs/explanation/guarantees.md");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| |"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let numbers: BTreeSet<u8> = rows.iter().map(|row| row[1].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=23).collect());
    let tests = tests();
    let mut named = BTreeSet::new();
    for row in &rows {
        let shown: Vec<&str> = row[4].split('`').map(str::trim).filter(|name| !name.is_empty()).collect();
        assert!(!shown.is_empty(), "nothing shows that {:?}", row[2]);
        for name in shown {
            assert!(tests.contains(name), "docs/explanation/guarantees.md names {name}, which is no test");
            named.insert(name.to_string());
        }
    }
    let missing: Vec<&String> =
        tests.iter().filter(|name| name.starts_with("peers::") && !named.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/explanation/guarantees.md does not name {missing:?}");
}

#[test]
fn what_a_server_answers_is_read_without_a_panic() {
    for (name, text) in
        files("src", ".rs").into_iter().filter(|(name, _)| name != "src/db/row.rs" && !name.ends_with("/tests.rs"))
    {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for forbidden in [
            "postgres::Row;",
            "postgres::Row>",
            "postgres::{Row,",
            "Error, Row, RowStream",
            ".unwrap()",
            "unreachable!",
            "panic!(",
        ] {
            assert!(!code.contains(forbidden), "{name} has {forbidden}: a server or a file could end it in a panic");
        }
        // What these expect is true whatever comes from outside, and said beside it.
        let expects = ["src/calendar.rs", "src/simulate/month.rs", "src/simulate/python.rs"].contains(&name.as_str());
        assert!(expects || !code.contains(".expect("), "{name} expects what may not come");
    }
}

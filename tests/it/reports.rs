//! What commands say: verify, status, JSON, help, and the ways in which nobody listens.

mod exact;
mod json;
mod several;
mod terminal;
mod verify;

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::kit::{BINARY, Ran, World, command, servers};
use crate::messages::golden;

const YEAR: &str = "year=2024/entity_stats_yearly_2024.csv";
const JANUARY: &str = "year=2024/month=1/entity_stats_monthly_2024_1.csv";
const JANUARY_2: &str = "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv";
const MANIFEST: &str = "_manifest.json";

/// Every command that reports, with arguments that do no harm.
const REPORTING: [&str; 13] = [
    "simulate 2023 1 --mark",
    "init --out -",
    "check",
    "prepare",
    "export",
    "export 2024 1",
    "run",
    "verify",
    "status",
    "history",
    "diff 2024-01-02",
    "plan",
    "local status",
];

const COMMANDS: [&str; 17] = [
    "init",
    "check",
    "simulate",
    "prepare",
    "export",
    "run",
    "verify",
    "adopt",
    "status",
    "plan",
    "history",
    "diff",
    "forget",
    "spread",
    "local",
    "completions",
    "man",
];

fn prepared() -> World {
    let world = World::new();
    world.production(
        "created_at          | value
         2024-01-02 08:00:00 | 5
         2024-01-02 09:00:00 | 7
         2024-01-31 10:00:00 | 10
         2024-02-29 23:59:59 | 8",
    );
    world.kalends("prepare").succeeds();
    world
}

fn settled() -> World {
    let world = prepared();
    world.settles();
    world
}

#[test]
fn status_tells_the_last_run_and_what_is_due() {
    let world = World::new();
    let status = world.kalends("status");
    status.succeeds().says("last run    none has settled anything yet").says("settled     0 rows, 0 days");
    let never = json!({
        "version": 1, "proven_as_of": null, "age_seconds": null, "complete_through": {}, "newest_day": {},
        "oldest_as_of": null, "oldest_age_seconds": null,
        "proofs": {"entity": {
            "proven_as_of": null, "age_seconds": null, "whole": false, "settled_as_of": null, "recent_from": null,
            "oldest_as_of": null, "oldest_age_seconds": null, "older": [], "older_rows": 0, "due_rows": 0
        }},
        "last_run": null, "settled_rows": 0, "settled_days": 0, "not_in_settings": [],
        "due": {"write": [], "list": [], "remove": [], "unchanged_files": 0, "open_files": 0, "manifest": false},
        "held": [], "changing": [], "failures": []
    });
    assert_eq!(world.kalends("status --json").succeeds().json(), never);
    assert_eq!(world.tuples(), Vec::<String>::new(), "status makes no schema");

    world.production("created_at | value\n 2024-01-02 | 5");
    let prepared = world.kalends("prepare --json").succeeds().json();
    assert!(prepared["took_seconds"]["copy"].as_f64() > Some(0.0), "{prepared}");
    let status = world.kalends("status --json").fails_with(3).json();
    assert_eq!(status["last_run"]["run"], 1);
    assert_eq!(status["last_run"]["days"], 1);
    assert_eq!(status["last_run"]["rows"], 1);
    assert_eq!(status["last_run"]["production_as_of"], prepared["production_as_of"]);
    assert_eq!(status["settled_rows"], 1);
    assert_eq!(status["settled_days"], 1);
    assert_eq!(
        status["due"],
        json!({"write": [YEAR, JANUARY_2, JANUARY], "list": [], "remove": [], "unchanged_files": 0, "open_files": 0, "manifest": false})
    );
    world.kalends("status").fails_with(3).says("due         3 files to write, 0 to remove; `kalends export` does it");
    assert!(!world.exports.exists());

    world.kalends("export").succeeds();
    world.kalends("status").succeeds().says("published   3 files, nothing is due");
    let status = world.kalends("status --json").succeeds().json();
    assert_eq!(
        status["due"],
        json!({"write": [], "list": [], "remove": [], "unchanged_files": 3, "open_files": 0, "manifest": false})
    );

    // What production has since is not status' business, and a run without a change leaves no trace.
    world.production("created_at | value\n 2024-01-03 | 5");
    world.kalends("status").succeeds();
    world.production_sql("DELETE FROM entity WHERE created_at = '2024-01-03'");
    world.kalends("run").succeeds();
    assert_eq!(world.kalends("status --json").json()["last_run"]["run"], 1);
}

#[test]
fn quiet_prints_nothing_but_errors() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    for arguments in REPORTING {
        let ran = world.kalends_with(&format!("{arguments} --quiet"), &[("RANDOM_MAIN_CONTROLLER", "1")]);
        assert!(matches!(ran.code, Some(0 | 3)), "{arguments}: {}", ran.stderr);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{arguments}");
    }
    let ran = world.kalends("export 2024 13 -q");
    ran.fails_with(2).says("error: there is no month 13");
    assert_eq!(ran.stdout, "");
}

#[test]
fn results_go_to_stdout_and_the_log_to_stderr_without_secrets_and_rows() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 03:04:05.678901 | 987654321\n 2024-01-02 | 1234567890");
    let url = |url: &str| url.replacen('@', ":S3CRET@", 1);
    let (production, warehouse) = (url(&world.reader_url), url(&world.writer_url));
    let variables = [("KALENDS_PRODUCTION_URL", production.as_str()), ("KALENDS_WAREHOUSE_URL", warehouse.as_str())];
    for (arguments, logged) in [
        ("prepare -v", "surveyed production"),
        ("export --verbose", "published"),
        ("run -vv", "surveyed production"),
        ("verify -vvv", "surveyed production"),
    ] {
        let ran = world.kalends_with(arguments, &variables);
        ran.succeeds();
        assert!(ran.stderr.contains(logged), "{arguments}: {}", ran.stderr);
        assert!(!ran.stderr.contains('\u{1b}'), "{arguments}: {}", ran.stderr);
        for secret in ["S3CRET", "987654321", "1234567890", "678901"] {
            assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(secret), "{arguments} shows {secret}");
        }
        assert!(!ran.stdout.contains("INFO"), "{arguments}: {}", ran.stdout);
        let json = world.kalends_with(&format!("{arguments} --json"), &variables);
        json.succeeds().json();
    }
    let silent = world.kalends("run");
    assert_eq!(silent.stderr, "");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let world = settled();
    let in_terminal = |arguments: &str, variables: &[(&str, &str)]| -> Option<String> {
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &format!("'{BINARY}' {arguments}"), "/dev/null"]);
        script.envs(world.variables()).env_remove("NO_COLOR").env("TERM", "xterm").env("SHELL", "/bin/sh");
        let output = script.envs(variables.iter().copied()).stdin(Stdio::null()).output().ok()?;
        Some(String::from_utf8(output.stdout).unwrap())
    };
    let Some(coloured) = in_terminal("verify -v", &[]) else {
        return eprintln!("not tried: there is no script to make a terminal");
    };
    assert!(coloured.contains("surveyed production") && coloured.contains('\u{1b}'), "{coloured:?}");
    let help = in_terminal("--help", &[]).unwrap();
    assert!(help.contains('\u{1b}'), "{help:?}");
    for arguments in ["verify -v", "status -vv", "--help", "export 2024 june"] {
        let plain = in_terminal(arguments, &[("NO_COLOR", "1")]).unwrap();
        assert!(plain.len() > 20 && !plain.contains('\u{1b}'), "{arguments}: {plain:?}");
        let ran = world.kalends(arguments);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains('\u{1b}'), "{arguments}");
    }
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = Ran::of(command(&["completions", shell], &[]).output().unwrap(), "completions");
        ran.succeeds();
        for name in COMMANDS {
            assert!(ran.stdout.contains(name), "{shell} does not know {name}");
        }
        assert!(ran.stdout.ends_with('\n') && ran.stderr.is_empty());
    }
    Ran::of(command(&["completions", "cmd"], &[]).output().unwrap(), "completions").fails_with(2).says("cmd");
    let bash = Command::new("sh").args(["-c", &format!("'{BINARY}' completions bash | bash -n")]).status().unwrap();
    assert!(bash.success());
}

#[test]
fn each_command_has_its_manual_page() {
    for name in COMMANDS {
        let page = Ran::of(command(&["man", name], &[]).output().unwrap(), "man");
        assert!(page.succeeds().stdout.contains(&format!(".TH kalends-{name} 1")), "{name}: {}", page.stdout);
    }
    let whole = Ran::of(command(&["man"], &[]).output().unwrap(), "man");
    let mentioned = |name: &&str| whole.succeeds().stdout.contains(&format!("kalends\\-{name}(1)"));
    assert_eq!(COMMANDS.iter().filter(|name| !mentioned(name)).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert!(whole.stdout.contains(concat!("kalends ", env!("CARGO_PKG_VERSION"))));
    Ran::of(command(&["man", "rnu"], &[]).output().unwrap(), "man rnu").fails_with(2).says("no command \"rnu\"");
}

#[test]
fn help_says_this() {
    let pages = COMMANDS.into_iter().chain(["", "local start", "local stop", "local status", "local psql"]);
    for page in pages {
        let arguments: Vec<&str> = page.split_whitespace().chain(["--help"]).collect();
        let ran = Ran::of(command(&arguments, &[]).output().unwrap(), page);
        ran.succeeds();
        assert_eq!(ran.stderr, "");
        let name = ["help"].into_iter().chain(page.split_whitespace()).collect::<Vec<_>>().join("_");
        golden(&name, &ran.stdout);
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let ran = Ran::of(command(&["--version"], &[]).output().unwrap(), "--version");
    assert_eq!(ran.succeeds().stdout, format!("kalends {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_reader_that_goes_away_is_no_harm() {
    let world = prepared();
    for arguments in ["export", "run", "run --json", "verify", "verify --json", "status", "--help", "completions bash"]
    {
        let mut child = world.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::of(child.wait_with_output().unwrap(), arguments);
        ran.succeeds();
        assert_eq!(ran.stderr, "", "{arguments}");
    }
    // Nobody hears of the error; the code is the same.
    let mut child = world.command("export 2024 13 -v").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(2));
    world.is_exact();
}

#[test]
fn closed_streams_are_no_harm() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-03 | 6");
    for (redirection, value) in [("<&-", 1), (">&-", 2), ("2>&-", 3), ("<&- >&- 2>&-", 4)] {
        world.production_sql(&format!("UPDATE entity SET value = {value}"));
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec '{BINARY}' run -v {redirection}")]).envs(world.variables());
        let ran = Ran::of(shell.output().unwrap(), redirection);
        ran.succeeds();
        world.is_exact();
    }
    world.settles();
}

#[test]
fn where_the_private_servers_are_is_said_without_starting_them() {
    let place = servers().folder.display().to_string();
    let ran = Ran::of(command(&["local", "status"], &[("KALENDS_LOCAL", &place)]).output().unwrap(), "local status");
    ran.succeeds().says("production  runs      postgresql://kalends@/production_data?host=");
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none").display().to_string();
    let ran = command(&["local", "status", "--json"], &[("KALENDS_LOCAL", &nowhere)]).output().unwrap();
    let ran = Ran::of(ran, "local status");
    let down = json!({"running": false, "url": ""});
    let expected = json!({"folder": nowhere, "kept": false, "production": down, "warehouse": down, "version": 1});
    assert_eq!(ran.fails_with(3).json(), expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

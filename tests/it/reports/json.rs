//! The JSON of all commands: one document, versioned, and documented.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::prepared;
use crate::kit::World;

const PREPARED: [&str; 18] = [
    "accept",
    "changing",
    "entity",
    "held",
    "held_production",
    "loaded_rows",
    "mended_periods",
    "older",
    "production_as_of",
    "renewed_checksums",
    "set_aside",
    "settled_anew",
    "settled_days",
    "settled_months",
    "surveyed_days",
    "surveyed_rows",
    "took_seconds",
    "version",
];

const EXPORTED: [&str; 9] = [
    "listed_files",
    "month",
    "open_files",
    "removed_files",
    "removed_pages",
    "unchanged_files",
    "version",
    "written_files",
    "written_pages",
];

#[test]
fn json_is_one_document_and_all_there_is_on_stdout() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n NULL | 1");
    let keys = |arguments: &str| -> Vec<String> {
        let ran = world.kalends_with(&format!("{arguments} --json"), &[("RANDOM_MAIN_CONTROLLER", "1")]);
        assert!(matches!(ran.code, Some(0 | 3)), "{arguments}: {}", ran.stderr);
        assert_eq!(ran.stderr, "", "{arguments}");
        let json = ran.json();
        assert_eq!(json["version"], 1, "{arguments}");
        are_documented(arguments, &json);
        json.as_object().unwrap_or_else(|| panic!("{arguments}: {}", ran.stdout)).keys().cloned().collect()
    };
    assert_eq!(keys("simulate 2023 1 --mark"), ["deleted_rows", "inserted_rows", "month", "version"]);
    assert_eq!(keys("init --out -"), ["entities", "file", "left_out", "text", "version"]);
    assert_eq!(keys("check"), ["exit_code", "findings", "problems", "ready", "version", "warnings"]);
    assert_eq!(keys("prepare"), PREPARED);
    assert_eq!(keys("export 2024 1"), EXPORTED);
    assert_eq!(keys("export"), EXPORTED);
    let mut ran = [PREPARED.as_slice(), EXPORTED.as_slice()].concat();
    ran.retain(|&key| key != "month");
    ran.sort_unstable();
    ran.dedup();
    assert_eq!(keys("run"), ran);
    assert_eq!(
        keys("verify"),
        ["days", "differences", "equal", "exact", "production_as_of", "rows", "sample", "set_aside", "version"]
    );
    assert_eq!(
        keys("status"),
        [
            "age_seconds",
            "changing",
            "complete_through",
            "due",
            "failures",
            "held",
            "last_run",
            "newest_day",
            "not_in_settings",
            "oldest_age_seconds",
            "oldest_as_of",
            "proofs",
            "proven_as_of",
            "settled_days",
            "settled_rows",
            "version"
        ]
    );
    assert_eq!(keys("history"), ["entity", "period", "restatements", "version"]);
    assert_eq!(keys("diff 2024-01-02"), ["day", "entities", "version"]);
    assert_eq!(keys("local status"), ["folder", "kept", "production", "version", "warehouse"]);
    keys("plan");
    let forgotten = keys("forget entity --yes");
    assert_eq!(forgotten, ["accounts", "days", "entity", "files", "in_settings", "restatements", "rows", "version"]);
}

/// Every key, at any depth, is on the page of JSON, in backticks or in an example. Keys that are names of what users
/// have are not looked for.
fn are_documented(arguments: &str, json: &Value) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/json.md");
    let documents = fs::read_to_string(page).unwrap();
    let mut left = vec![json];
    while let Some(value) = left.pop() {
        if let Some(parts) = value.as_array() {
            left.extend(parts);
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let named = documents.contains(&format!("`{key}`")) || documents.contains(&format!("\"{key}\":"));
            assert!(named, "docs/reference/json.md does not name the key {key} of `kalends {arguments} --json`");
            if !["definition", "complete_through"].contains(&key.as_str()) {
                left.push(value);
            }
        }
    }
}

#[test]
fn json_tells_what_was_done() {
    let world = prepared();
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10; DELETE FROM entity WHERE value = 5");
    let prepared = world.kalends("prepare --json").json();
    assert_eq!(prepared["settled_days"], json!({"changed": 1, "shrunk": 1}));
    assert_eq!((&prepared["settled_months"], &prepared["loaded_rows"]), (&json!(1), &json!(2)));
    let counts = |month: Option<&str>, [written, unchanged]: [i32; 2]| {
        json!({
            "month": month, "written_files": written, "listed_files": 0, "removed_files": 0,
            "unchanged_files": unchanged, "open_files": 0, "written_pages": 0, "removed_pages": 0, "version": 1
        })
    };
    assert_eq!(world.kalends("export 2024 1 --json").json(), counts(Some("2024-01"), [4, 0]));
    assert_eq!(world.kalends("export --json").json(), counts(None, [2, 4]));
    world.production_sql("DELETE FROM entity WHERE value = 8");
    let ran = world.kalends("run --json --accept-loss").json();
    assert_eq!(ran["settled_days"], json!({"vanished": 1}));
    assert_eq!(
        [&ran["written_files"], &ran["removed_files"], &ran["unchanged_files"]],
        [1, 2, 3].map(|n: i32| json!(n)).each_ref()
    );
    let ran = world.kalends("run --json").json();
    assert_eq!(
        [&ran["written_files"], &ran["removed_files"], &ran["unchanged_files"]],
        [0, 0, 4].map(|n: i32| json!(n)).each_ref()
    );
    assert_eq!(ran["settled_days"], json!({}));
}

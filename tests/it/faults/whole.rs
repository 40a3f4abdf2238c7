//! What may never be seen, fault or not: a torn file, a manifest that names a missing one, a month of which a part is
//! loaded, accounts that disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::kit::{World, ask};
use crate::oracle;

/// What production held at some moment, and so what months and files may say.
pub struct State {
    rows: Vec<String>,
    pub files: BTreeMap<String, String>,
}

impl State {
    pub fn of(world: &World) -> Self {
        Self::from(world.ask_production("SELECT created_at, value FROM entity ORDER BY 1, 2"))
    }

    pub fn empty() -> Self {
        Self::from(Vec::new())
    }

    fn from(rows: Vec<String>) -> Self {
        let files = oracle::files(&rows);
        Self { rows, files }
    }

    fn months(&self) -> BTreeMap<String, Vec<String>> {
        by_month(&self.rows)
    }
}

/// Rows by `2024-01`.
fn by_month(rows: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut months: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        months.entry(row[..7].to_string()).or_default().push(row.clone());
    }
    months
}

/// Each file and each month is, whole, as in one of these states.
pub fn is_whole(world: &World, states: &[&State]) {
    files_are_whole(world, states);
    manifest_is_true(&world.exports);
    warehouse_is_whole(world, states);
}

pub fn files_are_whole(world: &World, states: &[&State]) {
    let found = world.files();
    let csv = |path: &&String| path.ends_with(".csv") && !path.contains("/.");
    let paths: BTreeSet<&String> = found.keys().filter(csv).chain(states.iter().flat_map(|s| s.files.keys())).collect();
    for path in paths {
        let content = found.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let whole = states.iter().any(|state| state.files.get(path) == content.as_ref());
        assert!(whole, "{path} is neither as before nor as after: {content:?}");
    }
    let strange: Vec<&String> = found.keys().filter(|path| !csv(path) && !path.ends_with(".staged")).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

/// What the manifest lists is there, and is as it says unless it is about to be replaced.
pub fn manifest_is_true(exports: &Path) {
    let Ok(bytes) = fs::read(exports.join("_manifest.json")) else { return };
    let manifest: serde_json::Value = serde_json::from_slice(&bytes).expect("a torn manifest");
    for (path, entry) in manifest["files"].as_object().unwrap() {
        let bytes = fs::read(exports.join(path)).unwrap_or_else(|error| panic!("listed and missing: {path}: {error}"));
        let pending = manifest["pending"].get(path).is_some();
        assert!(pending || sha256(&bytes) == entry["sha256"], "{path} is not as the manifest says");
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn warehouse_is_whole(world: &World, states: &[&State]) {
    if world.ask_warehouse("SELECT to_regclass('kalends_raw.entity') IS NOT NULL") != ["t"] {
        return;
    }
    let disagreeing = DISAGREEING.replace("%accounts%", DISAGREEING_ACCOUNTS);
    assert_eq!(world.ask_warehouse(&disagreeing), Vec::<String>::new(), "rows, days, months and years disagree");
    let found = by_month(&world.ask_warehouse("SELECT created_at, value FROM kalends_raw.entity ORDER BY 1, 2"));
    let legal: Vec<_> = states.iter().map(|state| state.months()).collect();
    for month in found.keys().chain(legal.iter().flat_map(BTreeMap::keys)) {
        let whole = legal.iter().any(|state| state.get(month) == found.get(month));
        assert!(whole, "month {month} is neither as before nor as after: {:?}", found.get(month));
    }
}

/// Rows against days, days against months, months against years, in one statement.
const DISAGREEING: &str = "
    WITH rows AS (
        SELECT created_at::date AS day, count(*), count(value) AS values, sum(value), min(value), max(value)
        FROM kalends_raw.entity GROUP BY 1
    )
    SELECT 'day ' || coalesce(rows.day, kept.day)
    FROM rows FULL JOIN kalends_stats.entity_day AS kept ON rows.day = kept.day
    WHERE ROW(rows.count, rows.values, rows.sum, rows.min, rows.max)
        IS DISTINCT FROM ROW(kept.rows, kept.count_values, kept.sum_values, kept.min_values, kept.max_values)
    UNION ALL SELECT * FROM (%accounts%) AS disagreeing";

/// Days against months, months against years, in one statement.
pub const DISAGREEING_ACCOUNTS: &str = "
    WITH months AS (
        SELECT date_trunc('month', day::timestamp)::date AS month, sum(rows) AS rows, sum(count_values) AS values,
               sum(sum_values) AS sum, min(min_values) AS min, max(max_values) AS max
        FROM kalends_stats.entity_day GROUP BY 1
    ), years AS (
        SELECT date_trunc('year', month::timestamp)::date AS year, sum(rows) AS rows, sum(count_values) AS values,
               sum(sum_values) AS sum, min(min_values) AS min, max(max_values) AS max
        FROM kalends_stats.entity_month GROUP BY 1
    )
    SELECT 'month ' || coalesce(fresh.month, kept.month)
    FROM months AS fresh FULL JOIN kalends_stats.entity_month AS kept ON fresh.month = kept.month
    WHERE ROW(fresh.rows, fresh.values, fresh.sum, fresh.min, fresh.max)
        IS DISTINCT FROM ROW(kept.rows, kept.count_values, kept.sum_values, kept.min_values, kept.max_values)
    UNION ALL
    SELECT 'year ' || coalesce(fresh.year, kept.year)
    FROM years AS fresh FULL JOIN kalends_stats.entity_year AS kept ON fresh.year = kept.year
    WHERE ROW(fresh.rows, fresh.values, fresh.sum, fresh.min, fresh.max)
        IS DISTINCT FROM ROW(kept.rows, kept.count_values, kept.sum_values, kept.min_values, kept.max_values)";

/// The end of every test: soon no session of ours is left, one run makes everything exact, verify agrees, a further
/// run writes nothing, and nothing lies about.
pub fn is_mended(world: &World) {
    no_session_is_left(world);
    world.settles_by("run --accept-loss");
    nothing_lies_about(world);
}

/// The same without a proof of it by us.
pub fn is_exact_again(world: &World) {
    no_session_is_left(world);
    world.kalends("run --accept-loss").succeeds();
    world.is_exact();
    nothing_lies_about(world);
}

/// A server notices within 0.2 s that its client is gone; waiting for a busy machine as well.
pub fn no_session_is_left(world: &World) {
    let ours = "SELECT pid, state, wait_event, query FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'kalends %'";
    let started = Instant::now();
    for url in [&world.production_url, &world.warehouse_url] {
        loop {
            let left = ask(url, ours);
            if left.is_empty() {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(5), "still there after 5 s: {left:?}");
            sleep(Duration::from_millis(10));
        }
    }
}

/// Every committed row of ours in the warehouse with the transaction that wrote it: what a transaction that was rolled
/// back leaves behind in a table does not show.
pub fn committed(world: &World) -> Vec<String> {
    let tables = "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
                  WHERE nspname LIKE 'kalends%' AND relkind = 'r' AND relname <> 'failure' ORDER BY 1";
    let rows = world
        .ask_warehouse(tables)
        .into_iter()
        .map(|table| format!("SELECT '{table}' AS name, xmin::text, t::text AS row FROM {table} AS t"));
    world.ask_warehouse(&format!("{} ORDER BY 1, 2, 3", rows.collect::<Vec<_>>().join(" UNION ALL ")))
}

/// Folders below the export folder that hold nothing.
pub fn empty_folders(world: &World) -> Vec<PathBuf> {
    let (mut folders, mut empty) = (vec![world.exports.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        let entries: Vec<_> = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        if entries.is_empty() && folder != world.exports {
            empty.push(folder);
        }
        folders.extend(entries.into_iter().filter(|entry| entry.is_dir()));
    }
    empty
}

/// No staged file, no empty folder, no month's table outside the whole, no lock.
pub fn nothing_lies_about(world: &World) {
    assert_eq!(empty_folders(world), Vec::<PathBuf>::new());
    let staged: Vec<String> = world.tree().into_keys().filter(|path| path.ends_with(".staged")).collect();
    assert_eq!(staged, Vec::<String>::new());
    let loose = "SELECT relname FROM pg_class
                 WHERE relnamespace = 'kalends_raw'::regnamespace AND relkind = 'r' AND NOT relispartition";
    assert_eq!(world.ask_warehouse(loose), Vec::<String>::new());
    let locks = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1262570565
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(world.ask_warehouse(locks), Vec::<String>::new());
}

//! The moment at which a command begins: it is put back for each fault, and says what may be seen afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::drawn::{Command, Drawn};
use super::set;
use crate::entities::asked::Asked;
use crate::faults::whole::{manifest_is_true, no_session_is_left};
use crate::kit::{INDEX, World, run_sql};

/// Rows by month, in the entity's time zone.
pub type Months = BTreeMap<String, Vec<String>>;

pub struct Ready<'a> {
    world: &'a World,
    command: Command,
    /// Before a rebuild, and in the end.
    asked: [&'a Asked<'a>; 2],
    /// What the warehouse held, and the columns that it had.
    before: Option<(Vec<String>, Months)>,
    /// What production holds.
    after: Months,
    files: [BTreeMap<String, String>; 2],
}

impl<'a> Ready<'a> {
    pub fn new(world: &'a World, drawn: &Drawn, asked: [&'a Asked<'a>; 2]) -> Self {
        no_session_is_left(world);
        let command = drawn.command;
        let rows = world.ask_production(&asked[1].rows_of("t"));
        let after = months(asked[1], |sql| world.ask_production(sql), "t");
        let expected = asked[1].expected(&rows).unwrap_or_default();
        let files = [texts(&world.exports), expected];
        let mut ready = Self { world, command, asked, before: None, after, files };
        ready.before = ready.held();
        on_server(world, &format!("CREATE DATABASE {0}_ready TEMPLATE {0}", database(world)));
        copied(&world.exports, &ready.kept());
        ready
    }

    fn kept(&self) -> PathBuf {
        self.world.exports.with_extension("ready")
    }

    /// Warehouse and files as they were.
    pub fn put_back(&self) {
        no_session_is_left(self.world);
        renewed(self.world, &database(self.world), &format!("{}_ready", database(self.world)));
        copied(&self.kept(), &self.world.exports);
    }

    /// The warehouse's columns and rows; `None` if it has no table of the entity.
    fn held(&self) -> Option<(Vec<String>, Months)> {
        let columns = self.world.ask_warehouse(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('kalends_raw.t') AND attnum > 0
             AND NOT attisdropped ORDER BY 1",
        );
        let asked = self.asked.into_iter().find(|asked| sorted(asked) == columns);
        if columns.is_empty() {
            return None;
        }
        let asked = asked.unwrap_or_else(|| panic!("the warehouse has columns that nobody asked for: {columns:?}"));
        Some((columns, months(asked, |sql| self.world.ask_warehouse(sql), "kalends_raw.t")))
    }

    /// Whatever happened: files, months and accounts, each as before or as after.
    pub fn is_whole(&self) {
        no_session_is_left(self.world);
        self.files_are_whole();
        // Where the files were damaged, the manifest was not true before.
        if self.command != Command::Repair {
            manifest_is_true(&self.world.exports);
        }
        let Some((columns, found)) = self.held() else {
            assert!(self.before.is_none() || self.command == Command::Forget, "the entity's tables are gone");
            return;
        };
        self.months_are_whole(&columns, &found);
        if self.command != Command::Repair {
            self.accounts_agree();
        }
    }

    fn files_are_whole(&self) {
        let found = texts(&self.world.exports);
        let [before, after] = &self.files;
        for path in found.keys().chain(before.keys()).chain(after.keys()) {
            let content = found.get(path);
            let whole = content == before.get(path) || content == after.get(path);
            assert!(whole, "{path} is neither as before nor as after: {content:?}");
        }
    }

    fn months_are_whole(&self, columns: &[String], found: &Months) {
        let before = self.before.as_ref().filter(|(before, _)| before == columns).map(|(_, months)| months);
        let after = (sorted(self.asked[1]) == columns).then_some(&self.after);
        if self.command == Command::Rebuild {
            assert!(before == Some(found) || after == Some(found), "a rebuild was done in part: {found:?}");
        }
        let all = [before, after].into_iter().flatten().flat_map(BTreeMap::keys).chain(found.keys());
        for month in all.collect::<BTreeSet<_>>() {
            let rows = found.get(month);
            let none_yet = (self.before.is_none() || self.command == Command::Forget) && rows.is_none();
            let whole = [before, after].into_iter().flatten().any(|state| state.get(month) == rows);
            assert!(whole || none_yet, "month {month} is neither as before nor as after: {rows:?}");
        }
    }

    /// What the warehouse would publish, by the settings that it was settled with, is what Python makes of its rows.
    fn accounts_agree(&self) {
        let copy = format!("{}_copy", database(self.world));
        renewed(self.world, &copy, &database(self.world));
        let (exports, url) = (self.world.exports.with_extension("fresh"), &self.world.writer_url);
        let url = format!("{}/{copy}", url.rsplit_once('/').unwrap().0);
        let variables = [("KALENDS_WAREHOUSE_URL", url.as_str()), ("KALENDS_EXPORTS", exports.to_str().unwrap())];
        let _ = fs::remove_dir_all(&exports);
        let [earlier, asked] = self.asked;
        let mut settled = asked;
        let mut ran = self.world.kalends_with("export", &variables);
        if ran.code == Some(4) && self.command == Command::Rebuild {
            settled = earlier;
            set(self.world, earlier);
            ran = self.world.kalends_with("export", &variables);
            set(self.world, asked);
        }
        ran.succeeds();
        let rows = self.world.ask_warehouse(&settled.rows_in_warehouse());
        if let Some(expected) = settled.expected(&rows) {
            assert_eq!(texts(&exports), expected, "the warehouse's accounts are not those of its rows");
        }
        on_server(self.world, &format!("DROP DATABASE {copy} WITH (FORCE)"));
    }

    /// Everything is as production.
    pub fn is_equal(&self) {
        self.asked[1].is_exact(self.world);
    }
}

fn sorted(asked: &Asked<'_>) -> Vec<String> {
    let mut columns: Vec<String> = asked.columns().into_iter().map(str::to_string).collect();
    columns.sort();
    columns
}

pub fn months(asked: &Asked<'_>, asking: impl Fn(&str) -> Vec<String>, table: &str) -> Months {
    let at = asked.zone.map_or_else(|| "at".to_string(), |zone| format!("at AT TIME ZONE '{zone}'"));
    let rows = asked.rows_of(table).replace("SELECT ", &format!("SELECT to_char({at}, 'YYYY-MM'), "));
    let mut months = Months::new();
    for row in asking(&rows) {
        let (month, row) = row.split_once('|').unwrap();
        months.entry(month.to_string()).or_default().push(row.to_string());
    }
    months
}

/// The files of a folder that others read, as text.
pub fn texts(folder: &Path) -> BTreeMap<String, String> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if ![INDEX, "_manifest.json"].contains(&name.as_str()) && !name.ends_with(".staged") {
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

pub fn database(world: &World) -> String {
    world.warehouse_url.rsplit('/').next().unwrap().to_string()
}

pub fn on_server(world: &World, sql: &str) {
    let server = world.warehouse_url.rsplit_once('/').unwrap().0;
    run_sql(&format!("{server}/postgres"), sql);
}

/// A database as another one is; what it was is gone.
pub fn renewed(world: &World, name: &str, of: &str) {
    on_server(world, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    on_server(world, &format!("CREATE DATABASE {name} TEMPLATE {of}"));
}

/// A folder as another one is, if there is one.
fn copied(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    if from.exists() {
        let copied = std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
        assert!(copied.success(), "{}", from.display());
    }
}

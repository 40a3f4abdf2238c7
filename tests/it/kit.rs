//! A world for one test: two databases on real servers, an export folder, and the real binary.
//!
//! The binary has the rights that `docs/grants.sql` gives, by that very file, and no others, not even those of PUBLIC.
//! The test's own hands are a superuser's.

pub mod random;
mod servers;
mod statements;
mod tree;
pub mod versions;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use postgres::{Client, NoTls, SimpleQueryMessage};
use tempfile::TempDir;

use self::servers::psql;
pub use self::servers::{Servers, servers};
pub use self::statements::{of_default_table, of_table};
use self::tree::tree;
pub use self::tree::{File, INDEX};
use crate::oracle;

pub const BINARY: &str = env!("CARGO_BIN_EXE_kalends");

/// Reads production.
pub const READER: &str = "kalends_reader";
/// Owns the three schemas of the warehouse.
pub const WRITER: &str = "kalends_writer";

const GRANTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/grants.sql");

/// The password in every URL that the binary is given, and a part of every key of an object store.
pub const CANARY: &str = "canary-5ekret";

static WORLDS: AtomicUsize = AtomicUsize::new(0);

pub struct World {
    /// As a superuser, whom the server does not hold back: for the test's own hands.
    pub production_url: String,
    /// As a superuser.
    pub warehouse_url: String,
    /// As the binary has it.
    pub reader_url: String,
    /// As the binary has it.
    pub writer_url: String,
    pub exports: PathBuf,
    folder: TempDir,
    /// Where its servers live.
    servers: PathBuf,
}

/// Runs the binary with these variables and no others but PATH.
pub fn kalends(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(arguments, variables).output().unwrap()
}

pub fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

impl World {
    /// Both databases empty; production has an empty table `entity`.
    pub fn new() -> Self {
        Self::on(servers())
    }

    pub fn on(servers: &Servers) -> Self {
        Self::made(servers, ["", ""])
    }

    /// Production and warehouse made with these options of CREATE DATABASE.
    pub fn made(servers: &Servers, options: [&str; 2]) -> Self {
        let name = format!("world_{}_{}", std::process::id(), WORLDS.fetch_add(1, Ordering::Relaxed));
        let creates = options.map(|options| format!("CREATE DATABASE {name} TEMPLATE template0 {options}"));
        let connect = format!("\\connect {name}");
        let table = "CREATE TABLE entity (created_at timestamp, value integer)";
        let (reader, writer) = (format!("reader={READER}"), format!("writer={WRITER}"));
        let of_reader = ["-v", &reader, "-v", "schema=public", "-v", "table=entity", "-v", "maker=kalends"];
        let [production, warehouse] =
            creates.each_ref().map(|create| ["-v", "strict=1", "-c", create.as_str(), "-c", &connect]);
        thread::scope(|both| {
            both.spawn(|| {
                servers.psql("production", &[&of_reader, &production[..], &["-c", table, "-f", GRANTS]].concat())
            });
            both.spawn(|| servers.psql("warehouse", &[&["-v", &writer], &warehouse[..], &["-f", GRANTS]].concat()));
        });
        let folder = tempfile::tempdir().unwrap();
        Self {
            production_url: servers.url(5432, "kalends", &name),
            warehouse_url: servers.url(5433, "kalends", &name),
            reader_url: servers.url(5432, READER, &name),
            writer_url: servers.url(5433, WRITER, &name),
            exports: folder.path().join("exports"),
            folder,
            servers: servers.folder.clone(),
        }
    }

    /// Runs `docs/grants.sql` on one of the two databases, with variables as for psql.
    pub fn grants(&self, side: &str, variables: &[&str]) {
        let connect = format!("\\connect {}", self.production_url.rsplit('/').next().unwrap());
        let variables = variables.iter().flat_map(|variable| ["-v", variable]);
        psql(&self.servers, side, &variables.chain(["-c", &connect, "-f", GRANTS]).collect::<Vec<_>>());
    }

    /// Lets the binary read a table of another schema than `public`, which is as closed to all others as that one.
    pub fn grant_table(&self, schema: &str, table: &str) {
        let [reader, schema, table] =
            [("reader", READER), ("schema", schema), ("table", table)].map(|(name, value)| format!("{name}={value}"));
        self.grants("production", &[&reader, &schema, &table, "strict=1"]);
    }

    /// A warehouse as it was before the first run: the schemas are the writer's, and empty.
    pub fn empty_warehouse(&self) {
        let made = |schema| format!("CREATE SCHEMA {schema} AUTHORIZATION {WRITER};");
        let schemas: String = ["kalends", "kalends_raw", "kalends_stats"].map(made).concat();
        self.warehouse_sql(&format!("DROP SCHEMA kalends, kalends_raw, kalends_stats CASCADE; {schemas}"));
    }

    /// One of the default table's rows, settled and published.
    pub fn settled(table: &str) -> Self {
        let world = Self::new();
        world.production(table);
        world.settles();
        world
    }

    /// One that a run has settled: a day in January, one in February, a row each.
    pub fn with_two_days() -> Self {
        let world = Self::new();
        world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
        world.kalends("run").succeeds();
        world
    }

    /// Writes the settings file of the working folder.
    pub fn settings(&self, text: impl AsRef<[u8]>) {
        fs::write(self.folder().join("kalends.toml"), text).unwrap();
    }

    /// Takes it away again.
    pub fn no_settings(&self) {
        fs::remove_file(self.folder().join("kalends.toml")).unwrap();
    }

    /// Adds rows, written as `created_at | value` below a header; `NULL` is NULL.
    pub fn production(&self, table: &str) {
        let rows: Vec<String> = table
            .lines()
            .skip(1)
            .map(|line| line.split_once('|').unwrap())
            .map(|(time, value)| (time.trim(), value.trim()))
            .map(|(time, value)| match time {
                "NULL" => format!("(NULL, {value})"),
                time => format!("('{time}', {value})"),
            })
            .collect();
        self.production_sql(&format!("INSERT INTO entity VALUES {}", rows.join(", ")));
    }

    pub fn production_sql(&self, sql: &str) {
        run_sql(&self.production_url, sql);
    }

    pub fn warehouse_sql(&self, sql: &str) {
        run_sql(&self.warehouse_url, sql);
    }

    pub fn ask_production(&self, sql: &str) -> Vec<String> {
        ask(&self.production_url, sql)
    }

    pub fn ask_warehouse(&self, sql: &str) -> Vec<String> {
        ask(&self.warehouse_url, sql)
    }

    /// With passwords that no server asks for, and that no run may ever print.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        let secret = |url: &str| url.replacen('@', &format!(":{CANARY}@"), 1);
        [
            ("KALENDS_PRODUCTION_URL", secret(&self.reader_url)),
            ("KALENDS_WAREHOUSE_URL", secret(&self.writer_url)),
            ("KALENDS_EXPORTS", self.exports.display().to_string()),
        ]
    }

    pub fn command(&self, arguments: &str) -> Command {
        let variables = self.variables();
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut command = command(&arguments.split_whitespace().collect::<Vec<_>>(), &variables);
        command.current_dir(self.folder.path());
        if ["simulate", "insert-monthly-data"].iter().any(|writes| arguments.starts_with(writes)) {
            // The one command that writes to production: by a role that owns table and database.
            command.env("KALENDS_PRODUCTION_URL", &self.production_url);
        }
        command
    }

    pub fn kalends(&self, arguments: &str) -> Ran {
        self.kalends_with(arguments, &[])
    }

    /// The same with these variables as well.
    pub fn kalends_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Ran {
        Ran::of(self.command(arguments).envs(variables.iter().copied()).output().unwrap(), arguments)
    }

    /// The working directory of the binary.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file says exactly this; lines may be indented.
    pub fn file(&self, path: &str, expected: &str) {
        let found = fs::read_to_string(self.exports.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let expected: String = expected.lines().map(|line| format!("{}\n", line.trim())).collect();
        assert_eq!(found, expected, "{path}");
    }

    /// The index of the export folder, which is a cache and none of the files.
    pub fn index(&self) -> Option<Vec<u8>> {
        fs::read(self.exports.join(INDEX)).ok()
    }

    /// Every file below the export folder but the manifest and the index: path and bytes.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = tree(&self.exports);
        files.into_iter().filter(|(path, _)| path != "_manifest.json").map(|(path, file)| (path, file.bytes)).collect()
    }

    pub fn tree(&self) -> BTreeMap<String, File> {
        tree(&self.exports)
    }

    /// The place, the writing transaction and the content of every tuple of ours in the warehouse, but for the notes of
    /// runs that failed.
    pub fn tuples(&self) -> Vec<String> {
        let tables = self.ask_warehouse(
            "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
             WHERE nspname LIKE 'kalends%' AND relkind = 'r' AND relname <> 'failure' ORDER BY 1",
        );
        let mut client = Client::connect(&self.warehouse_url, NoTls).unwrap();
        let all = tables.iter().flat_map(|table| {
            // A lock by the transaction that made the tuple tells nothing, and vacuuming takes it away.
            let tuples =
                format!("SELECT ctid, xmin, nullif(xmax::text, xmin::text), t.* FROM {table} AS t ORDER BY ctid");
            let rows = ask_on(&mut client, &tuples);
            rows.into_iter().map(move |row| format!("{table}: {row}"))
        });
        all.collect()
    }

    /// Production, warehouse rows, accounts and files are equal, by a computation of our own in exact arithmetic.
    pub fn is_exact(&self) {
        let sorted = "SELECT created_at, value FROM %s WHERE isfinite(created_at) AND created_at >= '4713-01-01 BC' ORDER BY 1, 2";
        let rows = self.ask_production(&sorted.replace("%s", "entity"));
        let prepared = self.ask_warehouse("SELECT to_regclass('kalends_raw.entity') IS NOT NULL") == ["t"];
        assert!(prepared, "the warehouse was never prepared");
        assert_eq!(self.ask_warehouse(&sorted.replace("%s", "kalends_raw.entity")), rows, "rows");
        let expected = oracle::files(&rows);
        let found: BTreeMap<String, String> =
            self.files().into_iter().map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect();
        assert_eq!(found, expected, "files");
    }

    /// The whole promise after a change: verify sees it, one run mends it, everything is exact, and a further run
    /// writes nothing at all.
    pub fn heals(&self) {
        self.kalends("verify").fails_with(3);
        self.settles();
    }

    /// The same where rows were lost: a plain run holds them, and one that accepts the loss mends it.
    pub fn heals_when_accepted(&self) {
        self.kalends("verify").fails_with(3);
        self.kalends("run").fails_with(4).says("kalends run --accept-loss");
        self.settles_by("run --accept-loss");
    }

    /// One run makes everything exact, verify agrees, and a further run writes nothing at all.
    pub fn settles(&self) {
        self.settles_by("run");
    }

    /// The same where this is what has to be run.
    pub fn settles_by(&self, command: &str) {
        self.kalends(command).succeeds();
        self.is_exact();
        self.kalends("verify").succeeds().says("equal: production = rows = accounts = files");
        let (tuples, files) = (self.tuples(), (self.tree(), self.index()));
        self.kalends("run").succeeds().says("nothing to do: equal to production as of");
        assert_eq!(self.tuples(), tuples, "a run with nothing to do wrote to the warehouse");
        assert_eq!((self.tree(), self.index()), files, "a run with nothing to do wrote files");
    }
}

/// Takes the databases away, so that servers do not grow with the number of tests.
impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        for url in [&self.production_url, &self.warehouse_url] {
            // A server that the test has stopped has nothing to be taken away.
            let Some((server, name)) = url.rsplit_once('/') else { continue };
            let mut config: postgres::Config = format!("{server}/postgres").parse().unwrap();
            config.connect_timeout(Duration::from_secs(2)).options("-c statement_timeout=10s");
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            let _ = config.connect(NoTls).and_then(|mut client| client.batch_execute(&drop));
        }
    }
}

/// How a run of the binary ended.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    arguments: String,
}

impl Ran {
    pub fn of(output: Output, arguments: &str) -> Self {
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(!stdout.contains(CANARY) && !stderr.contains(CANARY), "kalends {arguments} prints a password");
        Self { code: output.status.code(), stdout, stderr, arguments: arguments.to_string() }
    }

    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        self.fails_with(0)
    }

    #[track_caller]
    pub fn fails_with(&self, code: i32) -> &Self {
        let Self { stdout, stderr, arguments, .. } = self;
        assert_eq!(self.code, Some(code), "kalends {arguments}\nstdout: {stdout}\nstderr: {stderr}");
        self
    }

    /// What it printed, results and talk, holds this.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        let Self { stdout, stderr, arguments, .. } = self;
        assert!(
            stdout.contains(text) || stderr.contains(text),
            "kalends {arguments} does not say {text:?}\nstdout: {stdout}\nstderr: {stderr}"
        );
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

pub fn run_sql(url: &str, sql: &str) {
    Client::connect(url, NoTls).unwrap().batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Rows as text, fields with `|` between, NULL as nothing.
pub fn ask(url: &str, sql: &str) -> Vec<String> {
    ask_on(&mut Client::connect(url, NoTls).unwrap(), sql)
}

fn ask_on(client: &mut Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).unwrap_or_default()).collect::<Vec<_>>().join("|"))
        }
        _ => None,
    });
    rows.collect()
}

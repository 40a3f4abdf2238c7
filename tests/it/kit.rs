//! A world for one story: two databases on real servers, an export folder, and the real binary.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use kalends::db::Statement;
use kalends::entity::{Entity, Found, Model};
use postgres::{Client, NoTls, SimpleQueryMessage};
use tempfile::TempDir;

use crate::oracle;

pub const BINARY: &str = env!("CARGO_BIN_EXE_kalends");

static WORLDS: AtomicUsize = AtomicUsize::new(0);

pub struct World {
    pub production_url: String,
    pub warehouse_url: String,
    pub exports: PathBuf,
    folder: TempDir,
}

/// Two private servers for all the stories of this process.
pub struct Servers {
    pub folder: PathBuf,
    pub sockets: PathBuf,
    /// The watcher reads it: it ends with this process, however that ends, and then the watcher stops the servers.
    _alive: ChildStdin,
}

pub fn servers() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let folder = PathBuf::from(format!("/tmp/kalends-it-{}", std::process::id()));
        Servers::start(folder)
    })
}

impl Servers {
    pub fn start(folder: PathBuf) -> Self {
        let place = folder.display().to_string();
        let started = kalends(&["local", "start", "--json"], &[("KALENDS_LOCAL", &place)]);
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        let status: serde_json::Value = serde_json::from_slice(&started.stdout).unwrap();
        let url = status["production"]["url"].as_str().unwrap();
        let sockets = url.split("host=").nth(1).unwrap().split('&').next().unwrap();
        let stop = format!("cat >/dev/null; KALENDS_LOCAL={place} {BINARY} local stop -q; rm -rf {place}");
        let mut watcher = Command::new("sh");
        watcher.args(["-c", &stop]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A Ctrl-C in the terminal of the tests is not meant for it.
        std::os::unix::process::CommandExt::process_group(&mut watcher, 0);
        let alive = watcher.spawn().unwrap().stdin.take().unwrap();
        Self { sockets: PathBuf::from(sockets.replace("%2F", "/")), folder, _alive: alive }
    }

    pub fn url(&self, port: u16, role: &str, database: &str) -> String {
        let host = self.sockets.display().to_string().replace('/', "%2F");
        format!("postgresql://{role}@{host}:{port}/{database}")
    }
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
        let name = format!("world_{}", WORLDS.fetch_add(1, Ordering::Relaxed));
        for port in [5432, 5433] {
            let maintenance = servers.url(port, "kalends", "postgres");
            run_sql(&maintenance, &format!("CREATE DATABASE {name} TEMPLATE template0"));
        }
        let folder = tempfile::tempdir().unwrap();
        let world = Self {
            production_url: servers.url(5432, "kalends", &name),
            warehouse_url: servers.url(5433, "kalends", &name),
            exports: folder.path().join("exports"),
            folder,
        };
        world.production_sql("CREATE TABLE entity (created_at timestamp, value integer)");
        world
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

    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("KALENDS_PRODUCTION_URL", self.production_url.clone()),
            ("KALENDS_WAREHOUSE_URL", self.warehouse_url.clone()),
            ("KALENDS_EXPORTS", self.exports.display().to_string()),
        ]
    }

    pub fn command(&self, arguments: &str) -> Command {
        let variables = self.variables();
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut command = command(&arguments.split_whitespace().collect::<Vec<_>>(), &variables);
        command.current_dir(self.folder.path());
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

    /// Every file below the export folder but the manifest: path and bytes.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = tree(&self.exports);
        files.into_iter().filter(|(path, _)| path != "_manifest.json").map(|(path, file)| (path, file.bytes)).collect()
    }

    pub fn tree(&self) -> BTreeMap<String, File> {
        tree(&self.exports)
    }

    /// The place, the writing transaction and the content of every tuple of ours in the warehouse.
    pub fn tuples(&self) -> Vec<String> {
        let tables = self.ask_warehouse(
            "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
             WHERE nspname LIKE 'kalends%' AND relkind = 'r' ORDER BY 1",
        );
        let mut client = Client::connect(&self.warehouse_url, NoTls).unwrap();
        let all = tables.iter().flat_map(|table| {
            let rows = ask_on(&mut client, &format!("SELECT ctid, xmin, xmax, t.* FROM {table} AS t ORDER BY ctid"));
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

    /// The whole promise after a change: verify sees it, one run mends it, everything is exact, and a further run writes
    /// nothing at all.
    pub fn heals(&self) {
        self.kalends("verify").fails_with(3);
        self.settles();
    }

    /// One run makes everything exact, verify agrees, and a further run writes nothing at all.
    pub fn settles(&self) {
        self.kalends("run").succeeds();
        self.is_exact();
        self.kalends("verify").succeeds().says("equal: production = rows = accounts = files");
        let (tuples, tree) = (self.tuples(), self.tree());
        self.kalends("run").succeeds().says("nothing to do: equal to production as of");
        assert_eq!(self.tuples(), tuples, "a run with nothing to do wrote to the warehouse");
        assert_eq!(self.tree(), tree, "a run with nothing to do wrote files");
    }
}

/// A file as its folder has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub inode: u64,
    pub modified_ns: i64,
    pub bytes: Vec<u8>,
}

fn tree(root: &Path) -> BTreeMap<String, File> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = Vec::new();
            fs::File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
            let modified_ns = metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, File { inode: metadata.ino(), modified_ns, bytes });
        }
    }
    files
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
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            arguments: arguments.to_string(),
        }
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

/// A statement of `sql/`, as it is for the brief's table.
pub fn of_brief(text: String) -> String {
    let found =
        Found { time: Some("timestamp without time zone".to_string()), measures: vec![Some("integer".to_string())] };
    let shape = Model::new(&Entity::of_brief().unwrap(), &found).unwrap().shape().unwrap();
    let statement = Statement { path: "sql/probe.sql", text: Box::leak(text.into_boxed_str()) };
    statement.of(&shape).unwrap().to_string()
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

//! A Citus cluster on this machine: a coordinator, two nodes and another one that may join. `KALENDS_CITUS` names the
//! programs of a PostgreSQL that has Citus, see `tests/citus/README.md`.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock};

use crate::kit::versions::{program, runs, servers_user};
use crate::kit::{self, WRITER, World};

/// The coordinator is server 0.
const SERVERS: u16 = 4;
const FIRST_PORT: u16 = 9700;

/// Node 2 computes in another time zone and prints dates otherwise, if nobody pins that.
const SETTINGS: &str = "
shared_preload_libraries = 'citus'
listen_addresses = ''
max_prepared_transactions = 200
max_connections = 200
wal_level = logical
log_statement = 'all'
citus.node_conninfo = 'sslmode=prefer'
citus.shard_count = 4
citus.recover_2pc_interval = '1s'
";
const STRANGE: &str = "TimeZone = 'Asia/Tokyo'\nDateStyle = 'German'\nextra_float_digits = -10\n";

pub struct Cluster {
    programs: PathBuf,
    pub folder: PathBuf,
    _alive: ChildStdin,
}

/// The cluster, for one test at a time: some of them kill its servers. `None`, loudly, where there is none.
pub fn cluster(what: &str) -> Option<MutexGuard<'static, Cluster>> {
    static CLUSTER: OnceLock<Option<Mutex<Cluster>>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| {
        let named = PathBuf::from(std::env::var_os("KALENDS_CITUS")?);
        let programs = if named.join("bin").exists() { named.join("bin") } else { named };
        Some(Mutex::new(Cluster::start(programs)))
    });
    if cluster.is_none() {
        eprintln!("NOT CHECKED: {what}: no cluster, KALENDS_CITUS names no PostgreSQL with Citus");
    }
    let cluster = cluster.as_ref()?.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // An earlier test may have failed with one of them down.
    (0..SERVERS).for_each(|server| cluster.up(server));
    Some(cluster)
}

impl Cluster {
    fn start(programs: PathBuf) -> Self {
        let folder = PathBuf::from(format!("/tmp/kalends-citus-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        if let Some((user, group)) = servers_user() {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let place = folder.display();
        let mut initdb = program(&programs, "initdb");
        initdb.args(["--username=kalends", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        runs(initdb.arg(folder.join("0")), "");
        let settings = format!("{SETTINGS}unix_socket_directories = '{place}'\ncitus.local_hostname = '{place}'\n");
        append(&folder.join("0/postgresql.conf"), &settings);
        for server in 1..SERVERS {
            let copied =
                Command::new("cp").arg("-a").arg(folder.join("0")).arg(folder.join(server.to_string())).status();
            assert!(copied.unwrap().success());
        }
        append(&folder.join("2/postgresql.conf"), STRANGE);
        let stop = format!("{}/pg_ctl -D {place}/$n -m immediate stop", programs.display());
        let stop = match servers_user() {
            Some((user, group)) => format!("setpriv --reuid {user} --regid {group} --clear-groups {stop}"),
            None => stop,
        };
        let script = format!("cat >/dev/null; for n in 0 1 2 3; do {stop}; done; rm -rf {place}");
        let mut watcher = Command::new("sh");
        watcher.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let alive = watcher.process_group(0).spawn().unwrap().stdin.take().unwrap();
        let cluster = Self { programs, folder, _alive: alive };
        for server in 0..SERVERS {
            cluster.up(server);
            kit::run_sql(&cluster.url(server, "kalends", "postgres"), &format!("CREATE ROLE {WRITER} LOGIN"));
        }
        cluster
    }

    /// Starts a server, if it is not running.
    pub fn up(&self, server: u16) {
        let running = self.control(server, &["status"]).stdout(Stdio::null()).status().unwrap().success();
        if running {
            return;
        }
        let (options, log) = (format!("-p {}", FIRST_PORT + server), self.log(server));
        let mut start = self.control(server, &["-w", "-t", "120", "-o", &options, "-l", &log, "start"]);
        assert!(start.stdout(Stdio::null()).status().unwrap().success(), "{}", fs::read_to_string(log).unwrap());
    }

    /// Ends a server as a crash does.
    pub fn down(&self, server: u16) {
        let mut stop = self.control(server, &["-m", "immediate", "stop"]);
        assert!(stop.stdout(Stdio::null()).status().unwrap().success());
    }

    pub fn log(&self, server: u16) -> String {
        self.folder.join(format!("{server}.log")).display().to_string()
    }

    fn control(&self, server: u16, arguments: &[&str]) -> Command {
        let mut control = program(&self.programs, "pg_ctl");
        control.arg("-D").arg(self.folder.join(server.to_string())).args(arguments).stdin(Stdio::null());
        control
    }

    pub fn url(&self, server: u16, role: &str, database: &str) -> String {
        let host = self.folder.display().to_string().replace('/', "%2F");
        format!("postgresql://{role}@{host}:{}/{database}", FIRST_PORT + server)
    }

    /// Lets a further node into a database's cluster.
    pub fn joins(&self, server: u16, database: &str) {
        let place = self.folder.display();
        let add = format!("SELECT citus_add_node('{place}', {})", FIRST_PORT + server);
        kit::run_sql(&self.url(0, "kalends", database), &add);
    }

    /// A world whose warehouse is a database of this cluster. Its settings do not say so yet.
    pub fn unsettled(&self) -> World {
        let mut world = World::new();
        let name = world.production_url.rsplit('/').next().unwrap().to_string();
        for server in 0..SERVERS {
            kit::run_sql(
                &self.url(server, "kalends", "postgres"),
                &format!("CREATE DATABASE {name} TEMPLATE template0"),
            );
            kit::run_sql(&self.url(server, "kalends", &name), "CREATE EXTENSION citus");
        }
        let coordinator = self.url(0, "kalends", &name);
        let place = self.folder.display();
        kit::run_sql(&coordinator, &format!("SELECT citus_set_coordinator_host('{place}', {FIRST_PORT})"));
        (1..=2).for_each(|server| self.joins(server, &name));
        let schemas = ["kalends", "kalends_raw", "kalends_stats"]
            .map(|schema| format!("CREATE SCHEMA {schema}; ALTER SCHEMA {schema} OWNER TO {WRITER};"));
        kit::run_sql(&coordinator, &schemas.concat());
        world.warehouse_url = coordinator;
        world.writer_url = self.url(0, WRITER, &name);
        world
    }

    /// The same, and its settings say that the warehouse is a cluster.
    pub fn world(&self) -> World {
        let world = self.unsettled();
        world.settings(CLUSTER);
        world
    }
}

pub const CLUSTER: &str = "[warehouse]\ncluster = \"citus\"\n";

fn append(path: &std::path::Path, text: &str) {
    let written = fs::read_to_string(path).unwrap() + text;
    fs::write(path, written).unwrap();
}

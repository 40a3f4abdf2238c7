//! Two private servers, with the roles that the binary has there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use super::{BINARY, GRANTS, READER, WRITER, ask, kalends, run_sql, versions};

/// Two private servers for all the tests of this process.
pub struct Servers {
    pub folder: PathBuf,
    pub sockets: PathBuf,
    /// The watcher reads it: it ends with this process, however that ends, and then the watcher stops the servers.
    _alive: Option<ChildStdin>,
}

/// The folder of servers that outlive this process: `tests/mutants` starts it a thousand times, and stops them itself.
const KEPT: &str = "KALENDS_TEST_SERVERS";

pub fn servers() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let kept = std::env::var_os(KEPT).map(PathBuf::from);
        let folder = kept.clone().unwrap_or_else(|| format!("{}/kalends-it-{}", place(), std::process::id()).into());
        versions::begin(&folder);
        Servers::running(folder, &[], kept.is_none())
    })
}

/// Where servers are made: in memory, if there is room for them. Tests of disks and power make places of their own.
fn place() -> &'static str {
    const MEMORY: &str = "/dev/shm";
    const ROOM: u64 = 4 << 30;
    let room = rustix::fs::statvfs(MEMORY).map_or(0, |found| found.f_bavail * found.f_frsize);
    if room >= ROOM { MEMORY } else { "/tmp" }
}

impl Servers {
    /// With these variables for the command that starts them.
    pub fn start_with(folder: PathBuf, variables: &[(&str, &str)]) -> Self {
        Self::running(folder, variables, true)
    }

    fn running(folder: PathBuf, variables: &[(&str, &str)], are_watched: bool) -> Self {
        let place = folder.display().to_string();
        versions::make(&folder);
        let variables = [&[("KALENDS_LOCAL", place.as_str())], variables].concat();
        let started = kalends(&["local", "start", "--json"], &variables);
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        let status: serde_json::Value = serde_json::from_slice(&started.stdout).unwrap();
        let url = status["production"]["url"].as_str().unwrap();
        let sockets = url.split("host=").nth(1).unwrap().split('&').next().unwrap();
        let stop = format!("cat >/dev/null; KALENDS_LOCAL={place} {BINARY} local stop -q; rm -rf {place}");
        let mut watcher = Command::new("sh");
        watcher.args(["-c", &stop]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A Ctrl-C in the terminal of the tests is not meant for it.
        std::os::unix::process::CommandExt::process_group(&mut watcher, 0);
        let alive = are_watched.then(|| watcher.spawn().unwrap().stdin.take().unwrap());
        let servers = Self { sockets: PathBuf::from(sockets.replace("%2F", "/")), folder, _alive: alive };
        // Roles are the server's, not a database's, so they are made once: two sessions could not make them at a time.
        servers.psql("production", &["-v", &format!("reader={READER}"), "-v", "schema=public", "-f", GRANTS]);
        servers.psql("warehouse", &["-v", &format!("writer={WRITER}"), "-f", GRANTS]);
        servers.admit(5432, READER, "trust");
        servers.admit(5433, WRITER, "trust");
        servers
    }

    /// Lets a role log in. For as long as the server runs: at each start the file of who may log in is written anew.
    pub fn admit(&self, port: u16, role: &str, method: &str) {
        let maintenance = self.url(port, "kalends", "postgres");
        let access = ask(&maintenance, "SHOW hba_file").remove(0);
        let known = fs::read_to_string(&access).unwrap();
        let line = format!("local all {role} {method}\n");
        if !known.contains(&line) {
            fs::write(&access, line.clone() + &known).unwrap();
        }
        run_sql(&maintenance, "SELECT pg_reload_conf()");
        let begun = Instant::now();
        // A role that has to give a password is asked for it, and one that is not admitted is refused.
        let refused = |error: &postgres::Error| error.as_db_error().is_some();
        while Client::connect(&self.url(port, role, "postgres"), NoTls).is_err_and(|error| refused(&error)) {
            assert!(begun.elapsed() < Duration::from_secs(20), "the server does not take over {access}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn psql(&self, side: &str, arguments: &[&str]) {
        psql(&self.folder, side, arguments);
    }

    pub fn url(&self, port: u16, role: &str, database: &str) -> String {
        let host = self.sockets.display().to_string().replace('/', "%2F");
        format!("postgresql://{role}@{host}:{port}/{database}")
    }
}

/// Runs psql on one of the two servers that live in a folder, as a superuser.
pub fn psql(folder: &Path, side: &str, arguments: &[&str]) {
    let all = [&["local", "psql", side, "--", "-Xq", "-v", "ON_ERROR_STOP=1"], arguments].concat();
    let ran = kalends(&all, &[("KALENDS_LOCAL", &folder.display().to_string())]);
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

//! A pair of servers for one test alone: it may stop them, and read their logs.

mod standby;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::kit::versions;
use crate::kit::{BINARY, READER, Servers, WRITER, World, ask, kalends, run_sql};
pub use standby::Standby;

/// Where servers of Linux distributions read time zones. Others come with theirs.
const ZONES: &str = "/usr/share/zoneinfo";

/// Where a side's servers read time zones.
fn zones(side: Side) -> PathBuf {
    let own = |programs: PathBuf| programs.parent().unwrap().join("share/postgresql/timezone");
    let own = versions::asked(side.name()).map(own).filter(|own| own.is_dir());
    own.unwrap_or_else(|| PathBuf::from(ZONES))
}

static PAIRS: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Production,
    Warehouse,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Warehouse => "warehouse",
        }
    }

    pub fn port(self) -> u16 {
        match self {
            Self::Production => 5432,
            Self::Warehouse => 5433,
        }
    }
}

pub struct OwnServers {
    servers: Servers,
    data: PathBuf,
    /// `PATH` of whoever starts them.
    path: String,
    /// In which surroundings a server is started, if it is not the usual one.
    surroundings: RefCell<BTreeMap<&'static str, Vec<String>>>,
}

impl OwnServers {
    pub fn new() -> Self {
        Self::on_path(&std::env::var("PATH").unwrap())
    }

    /// Servers of the PostgreSQL that is found first on this `PATH`.
    pub fn on_path(path: &str) -> Self {
        let number = PAIRS.fetch_add(1, Ordering::Relaxed);
        let place = PathBuf::from(format!("/tmp/kalends-own-{}-{number}", std::process::id()));
        let servers = Servers::start_with(place.clone(), &[("PATH", path)]);
        let told = kalends(&["local", "status", "--json"], &[("KALENDS_LOCAL", &place.display().to_string())]);
        let status: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        Self {
            servers,
            data: PathBuf::from(status["folder"].as_str().unwrap()),
            path: path.to_string(),
            surroundings: RefCell::default(),
        }
    }

    pub fn world(&self) -> World {
        World::on(&self.servers)
    }

    /// A world made with these options of CREATE DATABASE, of production and of the warehouse.
    pub fn world_made(&self, options: [&str; 2]) -> World {
        World::made(&self.servers, options)
    }

    /// Settings of a server that it takes over when it is started again, which is done here.
    pub fn set(&self, side: Side, settings: &[&str]) {
        for setting in settings {
            run_sql(&self.maintenance(side), &format!("ALTER SYSTEM SET {setting}"));
        }
        self.stop();
        self.start_again();
    }

    /// Where the server's programs are.
    pub fn programs(&self, side: Side) -> PathBuf {
        ask(&self.maintenance(side), "SELECT setting FROM pg_config WHERE name = 'BINDIR'").remove(0).into()
    }

    /// Of the database for maintenance, which no test fills.
    pub fn maintenance(&self, side: Side) -> String {
        self.servers.url(side.port(), "kalends", "postgres")
    }

    /// What `pg_ctl stop -m immediate` does: no goodbye to anybody, nothing flushed. It may have ended by itself.
    pub fn stop_at_once(&self, side: Side) {
        self.stop_by("-QUIT", side);
    }

    /// Stops a server, at once or with a goodbye to everybody, and starts it in the surroundings that it had.
    pub fn restart(&self, side: Side, at_once: bool) {
        self.stop_by(if at_once { "-QUIT" } else { "-INT" }, side);
        let surroundings = self.surroundings.borrow().get(side.name()).cloned().unwrap_or_default();
        self.start_by(&surroundings.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn stop_by(&self, signal: &str, side: Side) {
        let Ok(pid_file) = fs::read_to_string(self.data.join(side.name()).join("postmaster.pid")) else { return };
        let pid = pid_file.lines().next().unwrap();
        Command::new("kill").args([signal, pid]).output().unwrap();
        let started = Instant::now();
        while Path::new("/proc").join(pid).exists() && started.elapsed() < Duration::from_secs(20) {
            sleep(Duration::from_millis(10));
        }
        assert!(!Path::new("/proc").join(pid).exists(), "the server does not end");
    }

    /// Both, as a service stops them: nothing is lost.
    pub fn stop(&self) {
        self.local("stop");
    }

    fn local(&self, command: &str) {
        let place = self.servers.folder.display().to_string();
        let variables = [("KALENDS_LOCAL", place.as_str()), ("PATH", self.path.as_str())];
        let ran = kalends(&["local", command], &variables);
        assert!(ran.status.success(), "local {command}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    pub fn start_again(&self) {
        self.start_by(&[]);
    }

    /// The same by a program that starts ours in some other surroundings.
    fn start_by(&self, surroundings: &[&str]) {
        let all = [surroundings, &[BINARY, "local", "start"]].concat();
        let mut starting = Command::new(all[0]);
        starting.args(&all[1..]).env("KALENDS_LOCAL", &self.servers.folder).env("PATH", self.path.as_str());
        let started = starting.output().unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        self.servers.admit(5432, READER, "trust");
        self.servers.admit(5433, WRITER, "trust");
    }

    /// Has a server listen on the network as well, and gives the address, at which no other server of any test does.
    pub fn listen(&self, side: Side) -> String {
        let [.., high, low] = std::process::id().to_be_bytes();
        let host = format!("127.78.{high}.{}", low.max(1));
        self.listen_at(side, &host, "127.0.0.0/8");
        host
    }

    /// The same at an address of this machine, for these others.
    pub fn listen_at(&self, side: Side, host: &str, others: &str) {
        let maintenance = self.maintenance(side);
        run_sql(&maintenance, &format!("ALTER SYSTEM SET listen_addresses = '{host}'"));
        self.stop_at_once(side);
        self.start_again();
        let access = ask(&maintenance, "SHOW hba_file").remove(0);
        let known = fs::read_to_string(&access).unwrap();
        fs::write(&access, format!("host all all {others} trust\n{known}")).unwrap();
        let before = ask(&maintenance, "SELECT pg_conf_load_time()").remove(0);
        run_sql(&maintenance, "SELECT pg_reload_conf()");
        let started = Instant::now();
        while ask(&maintenance, &format!("SELECT pg_conf_load_time() > '{before}'")) != ["t"] {
            assert!(started.elapsed() < Duration::from_secs(20), "the server does not read its files again");
            sleep(Duration::from_millis(20));
        }
    }

    /// Where the server keeps what it holds.
    pub fn data(&self, side: Side) -> PathBuf {
        self.data.join(side.name())
    }

    /// Copies a stopped server's files aside; the next call puts them back instead of what it has become.
    pub fn copy_or_put_back(&self, side: Side) {
        let (data, copy) = (self.data.join(side.name()), self.data.join("copy"));
        let script = "[ -e \"$2\" ] && rm -r \"$1\" && mv \"$2\" \"$1\" || cp -a \"$1\" \"$2\"";
        let done = Command::new("sh").args(["-ec", script, "sh"]).arg(&data).arg(&copy).status().unwrap();
        assert!(done.success(), "{}", data.display());
    }

    /// Lets a server read time zones from a folder of its own, which begins as the machine's; no restart is needed for
    /// what changes there later. `None`, said loudly, where this machine does not let us mount.
    pub fn own_zones(&self, side: Side) -> Option<Zones> {
        let mounts = ["unshare", "--mount", "--propagation", "private", "sh", "-c"];
        let zones = zones(side);
        let script = format!("mount --bind \"$0\" '{}' && exec \"$@\"", zones.display());
        let folder = self.data.join(format!("{}.zones", side.name()));
        let copied = Command::new("cp").arg("-a").args([&zones, &folder]).status().is_ok_and(|status| status.success());
        let place = folder.display().to_string();
        let surroundings = [&mounts[..], &[script.as_str(), place.as_str()]].concat();
        let may_mount = Command::new(surroundings[0]).args(&surroundings[1..]).args(["zic", "--version"]).output();
        if !copied || !may_mount.is_ok_and(|output| output.status.success()) {
            eprintln!("NOT TRIED: servers with other time zone data; that takes root, unshare, mount and zic");
            return None;
        }
        self.stop_at_once(side);
        self.start_by(&surroundings);
        let surroundings = surroundings.into_iter().map(str::to_string).collect();
        self.surroundings.borrow_mut().insert(side.name(), surroundings);
        Some(Zones { folder })
    }

    pub fn log(&self, side: Side) -> String {
        fs::read_to_string(self.data.join(format!("{}.log", side.name()))).unwrap()
    }
}

/// The time zones of one server alone.
pub struct Zones {
    pub folder: PathBuf,
}

impl Zones {
    /// Compiles the lines of a file of tzdata, such as `Zone Europe/Amsterdam 0:20 - +0020`, over what is there.
    /// Sessions that begin from now on see it.
    pub fn set(&self, lines: &str) {
        let source = self.folder.with_extension("source");
        fs::write(&source, format!("{lines}\n")).unwrap();
        let made = Command::new("zic").arg("-d").arg(&self.folder).arg(&source).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

//! A home for private servers, and what can be done to it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::kit::{BINARY, Ran};

/// `nobody`, who owns nothing that matters.
const ORDINARY: u32 = 65534;

/// A folder for private servers, whose they are, and an end to them whatever happens.
pub struct Home {
    pub folder: PathBuf,
    uid: Option<u32>,
    root: PathBuf,
    owned: bool,
}

impl Home {
    pub fn new() -> Self {
        Self::at("home")
    }

    pub fn at(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = Path::new("/tmp").join(format!("kalends-home-{}-{number}", std::process::id()));
        let folder = root.join(name).join(".kalends");
        fs::create_dir_all(root.join(name)).unwrap();
        Self { folder, uid: None, root, owned: true }
    }

    pub fn of_ordinary_user() -> Self {
        let mut home = Self::new();
        chown(home.folder.parent().unwrap(), Some(ORDINARY), Some(ORDINARY)).unwrap();
        home.uid = Some(ORDINARY);
        home
    }

    /// The same folder for somebody else; the first one still cleans it up.
    pub fn by(&self, uid: Option<u32>) -> Self {
        Self { folder: self.folder.clone(), uid, root: self.root.clone(), owned: false }
    }

    pub fn by_root(&self) -> Self {
        self.by(None)
    }

    pub fn by_ordinary_user(&self) -> Self {
        self.by(Some(ORDINARY))
    }

    pub fn as_user(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KALENDS_") || name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("KALENDS_LOCAL", &self.folder).current_dir("/").stdin(Stdio::null());
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        command
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut program = PathBuf::from(BINARY);
        if self.uid.is_some() {
            // The ordinary user may not be allowed into the folder of the build.
            program = self.root.join("kalends");
            if !program.exists() {
                fs::copy(BINARY, &program).unwrap();
            }
        }
        let mut command = self.as_user(&program);
        command.args(arguments);
        command
    }

    pub fn local(&self, what: &str) -> Ran {
        Ran::of(self.command(&["local", what]).output().unwrap(), what)
    }

    pub fn psql(&self, server: &str, statement: &str) -> Command {
        self.command(&["local", "psql", server, "--", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement])
    }

    #[track_caller]
    pub fn sql(&self, server: &str, statement: &str) {
        self.answers(server, statement, "");
    }

    /// psql prints exactly this.
    #[track_caller]
    pub fn answers(&self, server: &str, statement: &str, answer: &str) {
        let ran = Ran::of(self.psql(server, statement).output().unwrap(), statement);
        ran.succeeds();
        assert_eq!(ran.stdout.trim_end(), answer, "{}", ran.stderr);
    }

    pub fn data(&self) -> PathBuf {
        fs::canonicalize(self.folder.join("data")).unwrap()
    }

    /// Where the sockets are while the servers run.
    pub fn sockets(&self) -> PathBuf {
        let status = Ran::of(self.command(&["local", "status", "--json"]).output().unwrap(), "local status").json();
        let url = status["production"]["url"].as_str().unwrap();
        PathBuf::from(url.split_once("host=").unwrap().1.split_once('&').unwrap().0)
    }

    pub fn pid(&self, server: &str) -> u32 {
        let text = fs::read_to_string(self.data().join(server).join("postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }

    /// Kills the first process of a server, and waits until it is dead: nobody listens any more.
    pub fn kill_server(&self, server: &str) {
        let killed = Command::new("kill").args(["-KILL", &self.pid(server).to_string()]).status().unwrap();
        assert!(killed.success());
        let port = if server == "production" { 5432 } else { 5433 };
        let socket = self.data().join(format!("socket/.s.PGSQL.{port}"));
        while UnixStream::connect(&socket).is_ok() {
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until production works on a statement. Asked past Kalends, which would become a user of the servers.
    pub fn wait_for_statement(&self, text: &str) {
        let asked = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE state = 'active' AND pid <> pg_backend_pid() AND position('{text}' IN query) > 0"
        );
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            let mut psql = self.as_user(Path::new("psql"));
            psql.args(["-U", "kalends", "-d", "production_data", "-XAtc", &asked, "-h"])
                .arg(self.data().join("socket"));
            if psql.output().unwrap().stdout == b"1\n" {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("no statement {text} within a minute");
    }

    /// `kalends local start` where a script has changed what is mounted, for this command alone; `None` for others than
    /// root.
    pub fn in_namespace(&self, script: &str) -> Option<Ran> {
        let may = Command::new("unshare").args(["--mount", "true"]).output().is_ok_and(|tried| tried.status.success());
        if !is_root() || !may {
            eprintln!("not tried: only root can hide PostgreSQL or fill a disk, where containers let it");
            return None;
        }
        fs::create_dir_all(&self.folder).unwrap();
        let script = format!("set -e\n{script}\n'{BINARY}' local start\n'{BINARY}' local stop");
        let mut unshare = self.as_user(Path::new("unshare"));
        Some(Ran::of(unshare.args(["--mount", "/bin/sh", "-c", &script]).output().unwrap(), &script))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !self.owned {
            return;
        }
        let stopped = self.command(&["local", "stop"]).status().is_ok_and(|status| status.success());
        let elsewhere = fs::canonicalize(self.folder.join("data")).ok().filter(|data| data.starts_with("/var/lib"));
        if let Some(elsewhere) = elsewhere {
            let _ = fs::remove_dir_all(elsewhere);
        }
        let removed = fs::remove_dir_all(&self.root);
        if !std::thread::panicking() {
            assert!(stopped, "the servers stop at the end");
            removed.unwrap();
        }
    }
}

pub fn is_root() -> bool {
    fs::metadata("/proc/self").map_or_else(|_| fs::File::open("/etc/shadow").is_ok(), |itself| itself.uid() == 0)
}

//! The private servers, through `kalends local`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const KALENDS: &str = env!("CARGO_BIN_EXE_kalends");

/// `nobody`, who owns nothing that matters.
const ORDINARY: u32 = 65534;

#[test]
fn servers_that_a_person_starts_stay_until_they_are_stopped() {
    let home = Home::new();
    home.local("status").fails_with(3).says("production  is down");
    home.local("stop").succeeds();

    home.local("start").succeeds().says("production  runs");
    home.local("status").succeeds();
    home.sql("production", "SELECT current_database(), current_user").prints("production_data|kalends");
    home.sql("warehouse", "SELECT current_database(), current_user").prints("warehouse_data|kalends");
    home.local("start").succeeds();
    home.local("status").succeeds();

    home.local("stop").succeeds().says("warehouse   is down");
    home.local("status").fails_with(3);
    home.local("stop").succeeds();
}

#[test]
fn a_command_that_finds_no_servers_starts_them_and_stops_them_and_the_rows_stay() {
    let home = Home::new();
    home.sql("production", "CREATE TABLE entity AS SELECT 7 AS value").succeeds();
    home.local("status").fails_with(3);
    home.sql("production", "SELECT value FROM entity").prints("7");
    home.local("status").fails_with(3);
}

#[test]
fn production_is_marked_as_a_test_source_and_both_are_durable_and_closed_to_the_network() {
    let home = Home::new();
    let settings = "SELECT current_setting('kalends.test_source', true), current_setting('fsync'),
                           current_setting('data_checksums'), current_setting('listen_addresses'),
                           current_setting('server_encoding'), current_setting('TimeZone')";
    home.local("start").succeeds();
    home.sql("production", settings).prints("on|on|on||UTF8|UTC");
    home.sql("warehouse", settings).prints("|on|on||UTF8|UTC");
}

#[test]
fn commands_at_once_share_the_servers_and_the_last_one_stops_them() {
    let home = Home::new();
    for _ in 0..3 {
        let commands: Vec<Child> = (0..8)
            .map(|number| {
                let mut command = home.psql("warehouse", &format!("SELECT {number}, pg_sleep({number} / 20.0)"));
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for (number, command) in commands.into_iter().enumerate() {
            Said(command.wait_with_output().unwrap()).prints(&format!("{number}|"));
        }
        home.local("status").fails_with(3);
    }
}

#[test]
fn servers_that_are_stopped_while_a_command_uses_them_stop_when_it_ends() {
    let home = Home::new();
    home.local("start").succeeds();
    let command = home.psql("production", "SELECT pg_sleep(2), 'done'").stdout(Stdio::piped()).spawn().unwrap();
    home.wait_for_statement("pg_sleep(2)");

    home.local("stop").succeeds();
    home.local("status").succeeds();
    Said(command.wait_with_output().unwrap()).prints("|done");
    home.local("status").fails_with(3);
}

#[test]
fn a_killed_server_recovers_at_the_next_command() {
    let home = Home::new();
    home.local("start").succeeds();
    home.sql("production", "CREATE TABLE entity AS SELECT 7 AS value").succeeds();
    for server in ["production", "warehouse"] {
        kill("KILL", home.pid(server));
    }
    home.sql("production", "SELECT value FROM entity").prints("7");
    // They were kept until they were killed; now they are a command's.
    home.local("status").fails_with(3);
}

#[test]
fn a_killed_server_is_started_beside_the_one_that_runs() {
    let home = Home::new();
    home.local("start").succeeds();
    kill("KILL", home.pid("warehouse"));
    let production = home.pid("production");
    home.sql("warehouse", "SELECT 7").prints("7");
    home.local("status").succeeds();
    assert_eq!(home.pid("production"), production);
}

#[test]
fn a_killed_command_leaves_servers_that_the_next_one_uses_and_stops() {
    let home = Home::new();
    home.local("start").succeeds();
    home.local("stop").succeeds();
    let mut command = home.psql("production", "SELECT pg_sleep(1)").stdout(Stdio::null()).spawn().unwrap();
    home.wait_for_statement("pg_sleep(1)");
    command.kill().unwrap();
    command.wait().unwrap();

    home.local("status").succeeds();
    home.sql("production", "SELECT 7").prints("7");
    home.local("status").fails_with(3);
}

#[test]
fn a_command_killed_while_it_makes_the_servers_leaves_no_half_of_one() {
    let home = Home::new();
    for ms in [5, 20, 80, 200, 400] {
        let mut command = home.command(&["local", "start"]).stdout(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(ms));
        command.kill().unwrap();
        command.wait().unwrap();
    }
    home.sql("production", "SELECT current_database()").prints("production_data");
    home.sql("warehouse", "SELECT current_database()").prints("warehouse_data");
    home.local("status").fails_with(3);
}

#[test]
fn a_pid_file_that_names_a_process_of_somebody_else_is_no_hindrance() {
    let home = Home::new();
    home.local("start").succeeds();
    let pid_file = home.data().join("production/postmaster.pid");
    let owner = fs::metadata(&pid_file).unwrap();
    let text = fs::read_to_string(&pid_file).unwrap();
    home.local("stop").succeeds();

    // PostgreSQL takes any process of its own user for itself.
    let mut sleeping = Command::new("sleep");
    sleeping.arg("60");
    if is_root() {
        sleeping.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = sleeping.spawn().unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", stranger.id())).unwrap();
    chown(&pid_file, Some(owner.uid()), Some(owner.gid())).unwrap();

    home.local("status").fails_with(3);
    let started = home.local("start");
    let alive = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    started.succeeds();
    assert!(alive, "the other process was left alone");
}

#[test]
fn a_folder_too_deep_for_a_socket_has_its_sockets_in_tmp_and_nobody_else_can_make_them_first() {
    let home = Home::at(&"a folder's name, long ".repeat(8));
    let url = home.local("start").succeeds().line("production  runs");
    let encoded = url.split_once("host=").unwrap().1.split_once('&').unwrap().0;
    let sockets = Path::new(encoded);
    assert!(sockets.starts_with("/tmp"), "{url}");
    assert_eq!(fs::metadata(sockets).unwrap().mode() & 0o777, 0o700);
    home.sql("production", "SELECT 7").prints("7");
    home.local("stop").succeeds();
    assert!(!sockets.exists());

    fs::create_dir(sockets).unwrap();
    fs::set_permissions(sockets, Permissions::from_mode(0o777)).unwrap();
    let refused = home.local("start");
    fs::remove_dir(sockets).unwrap();
    refused.fails_with(4).complains("is not a folder of the servers' user alone");
    home.sql("production", "SELECT 7").prints("7");
}

#[test]
fn a_ctrl_c_typed_later_in_the_same_terminal_does_not_reach_the_servers() {
    let home = Home::new();
    let script = format!("'{KALENDS}' local start; trap '' INT; kill -INT 0");
    let mut terminal = home.as_user(Path::new("/bin/sh"));
    terminal.args(["-c", &script]).process_group(0).stdout(Stdio::null());
    assert!(terminal.status().unwrap().success());
    home.local("status").succeeds();
}

#[test]
fn nothing_that_reads_the_output_of_start_waits_for_the_servers_to_end() {
    let home = Home::new();
    // `output` reads until everybody who has the pipe open has closed it.
    let begun = Instant::now();
    home.local("start").succeeds();
    assert!(begun.elapsed() < Duration::from_secs(60));
    home.local("status").succeeds();
}

#[test]
fn rows_of_a_version_that_is_not_installed_are_left_alone() {
    let home = Home::new();
    home.local("start").succeeds();
    home.local("stop").succeeds();
    let version = home.data().join("production/PG_VERSION");
    let installed = fs::read_to_string(&version).unwrap();

    fs::write(&version, "99\n").unwrap();
    home.local("start").fails_with(1).complains("was made by PostgreSQL 99, which this machine does not have");
    home.local("status").fails_with(3);
    fs::write(&version, installed).unwrap();
    home.local("start").succeeds();
}

#[test]
fn a_machine_without_postgresql_says_so_and_how_to_install_it() {
    let home = Home::new();
    let Some(hidden) = home.in_namespace(
        "for folder in /usr/lib/postgresql /usr/local/pgsql; do
             [ ! -d $folder ] || mount -t tmpfs none $folder
         done
         PATH=/nowhere",
    ) else {
        return;
    };
    hidden
        .fails_with(1)
        .complains("error: this machine has no PostgreSQL server programs")
        .complains("hint: Install it");
}

#[test]
fn a_full_disk_is_named_and_when_there_is_room_the_servers_start() {
    let home = Home::new();
    let Some(full) = home.in_namespace("mount -t tmpfs -o size=30m none \"$KALENDS_LOCAL\"") else { return };
    full.fails_with(1).complains("No space left on device").complains("hint: Make room where");

    // Room for one of the two at most, and for neither to write on: whatever it is that fails, it is said in one line.
    for size in ["45m", "60m", "80m", "100m", "120m"] {
        let mounted = format!(
            "mount -t tmpfs -o size={size} none \"$KALENDS_LOCAL\"
             '{KALENDS}' local start || {{
                 [ $? = 1 ] || exit 99
                 mount -o remount,size=1g \"$KALENDS_LOCAL\"
             }}
             '{KALENDS}' local stop"
        );
        let Some(later) = home.in_namespace(&mounted) else { return };
        later.succeeds();
    }
}

#[test]
fn root_keeps_the_data_where_the_servers_user_can_reach_it() {
    if !is_root() {
        return eprintln!("not tried: only root has a folder that the servers' user cannot reach");
    }
    let home = Home::new();
    let parent = home.folder.parent().unwrap();
    fs::set_permissions(parent, Permissions::from_mode(0o700)).unwrap();
    home.sql("production", "CREATE TABLE entity AS SELECT 7 AS value").succeeds();
    let data = home.data();
    assert!(data.starts_with("/var/lib/kalends"), "{}", data.display());
    home.local("status").says(&data.display().to_string());

    // Reachable or not, it is found again; but a new folder of the same name begins anew.
    fs::set_permissions(parent, Permissions::from_mode(0o755)).unwrap();
    home.sql("production", "SELECT value FROM entity").prints("7");
    fs::set_permissions(parent, Permissions::from_mode(0o700)).unwrap();
    fs::remove_dir_all(&home.folder).unwrap();
    home.sql("production", "SELECT to_regclass('entity')").prints("");
    assert_ne!(home.data(), data);
    fs::remove_dir_all(data).unwrap();
}

#[test]
fn a_folder_of_root_is_refused_to_others_and_one_of_others_is_served_for_root() {
    if !is_root() {
        return eprintln!("not tried: only root can be two users");
    }
    let theirs = Home::of_ordinary_user();
    theirs.sql("production", "CREATE TABLE entity AS SELECT 7 AS value").succeeds();
    theirs.by_root().sql("production", "SELECT value FROM entity").prints("7");
    theirs.by_root().local("start").succeeds();
    theirs.sql("production", "SELECT value FROM entity").prints("7");
    theirs.local("stop").succeeds();

    let ours = Home::new();
    ours.local("start").succeeds();
    ours.by_ordinary_user().local("status").fails_with(1).complains("belong to user \"root\"");
    ours.by_ordinary_user().local("start").fails_with(1).complains("belong to user \"root\"");
    let sockets = ours.data().join("socket");
    let knocked = ours.by_ordinary_user().as_user(Path::new("ls")).arg(&sockets).output().unwrap();
    assert!(!knocked.status.success(), "the sockets of root's servers are out of others' reach");
}

#[test]
fn a_narrow_umask_does_not_lock_the_servers_out() {
    let home = Home::new();
    let mut shell = home.as_user(Path::new("/bin/sh"));
    let narrow = shell.args(["-c", &format!("umask 077; '{KALENDS}' local start")]).output().unwrap();
    Said(narrow).succeeds();
    home.sql("production", "SELECT 7").prints("7");
}

/// A folder for private servers, whose they are, and an end to them whatever happens.
struct Home {
    folder: PathBuf,
    uid: Option<u32>,
    root: PathBuf,
    owned: bool,
}

impl Home {
    fn new() -> Self {
        Self::at("home")
    }

    fn at(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let root = Path::new("/tmp").join(format!("kalends-it-{}-{number}", std::process::id()));
        let folder = root.join(name).join(".kalends");
        fs::create_dir_all(root.join(name)).unwrap();
        Self { folder, uid: None, root, owned: true }
    }

    fn of_ordinary_user() -> Self {
        let mut home = Self::new();
        chown(home.folder.parent().unwrap(), Some(ORDINARY), Some(ORDINARY)).unwrap();
        home.uid = Some(ORDINARY);
        home
    }

    /// The same folder for somebody else; the first one still cleans it up.
    fn by(&self, uid: Option<u32>) -> Self {
        Self { folder: self.folder.clone(), uid, root: self.root.clone(), owned: false }
    }

    fn by_root(&self) -> Self {
        self.by(None)
    }

    fn by_ordinary_user(&self) -> Self {
        self.by(Some(ORDINARY))
    }

    fn as_user(&self, program: &Path) -> Command {
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

    fn command(&self, arguments: &[&str]) -> Command {
        let mut program = PathBuf::from(KALENDS);
        if self.uid.is_some() {
            // The ordinary user may not be allowed into the folder of the build.
            program = self.root.join("kalends");
            if !program.exists() {
                fs::copy(KALENDS, &program).unwrap();
            }
        }
        let mut command = self.as_user(&program);
        command.args(arguments);
        command
    }

    fn local(&self, what: &str) -> Said {
        Said(self.command(&["local", what]).output().unwrap())
    }

    fn psql(&self, server: &str, statement: &str) -> Command {
        self.command(&["local", "psql", server, "--", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement])
    }

    fn sql(&self, server: &str, statement: &str) -> Said {
        Said(self.psql(server, statement).output().unwrap())
    }

    fn data(&self) -> PathBuf {
        fs::canonicalize(self.folder.join("data")).unwrap()
    }

    fn pid(&self, server: &str) -> u32 {
        let text = fs::read_to_string(self.data().join(server).join("postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }

    /// Waits until production works on a statement. Asked past Kalends, which would become a user of the servers.
    fn wait_for_statement(&self, text: &str) {
        let asked = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE state = 'active' AND pid <> pg_backend_pid() AND position('{text}' IN query) > 0"
        );
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            let sockets = self.data().join("socket");
            let mut psql = self.as_user(Path::new("psql"));
            psql.args(["-U", "kalends", "-d", "production_data", "-XAtc", &asked, "-h"]).arg(sockets);
            if psql.output().unwrap().stdout == b"1\n" {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("no statement {text} within a minute");
    }

    /// `kalends local start` where a script has changed what is mounted, for this command alone; `None` for others than
    /// root.
    fn in_namespace(&self, script: &str) -> Option<Said> {
        if !is_root() {
            eprintln!("not tried: only root can hide PostgreSQL or fill a disk");
            return None;
        }
        fs::create_dir_all(&self.folder).unwrap();
        let script = format!("set -e\n{script}\n'{KALENDS}' local start\n'{KALENDS}' local stop");
        let mut unshare = self.as_user(Path::new("unshare"));
        Some(Said(unshare.args(["--mount", "/bin/sh", "-c", &script]).output().unwrap()))
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

/// What a command answered.
struct Said(Output);

impl Said {
    #[track_caller]
    fn succeeds(&self) -> &Self {
        self.fails_with(0)
    }

    #[track_caller]
    fn fails_with(&self, code: i32) -> &Self {
        assert_eq!(self.0.status.code(), Some(code), "{}{}", self.stdout(), self.stderr());
        self
    }

    #[track_caller]
    fn prints(&self, text: &str) -> &Self {
        self.succeeds();
        assert_eq!(self.stdout().trim_end(), text, "{}", self.stderr());
        self
    }

    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        assert!(self.stdout().contains(text), "{text:?} in {}", self.stdout());
        self
    }

    #[track_caller]
    fn complains(&self, text: &str) -> &Self {
        assert!(self.stderr().contains(text), "{text:?} in {}", self.stderr());
        self
    }

    #[track_caller]
    fn line(&self, beginning: &str) -> String {
        let stdout = self.stdout();
        stdout.lines().find(|line| line.starts_with(beginning)).unwrap().to_owned()
    }

    fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").map_or_else(|_| fs::File::open("/etc/shadow").is_ok(), |itself| itself.uid() == 0)
}

fn kill(signal: &str, pid: u32) {
    let killed = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}

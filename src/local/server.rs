//! One private server: creates, starts and stops it.

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::num::NonZero;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::binaries::{self, Installation};
use super::folder::{self, Folder, Lock};
use super::side::{ROLE, Side};
use super::traces::{PidFile, has_stopped_child, is_alive, telling_line};
use crate::error::{Refusal, Result};

/// How often to check a server that starts or stops. A start takes some 100 ms.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long a server may take to recover from a kill, or to write its memory to disk: up to 4 GB of write-ahead log,
/// read and written on a slow disk.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long to wait for a fast shutdown, which waits for every session to end, if a process of the server is stopped.
const STOPPED: Duration = Duration::from_secs(2);

/// How long to wait for a fast shutdown in any case. If it meets a server during recovery, it may wait for ever for the
/// checkpointer, which is never told to end (PostgreSQL 15).
const FAST: Duration = Duration::from_secs(60);

/// How long a killed process may take to disappear after it has released its lock.
const DYING: Duration = Duration::from_secs(2);

/// A larger log is set aside at the next start, and replaces the one that was set aside before.
const LOG_BYTES: u64 = 1024 * 1024;

/// A disk with less free space is full: PostgreSQL writes its log in files of 16 MiB.
const FULL_BYTES: u64 = 1024 * 1024;

/// How many processes help with a statement by PostgreSQL's own default.
const USUAL_WORKERS: usize = 2;

/// What is set besides what `initdb` found out about the machine. Sizes are for a few million rows on a laptop.
/// Durability is PostgreSQL's default, so these servers behave like real ones.
const SETTINGS: &str = "\
listen_addresses = ''
unix_socket_permissions = 0700
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = off
log_destination = stderr
log_checkpoints = off
";

/// A private server and its folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Server<'a> {
    folder: &'a Folder,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Down,
    /// It starts or stops, or the last processes of a killed server remain.
    Changing,
    Ready,
}

/// A start by this command. It distinguishes its log and pid from those of earlier starts.
struct Launch {
    pid: u32,
    log_bytes: u64,
}

impl<'a> Server<'a> {
    pub(super) fn new(folder: &'a Folder, side: Side) -> Self {
        Self { folder, side }
    }

    /// Whether it runs and accepts connections.
    pub(super) fn is_ready(&self) -> Result<bool> {
        Ok(self.state()? == State::Ready)
    }

    /// Creates it if it does not exist, starts it if it is down, and waits until it accepts connections.
    pub(super) fn start(&self, installed: &[Installation]) -> Result<()> {
        let begun = Instant::now();
        let mut launch: Option<Launch> = None;
        while begun.elapsed() < PATIENCE {
            match (self.state()?, &launch) {
                (State::Ready, None) => return Ok(()),
                // The pid file may still be that of a server that was killed.
                (State::Ready, Some(ours)) if self.pid_file().is_some_and(|file| file.is_of(ours.pid)) => return Ok(()),
                (State::Down, Some(ours)) => return Err(self.failure(ours)),
                (State::Down, None) => {
                    // Nobody else starts it now, but another command may be checking the lock.
                    if let Some(lock) = Lock::try_alone(&self.file("lock"))? {
                        launch = Some(self.launch(installed, &lock)?);
                    }
                }
                _ => {}
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(self.out_of_patience("start"))
    }

    /// Stops it as soon as its transactions are rolled back and its memory is written to disk.
    pub(super) fn stop(&self) -> Result<()> {
        let begun = Instant::now();
        let mut asked: Option<(Pid, Signal)> = None;
        while begun.elapsed() < PATIENCE {
            if self.state()? == State::Down {
                return Ok(());
            }
            // A server that has just been started writes its pid a little later.
            if let Some(PidFile { pid, .. }) = self.pid_file()
                && self.may_be_ours(pid)
                && let time = begun.elapsed()
                && let is_stuck = (time > FAST || (time > STOPPED && has_stopped_child(pid)))
                // SIGINT is the fast shutdown. SIGQUIT is the immediate one, from which the next start recovers.
                && let signal = if is_stuck { Signal::QUIT } else { Signal::INT }
                && asked != Some((pid, signal))
            {
                // A process that is gone needs no signal.
                match kill_process(pid, signal) {
                    Ok(()) | Err(Errno::SRCH) => asked = Some((pid, signal)),
                    Err(errno) => {
                        return Err(errno).with_context(|| format!("could not stop the {} server", self.side.name()));
                    }
                }
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(self.out_of_patience("stop"))
    }

    fn state(&self) -> Result<State> {
        if !Lock::is_held(&self.file("lock"))? {
            return Ok(State::Down);
        }
        // Its own status, and whether its first process exists: after a kill, others may remain. Connecting would also
        // tell, but would cost the server a process for each check.
        let ready = self.pid_file().is_some_and(|file| file.ready && is_alive(file.pid) && self.may_be_ours(file.pid));
        Ok(if ready { State::Ready } else { State::Changing })
    }

    /// Starts it without waiting. Its first process gets the lock as standard input, and passes it to all others.
    fn launch(&self, installed: &[Installation], lock: &Lock) -> Result<Launch> {
        let programs = &self.installation(installed, lock)?.programs;
        self.forget_foreign_pids()?;
        self.write_settings()?;
        let log = self.open_log()?;
        let log_bytes = log.metadata().context("could not look at the log of a private server")?.len();

        let home = &self.folder.data;
        let mut postgres = self.command(&programs.join("postgres"));
        postgres.arg("-D").arg(self.data());
        for (setting, value) in [
            ("config_file", self.file("conf").as_path()),
            ("hba_file", &home.join("access.conf")),
            ("ident_file", &home.join("users.conf")),
            ("unix_socket_directories", self.folder.sockets()),
        ] {
            // As an argument, a path may contain anything; in a settings file it would have to be quoted.
            let mut option = OsString::from(format!("{setting}="));
            option.push(value);
            postgres.arg("-c").arg(option);
        }
        postgres.stdin(lock.to_hand_on()?);
        postgres.stdout(log.try_clone().context("could not share a log")?).stderr(log);
        // Not in the command's process group, so that Ctrl-C does not reach it.
        postgres.process_group(0);
        let child = postgres.spawn().with_context(|| format!("could not run {:?}", postgres.get_program()))?;
        tracing::debug!(server = self.side.name(), pid = child.id(), "started a private server");
        Ok(Launch { pid: child.id(), log_bytes })
    }

    /// The PostgreSQL that its data require; if it has none, the newest one, with new data.
    fn installation<'i>(&self, installed: &'i [Installation], lock: &Lock) -> Result<&'i Installation> {
        let data = self.data();
        if !data.exists() {
            let newest = binaries::newest(installed)?;
            let unfinished = |_: &_| drop(fs::remove_dir_all(self.file("unfinished")));
            return self.create(newest, lock).inspect_err(unfinished).map(|()| newest);
        }
        let version = fs::read_to_string(data.join("PG_VERSION")).ok();
        let major = version.and_then(|version| version.trim().parse().ok());
        let major = major.with_context(|| format!("\"{}\" is not the data folder of a server", data.display()))?;
        binaries::of_major(installed, major, &data)
    }

    fn open_log(&self) -> Result<fs::File> {
        let log = self.file("log");
        if fs::metadata(&log).is_ok_and(|metadata| metadata.len() > LOG_BYTES) {
            fs::rename(&log, self.file("log.old")).context("could not set the log of a private server aside")?;
        }
        folder::open_plain(&log)
    }

    /// Creates the server's data in another folder and renames it, so that half a server is never taken for a whole
    /// one.
    fn create(&self, installation: &Installation, lock: &Lock) -> Result<()> {
        let begun = Instant::now();
        let new = self.file("unfinished");
        self.folder.make_empty(&new)?;
        let mut initdb = self.command(&installation.programs.join("initdb"));
        initdb.args(["--username", ROLE, "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]);
        initdb.args(["--data-checksums", "--no-sync", "-D"]).arg(&new).stdin(lock.to_hand_on()?);
        self.finish(initdb, "")?;

        // A server for a single session, over standard input. It ends with its input.
        let mut session = self.command(&installation.programs.join("postgres"));
        session.args(["--single", "-F", "-c", "exit_on_error=on", "-D"]).arg(&new).arg("postgres");
        self.finish(session, &self.first_statements())?;

        // Neither program has flushed anything: a thousand small files are faster all together.
        let mut flush = self.command(&installation.programs.join("initdb"));
        flush.args(["--sync-only", "-D"]).arg(&new).stdin(lock.to_hand_on()?);
        self.finish(flush, "")?;

        fs::rename(&new, self.data())
            .and_then(|()| fs::File::open(&self.folder.data)?.sync_all())
            .with_context(|| format!("could not rename \"{}\"", new.display()))?;
        tracing::info!(
            server = self.side.name(),
            ms = begun.elapsed().as_millis(),
            "made a private PostgreSQL {} server in {}",
            installation.major,
            self.data().display()
        );
        Ok(())
    }

    fn first_statements(&self) -> String {
        let database = self.side.database();
        match self.side {
            Side::Production => {
                format!("CREATE DATABASE {database};\nALTER DATABASE {database} SET kalends.test_source = 'on';\n")
            }
            Side::Warehouse => format!("CREATE DATABASE {database};\n"),
        }
    }

    fn write_settings(&self) -> Result<()> {
        let name = self.side.name();
        let own =
            format!("include '{name}/postgresql.conf'\ncluster_name = 'kalends_{name}'\nport = {}\n", self.side.port());
        let head = "# Written by Kalends at each start. What you want otherwise, set with ALTER SYSTEM.\n";
        // The process that collects the rows works as well: with more helpers than other processors, they would only
        // take turns.
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let workers = (processors - 1).min(USUAL_WORKERS);
        let workers = format!("max_parallel_workers_per_gather = {workers}\n");
        folder::write(&self.file("conf"), &format!("{head}{own}{SETTINGS}{workers}"))
    }

    /// Runs a program to its end with an input. If it fails, returns its messages.
    fn finish(&self, mut command: Command, input: &str) -> Result<()> {
        if !input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut run = || -> std::io::Result<_> {
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // If the program fails without reading its input, its messages say why.
                let _ = stdin.write_all(input.as_bytes());
            }
            child.wait_with_output()
        };
        let output = run().with_context(|| format!("could not run {:?}", command.get_program()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(self.refusal("be made", &String::from_utf8_lossy(&said)))
    }

    /// A file with the pid of another process would keep PostgreSQL from starting. In a restarted container, the same
    /// few numbers are used again. The file is removed only if the kernel says that this process works elsewhere.
    fn forget_foreign_pids(&self) -> Result<()> {
        let begun = Instant::now();
        for file in [self.data().join("postmaster.pid"), self.socket(".lock")] {
            while let Some(PidFile { pid, .. }) = PidFile::read(&file)
                && is_alive(pid)
                // If it lives longer, it was started by hand; PostgreSQL itself will say so.
                && begun.elapsed() < DYING
            {
                if !self.may_be_ours(pid) {
                    fs::remove_file(&file).with_context(|| format!("could not remove \"{}\"", file.display()))?;
                }
                std::thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }

    /// Every process of a server works in its data folder, until it is dead and only waits for its parent. Without
    /// `/proc`, any process may be ours.
    fn may_be_ours(&self, pid: Pid) -> bool {
        let process = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
        match fs::read_link(process.join("cwd")) {
            Ok(works_in) => works_in == self.data(),
            Err(error) if error.kind() == ErrorKind::NotFound => !process.exists(),
            // In a container, not even root may see the folder of another user's process. Everybody may see its name.
            Err(_) => fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim_end() == "postgres"),
        }
    }

    fn pid_file(&self) -> Option<PidFile> {
        PidFile::read(&self.data().join("postmaster.pid"))
    }

    fn failure(&self, launch: &Launch) -> anyhow::Error {
        let mut said = Vec::new();
        if let Ok(mut log) = fs::File::open(self.file("log")) {
            let _ = log.seek(SeekFrom::Start(launch.log_bytes)).and_then(|_| log.read_to_end(&mut said));
        }
        self.refusal("start", &String::from_utf8_lossy(&said))
    }

    fn out_of_patience(&self, what: &str) -> anyhow::Error {
        Refusal::failed(
            format!("the private {} server did not {what} within {} s", self.side.name(), PATIENCE.as_secs()),
            format!("It may still be at work; its log is \"{}\".", self.file("log").display()),
        )
    }

    fn refusal(&self, what: &str, said: &str) -> anyhow::Error {
        // On a full disk there may be no space for the log either.
        let disk_is_full = folder::room_bytes(&self.folder.data).is_some_and(|bytes| bytes < FULL_BYTES);
        let silent = if disk_is_full { "No space left on device" } else { "it does not say why" };
        let line = telling_line(said).unwrap_or(silent);
        let message = format!("the private {} server could not {what}: {line}", self.side.name());
        // PostgreSQL's messages if part of a page still fitted.
        let hint = if disk_is_full || line.contains("No space left on device") || line.contains("wrote only") {
            format!("Make room where \"{}\" is, and try again.", self.folder.data.display())
        } else {
            format!("Its log is \"{}\".", self.file("log").display())
        };
        Refusal::failed(message, hint)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = self.folder.os_user.command(program);
        command.current_dir(&self.folder.data);
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.data.join(self.side.name())
    }

    fn socket(&self, suffix: &str) -> PathBuf {
        self.folder.sockets().join(format!(".s.PGSQL.{}{suffix}", self.side.port()))
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder.data.join(format!("{}.{extension}", self.side.name()))
    }
}

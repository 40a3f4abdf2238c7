//! What a server leaves for others to read: its pid file, and the line of its log that says why it ended.

use std::fs;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// Whether a child process is stopped, for example by SIGSTOP, and so does not react. Known only with `/proc`.
pub(super) fn has_stopped_child(pid: Pid) -> bool {
    let pid = pid.as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().any(|child| {
        // `4711 (postgres) T …`: the name may contain anything.
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, state)| state.trim_start().starts_with('T'))
    })
}

pub(super) fn is_alive(pid: Pid) -> bool {
    matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM))
}

/// What a running server writes about itself: <https://www.postgresql.org/docs/current/storage-file-layout.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: Pid,
    pub(super) ready: bool,
}

impl PidFile {
    pub(super) fn read(path: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(path).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = Pid::from_raw(i32::try_from(lines.next()?.trim().parse::<u32>().ok()?).ok()?)?;
        // The eighth line; PostgreSQL's `miscadmin.h` lists the possible values.
        Some(Self { pid, ready: lines.nth(6).is_some_and(|status| status.trim() == "ready") })
    }

    pub(super) fn is_of(&self, process: u32) -> bool {
        u32::try_from(self.pid.as_raw_nonzero().get()) == Ok(process)
    }
}

/// The line of a log, or of a program's output, that says why it ended: the first error, because later ones are its
/// consequences.
pub(super) fn telling_line(said: &str) -> Option<&str> {
    let complaint = |line| {
        let said =
            ["PANIC:", "FATAL:", "ERROR:", "error:"].iter().find_map(|mark| str::split_once(line, mark))?.1.trim();
        // Its answer to clients that connected too early.
        (!said.starts_with("the database system is ")).then_some(said)
    };
    let mut lines = said.lines();
    lines.clone().find_map(complaint).or_else(|| lines.rfind(|line| !line.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_tells_who_and_whether_ready() {
        let ready = "4242\n/data\n1700000000\n5432\n/data/socket\n\n  12345\nready   \n";
        let read = PidFile::parse(ready).unwrap();
        assert_eq!((read.pid.as_raw_nonzero().get(), read.ready), (4242, true));
        assert!(!PidFile::parse("4242\n/data\n1700000000\n5432\n/data/socket\n\n  12345\nstarting\n").unwrap().ready);
        assert!(!PidFile::parse("4242\n").unwrap().ready);
        for broken in ["", "0\n", "-1\n", "x\n"] {
            assert_eq!(PidFile::parse(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn the_line_that_says_why_is_found_among_the_others() {
        let log = "2026-01-01 00:00:00.000 UTC [7] LOG:  starting PostgreSQL 15.18\n\
                   2026-01-01 00:00:00.001 UTC [7] FATAL:  could not write lock file \"postmaster.pid\": No space left on device\n\
                   2026-01-01 00:00:00.002 UTC [8] FATAL:  the database system is starting up\n\
                   2026-01-01 00:00:00.003 UTC [7] LOG:  database system is shut down\n";
        let why = "could not write lock file \"postmaster.pid\": No space left on device";
        assert_eq!(telling_line(log), Some(why));
        assert_eq!(telling_line("initdb: error: no\ninitdb: hint: maybe\n"), Some("no"));
        assert_eq!(telling_line("one\ntwo\n\n"), Some("two"));
        assert_eq!(telling_line(""), None);
    }
}

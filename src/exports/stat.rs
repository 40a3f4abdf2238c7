//! What the file system says of a file without opening it. A file that somebody writes, replaces, truncates or only
//! touches gets another time of change, which no program can set back.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, fstat};

use super::way::side_by_side;

/// A file's stat data, by which a change is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Stat {
    pub(super) bytes: u64,
    pub(super) modified: Moment,
    pub(super) changed: Moment,
    pub(super) inode: u64,
    pub(super) device: u64,
}

/// Seconds since 1970 and nanoseconds, by the clock that the file system takes its times from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) struct Moment(pub(super) i64, pub(super) u32);

/// How many files a thread looks at, at least: fewer are done before it has started.
pub(super) const FILES_OF_A_THREAD: usize = 2_000;

/// File systems of this machine whose times of change can be relied on: ext2 to ext4, XFS, Btrfs, tmpfs, overlay, ZFS,
/// F2FS, bcachefs. With others, such as NFS, the answer may be older than the last change by another machine.
#[cfg(target_os = "linux")]
const RELIABLE: [i64; 8] =
    [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1, 0xF2F5_2010, 0xCA45_1A4E];

impl Stat {
    /// Of an open file; `None` if it is not a regular one.
    pub(super) fn of(file: impl AsFd) -> Option<Self> {
        Self::from(&fstat(file).ok()?)
    }

    fn from(found: &rustix::fs::Stat) -> Option<Self> {
        let moment = |seconds: i64, nanoseconds| Some(Moment(seconds, u32::try_from(nanoseconds).ok()?));
        (FileType::from_raw_mode(found.st_mode) == FileType::RegularFile).then_some(())?;
        Some(Self {
            bytes: u64::try_from(found.st_size).ok()?,
            modified: moment(found.st_mtime, found.st_mtime_nsec)?,
            changed: moment(found.st_ctime, found.st_ctime_nsec)?,
            inode: found.st_ino,
            device: found.st_dev,
        })
    }

    /// Whether the file was changed before `moment`, so that any later change gives it another time. A change within
    /// the same tick of the clock would not: git calls such an entry racily clean.
    pub(super) fn is_past(&self, moment: Moment) -> bool {
        let Moment(seconds, nanoseconds) = self.changed;
        // A file system without nanoseconds counts in steps of up to 2 s.
        let whole = nanoseconds == 0 && seconds >= moment.0 - 2;
        self.changed < moment && !whole
    }
}

/// The time that the file system would note now, or an earlier one; `None` on systems that do not tell.
#[cfg(target_os = "linux")]
pub(super) fn now() -> Option<Moment> {
    use rustix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::RealtimeCoarse);
    Some(Moment(now.tv_sec, u32::try_from(now.tv_nsec).ok()?))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn now() -> Option<Moment> {
    None
}

/// Waits until the clock of the ticks is past the present, and returns its time. What was changed before the call is
/// past by then, whether the file system took its time from that clock or, as since Linux 6.13, from the exact one.
#[cfg(target_os = "linux")]
pub(super) fn next() -> Option<Moment> {
    use rustix::time::{ClockId, clock_gettime};
    let exact = clock_gettime(ClockId::Realtime);
    let begun = Moment(exact.tv_sec, u32::try_from(exact.tv_nsec).ok()?);
    // A tick takes 1 to 10 ms.
    (0..50).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        now().filter(|&now| now > begun)
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn next() -> Option<Moment> {
    None
}

/// Whether the times of a folder's file system can be relied on.
#[cfg(target_os = "linux")]
#[allow(clippy::useless_conversion, reason = "the number is narrower on some processors")]
pub(super) fn is_reliable(folder: BorrowedFd<'_>) -> bool {
    rustix::fs::fstatfs(folder).is_ok_and(|found| RELIABLE.contains(&i64::from(found.f_type)))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_reliable(_folder: BorrowedFd<'_>) -> bool {
    false
}

/// The stat data of files below a folder. None of those that are missing, that are no regular files, or that are
/// reached through a link. Opens none of them for reading.
pub(super) fn of_paths(folder: BorrowedFd<'_>, paths: &[&str]) -> Vec<Option<Stat>> {
    side_by_side(paths, FILES_OF_A_THREAD, |paths| of_neighbours(folder, paths)).concat()
}

/// The way to a file takes longer than a look at it, so the folder around its folder is opened once for all files in
/// its folders that come one after the other.
#[cfg(target_os = "linux")]
fn of_neighbours(folder: BorrowedFd<'_>, paths: &[&str]) -> Vec<Option<Stat>> {
    // By depth, because the folders of days lie between those of their hours.
    let mut opened: Vec<Option<(&str, Option<Around>)>> = Vec::new();
    let mut stat = |path| {
        let (outer, inner) = split(path);
        let depth = outer.matches('/').count();
        opened.resize_with(opened.len().max(depth + 1), || None);
        let kept = opened[depth].take().filter(|(of, _)| *of == outer);
        let (_, around) = opened[depth].insert(kept.unwrap_or_else(|| (outer, Around::open(folder, outer))));
        around.as_ref()?.stat(inner)
    };
    paths.iter().map(|path| stat(path)).collect()
}

/// The folder around a file's folder, and the way from there: `a/b/c.csv` is `b/c.csv` in `a`.
#[cfg(target_os = "linux")]
fn split(path: &str) -> (&str, &str) {
    let around = path.rsplit_once('/').and_then(|(folder, _)| folder.rsplit_once('/'));
    around.map_or((".", path), |(outer, _)| (outer, &path[outer.len() + 1..]))
}

/// A folder, and which names in it are those of folders and of nothing that only leads to one.
#[cfg(target_os = "linux")]
struct Around {
    opened: rustix::fs::Dir,
    folders: std::collections::BTreeSet<Vec<u8>>,
}

#[cfg(target_os = "linux")]
impl Around {
    /// `None` if there is no such folder, or a link leads to it.
    fn open(folder: BorrowedFd<'_>, path: &str) -> Option<Self> {
        use rustix::fs::{Dir, Mode, OFlags, ResolveFlags, openat2};
        let nothing_followed = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut opened = Dir::new(openat2(folder, path, flags, Mode::empty(), nothing_followed).ok()?).ok()?;
        // Where a file system does not say what an entry is, its files are read.
        let entries = opened.by_ref().filter_map(Result::ok);
        let folders = entries.filter(|entry| entry.file_type() == FileType::Directory);
        let folders = folders.map(|entry| entry.file_name().to_bytes().to_vec()).collect();
        Some(Self { opened, folders })
    }

    fn stat(&self, path: &str) -> Option<Stat> {
        use rustix::fs::{AtFlags, statat};
        if path.split_once('/').is_some_and(|(inner, _)| !self.folders.contains(inner.as_bytes())) {
            return None;
        }
        Stat::from(&statat(self.opened.fd().ok()?, path, AtFlags::SYMLINK_NOFOLLOW).ok()?)
    }
}

#[cfg(not(target_os = "linux"))]
fn of_neighbours(_folder: BorrowedFd<'_>, paths: &[&str]) -> Vec<Option<Stat>> {
    vec![None; paths.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed_at(seconds: i64, nanoseconds: u32) -> Stat {
        let changed = Moment(seconds, nanoseconds);
        Stat { bytes: 1, modified: changed, changed, inode: 1, device: 1 }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_are_looked_at_where_they_are_and_nothing_that_a_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        let paths = ["top.csv", "a/b/c/one.csv", "a/b/c/two.csv", "a/b/three.csv", "a/d/four.csv"];
        for (number, path) in paths.iter().enumerate() {
            std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            std::fs::write(at(path), "x".repeat(number)).unwrap();
        }
        let looked = |paths: &[&str]| {
            let opened = std::fs::File::open(folder.path()).unwrap();
            of_paths(opened.as_fd(), paths).into_iter().map(|found| found.map(|stat| stat.bytes)).collect::<Vec<_>>()
        };
        assert_eq!(looked(&paths), [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        let link = |from: &str, to: &str| std::os::unix::fs::symlink(at(from), at(to)).unwrap();
        link("a", "link");
        link("a/b", "a/link");
        link("a/b/c", "a/b/link");
        link("a/b/c/one.csv", "a/b/c/link.csv");
        // Those that stay inside are no better.
        std::os::unix::fs::symlink("a", at("inside")).unwrap();
        std::os::unix::fs::symlink("b", at("a/inside")).unwrap();
        let strange = [
            "inside/b/c/one.csv",
            "inside/d/four.csv",
            "a/inside/c/one.csv",
            "link/b/c/one.csv",
            "a/link/c/one.csv",
            "a/link/three.csv",
            "a/b/link/one.csv",
            "link/d/four.csv",
            "a/b/c/link.csv",
            "a/b/c",
            "a/b/c/three.csv",
            "a/x/c/one.csv",
            "x.csv",
            "a/b/three.csv/x.csv",
        ];
        assert_eq!(looked(&strange), [None; 14]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_file_systems_whose_times_are_known_are_relied_on() {
        assert!(!is_reliable(std::fs::File::open("/proc").unwrap().as_fd()));
    }

    /// Since Linux 6.13 a file that was looked at gets the time to the nanosecond with its next change, which can be
    /// later than the clock of the ticks has come by then.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_written_before_is_past_at_the_next_tick() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let seen = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Stat::of(std::fs::File::open(&path).unwrap()).unwrap()
        };
        for number in 0..200 {
            seen("before");
            std::thread::sleep(std::time::Duration::from_micros(number * 37 % 5_000));
            let written = seen("after");
            let begun = next().unwrap();
            assert!(written.is_past(begun), "{written:?} {begun:?}");
        }
    }

    #[test]
    fn what_was_changed_within_the_same_tick_or_later_is_not_past() {
        let now = Moment(100, 500);
        assert!(changed_at(100, 499).is_past(now) && changed_at(99, 999_999_999).is_past(now));
        assert!(!changed_at(100, 500).is_past(now) && !changed_at(100, 501).is_past(now));
        // A clock that was set back.
        assert!(!changed_at(5_000, 7).is_past(now));
        // Without nanoseconds.
        assert!(!changed_at(100, 0).is_past(now) && !changed_at(98, 0).is_past(now) && changed_at(97, 0).is_past(now));
    }
}

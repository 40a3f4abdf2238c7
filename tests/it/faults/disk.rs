//! A disk that is full or broken, at every call of the publishing; and a folder that is really full.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::calls::{Point, available, figures, points, run_with, sampled};
use super::stage::{Stage, Start};
use super::whole::{empty_folders, files_are_whole, is_mended, is_whole};
use crate::kit::{INDEX, Ran, World};

/// A failure of one of these is never to be forgiven.
const STRICT: [&str; 7] = ["write", "fsync", "fdatasync", "syncfs", "rename", "renameat", "renameat2"];

/// Nor is that of opening the export folder to flush it.
const THE_FOLDER: &str = r#", ".", "#;

/// Unlike that, a look at the stat data of files follows no link. Without it, files are read.
const LOOKED_AT: &str = "RESOLVE_NO_SYMLINKS";

#[test]
fn a_call_that_finds_the_disk_full_fails_the_run_and_the_next_one_mends_it() {
    failed_at_every_point("error=ENOSPC", false);
}

#[test]
fn a_call_that_finds_the_disk_broken_fails_the_run_and_the_next_one_mends_it() {
    failed_at_every_point("error=EIO", false);
}

#[test]
fn a_disk_that_is_full_from_some_call_on_fails_the_run_and_the_next_one_mends_it() {
    failed_at_every_point("error=ENOSPC", true);
}

#[test]
fn a_disk_that_is_broken_from_some_call_on_fails_the_run_and_the_next_one_mends_it() {
    failed_at_every_point("error=EIO", true);
}

fn failed_at_every_point(fault: &str, forever: bool) {
    if !available() {
        return;
    }
    let mut stage = Stage::new(Start::Change);
    let mut all = points(&mut stage);
    all.retain(|call, _| !call.starts_with("send") && !call.starts_with("recv"));
    let (found, mut failed, mut forgiven, mut unforgivable) = (figures(&all), 0, 0, Vec::new());
    for point in sampled(all, 2) {
        let [before, after] = stage.ready();
        let ran = run_with(&stage.world, &point, fault, forever);
        is_whole(&stage.world, &[&before, &after]);
        if ran.code == Some(0) {
            files_are_whole(&stage.world, &[&after]);
            stage.world.is_exact();
            let mut lingering = Vec::new();
            while let Some(folder) = empty_folders(&stage.world).pop() {
                fs::remove_dir(&folder).unwrap();
                lingering.push(folder);
            }
            // The index is a cache: without it the next run reads everything.
            let is_strict = STRICT.contains(&point.call.as_str()) && !point.about.contains(INDEX);
            let is_flush = point.about.contains(THE_FOLDER) && !point.about.contains(LOOKED_AT);
            if is_strict || is_flush || !lingering.is_empty() {
                unforgivable.push((point.clone(), lingering));
            }
            forgiven += 1;
        } else {
            failed += 1;
            complains_once(&ran, &point, forever);
        }
        stage.is_mended();
    }
    let forever = if forever { " from there on" } else { "" };
    eprintln!("{fault}{forever}: {failed} runs failed and were mended, {} forgave it; in all: {found}", forgiven);
    assert!(unforgivable.is_empty(), "{fault}{forever}, and exit 0: {unforgivable:#?}");
}

fn complains_once(ran: &Ran, point: &Point, forever: bool) {
    assert!(ran.code.is_some_and(|code| code != 0 && code != 101), "{point:?}: {:?}\n{}", ran.code, ran.stderr);
    // Where every write fails, so does the one of the complaint.
    if point.call != "write" || !forever {
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{point:?}: {}", ran.stderr);
    }
}

/// A file system of its own, of so many kilobytes.
pub struct Mount(pub PathBuf);

impl Mount {
    /// `None`, and says so, where this may not be tried.
    pub fn new(kilobytes: usize) -> Option<Self> {
        Self::with(&format!("size={kilobytes}k"))
    }

    /// The same with these options of tmpfs.
    pub fn with(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap().keep();
        let options = format!("{options},mode=0755");
        if Self::mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], &folder) {
            return Some(Self(folder));
        }
        eprintln!("only root can mount a small disk: a full one was not tried");
        fs::remove_dir(&folder).unwrap();
        None
    }

    fn mount(arguments: &[&str], at: &std::path::Path) -> bool {
        Command::new("mount").args(arguments).arg(at).output().is_ok_and(|output| output.status.success())
    }

    pub fn remount(&self, how: &str) {
        assert!(Self::mount(&["-o", &format!("remount,{how}")], &self.0), "remount {how}");
    }

    /// The same disk in the place of a folder, until this is dropped.
    pub fn bound_to(&self, folder: &std::path::Path) -> Option<impl Drop + use<>> {
        struct Bound(PathBuf);
        impl Drop for Bound {
            fn drop(&mut self) {
                let _ = Command::new("umount").arg("-l").arg(&self.0).status();
            }
        }
        Self::mount(&["--bind", self.0.to_str().unwrap()], folder).then(|| Bound(folder.to_path_buf()))
    }

    /// Leaves so many pages of 4 kilobytes.
    pub fn fill(&self, pages_left: u64) {
        let mut filler = fs::File::create(self.0.join("filler")).unwrap();
        let mut pages = 0;
        while filler.write_all(&[0; 4096]).is_ok() {
            pages += 1;
        }
        filler.set_len(4096 * (pages - pages_left)).unwrap();
    }

    pub fn empty(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_full_disk_leaves_the_old_files_and_is_mended_when_there_is_room() {
    let Some(mount) = Mount::new(512) else { return };
    let mut world = World::new();
    world.exports = mount.0.join("exports");
    let mut stage = Stage::of(world, Start::Change);
    is_mended(&stage.world);
    let mut pages = Vec::new();
    for left in 0..40 {
        let [before, after] = stage.ready();
        mount.fill(left);
        let ran = stage.world.kalends("run --accept-loss");
        is_whole(&stage.world, &[&before, &after]);
        if ran.code == Some(0) {
            mount.empty();
            assert!(left > 0, "there was room on a full disk");
            break;
        }
        ran.fails_with(1).says("No space left on device");
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        pages.push(left);
        mount.empty();
        stage.is_mended();
    }
    eprintln!("a disk with {pages:?} pages left was full, and mended");
    stage.is_mended();
}

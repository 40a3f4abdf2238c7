//! A power cut: the export folder is on a disk of its own, which is copied as it is at that moment, and looked at as
//! the next start of the machine finds it: what its journal holds is replayed, and what was in memory alone is gone.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::calls::{Point, available, figures, points, strace, strace_with};
use super::held::wait_for;
use super::sample;
use super::stage::{Stage, Start};
use super::whole::{files_are_whole, is_mended, is_whole, manifest_is_true, no_session_is_left};
use crate::kit::World;

/// What the disk has of what was in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// What was flushed, or happened to be written.
    WhatWasFlushed,
    /// The journal as well: names and places of files, without the bytes of those that were not flushed.
    Journal,
}

const WRITTEN: [Written; 2] = [Written::WhatWasFlushed, Written::Journal];

/// An ext4 file system in a file. Without `auto_da_alloc`, which flushes by itself what is renamed over another file.
struct Disk {
    files: tempfile::TempDir,
}

impl Disk {
    /// `None`, and says so, where this may not be tried.
    fn new() -> Option<Self> {
        let disk = Self { files: tempfile::tempdir().unwrap() };
        fs::create_dir(disk.folder()).unwrap();
        fs::File::create(disk.image()).unwrap().set_len(32 << 20).unwrap();
        let made = Command::new("mkfs.ext4").arg("-qF").arg(disk.image()).output();
        if made.is_ok_and(|output| output.status.success()) && disk.mounts() {
            return Some(disk);
        }
        eprintln!("NOT TRIED: only root can mount a disk image, with mkfs.ext4: no power was cut");
        None
    }

    fn image(&self) -> PathBuf {
        self.files.path().join("image")
    }

    fn folder(&self) -> PathBuf {
        self.files.path().join("disk")
    }

    fn mounts(&self) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop,noauto_da_alloc"]).arg(self.image()).arg(self.folder());
        mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// The disk as it is at this moment, aside.
    fn is_cut(&self, written: Written) {
        if written == Written::Journal {
            // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_LOGFLUSH: the journal is written, data are not, and that was all.
            let ioctl = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 1))";
            runs(Command::new("python3").args(["-c", ioctl]).arg(self.folder()));
        }
        runs(Command::new("cp").arg(self.image()).arg(self.files.path().join("cut")));
    }

    /// The machine has started again.
    fn starts_again(&self) {
        wait_for("the disk to be let go", || {
            let mut umount = Command::new("umount");
            umount.arg(self.folder()).stderr(Stdio::null()).status().unwrap().success()
        });
        fs::rename(self.files.path().join("cut"), self.image()).unwrap();
        assert!(self.mounts(), "the disk does not mount after a power cut");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder()).stderr(Stdio::null()).status();
    }
}

fn runs(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A run that stands still behind one of its calls, until it is dropped; `None` if it came to its end before.
struct Still(Child);

impl Still {
    fn at(world: &World, point: &Point, log: &Path) -> Option<Self> {
        let mut command = strace_with(world, &["-o", &log.display().to_string()], point, "signal=SIGSTOP");
        // With the run in a group of its own, which ends as one.
        let run = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut still = Self(run);
        let mut ended = false;
        wait_for("a run to stand still", || {
            ended = still.0.try_wait().unwrap().is_some();
            ended || fs::read_to_string(log).is_ok_and(|text| text.contains("--- stopped by SIGSTOP ---"))
        });
        (!ended).then_some(still)
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

fn stage_on(disk: &Disk, start: Start) -> Stage {
    let mut world = World::new();
    world.exports = disk.folder().join("exports");
    Stage::of(world, start)
}

#[test]
fn power_that_is_cut_at_any_call_leaves_each_file_old_or_new_and_the_next_run_makes_all_whole() {
    if !available() {
        return;
    }
    for (start, most) in [(Start::Change, 6), (Start::FirstRun, 3)] {
        let Some(disk) = Disk::new() else { return };
        let log = disk.files.path().join("calls");
        let mut stage = stage_on(&disk, start);
        let mut all = points(&mut stage);
        all.retain(|call, _| !call.starts_with("send") && !call.starts_with("recv"));
        let found = figures(&all);
        let mut each: Vec<(Point, Written)> =
            all.into_values().flatten().flat_map(|point| WRITTEN.map(|written| (point.clone(), written))).collect();
        // In the order of the calls only within each kind: any order will do, but the sample takes some of all.
        each.sort_by_key(|(point, written)| (*written == Written::Journal, point.number));
        let (mut cut, mut ended) = (0, 0);
        for (point, written) in sample(each, most) {
            let [before, after] = stage.ready();
            // What the test itself has removed is gone for good.
            runs(Command::new("sync").arg("-f").arg(disk.folder()));
            let Some(still) = Still::at(&stage.world, &point, &log) else {
                ended += 1;
                is_mended(&stage.world);
                continue;
            };
            disk.is_cut(written);
            drop(still);
            disk.starts_again();
            no_session_is_left(&stage.world);
            is_whole(&stage.world, &[&before, &after]);
            stage.is_mended();
            cut += 1;
        }
        eprintln!("{start:?}: whole after {cut} power cuts of {cut}, {ended} points not reached; in all: {found}");
        assert!(cut > 0 && ended == 0, "{ended} points were not reached");
    }
}

/// A disk that forgets nothing would let every run pass.
#[test]
fn a_power_cut_loses_what_was_not_flushed_and_keeps_what_was() {
    if !available() {
        return;
    }
    let Some(disk) = Disk::new() else { return };
    let mut stage = stage_on(&disk, Start::Change);
    for (swallowed, written) in
        [(true, Written::WhatWasFlushed), (true, Written::Journal), (false, Written::WhatWasFlushed)]
    {
        let [_, after] = stage.ready();
        let calls = "fsync,fdatasync,syncfs";
        let inject = format!("inject={calls}:{}", if swallowed { "retval=0" } else { "delay_enter=1" });
        let mut run = strace(&stage.world, &["-e", &format!("trace={calls}"), "-e", &inject, "-o", "/dev/null"]);
        assert!(run.output().unwrap().status.success());
        files_are_whole(&stage.world, &[&after]);
        disk.is_cut(written);
        disk.starts_again();
        let found: Vec<_> = stage.world.files().into_values().filter(|bytes| !bytes.is_empty()).collect();
        let expected: Vec<_> = after.files.values().map(|text| text.clone().into_bytes()).collect();
        let kept = expected.iter().all(|bytes| found.contains(bytes));
        assert_eq!(kept, !swallowed, "{written:?}, flushes swallowed: {swallowed}");
        if !swallowed {
            files_are_whole(&stage.world, &[&after]);
            manifest_is_true(&stage.world.exports);
        }
        // Torn files of a disk that lied are found and replaced, as are all that are not as they should be.
        let _ = fs::remove_dir_all(&stage.world.exports);
        stage.is_mended();
    }
}

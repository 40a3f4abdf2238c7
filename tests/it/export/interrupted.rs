//! Runs that die, that find the folder closed, and that meet another run in it.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::{FEBRUARY_29, JANUARY, JANUARY_31, MANIFEST, YEAR, manifest, prepared, published, staged};
use crate::kit::Ran;

/// A folder in which nothing can be made, renamed or removed, not even by root.
pub struct Frozen(PathBuf);

impl Frozen {
    /// `None` on a file system where root cannot be kept out.
    pub fn new(folder: &Path) -> Option<Self> {
        let frozen = Self(folder.to_path_buf());
        if is_root() {
            let done = Command::new("chattr").arg("+i").arg(folder).stderr(Stdio::null()).status();
            if !done.is_ok_and(|status| status.success()) {
                eprintln!("not tried: there is no chattr, or the file system of {} does not know it", folder.display());
                return None;
            }
        } else {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
        }
        Some(frozen)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        if is_root() {
            let _ = Command::new("chattr").arg("-i").arg(&self.0).status();
        } else {
            let _ = fs::set_permissions(&self.0, fs::Permissions::from_mode(0o755));
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|ourselves| ourselves.uid() == 0)
}

#[test]
fn what_a_dead_run_left_beside_a_file_goes_with_its_next_publication() {
    let world = published();
    for path in [JANUARY_31, JANUARY, YEAR, FEBRUARY_29, MANIFEST] {
        fs::write(world.exports.join(staged(path)), "half a fi").unwrap();
    }
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10; DELETE FROM entity WHERE value = 8");
    world.kalends("run --accept-loss").succeeds();
    // Not even the folder of a day that vanished stays for it.
    assert!(!world.exports.join("year=2024/month=2").exists());
    world.is_exact();
}

#[test]
fn a_run_that_died_in_the_middle_is_published_again() {
    let world = published();
    let Some(frozen) = Frozen::new(&world.exports.join("year=2024/month=2")) else { return };
    world.production_sql("UPDATE entity SET value = value + 1; INSERT INTO entity VALUES ('2024-02-03', 1)");
    let old = world.files();
    world.kalends("run").fails_with(1).says("could not");
    for (path, bytes) in &old {
        assert_eq!(fs::read(world.exports.join(path)).unwrap(), *bytes, "{path} is the old file");
    }
    drop(frozen);
    world.kalends("verify").fails_with(3);
    world.kalends("run").succeeds();
    world.is_exact();
}

#[test]
fn a_run_that_died_and_whose_change_was_taken_back_leaves_nothing_behind() {
    let world = published();
    let Some(frozen) = Frozen::new(&world.exports.join("year=2024")) else { return };
    world.production_sql("INSERT INTO entity VALUES ('2024-01-31', 1)");
    world.kalends("run").fails_with(1);
    drop(frozen);
    world.production_sql("DELETE FROM entity WHERE value = 1");
    world.kalends("run").succeeds();
    world.is_exact();
    assert_eq!(manifest(&world)["pending"], serde_json::Value::Null);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_loses_nothing() {
    let world = published();
    let tree = world.tree();
    world.production_sql("UPDATE entity SET value = value + 1");
    let Some(frozen) = Frozen::new(&world.exports) else { return };
    let failed = world.kalends("run");
    failed.fails_with(1).says("error: could not write").says(&world.exports.display().to_string());
    assert_eq!(world.tree(), tree);
    drop(frozen);
    world.kalends("run").succeeds();
    world.is_exact();
}

#[test]
fn what_cannot_be_removed_is_named() {
    let world = published();
    world.production_sql("DELETE FROM entity WHERE value = 8");
    let day = "year=2024/month=2/day=29";
    for (frozen, left) in [(day, FEBRUARY_29), ("year=2024/month=2", day)] {
        let Some(frozen) = Frozen::new(&world.exports.join(frozen)) else { return };
        let left = world.exports.join(left);
        let said = format!("error: could not remove \"{}\"\n", left.display());
        world.kalends("run --accept-loss").fails_with(1).says(&said);
        assert!(left.exists());
        drop(frozen);
    }
    world.settles();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let world = prepared();
    fs::write(world.folder().join("a file"), "mine").unwrap();
    for place in ["a file", "a file/exports"] {
        let place = world.folder().join(place).display().to_string();
        world.kalends_with("export", &[("KALENDS_EXPORTS", &place)]).fails_with(1).says(&place);
        let status = world.kalends_with("status", &[("KALENDS_EXPORTS", &place)]);
        status.fails_with(1).says(&format!("could not open the export folder \"{place}\""));
    }
    assert_eq!(fs::read(world.folder().join("a file")).unwrap(), b"mine");
}

#[test]
fn whoever_comes_second_to_a_folder_is_told_to_try_again() {
    let world = published();
    // The system lists all locks: one of somebody else before this one, and one behind it.
    let locked = |name: &str| {
        let other = File::create(world.folder().join(name)).unwrap();
        flock(&other, FlockOperation::LockExclusive).unwrap();
        other
    };
    let _before = locked("before");
    let mut holder = Command::new("flock");
    holder.arg("--no-fork").arg(&world.exports).args(["sleep", "60"]).stderr(Stdio::null());
    let Ok(mut holder) = holder.spawn() else { return eprintln!("not tried: there is no flock") };
    let free = || Command::new("flock").arg("--nonblock").arg(&world.exports).arg("true").status().unwrap().success();
    let begun = Instant::now();
    while free() {
        assert!(begun.elapsed() < Duration::from_secs(20), "flock does not hold the folder");
        sleep(Duration::from_millis(10));
    }
    let (tree, tuples) = (world.tree(), world.tuples());
    let _behind = locked("behind");
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let is_listed = locks.lines().any(|line| line.split_whitespace().nth(4) == Some(&holder.id().to_string()));
    let busy = ["export", "export 2024 1", "run"].map(|arguments| world.kalends(arguments));
    holder.kill().unwrap();
    holder.wait().unwrap();
    let whose = if is_listed { format!("\": process {}\n", holder.id()) } else { String::new() };
    for ran in busy {
        ran.fails_with(75).says("another run is publishing into").says(&whose);
    }
    assert_eq!((world.tree(), world.tuples()), (tree, tuples));
    world.kalends("export").succeeds();
}

#[test]
fn a_folder_that_somebody_only_looks_at_is_waited_for() {
    let world = published();
    world.production_sql("UPDATE entity SET value = value + 1");
    let exports = world.exports.canonicalize().unwrap();
    let looked_at = File::open(&exports).unwrap();
    flock(&looked_at, FlockOperation::LockExclusive).unwrap();

    let mut run = world.command("run").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let open_files = format!("/proc/{}/fd", run.id());
    let at_the_folder = || {
        let mut open = fs::read_dir(&open_files).into_iter().flatten().flatten();
        open.any(|file| fs::read_link(file.path()).is_ok_and(|path| path == exports))
    };
    let begun = Instant::now();
    while !at_the_folder() && run.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the run does not come to the folder");
        sleep(Duration::from_millis(5));
    }
    // Less than the 2 s that it waits, by as much as a busy machine may need.
    sleep(Duration::from_millis(300));
    let waits = run.try_wait().unwrap().is_none();
    drop(looked_at);
    Ran::of(run.wait_with_output().unwrap(), "run").succeeds().says("published   6 files");
    assert!(waits, "it ended while the folder was held");
    world.is_exact();
}

#[test]
fn runs_at_once_publish_each_file_whole() {
    let world = prepared();
    for round in 0..3 {
        world.production_sql(&format!("UPDATE entity SET value = value + {round}"));
        world.kalends("prepare").succeeds();
        let runs: Vec<_> = (0..4)
            .map(|_| world.command("export").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let ran: Vec<Ran> = runs.into_iter().map(|run| Ran::of(run.wait_with_output().unwrap(), "export")).collect();
        assert!(ran.iter().any(|ran| ran.code == Some(0)), "one of them has its way");
        assert!(ran.iter().all(|ran| matches!(ran.code, Some(0 | 75))), "{}", ran[0].stderr);
        world.is_exact();
        world.kalends("verify").succeeds();
    }
}

//! Limits of the system and of the process: no inodes, no more open files, files that may not grow, a disk that only
//! reads, a month on a disk of its own; and a reader who keeps the old file open.

use std::fs;
use std::io::Read as _;
use std::process::Command;

use super::calls::available;
use super::disk::Mount;
use super::stage::{Stage, Start};
use super::whole::{is_mended, is_whole};
use crate::kit::{BINARY, Ran, World};

/// Runs the binary in a shell that has set a limit before.
pub fn limited(world: &World, limit: &str, arguments: &str) -> Ran {
    let kalends = world.command(arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit}; exec '{BINARY}' {arguments}")]).env_clear();
    shell.envs(kalends.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", std::env::var_os("PATH").unwrap()).current_dir(world.folder());
    Ran::of(shell.output().unwrap(), &format!("{arguments}, ulimit {limit}"))
}

#[test]
fn a_file_that_may_not_grow_is_an_error_and_not_the_end_without_a_word() {
    let mut stage = Stage::new(Start::Change);
    let [before, after] = stage.ready();
    // Half a kilobyte: the manifest is longer.
    let ran = limited(&stage.world, "-f 1", "run --accept-loss");
    ran.fails_with(1).says("File too large").says("_manifest.json");
    is_whole(&stage.world, &[&before, &after]);
    limited(&stage.world, "-f 1", "plan --out plan.json").fails_with(1).says("File too large").says("plan.json");
    assert!(!stage.world.folder().join("plan.json").exists(), "half a plan is there");
    stage.is_mended();
}

#[test]
fn too_few_open_files_are_an_error_that_leaves_everything_whole() {
    let mut stage = Stage::new(Start::Change);
    let mut failed = Vec::new();
    // From so few that nothing can be begun, each of which is another beginning, to as many as it takes.
    for files in (4..9).chain((9..40).step_by(if super::sweeping() { 1 } else { 4 })) {
        let [before, after] = stage.ready();
        let ran = limited(&stage.world, &format!("-n {files}"), "run --accept-loss");
        is_whole(&stage.world, &[&before, &after]);
        if ran.code == Some(0) {
            break;
        }
        assert!(matches!(ran.code, Some(1 | 127)), "{files} open files: {:?} {}", ran.code, ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{files} open files: {}", ran.stderr);
        failed.push(files);
        stage.is_mended();
    }
    eprintln!("{failed:?} open files were too few");
    assert!(!failed.is_empty());
    stage.is_mended();
}

#[test]
fn a_disk_without_inodes_leaves_the_old_files_and_is_mended_when_there_are_some() {
    let Some(mount) = Mount::with("size=4m,nr_inodes=64") else { return };
    let mut world = World::new();
    world.exports = mount.0.join("exports");
    let mut stage = Stage::of(world, Start::Change);
    is_mended(&stage.world);
    let filler = mount.0.join("filler");
    let mut failed = Vec::new();
    for left in [0, 1, 3, 6, 40] {
        let [before, after] = stage.ready();
        fs::create_dir(&filler).unwrap();
        let made = (0..).take_while(|number| fs::write(filler.join(number.to_string()), "").is_ok()).count();
        (0..left.min(made)).for_each(|number| fs::remove_file(filler.join(number.to_string())).unwrap());
        let ran = stage.world.kalends("run --accept-loss");
        is_whole(&stage.world, &[&before, &after]);
        fs::remove_dir_all(&filler).unwrap();
        if ran.code == Some(0) {
            assert!(left > 0, "there was room on a full disk");
            break;
        }
        ran.fails_with(1).says("No space left on device");
        failed.push(left);
        stage.is_mended();
    }
    eprintln!("a disk with {failed:?} inodes left was full, and mended");
    stage.is_mended();
}

#[test]
fn a_disk_that_only_reads_is_named_and_loses_nothing() {
    let Some(mount) = Mount::with("size=4m") else { return };
    let mut world = World::new();
    world.exports = mount.0.join("exports");
    let mut stage = Stage::of(world, Start::Change);
    let [before, after] = stage.ready();
    mount.remount("ro");
    let tree = stage.world.tree();
    let ran = stage.world.kalends("run --accept-loss");
    ran.fails_with(1).says("Read-only file system").says(&stage.world.exports.display().to_string());
    is_whole(&stage.world, &[&before, &after]);
    assert_eq!(stage.world.tree(), tree);
    stage.world.kalends("check").says("Read-only file system");
    mount.remount("rw");
    stage.is_mended();
}

#[test]
fn a_month_on_a_disk_of_its_own_is_published_flushed_and_may_vanish() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8\n 2025-06-01 | 1");
    world.settles();
    let month = world.exports.join("year=2024/month=1");
    let Some(mount) = Mount::with("size=4m") else { return };
    let copied = Command::new("cp").arg("-r").arg(month.join(".")).arg(&mount.0).status().unwrap();
    assert!(copied.success());
    let _bound = mount.bound_to(&month).expect("a folder can be bound where a disk can be mounted");
    world.production_sql("UPDATE entity SET value = 6 WHERE value = 5");
    if available() {
        let log = world.folder().join("calls");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-y", "-e", "trace=syncfs,rename,renameat,renameat2", "-o"]).arg(&log).arg(BINARY);
        strace.arg("run").env_clear().env("PATH", std::env::var_os("PATH").unwrap()).envs(world.variables());
        Ran::of(strace.current_dir(world.folder()).output().unwrap(), "run, traced").succeeds();
        let calls = fs::read_to_string(&log).unwrap();
        let flushed = calls.lines().filter(|line| line.contains("syncfs(") && line.contains("month=1")).count();
        assert_eq!(flushed, 2, "before the files are in their places, and afterwards: {calls}");
        // A file is made beside its place: no rename can ever lead to another disk.
        for call in calls.lines().filter(|line| line.contains("rename")) {
            let paths: Vec<&str> = call.split('"').skip(1).step_by(2).collect();
            let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_string());
            let held: Vec<&str> = call.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect();
            assert_eq!(folder(paths[0]), folder(paths[1]), "{call}");
            assert!(held.windows(2).all(|two| two[0] == two[1]), "{call}");
        }
    }
    world.settles();
    world.production_sql("DELETE FROM entity WHERE value = 6");
    for _ in 0..2 {
        world.kalends("run --accept-loss").succeeds();
        world.is_exact();
    }
}

#[test]
fn whoever_holds_the_old_file_open_reads_it_to_its_end() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settles();
    for path in ["year=2024/entity_stats_yearly_2024.csv", "_manifest.json"] {
        let path = world.exports.join(path);
        let whole = fs::read(&path).unwrap();
        let mut held = fs::File::open(&path).unwrap();
        let mut seen = vec![0; 10];
        held.read_exact(&mut seen).unwrap();
        world.production_sql("UPDATE entity SET value = value + 100000");
        world.kalends("run").succeeds();
        held.read_to_end(&mut seen).unwrap();
        assert_eq!(seen, whole, "a reader saw two files in one: {}", path.display());
        assert_ne!(fs::read(&path).unwrap(), whole, "{} is the old file", path.display());
    }
}

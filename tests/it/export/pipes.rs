//! What is no regular file where one should be: a pipe, a socket, a device, a folder, a link to any of them or to
//! nothing. It is refused by name, at once, and nobody waits for the other end of a pipe.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{JANUARY_2, MANIFEST, YEAR, published, staged};
use crate::faults::sample;
use crate::kit::{Ran, World};

/// Much longer than any of these commands takes, and much shorter than for ever.
const AT_ONCE: Duration = Duration::from_secs(30);

/// Ends at once, or is killed and fails the test.
pub fn ends(mut command: Command, name: &str) -> Ran {
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while running.try_wait().unwrap().is_none() {
        if begun.elapsed() > AT_ONCE {
            running.kill().unwrap();
            let ran = Ran::of(running.wait_with_output().unwrap(), name);
            panic!("kalends {name} hangs; stdout: {}\nstderr: {}", ran.stdout, ran.stderr);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ran::of(running.wait_with_output().unwrap(), name)
}

const KINDS: [&str; 7] =
    ["a pipe", "a socket", "a device", "a folder", "a link to nothing", "a link to outside", "a link to a pipe"];

/// Puts something there; false where this may not be tried.
pub fn plant(kind: &str, at: &Path, outside: &Path) -> bool {
    let made = |command: &str, arguments: &[&str]| {
        Command::new(command).args(arguments).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let path = at.to_str().unwrap();
    match kind {
        "a pipe" => return made("mkfifo", &[path]),
        "a device" => return made("mknod", &[path, "c", "1", "3"]),
        // Its name is short enough for one only where it is bound from its own folder.
        "a socket" => {
            let beside = tempfile::tempdir().unwrap();
            drop(UnixListener::bind(beside.path().join("s")).unwrap());
            return made("mv", &[beside.path().join("s").to_str().unwrap(), path]);
        }
        "a folder" => fs::create_dir(at).unwrap(),
        "a link to nothing" => symlink("nowhere", at).unwrap(),
        "a link to outside" => symlink(outside, at).unwrap(),
        _ => {
            let pipe = at.with_file_name("pipe");
            if !pipe.exists() {
                made("mkfifo", &[pipe.to_str().unwrap()]);
            }
            symlink("pipe", at).unwrap();
        }
    }
    true
}

fn unplant(at: &Path) {
    fs::remove_file(at).or_else(|_| fs::remove_dir(at)).unwrap();
    let _ = fs::remove_file(at.with_file_name("pipe"));
}

#[test]
fn what_is_no_file_in_the_place_of_one_is_refused_by_name_at_once() {
    let world = published();
    let outside = world.folder().join("outside");
    fs::write(&outside, "not Kalends'").unwrap();
    let mut points = Vec::new();
    for command in ["run", "export", "export 2024 1", "status", "verify", "verify --repair", "plan", "check"] {
        for kind in KINDS {
            points.extend([JANUARY_2, MANIFEST, "year=2024/month=1"].map(|place| (command, kind, place)));
        }
    }
    let mut tried = 0;
    for (command, kind, place) in sample(points, 36) {
        let at = world.exports.join(place);
        let aside = world.folder().join("aside");
        fs::rename(&at, &aside).unwrap();
        // A folder is what should be on the way, and this one says nothing.
        let fits = kind == "a folder" && place.ends_with("month=1");
        if !fits && plant(kind, &at, &outside) {
            let ran = ends(world.command(command), command);
            assert!(matches!(ran.code, Some(1 | 4)), "{command}, {kind} at {place}: {:?} {}", ran.code, ran.stderr);
            ran.says(&format!("{place}\" is ")).says("in the way");
            assert!(command == "check" || ran.code == Some(4), "{command}, {kind} at {place}: {}", ran.stderr);
            assert_eq!(fs::read(&outside).unwrap(), b"not Kalends'");
            unplant(&at);
            tried += 1;
        }
        fs::rename(&aside, &at).unwrap();
    }
    eprintln!("{tried} times something else in the place of a file: refused by name");
    world.settles();
}

#[test]
fn what_is_no_file_where_one_is_to_be_written_first_is_refused_before_anything_is_written() {
    let world = published();
    world.production_sql("UPDATE entity SET value = value + 1");
    world.kalends("prepare").succeeds();
    let outside = world.folder().join("outside");
    fs::write(&outside, "not Kalends'").unwrap();
    let tree = world.tree();
    let kinds = KINDS.into_iter().filter(|kind| !kind.contains("link"));
    for (kind, place) in kinds.flat_map(|kind| [(kind, staged(MANIFEST)), (kind, staged(YEAR))]) {
        let at = world.exports.join(&place);
        if plant(kind, &at, &outside) {
            ends(world.command("export"), "export").fails_with(4).says(&format!("{place}\" is {kind}, and in the way"));
            let planned = ends(world.command("plan --json"), "plan").succeeds().json();
            assert!(planned["publishing_refused"].as_str().is_some_and(|why| why.contains(&place)), "{planned}");
            unplant(&at);
        }
        assert_eq!(world.tree(), tree, "{kind} at {place}");
    }
    world.settles();
}

#[test]
fn what_is_no_file_in_the_place_of_one_that_vanished_is_not_removed() {
    let world = published();
    let outside = world.folder().join("outside");
    world.production_sql("DELETE FROM entity WHERE created_at < '2024-01-03'");
    fs::remove_file(world.exports.join(JANUARY_2)).unwrap();
    plant("a pipe", &world.exports.join(JANUARY_2), &outside);
    for command in ["run --accept-loss", "export", "status"] {
        ends(world.command(command), command).fails_with(4).says(&format!("{JANUARY_2}\" is a pipe, and in the way"));
    }
    unplant(&world.exports.join(JANUARY_2));
    world.settles();
}

#[test]
fn a_year_that_is_a_link_inside_the_folder_may_vanish() {
    let world = published();
    fs::rename(world.exports.join("year=2024"), world.exports.join(".archive")).unwrap();
    symlink(".archive", world.exports.join("year=2024")).unwrap();
    world.kalends("run").succeeds().says("nothing to do");
    world.production_sql("TRUNCATE entity; INSERT INTO entity VALUES ('2025-01-01', 1)");
    for _ in 0..2 {
        world.kalends("run --accept-loss").succeeds();
        world.kalends("verify").succeeds();
    }
    let left: Vec<String> = world.files().into_keys().filter(|path| path.contains("2024")).collect();
    assert_eq!(left, ["year=2024"], "the link stays, and nothing else");
}

/// A pipe that nobody writes to.
fn pipe(world: &World, name: &str) -> String {
    let path = world.folder().join(name);
    assert!(plant("a pipe", &path, &path));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

#[test]
fn a_pipe_that_is_named_as_a_file_is_not_waited_for() {
    let world = published();
    let [settings, plan, passwords, roots] =
        ["settings.toml", "plan.json", "passwords", "roots.pem"].map(|name| pipe(&world, name));
    let refused = |command: Command, name: &str, code: i32, path: &str| {
        ends(command, name).fails_with(code).says(&format!("{path}\"")).says("a pipe, not a regular file");
    };
    refused(world.command(&format!("status --config {settings}")), "--config", 1, &settings);
    refused(world.command(&format!("run --plan {plan}")), "--plan", 2, &plan);
    let mut command = world.command("status");
    // It is read where the URL has no password.
    command.env("PGPASSFILE", &passwords).env("KALENDS_WAREHOUSE_URL", &world.writer_url);
    refused(command, "PGPASSFILE", 4, &passwords);
    let mut command = world.command("status");
    let url = format!("postgresql://nobody@db.example.com/none?sslmode=verify-full&sslrootcert={roots}");
    command.env("KALENDS_WAREHOUSE_URL", url);
    refused(command, "sslrootcert", 1, &roots);
    // What would be put in its place: a device is not to become a file.
    refused(world.command(&format!("plan --out {plan}")), "--out", 1, &plan);
    refused(world.command(&format!("status --metrics {settings}")), "--metrics", 2, &settings);
    for path in [settings, plan] {
        assert!(!fs::metadata(path).unwrap().is_file(), "it is still a pipe");
    }
}

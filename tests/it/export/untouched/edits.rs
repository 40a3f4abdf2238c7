//! Edits of files that hide as well as they can, and an index that is damaged, old, or another folder's.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{FEBRUARY, INDEX, JANUARY, JANUARY_2, JANUARY_31, MANIFEST, YEAR, changed, copied, manifest, published};
use crate::faults::calls::available;
use crate::kit::{BINARY, Ran, World};

/// The same number of bytes, and another digit.
fn spoilt(bytes: &[u8]) -> Vec<u8> {
    let mut spoilt = bytes.to_vec();
    let digit = spoilt.iter().rposition(u8::is_ascii_digit).unwrap();
    spoilt[digit] = if spoilt[digit] == b'9' { b'8' } else { b'9' };
    spoilt
}

/// Writes into a file in place; its size and its times are what they were.
fn edit_in_place(path: &Path) {
    let found = fs::metadata(path).unwrap();
    fs::write(path, spoilt(&fs::read(path).unwrap())).unwrap();
    set_back(path, &found);
}

fn set_back(path: &Path, to: &fs::Metadata) {
    let times = FileTimes::new().set_accessed(to.accessed().unwrap()).set_modified(to.modified().unwrap());
    File::options().write(true).open(path).unwrap().set_times(times).unwrap();
}

/// Puts another file of the same size, times and mode into a file's place.
fn replace(path: &Path) {
    let found = fs::metadata(path).unwrap();
    let other = path.with_extension("other");
    fs::write(&other, spoilt(&fs::read(path).unwrap())).unwrap();
    fs::set_permissions(&other, found.permissions()).unwrap();
    set_back(&other, &found);
    fs::rename(&other, path).unwrap();
}

fn cut(path: &Path) {
    let found = fs::metadata(path).unwrap();
    File::options().write(true).open(path).unwrap().set_len(found.len() / 2).unwrap();
    set_back(path, &found);
}

/// What somebody does to a file.
type Edit = fn(&Path);

const EDITS: [(&str, Edit); 5] = [
    ("edited in place", edit_in_place),
    ("replaced", replace),
    ("cut", cut),
    ("removed", |path| fs::remove_file(path).unwrap()),
    ("emptied", |path| drop(File::create(path).unwrap())),
];

/// The next run writes this file again and no other, and the one after it nothing.
fn is_mended(world: &World, path: &str, what: &str) {
    let before = world.tree();
    let good = manifest(world)["files"][path]["sha256"].clone();
    world.kalends("run").succeeds().says("published   1 file ");
    assert_eq!(changed(&before, world), [path], "{what}");
    assert_eq!(super::super::sha256sum(&world.exports.join(path)), good.as_str().unwrap(), "{what}");
    world.settles();
}

#[test]
fn an_edit_that_sets_size_and_times_back_is_mended_by_the_next_run() {
    let world = published();
    for (what, edit) in EDITS {
        for path in [JANUARY_2, YEAR] {
            edit(&world.exports.join(path));
            is_mended(&world, path, what);
        }
    }
}

#[test]
fn an_edit_right_after_a_publication_is_mended_by_the_next_run() {
    let world = published();
    for value in 0..12 {
        world
            .production_sql(&format!("UPDATE entity SET value = {} WHERE created_at = '2024-01-31 10:00'", 20 + value));
        world.kalends("run").succeeds().says("published   3 files");
        edit_in_place(&world.exports.join(JANUARY_31));
        is_mended(&world, JANUARY_31, "right after");
    }
}

#[test]
fn an_edit_while_a_run_publishes_is_mended_by_the_next_run() {
    if !available() {
        return;
    }
    let world = published();
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    let path = world.exports.join(JANUARY_31);
    let before = fs::read(&path).unwrap();
    // The manifest, three files, and the manifest again: it waits then.
    let kalends = world.command("run");
    let mut strace = std::process::Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat,renameat2"]);
    strace.args(["-e", "inject=renameat,renameat2:delay_exit=2000000:when=5", "--"]);
    strace.arg(kalends.get_program()).args(kalends.get_args()).env_clear();
    strace.env("PATH", std::env::var_os("PATH").unwrap()).current_dir(world.folder());
    strace.envs(kalends.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = strace.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let (begun, is_done) =
        (Instant::now(), || manifest(&world)["pending"].is_null() && fs::read(&path).unwrap() != before);
    while !is_done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the run does not publish");
        std::thread::sleep(Duration::from_millis(5));
    }
    edit_in_place(&path);
    Ran::of(run.wait_with_output().unwrap(), "run, delayed").succeeds().says("published   3 files");
    is_mended(&world, JANUARY_31, "before the index was written");
}

#[test]
fn what_changes_no_content_writes_nothing() {
    let world = published();
    let index = world.index();
    let path = world.exports.join(JANUARY);
    let changes: [fn(&Path); 3] = [
        |path| fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap(),
        |path| fs::hard_link(path, path.with_extension("link")).unwrap(),
        |path| set_back(path, &fs::metadata(path).unwrap()),
    ];
    for change in changes {
        change(&path);
        let (tuples, tree) = (world.tuples(), world.tree());
        for _ in 0..2 {
            world.kalends("run").succeeds().says("nothing to do");
        }
        assert_eq!((world.tuples(), world.tree()), (tuples, tree));
        assert!(world.index() == index);
    }
    // It is still looked after.
    edit_in_place(&path);
    world.kalends("run").succeeds().says("published   1 file ");
}

#[test]
fn what_is_planted_in_a_place_is_found_as_without_an_index() {
    let world = published();
    let outside = world.folder().join("outside");
    for planted in ["year=2024", "year=2024/month=1", "year=2024/month=1/day=2", JANUARY_2, MANIFEST] {
        // The same files, with the same inodes and times, behind a link that leads out.
        let inside = world.exports.join(planted);
        fs::rename(&inside, &outside).unwrap();
        symlink(&outside, &inside).unwrap();
        for command in ["run", "export", "export 2024 1", "status"] {
            world.kalends(command).fails_with(4).says(&format!("{planted}\" is a link that leads to nothing"));
        }
        fs::remove_file(&inside).unwrap();
        fs::rename(&outside, &inside).unwrap();
        world.settles();
    }
    fs::create_dir(world.exports.join("._manifest.json.staged")).unwrap();
    world.kalends("run").fails_with(4).says("is a folder, and in the way");
    fs::remove_dir(world.exports.join("._manifest.json.staged")).unwrap();
    world.settles();
}

#[test]
fn an_index_that_is_lost_damaged_or_another_hides_no_edit() {
    let world = published();
    let place = world.exports.join(INDEX);
    let whole = world.index().unwrap();
    let elsewhere = world.folder().join("elsewhere");
    copied(&world.exports, &elsewhere);
    let damages: Vec<Option<Vec<u8>>> = [0, 16, whole.len() / 2, whole.len() - 1]
        .into_iter()
        .flat_map(|at| {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            [Some(whole[..at].to_vec()), Some(flipped)]
        })
        .chain([None, Some(fs::read(elsewhere.join(MANIFEST)).unwrap())])
        .collect();
    for damaged in damages {
        let damage = || match &damaged {
            Some(bytes) => fs::write(&place, bytes).unwrap(),
            None => fs::remove_file(&place).unwrap(),
        };
        damage();
        let tree = world.tree();
        world.kalends("run").succeeds().says("nothing to do");
        assert_eq!(world.tree(), tree);
        assert!(world.index().is_some_and(|index| Some(&index) != damaged.as_ref()), "it is made again");
        damage();
        edit_in_place(&world.exports.join(FEBRUARY));
        is_mended(&world, FEBRUARY, "a damaged index");
    }
}

#[test]
fn an_older_index_hides_no_edit() {
    let world = published();
    let older = world.index().unwrap();
    let [older_tree, older_files] = ["older", "newer"].map(|name| world.folder().join(name));
    copied(&world.exports, &older_tree);
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.settles();
    fs::write(world.exports.join(INDEX), &older).unwrap();
    edit_in_place(&world.exports.join(JANUARY_2));
    is_mended(&world, JANUARY_2, "an older index");
    // The whole folder as it was: files, manifest and index.
    copied(&world.exports, &older_files);
    for name in ["year=2024", MANIFEST, INDEX] {
        let place = world.exports.join(name);
        let _ = fs::remove_dir_all(&place).or_else(|_| fs::remove_file(&place));
        copied(&older_tree.join(name), &place);
    }
    world.kalends("run").succeeds().says("published   3 files");
    world.settles();
}

#[test]
fn what_another_program_has_published_is_rendered_again() {
    let world = published();
    let before = world.index().unwrap();
    let other = world.folder().join("kalends");
    fs::copy(BINARY, &other).unwrap();
    let run = world.command("run");
    let mut by_other = Command::new(&other);
    by_other.args(run.get_args()).env_clear().current_dir(world.folder());
    by_other.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    for _ in 0..2 {
        Ran::of(by_other.output().unwrap(), "run").succeeds().says("nothing to do");
        let index = world.index().unwrap();
        assert_ne!(index, before, "the other program has taken the index for its own");
        world.kalends("run").succeeds().says("nothing to do");
        assert_ne!(world.index().unwrap(), index, "the program has taken the other's index for its own");
    }
}

#[test]
fn a_folder_that_was_copied_is_read_again() {
    let world = published();
    let copy = world.folder().join("copy");
    copied(&world.exports, &copy);
    let name = copy.display().to_string();
    edit_in_place(&copy.join(JANUARY_2));
    world.kalends_with("status", &[("KALENDS_EXPORTS", &name)]).fails_with(3).says("1 file to write");
    world.kalends_with("run", &[("KALENDS_EXPORTS", &name)]).succeeds().says("published   1 file ");
    world.kalends_with("verify", &[("KALENDS_EXPORTS", &name)]).succeeds();
    // The index of one in the other.
    fs::copy(world.exports.join(INDEX), copy.join(INDEX)).unwrap();
    edit_in_place(&copy.join(JANUARY_2));
    world.kalends_with("run", &[("KALENDS_EXPORTS", &name)]).succeeds().says("published   1 file ");
    world.settles();
}

#[test]
fn an_index_that_cannot_be_written_is_no_failure_and_what_is_in_its_place_stays() {
    let world = published();
    let place = world.exports.join(INDEX);
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    fs::write(place.join("notes.txt"), "mine").unwrap();
    world.kalends("run").succeeds().says("nothing to do");
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.kalends("run").succeeds().says("published   3 files");
    assert_eq!(fs::read(place.join("notes.txt")).unwrap(), b"mine");
    fs::remove_dir_all(&place).unwrap();
    world.settles();
}

//! Somebody exchanges files and folders of the export folder for links that lead out of it, pipes and folders, while
//! runs go on: nothing outside is ever read as ours, written or removed, and nobody hangs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};

use super::sweeping;
use crate::export::pipes::{ends, plant};
use crate::kit::World;
use crate::kit::random::{self, Random};

/// What every command opens is swapped more often.
const PLACES: [&str; 10] = [
    "year=2024",
    "year=2024/month=1",
    "year=2024/month=1/day=2",
    "year=2024/entity_stats_yearly_2024.csv",
    "year=2024/month=1/entity_stats_monthly_2024_1.csv",
    "year=2024/month=1/.entity_stats_monthly_2024_1.csv.staged",
    "_manifest.json",
    "_manifest.json",
    "_manifest.json",
    "year=2024/entity_stats_yearly_2024.csv",
];

/// Every path below, with its inode, time and bytes.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let bytes = if metadata.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
            found.insert(path.clone(), (metadata.ino(), metadata.mtime_nsec(), bytes));
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// Exchanges one place for something else, for a moment; gives how often it could.
fn swap(exports: &Path, spare: &Path, outside: &Path, random: &mut Random) -> bool {
    let place = exports.join(random.one_of(&PLACES));
    let kinds = ["a link to outside", "a pipe", "a link to nothing", "a pipe", "a folder"];
    let kind = *random.one_of(&kinds);
    // The same path outside is there as well: a link that is followed finds all that it looks for.
    let target = outside.join(place.strip_prefix(exports).unwrap());
    let planted = match kind {
        "a link to outside" => symlink(&target, spare).is_ok(),
        "a pipe" => mknodat(CWD, spare, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).is_ok(),
        _ => plant(kind, spare, outside),
    };
    let swapped = planted && renameat_with(CWD, spare, CWD, &place, RenameFlags::EXCHANGE).is_ok();
    std::thread::sleep(Duration::from_micros(random.below(40_000)));
    if swapped {
        // What a run has put there meanwhile goes, and what was there comes back: an edit like any other.
        let _ = renameat_with(CWD, spare, CWD, &place, RenameFlags::EXCHANGE);
    }
    let _ = fs::remove_file(spare).or_else(|_| fs::remove_dir_all(spare));
    swapped
}

#[test]
fn files_and_folders_that_are_swapped_for_links_and_pipes_lead_nowhere_and_hold_nobody() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-31 | 10\n 2024-02-29 | 8\n 2025-06-01 | 1");
    world.settles();
    let outside = world.folder().join("outside");
    let copied = std::process::Command::new("cp").arg("-r").args([&world.exports, &outside]).status().unwrap();
    assert!(copied.success());
    let before = everything(&outside);
    let seed = random::seed("swaps");
    let over = AtomicBool::new(false);
    let lasting = Duration::from_secs(if sweeping() { 120 } else { 6 });
    let (mut ran, mut swaps) = (BTreeMap::<String, usize>::new(), 0);
    std::thread::scope(|scope| {
        let swapping = scope.spawn(|| {
            let (mut random, mut swaps) = (Random::new(seed), 0);
            while !over.load(Ordering::Relaxed) {
                swaps += usize::from(swap(&world.exports, &world.folder().join("spare"), &outside, &mut random));
            }
            swaps
        });
        let runs = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let begun = Instant::now();
            for command in ["run", "export", "status", "verify", "run", "plan", "check"].into_iter().cycle() {
                if begun.elapsed() > lasting {
                    break;
                }
                if command == "run" {
                    world.production_sql("UPDATE entity SET value = value + 1");
                }
                let ended = ends(world.command(command), command);
                assert!(matches!(ended.code, Some(0 | 1 | 3 | 4 | 75)), "{command}: {:?} {}", ended.code, ended.stderr);
                *ran.entry(format!("{command} {}", ended.code.unwrap())).or_default() += 1;
            }
        }));
        over.store(true, Ordering::Relaxed);
        swaps = swapping.join().unwrap();
        runs.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    assert_eq!(everything(&outside), before, "something outside was touched");
    eprintln!("{swaps} swaps, nothing outside touched; runs by their end: {ran:?}");
    assert!(swaps > 20, "only {swaps} swaps");
    // Whatever was left in the folder, one that is empty is filled again.
    fs::remove_dir_all(&world.exports).unwrap();
    world.settles();
}

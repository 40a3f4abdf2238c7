//! Faults at system calls, by strace: it counts a process's calls, and stops, fails or signals the one that is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use super::sample;
use super::stage::Stage;
use crate::kit::{Ran, World};

/// Calls that change something, or begin to, or send or receive.
const CALLS: &str = "?sendto,?sendmsg,?recvfrom,?recvmsg,?write,?writev,?pwrite64,?open,?openat,?openat2,?mkdir,?mkdirat,?rename,?renameat,\
                     ?renameat2,?unlink,?unlinkat,?rmdir,?fsync,?fdatasync,?syncfs,?flock";

const RUN: &str = "run --accept-loss";

/// The `number`th of its calls of this name.
#[derive(Debug, Clone)]
pub struct Point {
    pub call: String,
    pub number: usize,
    /// Its arguments, as strace shows them.
    pub about: String,
    /// Where only calls about these files are counted: how often a program writes to wake itself is never the same.
    files: BTreeSet<String>,
}

impl Point {
    /// strace's options for a fault here; with `forever` at all later calls as well.
    pub fn options(&self, fault: &str, forever: bool) -> Vec<String> {
        let Self { call, number, files, .. } = self;
        let from_there_on = if forever { "+" } else { "" };
        let mut options =
            vec![format!("--trace={call}"), format!("--inject={call}:{fault}:when={number}{from_there_on}")];
        options.extend(files.iter().map(|file| format!("--trace-path={file}")));
        options
    }
}

pub fn available() -> bool {
    let found = Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("there is no strace: faults at system calls were not tried");
    }
    found
}

/// Runs `kalends run` with a fault, such as `signal=SIGKILL` or `error=EIO`; with `forever` at all later calls as well.
pub fn run_with(world: &World, point: &Point, fault: &str, forever: bool) -> Ran {
    command_with(world, RUN, point, fault, forever)
}

/// The same of any command.
pub fn command_with(world: &World, command: &str, point: &Point, fault: &str, forever: bool) -> Ran {
    let options = point.options(fault, forever);
    let mut strace = strace_of(world, command, &["-o", "/dev/null"], &options);
    Ran::of(strace.output().unwrap(), &format!("{command}, {options:?}"))
}

/// `kalends run` under strace, with these options of it.
pub fn strace(world: &World, options: &[&str]) -> Command {
    strace_of(world, RUN, options, &[])
}

/// The same with a fault.
pub fn strace_with(world: &World, options: &[&str], point: &Point, fault: &str) -> Command {
    strace_of(world, RUN, options, &point.options(fault, false))
}

fn strace_of(world: &World, command: &str, options: &[&str], more: &[String]) -> Command {
    let kalends = world.command(command);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq"]).args(options).args(more).arg("--").arg(kalends.get_program());
    strace.args(kalends.get_args()).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    strace.envs(kalends.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.current_dir(kalends.get_current_dir().unwrap());
    strace
}

/// The calls of a run on this stage, a line each.
pub fn traced(stage: &mut Stage) -> String {
    stage.ready();
    let log = traced_command(&stage.world, RUN);
    stage.is_mended();
    log
}

fn traced_command(world: &World, command: &str) -> String {
    let log = world.exports.with_extension("log");
    let options = ["-y", "-e", &format!("trace={CALLS}"), "-o", &log.display().to_string()];
    Ran::of(strace_of(world, command, &options, &[]).output().unwrap(), &format!("{command}, traced")).succeeds();
    fs::read_to_string(&log).unwrap()
}

/// The points of a run on this stage, by call: everything sent and received, and what is done with files below the
/// export folder. Both ways that the stage turns are traced: a run one way writes other files than one the other way.
pub fn points(stage: &mut Stage) -> BTreeMap<String, Vec<Point>> {
    let there = traced(stage);
    let back = traced(stage);
    points_in(&[&there, &back], &stage.world)
}

/// The same of any command, which succeeds.
pub fn points_of(world: &World, command: &str) -> BTreeMap<String, Vec<Point>> {
    points_in(&[&traced_command(world, command)], world)
}

/// Each call of a log with its arguments, and whether it is about a file below the export folder.
fn calls<'a>(log: &'a str, world: &World) -> impl Iterator<Item = (&'a str, &'a str, bool)> {
    let exports = world.exports.display().to_string();
    log.lines().filter_map(move |line| {
        let (head, rest) = line.split_once('(')?;
        Some((head.split_whitespace().next_back().unwrap(), rest, rest.contains(&exports)))
    })
}

/// The points of the first of these runs of a command; writes are counted to the files that any of them writes.
fn points_in(logs: &[&str], world: &World) -> BTreeMap<String, Vec<Point>> {
    let mut written = BTreeSet::new();
    for (call, rest, is_of_a_file) in logs.iter().flat_map(|log| calls(log, world)) {
        if call == "write" && is_of_a_file {
            written.insert(rest.split_once('<').and_then(|(_, file)| file.split_once('>')).unwrap().0.to_string());
        }
    }
    let (mut counts, mut points) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, Vec<Point>>::new());
    for (call, rest, is_of_a_file) in calls(logs[0], world) {
        if call == "write" && !is_of_a_file {
            continue;
        }
        let call = call.to_string();
        let number = counts.entry(call.clone()).or_default();
        *number += 1;
        if call.starts_with("send") || call.starts_with("recv") || is_of_a_file {
            let (number, about) = (*number, rest.chars().take(200).collect());
            points.entry(call.clone()).or_default().push(Point { call, number, about, files: BTreeSet::new() });
        }
    }
    for point in points.get_mut("write").into_iter().flatten() {
        point.files.clone_from(&written);
    }
    points
}

/// Those that it tells apart by files are reached by each run. How often one sends and receives depends on its time, so
/// of these the last tenth may come too late.
pub fn may_not_be_reached(point: &Point, all: &BTreeMap<String, Vec<Point>>) -> bool {
    let is_of_the_network = point.call.starts_with("send") || point.call.starts_with("recv");
    let last = all[&point.call].last().map_or(0, |last| last.number);
    is_of_the_network && point.number > last - last.div_ceil(10)
}

/// Of each call so many points at most.
pub fn sampled(points: BTreeMap<String, Vec<Point>>, most: usize) -> Vec<Point> {
    points.into_values().flat_map(|points| sample(points, most)).collect()
}

/// `42 of 42 points, by call: fsync 4, …`, for people to read.
pub fn figures(points: &BTreeMap<String, Vec<Point>>) -> String {
    points.iter().map(|(call, points)| format!("{call} {}", points.len())).collect::<Vec<_>>().join(", ")
}

//! What a process takes of the machine's memory, by the number of days and by what passes through it.

use std::process::{Command, Stdio};

use crate::faults::sweeping;
use crate::kit::{Ran, World};

/// Runs `kalends`, and gives the most memory that it ever had, in KiB.
fn peak_kib(world: &World, arguments: &str) -> u64 {
    let python = "import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code if code >= 0 else 128 - code)";
    let kalends = world.command(arguments);
    let mut command = Command::new("python3");
    command.args(["-c", python]).arg(kalends.get_program()).args(kalends.get_args());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir(world.folder());
    command.envs(kalends.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    let ran = Ran::of(command.output().unwrap(), arguments);
    ran.succeeds();
    ran.stderr.lines().last().unwrap().parse().unwrap()
}

/// So many days with a row each, from 1750 on.
fn days(days: usize, levels: &str) -> World {
    let world = World::new();
    world.production_sql(&format!(
        "INSERT INTO entity SELECT timestamp '1750-01-01 12:00' + n * interval '1 day', n
         FROM generate_series(0, {days} - 1) AS n"
    ));
    let entity = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    world.settings(format!("{entity}levels = [{levels}]\n"));
    world
}

/// How many bytes a day more takes of each command, in turn.
fn bytes_a_day(levels: &str, [few, many]: [usize; 2], commands: &[&str]) -> Vec<u64> {
    let peaks = [few, many].map(|number| {
        let world = days(number, levels);
        commands.iter().map(|command| peak_kib(&world, command)).collect::<Vec<_>>()
    });
    let growth = peaks[0].iter().zip(&peaks[1]).zip(commands).map(|((few_kib, many_kib), command)| {
        let bytes = many_kib.saturating_sub(*few_kib) * 1024 / u64::try_from(many - few).unwrap();
        eprintln!("{command}: {few_kib} KiB of {few} days, {many_kib} KiB of {many}: {bytes} bytes a day");
        bytes
    });
    growth.collect()
}

#[test]
fn a_day_takes_few_bytes_of_a_plan_and_of_a_run() {
    // What a process takes at its most differs by 1 MB from run to run, whatever the number of days.
    let days = if sweeping() { [2_000, 22_000] } else { [300, 4_300] };
    let plan = bytes_a_day("\"day\", \"month\", \"year\"", days, &["plan", "plan --json"]);
    let run = bytes_a_day("\"year\"", days, &["run", "run", "verify"]);
    // As docs/explanation/limits.md has it, with room for what an allocator leaves unused: 0.1.0 took 10,000 and 1,300.
    assert!(plan[0] < 4_000 && plan[1] < 6_000, "{plan:?}");
    assert!(run.iter().all(|&bytes| bytes < 1_200), "{run:?}");
}

/// So many rows of a day, each with the same text of so many bytes as a dimension.
fn with_texts(rows: usize, bytes: usize) -> World {
    let world = World::new();
    world.production_sql(&format!(
        "CREATE TABLE t (at timestamp, n integer, d text);
         INSERT INTO t SELECT '2024-01-02', 1, repeat('x', {bytes}) FROM generate_series(1, {rows})"
    ));
    world.settings(
        "[[entity]]\nname = \"t\"\ntable = \"t\"\ntime = \"at\"\nmeasures = [\"n\"]\ndimensions = [\"d\"]\n\
         levels = [\"day\"]\n",
    );
    world
}

#[test]
fn rows_on_their_way_take_no_memory_for_their_number() {
    // 40 MB of rows.
    let [few, many] = [40, 4_000].map(|rows| peak_kib(&with_texts(rows, 10_000), "prepare"));
    eprintln!("{few} KiB for 40 rows of 10 kB, {many} KiB for 4000");
    assert!(many < few + 10_000, "{few} KiB, {many} KiB");
}

#[test]
fn a_file_that_is_too_large_to_be_held_is_published_whole() {
    let world = with_texts(2, 9_000_000);
    world.kalends("run").succeeds();
    let files = world.files();
    let text = std::str::from_utf8(&files["year=2024/month=1/day=2/t_stats_daily_2024_1_2.csv"]).unwrap();
    let line = text.lines().nth(1).unwrap();
    assert_eq!(line.replace(&"x".repeat(9_000_000), "D"), "2024,1,2,D,2,1,1,1.000000");
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn files_that_are_published_take_no_memory_for_their_number() {
    // Files of 1 MB, each with a hundred combinations.
    let [few, many] = [10, 50].map(|days| {
        let world = World::new();
        world.production_sql(&format!(
            "CREATE TABLE t (at timestamp, n integer, d text);
             INSERT INTO t SELECT timestamp '2024-01-01' + day * interval '1 day', 1, n || repeat('x', 10000)
             FROM generate_series(1, {days}) AS day, generate_series(1, 100) AS n"
        ));
        world.settings(
            "[[entity]]\nname = \"t\"\ntable = \"t\"\ntime = \"at\"\nmeasures = [\"n\"]\ndimensions = [\"d\"]\n\
             levels = [\"day\"]\n",
        );
        peak_kib(&world, "run")
    });
    eprintln!("{few} KiB for 10 files of 1 MB, {many} KiB for 50");
    assert!(many < few + 10_000, "{few} KiB, {many} KiB");
}

//! What a process takes of the machine's memory, by the number of days.

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
    let (planned, settled) = if sweeping() { ([2_000, 22_000], [2_000, 22_000]) } else { ([300, 4_300], [100, 1_300]) };
    let plan = bytes_a_day("\"day\", \"month\", \"year\"", planned, &["plan", "plan --json"]);
    let run = bytes_a_day("\"year\"", settled, &["run", "run", "verify"]);
    // As docs/explanation/limits.md has it, with room for what an allocator leaves unused: 0.1.0 took 10,000 and 1,300.
    assert!(plan[0] < 4_000 && plan[1] < 6_000, "{plan:?}");
    assert!(run.iter().all(|&bytes| bytes < 1_200), "{run:?}");
}

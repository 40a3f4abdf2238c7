//! Kills and failing calls in worlds that are drawn at random: the table's types, time zone, dimensions, statistics and
//! levels, its rows, what became of them, the command, and the call that it is killed or fails at.
//!
//! Whatever happens, months, accounts and files are whole, each as before or as after, and one command makes everything
//! equal to what Python makes of production's rows. `KALENDS_SEED` draws the same world again.

mod drawn;
pub mod ready;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use self::drawn::{Command, Drawn};
use self::ready::Ready;
use super::calls::{Point, available, command_with, points_of};
use super::sweeping;
use crate::entities::asked::{Asked, settles_by};
use crate::entities::drawn::MOOD;
use crate::kit::random::{self, Random};
use crate::kit::{Ran, World};

/// Worlds in a run of the tests, one of each command; `KALENDS_WORLDS` says another number.
const WORLDS: usize = drawn::COMMANDS.len();

/// Faults in each world.
const FAULTS: usize = 2;

const WORKERS: usize = 2;

#[test]
fn whatever_is_killed_or_fails_in_any_world_is_whole_and_mended_by_the_next_command() {
    if !available() {
        return;
    }
    let (worlds, faults) = if sweeping() { (WORLDS * 40, FAULTS * 5) } else { (WORLDS, FAULTS) };
    let worlds = std::env::var("KALENDS_WORLDS").map_or(worlds, |number| number.parse().unwrap());
    let seed = random::seed(&format!("{worlds} worlds"));
    let (next, survived) = (AtomicUsize::new(0), [const { AtomicUsize::new(0) }; 3]);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= worlds {
                        break;
                    }
                    let seed = seed.wrapping_add(u64::try_from(number).unwrap());
                    let counts = tried(seed, faults);
                    for (all, count) in survived.iter().zip(counts) {
                        all.fetch_add(count, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let [killed, failed, done] = survived.map(AtomicUsize::into_inner);
    eprintln!(
        "drawn worlds: survived {killed} kills and {failed} failing calls, {done} commands were done all the same; \
         {worlds} worlds of KALENDS_SEED={seed}"
    );
    assert!(killed + failed > 0, "no fault struck");
}

/// How a command is struck.
#[derive(Debug)]
struct Fault {
    point: Point,
    what: &'static str,
    forever: bool,
}

impl Fault {
    /// One of a command whose calls these are: half of the time each name of a call is as likely as any other, and
    /// half of the time each call.
    fn drawn(random: &mut Random, points: &[Vec<Point>]) -> Self {
        let all: Vec<&Point> = points.iter().flatten().collect();
        let of_a_call: Vec<&Point> = random.one_of(points).iter().collect();
        let from = if random.below(2) == 0 { of_a_call } else { all };
        let point = (*random.one_of(&from)).clone();
        let talks = point.call.starts_with("send") || point.call.starts_with("recv");
        match (random.below(2), talks) {
            (0, _) => Self { point, what: "signal=SIGKILL", forever: false },
            (_, true) => Self { point, what: "error=ECONNRESET", forever: false },
            (_, false) => {
                let what = random.one_of(&["error=ENOSPC", "error=EIO"]);
                Self { point, what, forever: random.below(3) == 0 }
            }
        }
    }
}

/// Says what was drawn, if a test fails.
struct Said(String);

impl Drop for Said {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

/// The faults of one world; gives how many kills, failures and ends without either there were.
fn tried(seed: u64, faults: usize) -> [usize; 3] {
    let mut said = Said(format!("KALENDS_SEED={seed} KALENDS_WORLDS=1 fails"));
    let mut random = Random::new(seed);
    let drawn = Drawn::new(seed, &mut random);
    said.0 = format!("{}: {drawn:?}", said.0);
    let world = World::new();
    world.production_sql(MOOD);
    let columns = drawn.table.columns();
    let [earlier, asked] = drawn.asked(&columns);
    let command = drawn.makes_ready(&world, [&earlier, &asked], &mut random);
    let ready = Ready::new(&world, &drawn, [&earlier, &asked]);
    let points: Vec<Vec<Point>> = points_of(&world, &command).into_values().collect();
    drawn.mend(&world);
    ready.is_equal();
    let (begin, mut counts) = (said.0.clone(), [0; 3]);
    for _ in 0..faults {
        let fault = Fault::drawn(&mut random, &points);
        said.0 = format!("{begin}\n{command}, {fault:?}");
        ready.put_back();
        let ran = command_with(&world, &command, &fault.point, fault.what, fault.forever);
        counts[ended(&ran, &fault)] += 1;
        ready.is_whole();
        if ran.code == Some(0) && drawn.command.publishes_all() {
            ready.is_equal();
        }
        if random.below(3) == 0 {
            // Whoever mends is killed as well.
            let again = Fault::drawn(&mut random, &points);
            said.0 = format!("{}, and killed again, {:?}", said.0, again.point);
            super::whole::no_session_is_left(&world);
            let ran = command_with(&world, drawn.mending(), &again.point, "signal=SIGKILL", false);
            assert!(matches!(ran.code, None | Some(0)), "{}", ran.stderr);
            ready.is_whole();
        }
        drawn.mend(&world);
        ready.is_equal();
    }
    counts
}

/// Killed, failed with one complaint, or done: 0, 1 or 2.
fn ended(ran: &Ran, fault: &Fault) -> usize {
    match ran.code {
        None => return 0,
        Some(0) => return 2,
        // How often the runtime wakes itself differs from run to run: its own write was struck, which no system
        // refuses.
        Some(101) if ran.stderr.contains("failed to wake I/O driver") => return 0,
        Some(code) => assert_ne!(code, 101, "{}", ran.stderr),
    }
    // If every write fails, so does the one of the complaint.
    if fault.point.call != "write" || !fault.forever {
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
    }
    1
}

impl Drawn {
    /// Rows that somebody changed in the warehouse are looked for by `verify` alone.
    fn mending(&self) -> &'static str {
        if self.command == Command::Repair { "verify --repair --accept-loss" } else { "run --accept-loss" }
    }

    /// One command makes everything equal, and then there is nothing to do.
    fn mend(&self, world: &World) {
        super::whole::no_session_is_left(world);
        settles_by(world, self.mending());
        super::whole::nothing_lies_about(world);
    }
}

/// The settings that a command has.
fn set(world: &World, asked: &Asked<'_>) {
    world.settings(asked.settings());
}

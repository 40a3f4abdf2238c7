//! The network does harm: at any byte, in either direction, to either server. Never is anything wrong taken for done,
//! never does a run hang, and the next one mends it.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::held::Running;
use super::proxy::{Harm, Proxy, Way};
use super::stage::{Stage, Start};
use super::sweeping;
use super::whole::{committed, is_mended, is_whole};
use crate::kit::random::{self, Random};
use crate::kit::{Ran, World};
use crate::own_servers::Side;

/// Every limit at so many seconds.
pub const LIMIT: u64 = 2;

/// A stalled server is given up this much later than the limit, and then everything else may take a while.
pub const GIVEN_UP_WITHIN: Duration = Duration::from_secs(LIMIT + 5 + 5);

/// The limit of a statement whose answer comes later than that.
const SLOW: u64 = 6;

const BOTH: [Side; 2] = [Side::Production, Side::Warehouse];
const WAYS: [Way; 2] = [Way::ToServer, Way::ToClient];

pub fn limits(world: &World, seconds: u64) {
    let keys = ["connect", "lock", "statement", "idle"].map(|key| format!("{key}_timeout = \"{seconds}s\"\n"));
    world.settings(format!("[limits]\n{}", keys.concat()));
}

/// The next runs have all the time that they need, on a busy machine as well.
fn is_mended_in_peace(stage: &Stage) {
    limits(&stage.world, 600);
    stage.is_mended();
}

/// A run by way of one proxy, and whether it came to the harm. It ends in time.
fn run_by(world: &World, side: Side, harm: Harm) -> (Ran, Proxy) {
    let proxy = Proxy::new(world, side, harm);
    let (name, url) = proxy.variable(world, side);
    let mut command = world.command("run --accept-loss");
    command.env(name, url);
    let started = Instant::now();
    let mut running = Running::started(command);
    let is_slow = matches!(harm, Harm::Trickle | Harm::Pause(..));
    let limit = if is_slow { Duration::from_secs(90) } else { GIVEN_UP_WITHIN * 2 };
    assert!(running.ends_within(limit), "{harm:?} of {side:?}: not at its end after {:?}", started.elapsed());
    (running.ends(), proxy)
}

/// What a run with harm may come to: done and exact, or one complaint.
fn is_judged(stage: &Stage, ran: &Ran, what: &str) -> bool {
    if ran.code == Some(0) {
        stage.world.is_exact();
        return true;
    }
    assert!(matches!(ran.code, Some(1 | 3 | 4 | 75)), "{what}: {:?} {}", ran.code, ran.stderr);
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{what}: {}", ran.stderr);
    false
}

/// Several at once: most of it is waiting.
fn at_once<T: Send>(harms: Vec<T>, workers: usize, one: impl Fn(&mut Stage, T) + Sync) {
    let harms = Mutex::new(harms);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut stage = Stage::new(Start::Change);
                loop {
                    let Some(harm) = harms.lock().unwrap().pop() else { break };
                    one(&mut stage, harm);
                }
            });
        }
    });
}

/// How many bytes pass in a run: from and to production, from and to the warehouse.
fn lengths() -> [[u64; 2]; 2] {
    let mut stage = Stage::new(Start::Change);
    BOTH.map(|side| {
        stage.ready();
        let (ran, proxy) = run_by(&stage.world, side, Harm::None);
        ran.succeeds();
        WAYS.map(|way| proxy.passed(way))
    })
}

fn drawn(random: &mut Random, lengths: [[u64; 2]; 2], harm: impl Fn(&mut Random, Way, u64) -> Harm) -> (Side, Harm) {
    let (side, way) = (usize::try_from(random.below(2)).unwrap(), usize::try_from(random.below(2)).unwrap());
    let at = random.below(lengths[side][way]);
    (BOTH[side], harm(random, WAYS[way], at))
}

fn tried(name: &str, count: usize, harm: impl Fn(&mut Random, Way, u64) -> Harm) {
    let (seed, lengths) = (random::seed(name), lengths());
    let mut random = Random::new(seed);
    let count = if sweeping() { count * 40 } else { count };
    let harms: Vec<_> = (0..count).map(|_| drawn(&mut random, lengths, &harm)).collect();
    let (done, failed, struck) = (Mutex::new(0), Mutex::new(0), Mutex::new(0));
    at_once(harms, 4, |stage, (side, harm)| {
        let [before, after] = stage.ready();
        limits(&stage.world, LIMIT);
        let (ran, proxy) = run_by(&stage.world, side, harm);
        let what = format!("KALENDS_SEED={seed} {side:?} {harm:?}");
        let came_to = if is_judged(stage, &ran, &what) { &done } else { &failed };
        *came_to.lock().unwrap() += 1;
        *struck.lock().unwrap() += usize::from(proxy.has_struck());
        eprintln!("{what}: {:?}", ran.code);
        is_whole(&stage.world, &[&before, &after]);
        // A silent network does not tell the server that the run is gone; at last it breaks.
        drop(proxy);
        is_mended_in_peace(stage);
    });
    let (done, failed, struck) =
        (done.into_inner().unwrap(), failed.into_inner().unwrap(), struck.into_inner().unwrap());
    assert!(struck * 2 >= count, "{name}: {struck} of {count} came to harm");
    eprintln!(
        "{name}: {failed} runs failed and were mended, {done} were done all the same, of {count} at {lengths:?} bytes"
    );
}

#[test]
fn a_connection_that_is_cut_at_any_byte_fails_the_run_or_was_not_needed() {
    tried("closed", 8, |_, way, at| Harm::Close(way, at));
}

#[test]
fn a_connection_that_is_reset_at_any_byte_fails_the_run_or_was_not_needed() {
    tried("reset", 4, |_, _, at| Harm::Reset(at));
}

#[test]
fn a_bit_that_flips_is_never_taken_for_the_truth() {
    tried("flipped", 12, |random, way, at| Harm::Flip(way, at, u8::try_from(random.below(8)).unwrap()));
}

/// By way of a proxy that makes something else of what one of the servers is told or says.
fn run_with_another(world: &World, arguments: &str, side: Side, harm: Harm) -> Ran {
    let proxy = Proxy::new(world, side, harm);
    let (name, url) = proxy.variable(world, side);
    let ran = world.kalends_with(arguments, &[(name, &url)]);
    assert!(proxy.has_struck(), "{arguments}: {harm:?} did not pass");
    ran
}

/// Another figure on its way to or from the warehouse.
fn another_figure(way: Way) -> Harm {
    Harm::Replace(way, "7654321", "7654320")
}

#[test]
fn a_figure_that_changes_on_its_way_is_neither_settled_nor_published() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-15 | 1\n 2024-02-01 | 1");
    is_mended(&world);
    let was = committed(&world);
    world.production("created_at | value\n 2024-01-16 | 7654321");
    let ran = run_with_another(&world, "run", Side::Warehouse, another_figure(Way::ToServer));
    ran.fails_with(1).says("could not settle month 2024-01").says("altered on their way to the warehouse");
    assert_eq!(committed(&world), was);

    world.kalends("prepare").succeeds();
    let files = world.files();
    let ran = run_with_another(&world, "export", Side::Warehouse, another_figure(Way::ToClient));
    ran.fails_with(1).says("the content of a file was altered on its way from the warehouse");
    assert_eq!(world.files(), files);
    is_mended(&world);
}

/// What one flipped bit makes of an answer of production, and what is said of it. 14 March 2026 is day 9569 (0x2561);
/// it becomes 8 August 2027, and what is left of its month could be proven. Each day comes after its length.
const FLIPPED: [[&str; 3]; 2] = [
    ["\0\0\0\x04\0\0%a", "\0\0\0\x04\0\0'a", "the account of a day was altered on its way from production"],
    [" UTC", " UTB", "the moment of production's data was altered on its way"],
];

#[test]
fn a_day_or_moment_that_becomes_another_on_its_way_settles_nothing() {
    let world = World::new();
    world.production("created_at | value\n 2026-03-13 | 1\n 2026-03-14 | 1");
    is_mended(&world);
    let was = committed(&world);
    world.production("created_at | value\n 2026-03-13 | 2");
    for [from, to, says] in FLIPPED {
        let flipped = Harm::Replace(Way::ToClient, from, to);
        run_with_another(&world, "run --accept-loss", Side::Production, flipped).fails_with(1).says(says);
        assert_eq!(committed(&world), was);
    }
    is_mended(&world);
}

#[test]
fn a_network_that_falls_silent_at_any_byte_ends_the_run_in_time() {
    tried("stalled", 4, |_, way, at| Harm::Stall(way, at));
}

#[test]
fn what_is_slow_and_alive_is_not_given_up() {
    let lengths = lengths();
    let pauses = [0, 1].map(|side| {
        let half = lengths[side][1] / 2;
        (BOTH[side], Harm::Pause(Way::ToClient, half, Duration::from_secs(SLOW + 2)))
    });
    let slow = BOTH.map(|side| (side, Harm::Trickle));
    at_once(pauses.into_iter().chain(slow).collect(), 4, |stage, (side, harm)| {
        stage.ready();
        // The server has done its work, and waits for the next; ours is that its answer comes late.
        let limits = format!("[limits]\nstatement_timeout = \"{SLOW}s\"\nidle_timeout = \"600s\"\n");
        stage.world.settings(limits);
        let (ran, proxy) = run_by(&stage.world, side, harm);
        ran.succeeds();
        assert!(proxy.has_struck(), "{harm:?}");
        stage.world.is_exact();
        is_mended_in_peace(stage);
    });
}

#[test]
fn a_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice() {
    for side in BOTH {
        let mut stage = Stage::new(Start::Change);
        for number in 1.. {
            let [before, after] = stage.ready();
            let was = committed(&stage.world);
            let (ran, proxy) = run_by(&stage.world, side, Harm::LoseAnswer(number));
            if !proxy.has_struck() {
                ran.succeeds();
                assert!(number > 1 || side == Side::Production, "no COMMIT was seen");
                stage.is_mended();
                eprintln!("{side:?}: answers of {} COMMITs were lost", number - 1);
                break;
            }
            let what = format!("{side:?} {number}");
            if !is_judged(&stage, &ran, &what) {
                ran.says(if side == Side::Warehouse { "could not commit" } else { "production" });
                // The server has done it: the warehouse is not what it was.
                assert_ne!(committed(&stage.world), was, "{what}: {}", ran.stderr);
            }
            is_whole(&stage.world, &[&before, &after]);
            stage.is_mended();
            let runs = "SELECT count(*), count(DISTINCT day) FROM kalends_stats.entity_day";
            let counts = stage.world.ask_warehouse(runs).remove(0);
            let (days, distinct) = counts.split_once('|').unwrap();
            assert_eq!(days, distinct, "{what}");
        }
    }
}

#[test]
fn a_server_that_is_starting_up_is_waited_for_and_not_for_ever() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-15 | 1");
    for side in BOTH {
        let (ran, proxy) = run_by(&world, side, Harm::StartingUp(3));
        ran.succeeds();
        assert!(proxy.connections() > 3);
        is_mended(&world);
    }
    let started = Instant::now();
    let (ran, proxy) = run_by(&world, Side::Production, Harm::StartingUp(usize::MAX));
    ran.fails_with(1).says("the database system is starting up (57P03)");
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
    eprintln!("gave up after {} tries and {:?}", proxy.connections(), started.elapsed());
    assert_eq!(proxy.connections(), 9);
    is_mended(&world);
}

#[test]
fn a_system_that_does_not_tell_its_server_of_clients_that_are_gone_is_no_hindrance() {
    // macOS is such a one: the server takes no value but 0.
    let [sent, heard] = ["200ms", "-10ms"];
    let pin = |value: &str| format!("client_connection_check_interval = '{value}'").leak() as &'static str;
    let harm = Harm::Replace(Way::ToServer, pin(sent), pin(heard));
    for side in BOTH {
        let mut stage = Stage::new(Start::Change);
        stage.ready();
        let (ran, proxy) = run_by(&stage.world, side, harm);
        ran.succeeds();
        assert!(proxy.has_struck());
        stage.world.is_exact();
        stage.is_mended();
    }
}

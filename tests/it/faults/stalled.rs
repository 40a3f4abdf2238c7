//! Servers that stop and keep their sockets open: SIGSTOP to the processes of a run's sessions, at each lock point.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::held::{Hold, MOMENTS, Moment, Running, url, wait_for};
use super::proxied::{GIVEN_UP_WITHIN, LIMIT, limits};
use super::proxy::{Harm, Proxy};
use super::servers::{held_in_mid_copy, in_mid_copy};
use super::stage::{Stage, Start};
use super::whole::{committed, is_mended, is_whole, no_session_is_left};
use crate::kit::{Ran, World, ask};
use crate::own_servers::Side;

const BOTH: [Side; 2] = [Side::Production, Side::Warehouse];

/// A limit that a run does not come to before it is in the middle of a large COPY.
const LONGER: u64 = 6;

/// Processes that are stopped until this is dropped.
struct Stopped(Vec<String>);

impl Stopped {
    /// Of all sessions of a run on a server.
    fn on(world: &World, side: Side) -> Self {
        let stopped = Self(ask(url(world, side), OURS));
        assert!(!stopped.0.is_empty(), "no session on {side:?}");
        stopped.signal("-STOP");
        stopped
    }

    fn signal(&self, name: &str) {
        for pid in &self.0 {
            assert!(Command::new("kill").args([name, pid]).status().unwrap().success());
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

const OURS: &str = "SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name LIKE 'kalends %'";

fn other(side: Side) -> Side {
    if side == Side::Production { Side::Warehouse } else { Side::Production }
}

/// The run ends in time, says which server it was, and has let the other one go.
fn gives_up(world: &World, side: Side, mut running: Running, time: Duration, what: &str) -> Ran {
    let started = Instant::now();
    assert!(running.ends_within(time), "{what}: not at its end after {:?}", started.elapsed());
    let ended = Instant::now();
    wait_for("the other server to be let go", || ask(url(world, other(side)), OURS).is_empty());
    assert!(ended.elapsed() < Duration::from_secs(3), "{what}: the other server was held for {:?}", ended.elapsed());
    running.ends()
}

fn says_who_stalled(ran: &Ran, side: Side, limit: u64, what: &str) {
    let name = if side == Side::Production { "production" } else { "the warehouse" };
    ran.fails_with(1).says(&format!("{name} did not answer within {} s, and was given up (", limit + 5));
    ran.says(" hint: Check that server, then run again");
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{what}: {}", ran.stderr);
}

#[test]
fn a_session_that_stands_still_at_any_moment_ends_the_run_in_time() {
    let moments: Vec<(Moment, Side)> = MOMENTS.into_iter().flat_map(|moment| BOTH.map(|side| (moment, side))).collect();
    let moments = super::sample(moments, 8);
    let workers = if super::sweeping() { 4 } else { moments.len() };
    let share = moments.len().div_ceil(workers);
    let (mut tried, mut failed) = (0, 0);
    thread::scope(|scope| {
        let share = moments.chunks(share).map(|moments| scope.spawn(|| stand_still(moments)));
        for one in share.collect::<Vec<_>>() {
            failed += one.join().unwrap();
        }
        tried += moments.len();
    });
    eprintln!("sessions that stood still: mended {tried} of {tried}, {failed} of them had failed the run");
    assert!(failed > 0);
}

fn stand_still(moments: &[(Moment, Side)]) -> usize {
    let mut stage = Stage::new(Start::Change);
    let mut failed = 0;
    for &(moment, side) in moments {
        let what = format!("{moment:?}, {side:?} stands still");
        let [before, after] = stage.ready();
        let was = committed(&stage.world);
        limits(&stage.world, LIMIT);
        let hold = Hold::at(&stage.world, moment);
        let running = Running::until_held(&stage.world, moment.side);
        let stopped = Stopped::on(&stage.world, side);
        drop(hold);
        let ran = gives_up(&stage.world, side, running, GIVEN_UP_WITHIN, &what);
        if ran.code == Some(0) && side != moment.side {
            // It was not needed any more.
            stage.world.is_exact();
        } else {
            says_who_stalled(&ran, side, LIMIT, &what);
            failed += 1;
            if moment.early && side == Side::Warehouse {
                assert_eq!(committed(&stage.world), was, "{what}");
            }
        }
        drop(stopped);
        no_session_is_left(&stage.world);
        is_whole(&stage.world, &[&before, &after]);
        limits(&stage.world, 600);
        stage.is_mended();
    }
    failed
}

#[test]
fn a_copy_that_stands_still_on_either_side_ends_in_time() {
    thread::scope(|scope| {
        for side in BOTH {
            scope.spawn(move || {
                let (world, [before, after]) = in_mid_copy(World::new());
                let was = committed(&world);
                limits(&world, LONGER);
                let (hold, running) = held_in_mid_copy(&world);
                let stopped = Stopped::on(&world, side);
                drop(hold);
                let ran = gives_up(&world, side, running, GIVEN_UP_WITHIN + Duration::from_secs(LONGER), "in mid copy");
                says_who_stalled(&ran, side, LONGER, "in mid copy");
                ran.says("2024-01");
                assert_eq!(committed(&world), was, "{side:?}");
                drop(stopped);
                is_whole(&world, &[&before, &after]);
                limits(&world, 600);
                is_mended(&world);
            });
        }
    });
}

#[test]
fn a_session_that_stands_still_for_a_while_is_waited_for() {
    let mut stage = Stage::new(Start::Change);
    for side in BOTH {
        stage.ready();
        limits(&stage.world, 5);
        let hold = Hold::at(&stage.world, MOMENTS[3]);
        let running = Running::until_held(&stage.world, MOMENTS[3].side);
        let stopped = Stopped::on(&stage.world, side);
        drop(hold);
        thread::sleep(Duration::from_secs(2));
        drop(stopped);
        running.ends().succeeds();
        stage.world.is_exact();
        stage.is_mended();
    }
}

/// Linux takes a peer that takes no data for one that is dead; this one is longer at it than other connections may be.
#[test]
fn a_warehouse_that_takes_no_rows_for_a_while_is_waited_for() {
    if !super::sweeping() {
        eprintln!("NOT TRIED: it takes 45 s, and is tried by tests/sweep");
        return;
    }
    let (world, _) = in_mid_copy(World::new());
    // More than the buffers of two sockets hold.
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-15' + n * interval '1 second', n FROM generate_series(60001, 900000) AS n",
    );
    limits(&world, 600);
    let proxy = Proxy::new(&world, Side::Warehouse, Harm::None);
    let (name, url) = proxy.variable(&world, Side::Warehouse);
    let hold = Hold::by(&world.warehouse_url, "SELECT pg_advisory_xact_lock(7)");
    let mut command = world.command("run");
    command.env(name, url);
    let mut running = Running::started(command).once_held(&world, Side::Warehouse);
    assert!(!running.ends_within(Duration::from_secs(45)), "it was not waited for: {}", running.ends().stderr);
    drop(hold);
    assert!(running.ends_within(Duration::from_secs(300)), "it does not come to its end");
    running.ends().succeeds();
    world.is_exact();
}

//! A run that is held up at a known moment, by a lock that another session has.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use crate::kit::{Ran, World, ask};
use crate::own_servers::Side;

/// Where a run is held up.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub side: Side,
    pub lock: &'static str,
    /// Whether nothing is committed by then.
    pub early: bool,
}

const fn at(side: Side, lock: &'static str, early: bool) -> Moment {
    Moment { side, lock, early }
}

/// In the order in which a run comes by. `SHARE` lets others read and not write.
pub const MOMENTS: [Moment; 10] = [
    at(Side::Warehouse, "kalends_stats.entity_day IN ACCESS EXCLUSIVE", true),
    at(Side::Production, "public.entity IN ACCESS EXCLUSIVE", true),
    at(Side::Warehouse, "kalends.state IN SHARE", true),
    at(Side::Warehouse, "kalends.run IN SHARE", true),
    at(Side::Warehouse, "kalends_raw.entity_2024_01 IN SHARE", true),
    at(Side::Warehouse, "kalends.restatement IN SHARE", true),
    at(Side::Warehouse, "kalends_stats.entity_day IN SHARE", true),
    at(Side::Warehouse, "kalends_stats.entity_month IN SHARE", true),
    at(Side::Warehouse, "kalends_stats.entity_year IN SHARE", true),
    at(Side::Warehouse, "kalends.file IN SHARE", false),
];

pub fn url(world: &World, side: Side) -> &str {
    match side {
        Side::Production => &world.production_url,
        Side::Warehouse => &world.warehouse_url,
    }
}

/// The sessions of commands that wait for a lock.
const HELD: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                    AND application_name LIKE 'kalends %' AND wait_event_type = 'Lock'";

/// A session that holds something until it is dropped.
pub struct Hold {
    _client: Client,
}

impl Hold {
    pub fn at(world: &World, moment: Moment) -> Self {
        Self::by(url(world, moment.side), &format!("LOCK TABLE {} MODE", moment.lock))
    }

    pub fn by(url: &str, sql: &str) -> Self {
        let mut client = Client::connect(url, NoTls).unwrap();
        client.batch_execute(&format!("BEGIN; {sql}")).unwrap();
        Self { _client: client }
    }
}

/// A run that goes on beside the test.
pub struct Running(Option<Child>);

impl Running {
    pub fn new(world: &World) -> Self {
        Self::started(world.command("run --accept-loss"))
    }

    /// Any command.
    pub fn started(mut command: Command) -> Self {
        Self(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    /// One that has come to where it is held up.
    pub fn until_held(world: &World, side: Side) -> Self {
        Self::new(world).once_held(world, side)
    }

    /// When it has come to where it is held up.
    pub fn once_held(mut self, world: &World, side: Side) -> Self {
        if !self.is_held_or_ends(world, side) {
            let ran = self.ends();
            panic!("was not held up, and ended with {:?}: {}{}", ran.code, ran.stdout, ran.stderr);
        }
        self
    }

    /// Whether it has come to where it is held up; it may end before.
    pub fn is_held_or_ends(&mut self, world: &World, side: Side) -> bool {
        self.ends_or_waits(world, side, 1)
    }

    /// Whether so many commands are held up by then; otherwise this one has ended.
    pub fn ends_or_waits(&mut self, world: &World, side: Side, commands: usize) -> bool {
        let mut are_held = false;
        wait_for("a command that is held up or ends", || {
            are_held = ask(url(world, side), HELD).len() >= commands;
            are_held || self.0.as_mut().unwrap().try_wait().unwrap().is_some()
        });
        are_held
    }

    pub fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Whether it has ended by then.
    pub fn ends_within(&mut self, time: Duration) -> bool {
        let started = Instant::now();
        while started.elapsed() < time {
            if self.0.as_mut().unwrap().try_wait().unwrap().is_some() {
                return true;
            }
            sleep(Duration::from_millis(5));
        }
        false
    }

    pub fn signal(&self, name: &str) {
        let pid = self.0.as_ref().unwrap().id().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    pub fn ends(mut self) -> Ran {
        let mut child = self.0.take().unwrap();
        wait_for("the end of a run", || child.try_wait().unwrap().is_some());
        Ran::of(child.wait_with_output().unwrap(), "run")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited 30 s for {what}");
        sleep(Duration::from_millis(5));
    }
}

//! What the nemesis does while a command runs.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::{Life, Ran, Running, Side, ask};
use crate::faults::held::url;
use crate::kit::random::Random;

#[derive(Debug)]
pub struct Blow {
    after: Duration,
    what: What,
}

#[derive(Debug)]
enum What {
    Nothing,
    /// `kill -9` of the command.
    Kill,
    /// SIGSTOP of its sessions, for so long.
    Stop(Side, Duration),
    /// `pg_terminate_backend` of its sessions.
    Terminate(Side),
    /// At once, or with a goodbye to everybody.
    Restart(Side, bool),
}

impl Blow {
    /// At any moment of a command that takes about as long as `usual`.
    pub fn drawn(random: &mut Random, usual: Duration) -> Self {
        let after = usual.mul_f64(random.index(1100) as f64 / 1000.0);
        let side = *random.one_of(&[Side::Production, Side::Warehouse]);
        let what = match random.below(9) {
            0 => What::Nothing,
            1..=3 => What::Kill,
            4 => What::Stop(side, Duration::from_millis(100 + random.below(1400))),
            5 | 6 => What::Terminate(side),
            _ => What::Restart(side, random.below(2) == 0),
        };
        Self { after, what }
    }

    /// Gives how the command ended.
    pub fn falls(&self, life: &Life<'_>, mut running: Running) -> Ran {
        if running.ends_within(self.after) {
            return running.ends();
        }
        let sessions = |side| ask(url(&life.world, side), OURS);
        match self.what {
            What::Nothing => {}
            // It may have ended by now, as sessions may have.
            What::Kill => signal("-KILL", &[running.id().to_string()]),
            What::Stop(side, lasting) => {
                let stopped = sessions(side);
                signal("-STOP", &stopped);
                sleep(lasting);
                signal("-CONT", &stopped);
            }
            What::Terminate(side) => {
                drop(ask(url(&life.world, side), &OURS.replace("pid", "pg_terminate_backend(pid)")))
            }
            What::Restart(side, at_once) => {
                life.own.restart(side, at_once);
                // A start of either server writes anew who may log in to both, and a standby whose replay is paused comes
                // back only when it goes on.
                if let Some(standby) = life.standby {
                    standby.is_admitted(life.own);
                }
            }
        }
        running.ends()
    }
}

const OURS: &str = "SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name LIKE 'kalends %'";

fn signal(name: &str, processes: &[String]) {
    for process in processes {
        Command::new("kill").args([name, process]).output().unwrap();
    }
}

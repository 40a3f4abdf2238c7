//! Faults: the process is killed, its calls fail, its sessions and servers end, others run at the same time. Whatever
//! happens, nobody ever sees a torn month or file, and one run without a fault makes everything exact.
//!
//! Every point of a sweep is tried where `KALENDS_SWEEP` is `all` (see `tests/sweep`), a sample of them otherwise.

// Figures are worth reading, and what a machine cannot try is said.
#![allow(clippy::print_stderr)]

pub mod calls;
mod clocks;
mod disk;
mod flush;
mod half_open;
pub mod held;
mod hostile;
mod kill;
mod lasting;
pub mod limits;
mod maintenance;
mod nemesis;
mod network;
mod pgbouncer;
mod pins;
mod power;
mod production;
mod proxied;
pub mod proxy;
mod race;
mod report;
mod room;
mod servers;
mod signals;
mod stage;
mod stalled;
mod strangers;
mod swaps;
pub mod whole;
pub mod worlds;

/// Whether every point is to be tried.
pub fn sweeping() -> bool {
    std::env::var("KALENDS_SWEEP").is_ok_and(|sweep| sweep == "all")
}

/// Of so many points: all of them, or as many as the default run has time for.
pub fn sample<T>(points: Vec<T>, most: usize) -> Vec<T> {
    if sweeping() { points } else { spread(points, most) }
}

/// So many points at most, evenly, the first and the last among them.
pub fn spread<T>(points: Vec<T>, most: usize) -> Vec<T> {
    let count = points.len();
    if count <= most {
        return points;
    }
    let chosen: std::collections::BTreeSet<usize> = (0..most).map(|step| step * (count - 1) / (most - 1)).collect();
    points.into_iter().enumerate().filter(|(number, _)| chosen.contains(number)).map(|(_, point)| point).collect()
}

//! A world that is made ready for the next faulty run, over and over.

use std::cell::Cell;
use std::fs;

use super::sweeping;
use super::whole::{State, is_exact_again, is_mended};
use crate::kit::World;

/// The first and the second state of production have as many days of each kind, so a run from either to the other makes
/// the same calls: a changed, a vanished and a new day, a month and a year that vanish, a month and a year that are
/// new.
const STATES: [&str; 2] = [
    "('2024-01-02 08:00', 5), ('2024-01-02 08:00', 5), ('2024-01-31 10:00', 10), ('2024-02-01', -3), ('2024-02-29', 8),
     ('2025-06-01', 1), ('2025-06-02', NULL)",
    "('2024-01-02 08:00', 5), ('2024-01-02 08:00', 6), ('2024-01-30 10:00', 10), ('2024-02-01', -4), ('2024-02-29', 8),
     ('2026-06-01', 1), ('2026-06-02', NULL)",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The warehouse and the export folder know nothing.
    FirstRun,
    /// Everything was settled, and production is another.
    Change,
}

pub struct Stage {
    pub world: World,
    start: Start,
    current: usize,
    /// How often it was mended.
    mended: Cell<usize>,
}

impl Stage {
    pub fn new(start: Start) -> Self {
        Self::of(World::new(), start)
    }

    pub fn of(world: World, start: Start) -> Self {
        let mut stage = Self { world, start, current: 0, mended: Cell::new(0) };
        // Once to and fro: the tables of all months are there then, and every further run is like the one before.
        for _ in 0..if start == Start::Change { 3 } else { 0 } {
            stage.turn();
            stage.world.kalends("run --accept-loss").succeeds();
        }
        stage
    }

    /// Makes ready for a run, and gives what months and files may say from then on: as before or as after.
    pub fn ready(&mut self) -> [State; 2] {
        if self.start == Start::FirstRun {
            self.world.empty_warehouse();
            if self.world.exports.exists() {
                fs::remove_dir_all(&self.world.exports).unwrap();
            }
            self.turn();
            return [State::empty(), State::of(&self.world)];
        }
        let before = State::of(&self.world);
        self.turn();
        [before, State::of(&self.world)]
    }

    fn turn(&mut self) {
        self.current = 1 - self.current;
        let rows = STATES[self.current];
        self.world.production_sql(&format!("BEGIN; TRUNCATE entity; INSERT INTO entity VALUES {rows}; COMMIT"));
    }

    /// One run makes everything exact. Of a sample every third time, and in a sweep each time, verify agrees then and a
    /// further run writes nothing.
    pub fn is_mended(&self) {
        let before = self.mended.replace(self.mended.get() + 1);
        match sweeping() || before.is_multiple_of(3) {
            true => is_mended(&self.world),
            false => is_exact_again(&self.world),
        }
    }
}

//! How fast rows are read.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::time::Duration;

use tokio::time::Instant;

/// With a limit, rows are read without a rest for this part of a second.
const PARTS_OF_A_SECOND: u64 = 10;

/// Keeps the rows that are read below a number per second. Unused time is not made up for: after a pause, reading is
/// not faster.
#[derive(Debug)]
pub struct Pace {
    rows_per_second: Option<NonZeroU64>,
    /// When the time of the rows that have passed is over.
    free_at: Cell<Instant>,
}

impl Pace {
    /// At most so many rows per second; `None`: no limit.
    pub fn new(rows_per_second: Option<NonZeroU64>) -> Self {
        Self { rows_per_second, free_at: Cell::new(Instant::now()) }
    }

    /// How many rows may pass before [`Pace::rest`].
    pub fn most_at_once(&self) -> u64 {
        self.rows_per_second.map_or(u64::MAX, |rows| (rows.get() / PARTS_OF_A_SECOND).max(1))
    }

    /// How many rows pass in a second at most.
    pub fn in_a_second(&self) -> u64 {
        self.rows_per_second.map_or(u64::MAX, NonZeroU64::get)
    }

    /// Waits as long as these rows take.
    pub async fn rest(&self, rows: u64) {
        self.count(rows);
        self.wait().await;
    }

    /// Counts rows that were read at once, for the next wait.
    pub fn count(&self, rows: u64) {
        let Some(most) = self.rows_per_second else { return };
        self.free_at.set(self.free_at.get().max(Instant::now()) + takes(rows, most));
    }

    /// Waits until the time of all rows that were read is over.
    pub async fn wait(&self) {
        if self.rows_per_second.is_some() {
            tokio::time::sleep_until(self.free_at.get()).await;
        }
    }
}

fn takes(rows: u64, per_second: NonZeroU64) -> Duration {
    Duration::from_nanos(
        u64::try_from(u128::from(rows) * 1_000_000_000 / u128::from(per_second.get())).unwrap_or(u64::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_their_share_of_a_second() {
        let takes = |rows, most| takes(rows, NonZeroU64::new(most).unwrap());
        assert_eq!(takes(100, 1000), Duration::from_millis(100));
        assert_eq!(takes(1, 3), Duration::from_nanos(333_333_333));
        assert_eq!(takes(u64::MAX, 1), Duration::from_nanos(u64::MAX));
    }
}

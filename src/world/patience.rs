//! How long a command waits for another run to end.

use std::time::{Duration, Instant};

use crate::error::{self, Result};

/// The first and the longest pause between attempts. The pause doubles, so that a long wait costs little.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// How long to wait, and until when.
pub(super) struct Patience {
    wait: Duration,
    until: Instant,
}

impl Patience {
    /// From now on.
    pub(super) fn of(wait: Duration) -> Self {
        let now = Instant::now();
        // A wait that no clock can name is one of a year.
        Self { wait, until: now.checked_add(wait).unwrap_or(now + Duration::from_secs(366 * 86_400)) }
    }

    /// Does something. If another run is at work, tries again until it has ended or the time is over.
    pub(super) async fn with<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        let [mut pause, longest] = PAUSES;
        loop {
            match attempt().await {
                Err(error) if error::waits_for_a_run(&error) && Instant::now() < self.until => {
                    let left = self.until.saturating_duration_since(Instant::now());
                    tracing::info!("waiting: {error:#}");
                    tokio::time::sleep(pause.min(left)).await;
                    pause = longest.min(pause * 2);
                }
                Err(error) if error::waits_for_a_run(&error) && !self.wait.is_zero() => {
                    let waited = humantime::format_duration(self.wait);
                    return Err(error::hinting(error, format!("Waited {waited}, as --wait says; try again later.")));
                }
                ended => return ended,
            }
        }
    }
}

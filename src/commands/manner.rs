//! How a command is done, whatever it does: under which name, and how long it waits for others.

use std::time::{Duration, Instant};

use crate::cli::Command;
use crate::error::{self, Result};

/// Between two looks whether another run has ended: doubling, so that who waits long is no burden.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// How a command is done.
pub(super) struct Manner {
    /// What the servers know its sessions as.
    pub(super) application_name: String,
    /// Until when it waits for another run to end.
    waits_until: Instant,
}

impl Manner {
    /// As it was typed.
    pub(super) fn of(command: &Command) -> Self {
        let (name, waiting) = match command {
            Command::Simulate { .. } => ("simulate", None),
            Command::Prepare { waiting } => ("prepare", Some(waiting)),
            Command::Export { waiting, .. } => ("export", Some(waiting)),
            Command::Run { waiting, .. } => ("run", Some(waiting)),
            Command::Verify { waiting } => ("verify", Some(waiting)),
            Command::Status { waiting } => ("status", Some(waiting)),
            Command::History { .. } => ("history", None),
            Command::Forget { waiting, .. } => ("forget", Some(waiting)),
            Command::Local(_) => ("local", None),
            Command::Completions { .. } => ("completions", None),
        };
        let wait = waiting.and_then(|waiting| waiting.wait).unwrap_or_default();
        let now = Instant::now();
        // A wait that no clock can name is one of a year.
        let waits_until = now.checked_add(wait).unwrap_or(now + Duration::from_secs(366 * 86_400));
        Self { application_name: format!("kalends {name}"), waits_until }
    }

    /// Does something; where another run is in the way, again and again until it has ended or the time is past.
    ///
    /// # Errors
    /// Those of the final attempt.
    pub(super) async fn patiently<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        let [mut pause, longest] = PAUSES;
        loop {
            match attempt().await {
                Err(error) if error::waits_for_a_run(&error) && Instant::now() < self.waits_until => {
                    let left = self.waits_until.saturating_duration_since(Instant::now());
                    tracing::info!("waiting: {error:#}");
                    tokio::time::sleep(pause.min(left)).await;
                    pause = longest.min(pause * 2);
                }
                ended => return ended,
            }
        }
    }
}

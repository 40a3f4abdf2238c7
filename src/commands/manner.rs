//! How a command is done, whatever it does: under which name, how long it waits for others, and where its figures go.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::metrics;
use crate::cli::{Command, Measured, Waiting};
use crate::error::{self, Result};

/// Between two looks whether another run has ended: doubling, so that who waits long is no burden.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// How a command is done.
pub(super) struct Manner {
    /// As it was typed, or would be without its alias.
    pub(super) command: &'static str,
    /// Where its figures go.
    pub(super) metrics: Option<PathBuf>,
    /// How long it waits for another run to end.
    waits: Duration,
    /// Until when that is.
    waits_until: Instant,
}

impl Manner {
    /// As it was typed.
    ///
    /// # Errors
    /// Refuses (usage) a file of figures in a folder that is not there.
    pub(super) fn of(command: &Command) -> Result<Self> {
        type Typed<'a> = (&'static str, Option<&'a Waiting>, Option<&'a Measured>);
        let (command, waiting, measured): Typed<'_> = match command {
            Command::Init { .. } => ("init", None, None),
            Command::Check => ("check", None, None),
            Command::Simulate { .. } => ("simulate", None, None),
            Command::Prepare { waiting, measured, .. } => ("prepare", Some(waiting), Some(measured)),
            Command::Export { waiting, .. } => ("export", Some(waiting), None),
            Command::Run { waiting, measured, .. } => ("run", Some(waiting), Some(measured)),
            Command::Plan { waiting, .. } => ("plan", Some(waiting), None),
            Command::Verify { waiting, .. } => ("verify", Some(waiting), None),
            Command::Adopt { waiting, .. } => ("adopt", Some(waiting), None),
            Command::Status { waiting, measured, .. } => ("status", Some(waiting), Some(measured)),
            Command::History { .. } => ("history", None, None),
            Command::Diff { .. } => ("diff", None, None),
            Command::Forget { waiting, .. } => ("forget", Some(waiting), None),
            Command::Local(_) => ("local", None, None),
            Command::Completions { .. } => ("completions", None, None),
        };
        let wait = waiting.and_then(|waiting| waiting.wait).unwrap_or_default();
        let now = Instant::now();
        // A wait that no clock can name is one of a year.
        let waits_until = now.checked_add(wait).unwrap_or(now + Duration::from_secs(366 * 86_400));
        let metrics = metrics::check(measured.and_then(|measured| measured.metrics.clone()))?;
        Ok(Self { command, metrics, waits: wait, waits_until })
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
                Err(error) if error::waits_for_a_run(&error) && !self.waits.is_zero() => {
                    let waited = humantime::format_duration(self.waits);
                    return Err(error::hinting(error, format!("Waited {waited}, as --wait says; try again later.")));
                }
                ended => return ended,
            }
        }
    }
}

//! Notes in the warehouse, if it can be reached, runs that fail or are refused. `status` shows them.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::World;
use crate::error::{Exit, Result};
use crate::report::Outcome;
use crate::warehouse::notes::Failure;

/// How long noting may take, so that a failure is not reported much later.
const PATIENCE: Duration = Duration::from_secs(2);

/// The result of a run, and the failures that are to be noted.
pub type Ended = Result<(Outcome, Vec<Failure>)>;

impl World<'_> {
    /// Returns the work's result, and notes its failures over a connection of its own, because the work's may be what
    /// failed.
    ///
    /// # Errors
    /// Those of the work, explained.
    pub async fn noting(&self, work: impl Future<Output = Ended>) -> Result<Outcome> {
        // What something means for the role or the table is said once it is noted, too.
        let (outcome, mut failures) = match self.explaining(&self.settings.entities, work).await {
            Ok((outcome, failures)) => (Ok(outcome), failures),
            Err(error) => {
                let entity = match self.settings.entities.as_slice() {
                    [only] => Some(only.name.name()),
                    _ => None,
                };
                let failure = self.failure(entity, &error);
                (Err(error), vec![failure])
            }
        };
        failures.retain(|failure| [Exit::Failed, Exit::Refused].map(|exit| exit as i32).contains(&failure.exit_code));
        if !failures.is_empty() {
            self.note(&failures).await;
        }
        outcome
    }

    async fn note(&self, failures: &[Failure]) {
        let noted = tokio::time::timeout(PATIENCE, async { self.warehouse().await?.note_failures(failures).await });
        // The runtime panics where it cannot wake itself, as when nothing at all can be written. The failure is what
        // counts.
        match AssertUnwindSafe(noted).catch_unwind().await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::debug!(%error, "the failure could not be noted"),
            Ok(Err(_)) | Err(_) => tracing::debug!("the failure could not be noted in time"),
        }
    }
}

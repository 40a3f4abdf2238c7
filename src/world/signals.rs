//! What a command does when it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Exit, Result, one_line};
use crate::progress::{self, Committed, Talk};
use crate::report::{self, Outcome, counted};

/// While this value lives, Ctrl-C ends other programs of the terminal and not this one.
///
/// # Errors
/// If the system has no resources for that.
pub fn unheeding_interrupts() -> Result<impl Sized> {
    let runtime = crate::runtime::runtime()?;
    let interrupts = runtime.block_on(async { signal(SignalKind::interrupt()) })?;
    Ok((runtime, interrupts))
}

/// Ends when somebody presses Ctrl-C or sends SIGTERM. The work in progress is then dropped.
pub(super) async fn told_to_stop() -> Result<Exit> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => Ok(Exit::Interrupted),
        _ = terminate.recv() => Ok(Exit::Terminated),
    }
}

/// The message of a command that is told to stop.
pub(super) fn stopped(exit: Exit, talk: Talk) -> Outcome {
    if talk == Talk::Normal {
        let word = if exit == Exit::Interrupted { "interrupted" } else { "told to stop" };
        let stays = match progress::committed() {
            Some(Committed { entity, months, of }) if months < of => {
                let (entity, of) = (one_line(&entity), counted(of, "month"));
                format!("{months} of {of} of {entity} are committed, the rest is rolled back")
            }
            _ => "what was committed stays, the rest is rolled back".to_string(),
        };
        report::talk(&format!("{word}: {stays}; run again to go on"));
    }
    Outcome::new(exit, "", &"stopped")
}

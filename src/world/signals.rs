//! What a command does when it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Exit, Result};
use crate::progress::Talk;
use crate::report::{self, Outcome};

/// While this is held, Ctrl-C ends other programs of the terminal and not this one.
///
/// # Errors
/// When the system has no more of what that takes.
pub fn unheeding_interrupts() -> Result<impl Sized> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let interrupts = runtime.block_on(async { signal(SignalKind::interrupt()) })?;
    Ok((runtime, interrupts))
}

/// Ends when somebody presses Ctrl-C or sends SIGTERM; what is under way is dropped then.
pub(super) async fn told_to_stop() -> Result<Exit> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => Ok(Exit::Interrupted),
        _ = terminate.recv() => Ok(Exit::Terminated),
    }
}

/// What is said when a command is told to stop.
pub(super) fn stopped(exit: Exit, talk: Talk) -> Outcome {
    if talk == Talk::Normal {
        let word = if exit == Exit::Interrupted { "interrupted" } else { "told to stop" };
        report::talk(&format!("{word}: what was committed stays, the rest is rolled back; run again to go on"));
    }
    Outcome::new(exit, "", &"stopped")
}

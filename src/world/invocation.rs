//! A command from what was typed to how it ended.

use std::path::PathBuf;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

use super::patience::Patience;
use super::servers::Addresses;
use super::signals::{stopped, told_to_stop};
use super::{World, metrics};
use crate::error::{Result, ToldToStop, one_line};
use crate::flags::{Measured, Waiting};
use crate::local::Servers as PrivateServers;
use crate::progress::Talk;
use crate::report::{self, Outcome};
use crate::settings::{Environment, Flags, Settings};

/// A command as it was typed.
pub struct Invocation {
    /// Its name, even if an alias was typed.
    pub command: &'static str,
    /// The arguments that the settings depend on.
    pub flags: Flags,
    /// The environment that the settings depend on.
    pub environment: Environment,
    /// Whether the result is printed as JSON.
    pub json: bool,
    /// Whether progress is shown.
    pub talk: Talk,
    /// The program's arguments, as clap knows them.
    pub parser: clap::Command,
}

/// A command that is ready to work on the servers.
pub struct Ready<'a> {
    invocation: &'a Invocation,
    /// The settings.
    pub settings: Settings,
    patience: Patience,
    metrics: Option<PathBuf>,
}

impl Invocation {
    /// Reads the settings. Some commands need nothing else.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn settings(&self) -> Result<Settings> {
        Settings::read(&self.flags, &self.environment)
    }

    /// Gets ready to work. Check all other arguments before.
    ///
    /// # Errors
    /// Refuses (usage) a metrics file in a folder that does not exist, and settings as [`Settings::read`] does.
    pub fn ready(&self, waiting: Waiting, measured: Measured) -> Result<Ready<'_>> {
        let patience = Patience::of(waiting.wait.unwrap_or_default());
        let metrics = metrics::check(measured.metrics)?;
        let settings = self.settings()?;
        if self.talk == Talk::Normal {
            settings.notes.iter().for_each(|note| report::talk(&format!("note: {}", one_line(note))));
        }
        Ok(Ready { invocation: self, settings, patience, metrics })
    }

    /// The same, with other settings, for a command without `--wait` and `--metrics`.
    pub fn ready_with(&self, settings: Settings) -> Ready<'_> {
        Ready { invocation: self, settings, patience: Patience::of(std::time::Duration::ZERO), metrics: None }
    }
}

impl Ready<'_> {
    /// Works on the configured servers, or on private ones that run for as long as it takes.
    ///
    /// # Errors
    /// Those of the work, explained; and if private servers cannot be started or stopped.
    pub fn work(self, work: impl AsyncFnOnce(&World<'_>) -> Result<Outcome>) -> Result<Outcome> {
        let Self { invocation: &Invocation { command, talk, .. }, settings, patience, metrics } = self;
        let Addresses { production, warehouse, private } = Addresses::of(&settings, command, talk)?;
        let world = World { command, settings: &settings, production, warehouse, talk, patience };
        // One thread: rows pass from one socket to the other, and a second thread would only hand them over.
        let runtime = crate::runtime::runtime()?;
        let outcome = runtime.block_on(async {
            // A file that is too large for `ulimit -f` is an error to whoever writes it, and not the end without a
            // word.
            let _too_large = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
            // All that a command does is a large value, which each function that passes it on would have on its stack.
            let work = Box::pin(work(&world));
            let outcome = tokio::select! {
                outcome = unless_told_to_stop(world.explaining(&settings.entities, work)) => outcome,
                signal = told_to_stop() => signal.map(|exit| stopped(exit, talk)),
            };
            metrics::written(&world, metrics.as_deref(), outcome).await
        });
        // Connections end here, and what was not committed is rolled back, before the servers are stopped. A name that
        // is still being looked up is not waited for.
        runtime.shutdown_background();
        let given_back = private.map_or(Ok(()), PrivateServers::give_back);
        let outcome = outcome?;
        given_back?;
        Ok(outcome)
    }
}

/// The outcome of some work. If it ended because the command is told to stop, whoever hears the signal says how.
async fn unless_told_to_stop(work: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    match work.await {
        Err(error) if error.is::<ToldToStop>() => std::future::pending().await,
        ended => ended,
    }
}

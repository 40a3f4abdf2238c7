//! `local`: the private PostgreSQL servers.

use crate::cli;
use crate::error::{Exit, Result};
use crate::local::{self, Side, Status};
use crate::report::Outcome;
use crate::settings::Settings;

pub(super) fn run(command: cli::Local, settings: &Settings) -> Result<Outcome> {
    let place = &settings.local;
    match command {
        cli::Local::Start => Ok(outcome(Exit::Done, &local::start(place)?)),
        cli::Local::Stop => Ok(outcome(Exit::Done, &local::stop(place)?)),
        cli::Local::Status => {
            let status = local::status(place)?;
            Ok(outcome(if status.is_running() { Exit::Done } else { Exit::Differs }, &status))
        }
        cli::Local::Psql { side, arguments } => {
            let servers = local::borrow(place)?;
            let side = match side {
                cli::Side::Production => Side::Production,
                cli::Side::Warehouse => Side::Warehouse,
            };
            // In psql a Ctrl-C cancels a statement; it is not meant for us, who wait.
            let _unheeded = super::unheeding_interrupts()?;
            let ended = servers.psql(side, arguments)?.status()?;
            servers.give_back()?;
            Ok(Outcome::new(if ended.success() { Exit::Done } else { Exit::Failed }, "", &ended.code()))
        }
    }
}

fn outcome(exit: Exit, status: &Status) -> Outcome {
    Outcome::new(exit, status.to_string(), status)
}

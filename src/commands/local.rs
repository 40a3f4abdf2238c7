//! `local`: the private PostgreSQL servers.

use std::ffi::OsString;

use clap::{Subcommand, ValueEnum};

use crate::error::{Exit, Result};
use crate::local::{self, Side, Status};
use crate::report::Outcome;
use crate::world::{Invocation, unheeding_interrupts};

/// Start, stop or use the private PostgreSQL servers
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends local start && kalends local psql production")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Local,
}

/// What can be done with the private servers.
#[derive(Debug, Subcommand)]
enum Local {
    /// Start them, and leave them running
    Start,
    /// Stop them; their data stay
    Stop,
    /// Show where they are and whether they run; end with 3 if not
    Status,
    /// Open psql on one of them
    Psql {
        /// Which one
        side: Chosen,
        /// Arguments for psql, after --
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
}

/// One of the two private servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Chosen {
    /// Where the rows come from
    Production,
    /// Where rows, accounts and notes are stored
    Warehouse,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let location = &invocation.settings()?.local;
    match args.command {
        Local::Start => Ok(outcome(Exit::Done, &local::start(location)?)),
        Local::Stop => Ok(outcome(Exit::Done, &local::stop(location)?)),
        Local::Status => {
            let status = local::status(location)?;
            Ok(outcome(if status.is_running() { Exit::Done } else { Exit::Differs }, &status))
        }
        Local::Psql { side, arguments } => {
            let servers = local::borrow(location)?;
            let side = match side {
                Chosen::Production => Side::Production,
                Chosen::Warehouse => Side::Warehouse,
            };
            // In psql, Ctrl-C cancels a statement. It must not end this process, which waits for psql.
            let _unheeded = unheeding_interrupts()?;
            let ended = servers.psql(side, arguments)?.status()?;
            servers.give_back()?;
            Ok(Outcome::new(if ended.success() { Exit::Done } else { Exit::Failed }, "", &ended.code()))
        }
    }
}

fn outcome(exit: Exit, status: &Status) -> Outcome {
    Outcome::new(exit, status.to_string(), status)
}

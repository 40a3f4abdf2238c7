//! Arguments that several commands share, and what they mean.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::calendar::Period;
use crate::error::Result;
use crate::exports::{Claim, Which};
use crate::guard::Accepted;
use crate::sync::plan::Expected;

/// For the commands that take the warehouse or the export folder.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Waiting {
    /// Wait up to this long for another run to end, such as 60s or 10m [default: end with 75 at once]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
}

/// For the commands that monitoring wants to know of.
#[derive(Debug, Clone, Default, Args)]
pub struct Measured {
    /// Write the outcome and its figures to a file as OpenMetrics text
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}

/// For the commands that look at files.
#[derive(Debug, Clone, Copy, Args)]
pub struct Closed {
    /// Only files of periods that had ended when they were proven; leave the others as they are
    #[arg(long)]
    closed_only: bool,
}

/// For the commands that settle what is held.
#[derive(Debug, Clone, Args)]
pub struct AcceptLoss {
    /// Accept lost rows and settle what is held: in these periods (2024, 2024-03, 2024-03-05), or everywhere
    #[arg(long, value_name = "PERIOD", num_args = 0..)]
    pub accept_loss: Option<Vec<Period>>,
}

/// For the commands that settle.
#[derive(Debug, Clone, Copy, Args)]
pub struct Everything {
    /// Look at all days now, also if `recent` is set
    #[arg(long)]
    pub all: bool,
}

/// For the commands that publish.
#[derive(Debug, Clone, Copy, Args)]
pub struct TakeOver {
    /// Replace and remove files that another warehouse published
    #[arg(long)]
    take_over: bool,
}

/// For the commands that can be held to a plan.
#[derive(Debug, Clone, Args)]
pub struct HeldTo {
    /// Do exactly what this plan says; refuse if production or the warehouse has changed since
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
}

impl Closed {
    /// Which files the command is about.
    pub fn which(self) -> Which {
        if self.closed_only { Which::Closed } else { Which::All }
    }
}

impl TakeOver {
    /// Whose files may be replaced.
    pub fn claim(self) -> Claim {
        if self.take_over { Claim::TakeOver } else { Claim::Own }
    }
}

impl HeldTo {
    /// The plan, and the losses that a run accepts: those of `--accept-loss`, or else those of the plan.
    ///
    /// # Errors
    /// As [`Expected::read`].
    pub fn read(&self, losses: AcceptLoss) -> Result<(Option<Expected>, Accepted)> {
        let planned = self.plan.as_deref().map(Expected::read).transpose()?;
        let losses = losses.accept_loss.or_else(|| planned.as_ref().and_then(Expected::accept_loss));
        Ok((planned, Accepted::of(losses)))
    }
}

/// Parses a duration as people write it.
///
/// # Errors
/// Says how durations are written.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "a duration is written 90s, 10m or 26h".to_string())
}

//! `plan`: what a run would do. Changes nothing.

mod text;

use std::path::PathBuf;

use crate::error::{Exit, Result};
use crate::exports;
use crate::flags::{AcceptLoss, Measured, TakeOver, Waiting};
use crate::report::Outcome;
use crate::sync::Connections;
use crate::sync::plan::{self, Plan, Planned, Written};
use crate::world::{Invocation, World};

/// Show what a run would do, and change nothing
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: kalends plan --out plan.json && kalends run --plan plan.json",
    mut_arg("accept_loss", |flag| flag.help("Plan a run that accepts lost rows: in these periods, or everywhere")),
    mut_arg("take_over", |flag| {
        flag.help("Plan a run that may replace and remove files that another warehouse published")
    })
)]
pub(crate) struct Args {
    /// End with 3 if there is something to do
    #[arg(long)]
    check: bool,
    /// Write the plan to this file, for `run --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    losses: AcceptLoss,
    #[command(flatten)]
    take_over: TakeOver,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, Measured::default())?;
    ready.work(async |world| {
        let plan = look(world, &args).await?;
        let mut text = text::of(&plan);
        let exit = if args.check && !plan.nothing_to_do { Exit::Differs } else { Exit::Done };
        if !invocation.json && args.out.is_none() {
            return Ok(Outcome { text, exit, ..Outcome::default() });
        }
        let written = Written::sealed(plan)?;
        if let Some(path) = &args.out {
            plan::write(path, &written)?;
            text = format!("{text}\nwritten     {}; `kalends run --plan {0}` does it, or nothing", path.display());
        }
        let printed = if invocation.json { Some(serde_json::to_string_pretty(&written)?) } else { None };
        Ok(Outcome { text, exit, printed, ..Outcome::default() })
    })
}

/// Plans the entities, then the files.
async fn look(world: &World<'_>, args: &Args) -> Result<Plan> {
    let Connections { production, warehouse, watch, .. } = &mut world.connect().await?;
    let settings = world.settings;
    let reading = warehouse.read().await?;
    let accept_loss = args.losses.accept_loss.clone();
    let run = Planned {
        entities: &settings.entities,
        rules: settings.guard,
        look: &|entity| settings.look(entity),
        accept_loss,
    };
    let (plan, previews) = plan::plan(&reading, (production, watch), &run).await?;
    let claim = args.take_over.claim();
    let preview = async || exports::preview(&reading, &settings.exports, &previews, claim).await;
    Ok(plan.with_files(world.patiently(preview).await?))
}

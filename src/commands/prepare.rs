//! `prepare`: makes the warehouse's rows and accounts equal to one snapshot of production.

use crate::error::Result;
use crate::flags::{AcceptLoss, Everything, HeldTo, Measured, Waiting};
use crate::report::Outcome;
use crate::steps;
use crate::world::Invocation;

/// Make the warehouse's rows and accounts equal to production
#[derive(Debug, clap::Args)]
#[command(visible_alias = "data-preparation", after_help = "Example: kalends prepare --json")]
pub(crate) struct Args {
    #[command(flatten)]
    losses: AcceptLoss,
    #[command(flatten)]
    everything: Everything,
    #[command(flatten)]
    held_to: HeldTo,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    measured: Measured,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, args.measured)?;
    let (planned, accepted) = args.held_to.read(args.losses)?;
    ready.work(async |world| {
        let preparing = async {
            let mut connections = world.connect().await?;
            let prepared =
                steps::prepare(world, &mut connections, (&accepted, args.everything.all), planned.as_ref()).await?;
            let outcome = Outcome::new(prepared.exit, prepared.text(), &prepared).with_figures(prepared.figures());
            Ok((outcome, prepared.failures))
        };
        world.noting(preparing).await
    })
}

//! `run`: prepare, then publish everything that is due.

use std::time::Instant;

use serde::Serialize;

use crate::error::Result;
use crate::exports::{Claim, Newest, Published, Scope, Which};
use crate::flags::{AcceptLoss, Closed, Everything, HeldTo, Measured, TakeOver, Waiting};
use crate::guard::Accepted;
use crate::report::{self, Outcome};
use crate::steps;
use crate::sync::plan::Expected;
use crate::world::{Each, Ended, Invocation, World};

/// Prepare, then publish all files that are due
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends run --quiet || echo \"kalends ended with $?\"")]
pub(crate) struct Args {
    #[command(flatten)]
    losses: AcceptLoss,
    #[command(flatten)]
    take_over: TakeOver,
    #[command(flatten)]
    everything: Everything,
    #[command(flatten)]
    held_to: HeldTo,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    closed: Closed,
    #[command(flatten)]
    measured: Measured,
}

#[derive(Serialize)]
struct Ran {
    #[serde(flatten)]
    prepared: Each<steps::Prepared>,
    #[serde(flatten)]
    files: steps::Files,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, args.measured)?;
    let (planned, accepted) = args.held_to.read(args.losses)?;
    let (which, claim) = (args.closed.which(), args.take_over.claim());
    ready.work(async |world| {
        world.noting(both(world, (&accepted, args.everything.all), planned.as_ref(), (which, claim))).await
    })
}

async fn both(
    world: &World<'_>,
    accepted: (&Accepted, bool),
    planned: Option<&Expected>,
    (which, claim): (Which, Claim),
) -> Ended {
    let mut connections = world.connect().await?;
    let mut prepared = steps::prepare(world, &mut connections, accepted, planned).await?;
    let started = Instant::now();
    let published = steps::publish(world, &mut connections.warehouse, Scope::Everything, which, claim).await?;
    let text = if prepared.nothing_to_do() && !published.is_something() {
        let relisted = published.relisted.then(steps::relisted);
        report::list_lines([prepared.text()].into_iter().chain(relisted))
    } else {
        let line = steps::line(world, &published, started.elapsed().as_secs_f64());
        report::list_lines([prepared.done_text(), line].into_iter().chain(where_to_look(world, &published)))
    };
    let files = steps::Files::of(&published);
    let figures = [prepared.figures(), files.figures(prepared.only())].concat();
    let (exit, failures) = (prepared.exit, std::mem::take(&mut prepared.failures));
    Ok((Outcome::new(exit, text, &Ran { prepared, files }).with_figures(figures), failures))
}

/// The newest file that was written, and the view with the same content.
fn where_to_look(world: &World<'_>, published: &Published) -> Option<String> {
    let Newest { path, view } = published.newest.as_ref()?;
    Some(format!("newest      {}, view {view}", world.settings.exports.to.at(path)))
}

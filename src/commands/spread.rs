//! `spread`: distributes the rows of an existing warehouse over the nodes of a cluster, or says how long that takes.

use std::time::Duration;

use serde::Serialize;

use crate::error::{Exit, Refusal, Result};
use crate::flags::{Measured, Waiting};
use crate::progress::Talk;
use crate::report::{self, Outcome, counted};
use crate::warehouse::{Spread, Spreadable};
use crate::world::{Invocation, World};

/// Distribute the rows of an existing warehouse over the nodes of its cluster
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kalends spread         say what would be distributed and how long that will take, and change nothing
  kalends spread --yes   do it")]
pub(crate) struct Args {
    /// Do it; without this, only say how long it will take
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Serialize)]
struct Entity {
    entity: String,
    rows: i64,
    months: i64,
    bytes: i64,
    estimate_seconds: f64,
    seconds: f64,
}

#[derive(Serialize)]
struct Report {
    nodes: usize,
    entities: Vec<Entity>,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, Measured::default())?;
    ready.work(async |world| spread(world, &args).await)
}

async fn spread(world: &World<'_>, args: &Args) -> Result<Outcome> {
    let mut warehouse = world.warehouse().await?;
    let (found, nodes) = {
        let reading = warehouse.read().await?;
        (reading.spreadable().await?, reading.nodes().await?.map_or(0, |nodes| nodes.len()))
    };
    let over = counted(nodes, "node");
    if found.is_empty() {
        let text = format!("nothing to do: the rows of all entities are distributed over {over}");
        return Ok(Outcome::new(Exit::Done, text, &Report { nodes, entities: Vec::new() }));
    }
    let mut estimated = Vec::new();
    for entity in found {
        let estimate = world.patiently(async || warehouse.estimate(&entity).await).await?;
        estimated.push((entity, estimate));
    }
    if !args.yes {
        let all = report::list(estimated.iter().map(|(entity, estimate)| planned(entity, *estimate)));
        return Err(Refusal::refused(
            format!("would distribute {all} over {over}; runs and readers of them wait meanwhile"),
            "To do it, run `kalends spread --yes`; nothing was changed.",
        ));
    }
    let (mut lines, mut entities) = (Vec::new(), Vec::new());
    for (entity, estimate) in estimated {
        if world.talk == Talk::Normal {
            report::talk(&format!("distributing {}", planned(&entity, estimate)));
        }
        let done = world.patiently(async || warehouse.spread(&entity).await).await?;
        lines.push(told(&entity, done, &over));
        entities.push(of(&entity, estimate, done));
    }
    Ok(Outcome::new(Exit::Done, report::list_lines(lines.into_iter()), &Report { nodes, entities }))
}

/// `entity: 742,784 rows of 12 months, about 14 s`.
fn planned(entity: &Spreadable, estimate: Duration) -> String {
    format!("{}, about {}", what(entity, entity.rows), seconds(estimate))
}

fn told(entity: &Spreadable, done: Spread, over: &str) -> String {
    // More may have been settled since it was planned.
    format!("spread      {}, over {over}, proven there, in {}", what(entity, done.rows), seconds(done.took))
}

fn what(entity: &Spreadable, rows: i64) -> String {
    format!("{}: {} of {}", entity.model.name(), counted(rows, "row"), counted(entity.months, "month"))
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn of(entity: &Spreadable, estimate: Duration, done: Spread) -> Entity {
    Entity {
        entity: entity.model.name().to_string(),
        rows: done.rows,
        months: entity.months,
        bytes: entity.bytes,
        estimate_seconds: estimate.as_secs_f64(),
        seconds: done.took.as_secs_f64(),
    }
}

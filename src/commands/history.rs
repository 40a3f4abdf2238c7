//! `history`: which settled periods changed, when, why, and their values before and after. Reads only the warehouse.

use serde::Serialize;

use crate::calendar::{Level, Period};
use crate::entity::Model;
use crate::error::{Exit, Result};
use crate::flags::{Measured, Waiting};
use crate::history::{self, Happened, Restatement};
use crate::report::{self, MovedFigure, Outcome, counted};
use crate::steps::{combinations, moved};
use crate::world::{Invocation, World};

/// Show which settled periods changed, when, why, and their values before and after
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends history 2024-01")]
pub(crate) struct Args {
    /// A year, month or day, with what is inside it: 2024, 2024-01 or 2024-01-05 [default: all]
    #[arg(allow_hyphen_values = true)]
    period: Option<Period>,
    /// Only this entity
    #[arg(long, value_name = "NAME")]
    entity: Option<String>,
    /// Show all figures of each period, also those that did not change
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct History<'a> {
    entity: Option<&'a str>,
    period: Option<Period>,
    restatements: Vec<Restatement>,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(Waiting::default(), Measured::default())?;
    ready.work(async |world| history(world, &args).await)
}

async fn history(world: &World<'_>, args: &Args) -> Result<Outcome> {
    let (period, entity) = (args.period, args.entity.as_deref());
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    if let Some(name) = entity {
        reading.entity(name).await?;
    }
    let restatements = history::restatements(&reading, entity, period, None).await?;
    let text = text(args, &reading.entities().await?, &restatements);
    Ok(Outcome::new(Exit::Done, text, &History { entity, period, restatements }))
}

fn text(args: &Args, known: &[Model], restatements: &[Restatement]) -> String {
    if restatements.is_empty() {
        let what = args.period.map_or_else(|| "nothing".to_string(), |period| format!("nothing of {period}"));
        return format!("{what} was restated");
    }
    let mut lines = Vec::new();
    let mut run = None;
    for one in restatements {
        if run != Some(one.run) {
            lines.push(format!(
                "run {}, settled {}, production as of {}",
                one.run, one.settled_at, one.production_as_of
            ));
            run = Some(one.run);
        }
        lines.push(format!("  {:<10}  {}: {}", one.period.to_string(), one.entity, causes(one)));
        lines.extend(report::table(&[(String::new(), shown(args, known, one))], INDENT - "  ".len()));
        if let Some(found) = one.combinations.as_ref().filter(|found| found.count() > 0) {
            lines.push(format!("{:INDENT$}{} moved:", "", counted(found.count(), "combination")));
            lines.extend(combinations::lines(found, &" ".repeat(INDENT + 2)));
        }
    }
    lines.join("\n")
}

/// Columns before the text about a period.
const INDENT: usize = 14;

/// The figures of the settings that changed, or all.
fn shown(args: &Args, known: &[Model], one: &Restatement) -> Vec<MovedFigure> {
    if args.all {
        return moved::all(one.rows, &one.statistics);
    }
    let model = known.iter().find(|model| model.name() == one.entity);
    moved::moved(one.rows, &one.statistics, model.map(|model| model.entity.statistics.as_slice()))
}

fn causes(one: &Restatement) -> String {
    let is_day = one.level == Level::Day;
    report::list(one.causes.iter().map(|Happened { what, days }| match days {
        Some(days) if !is_day => format!("{} ({})", what.words(), counted(*days, "day")),
        _ => what.words().to_string(),
    }))
}

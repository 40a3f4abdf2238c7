//! `history`: which settled periods changed, when, why, and what they said before and after. Looks at the warehouse
//! only.

use serde::Serialize;

use crate::calendar::{Level, Period};
use crate::error::{Exit, Result};
use crate::flags::{Measured, Waiting};
use crate::history::{self, Happened, Restatement};
use crate::report::{self, Outcome, count, counted};
use crate::steps::combinations;
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
}

#[derive(Serialize)]
struct History<'a> {
    entity: Option<&'a str>,
    period: Option<Period>,
    restatements: Vec<Restatement>,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(Waiting::default(), Measured::default())?;
    ready.work(async |world| history(world, args.period, args.entity.as_deref()).await)
}

async fn history(world: &World<'_>, period: Option<Period>, entity: Option<&str>) -> Result<Outcome> {
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    if let Some(name) = entity {
        reading.entity(name).await?;
    }
    let restatements = history::restatements(&reading, entity, period).await?;
    let text = text(period, &restatements);
    Ok(Outcome::new(Exit::Done, text, &History { entity, period, restatements }))
}

fn text(period: Option<Period>, restatements: &[Restatement]) -> String {
    if restatements.is_empty() {
        let what = period.map_or_else(|| "nothing".to_string(), |period| format!("nothing of {period}"));
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
        lines.extend(figures(one));
        if let Some(moved) = one.combinations.as_ref().filter(|moved| moved.count() > 0) {
            lines.push(format!("{INDENT}{} moved:", counted(moved.count(), "combination")));
            lines.extend(combinations::lines(moved, &format!("{INDENT}  ")));
        }
    }
    lines.join("\n")
}

/// Below a period.
const INDENT: &str = "              ";

/// The figures that moved.
fn figures(one: &Restatement) -> Vec<String> {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_string());
    let rows = (count(one.rows.before), count(one.rows.after));
    let statistics =
        one.statistics.iter().map(|each| (each.name.as_str(), value(&each.value.before), value(&each.value.after)));
    let figures = [("rows", rows.0, rows.1)].into_iter().chain(statistics);
    let moved = figures.filter(|(_, before, after)| before != after);
    let lines: Vec<String> =
        moved.map(|(name, before, after)| format!("{INDENT}{name:<15} {before} -> {after}")).collect();
    if lines.is_empty() { vec![format!("{INDENT}no figure of it moved")] } else { lines }
}

fn causes(one: &Restatement) -> String {
    let is_day = one.level == Level::Day;
    report::list(one.causes.iter().map(|Happened { what, days }| match days {
        Some(days) if !is_day => format!("{} ({})", what.words(), counted(*days, "day")),
        _ => what.words().to_string(),
    }))
}

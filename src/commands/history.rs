//! `history`: which settled periods changed, when, why, and what they said before and after. Looks at the warehouse
//! only.

use serde::Serialize;

use super::{World, combinations, figures};
use crate::calendar::{Level, Period};
use crate::entity::Model;
use crate::error::{Exit, Refusal, Result};
use crate::history::{self, Happened, Restatement};
use crate::report::{self, Figure, Outcome, counted};

#[derive(Serialize)]
struct History<'a> {
    entity: Option<&'a str>,
    period: Option<Period>,
    restatements: Vec<Restatement>,
}

/// What is to be shown.
pub(super) struct Args {
    pub(super) period: Option<Period>,
    pub(super) entity: Option<String>,
    /// Figures that did not move as well.
    pub(super) all: bool,
}

pub(super) async fn run(world: &World<'_>, args: &Args) -> Result<Outcome> {
    let (period, entity) = (args.period, args.entity.as_deref());
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    let known = reading.entities().await?;
    if let Some(name) = entity {
        check_known(&known, name)?;
    }
    let restatements = history::restatements(&reading, entity, period).await?;
    let text = text(args, &known, &restatements);
    Ok(Outcome::new(Exit::Done, text, &History { entity, period, restatements }))
}

fn check_known(known: &[Model], name: &str) -> Result<()> {
    if known.iter().any(|model| model.name() == name) {
        return Ok(());
    }
    let names = if known.is_empty() { "none".to_string() } else { report::list(known.iter().map(|one| one.name())) };
    Err(Refusal::usage(format!("the warehouse has no entity \"{name}\""), format!("It has: {names}.")))
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
        if let Some(moved) = one.combinations.as_ref().filter(|moved| moved.count() > 0) {
            lines.push(format!("{:INDENT$}{} moved:", "", counted(moved.count(), "combination")));
            lines.extend(combinations::lines(moved, &" ".repeat(INDENT + 2)));
        }
    }
    lines.join("\n")
}

/// Columns in front of what is said of a period.
const INDENT: usize = 14;

/// The figures that moved and were asked for, or all.
fn shown(args: &Args, known: &[Model], one: &Restatement) -> Vec<Figure> {
    if args.all {
        return figures::all(one.rows, &one.statistics);
    }
    let model = known.iter().find(|model| model.name() == one.entity);
    figures::moved(one.rows, &one.statistics, model.map(|model| model.entity.statistics.as_slice()))
}

fn causes(one: &Restatement) -> String {
    let is_day = one.level == Level::Day;
    report::list(one.causes.iter().map(|Happened { what, days }| match days {
        Some(days) if !is_day => format!("{} ({})", what.words(), counted(*days, "day")),
        _ => what.words().to_string(),
    }))
}

//! `history`: which settled periods changed, when, why, and what they said before and after. Looks at the warehouse
//! only.

use serde::Serialize;

use super::{World, combinations};
use crate::calendar::{Level, Period};
use crate::error::{Exit, Refusal, Result};
use crate::history::{self, Happened, Restatement};
use crate::report::{self, Outcome, count, counted};
use crate::warehouse::Reading;

#[derive(Serialize)]
struct History<'a> {
    entity: Option<&'a str>,
    period: Option<Period>,
    restatements: Vec<Restatement>,
}

pub(super) async fn run(world: &World<'_>, period: Option<Period>, entity: Option<&str>) -> Result<Outcome> {
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    if let Some(name) = entity {
        check_known(&reading, name).await?;
    }
    let restatements = history::restatements(&reading, entity, period).await?;
    let text = text(period, &restatements);
    Ok(Outcome::new(Exit::Done, text, &History { entity, period, restatements }))
}

async fn check_known(reading: &Reading<'_>, name: &str) -> Result<()> {
    let known = reading.entities().await?;
    if known.iter().any(|model| model.name() == name) {
        return Ok(());
    }
    let names = if known.is_empty() { "none".to_string() } else { report::list(known.iter().map(|one| one.name())) };
    Err(Refusal::usage(format!("the warehouse has no entity \"{name}\""), format!("It has: {names}.")))
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

//! `diff`: the rows of a day that differ between production and the warehouse. Changes nothing.

use serde::Serialize;

use crate::calendar::{Day, Level, Period};
use crate::diff::{self, Lacking, Lacks, RowDifferences};
use crate::error::{Exit, Refusal, Result};
use crate::flags::{Measured, Waiting};
use crate::production::Snapshot;
use crate::report::{self, Outcome, count, counted};
use crate::steps::combinations::shown;
use crate::sync;
use crate::warehouse::Reading;
use crate::world::{Invocation, World};

/// List the rows of a day that production and the warehouse do not share
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends diff 2024-01-05 --limit 10")]
pub(crate) struct Args {
    /// The day: 2024-01-05
    #[arg(allow_hyphen_values = true)]
    day: Period,
    /// Only this entity
    #[arg(long, value_name = "NAME")]
    entity: Option<String>,
    /// List up to N different rows of each entity; all are counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

#[derive(Serialize)]
struct Compared {
    day: Day,
    entities: Vec<OfEntity>,
}

#[derive(Serialize)]
struct OfEntity {
    entity: String,
    production_as_of: String,
    equal: bool,
    #[serde(flatten)]
    difference: RowDifferences,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(Waiting::default(), Measured::default())?;
    let day = day(args.day)?;
    ready.work(async |world| diff(world, day, args.entity.as_deref(), args.limit).await)
}

/// The day from the arguments.
///
/// # Errors
/// Refuses (usage) a month or a year.
fn day(period: Period) -> Result<Day> {
    if period.level() == Level::Day {
        return Ok(period.first());
    }
    Err(Refusal::usage(
        format!("{period} is not a day"),
        "Rows are compared day by day, for example 2024-01-05; `kalends verify` names the days that differ.",
    ))
}

async fn diff(world: &World<'_>, day: Day, entity: Option<&str>, limit: usize) -> Result<Outcome> {
    let entities = match entity {
        None => world.settings.entities.iter().collect(),
        Some(name) => vec![world.settings.entity(name)?],
    };
    let mut connections = world.connect().await?;
    let mut compared = Compared { day, entities: Vec::new() };
    for entity in entities {
        connections.production.identity(entity).await?;
        let comparing =
            async |snapshot: &Snapshot<'_>, reading: &Reading<'_>| diff::of_day(snapshot, reading, day, limit).await;
        let (production_as_of, difference) = sync::compare(&mut connections, entity, comparing).await?;
        compared.entities.push(OfEntity {
            entity: entity.name.name().to_string(),
            production_as_of,
            equal: difference.is_none(),
            difference,
        });
    }
    let exit = if compared.entities.iter().all(|one| one.equal) { Exit::Done } else { Exit::Differs };
    let text = report::list_lines(compared.entities.iter().map(|one| text(day, one)));
    Ok(Outcome::new(exit, text, &compared))
}

fn text(day: Day, one: &OfEntity) -> String {
    let OfEntity { entity, production_as_of, difference, .. } = one;
    if one.equal {
        let rows = counted(difference.production_rows, "row");
        return format!(
            "equal: {rows} of {entity} on {day}, in production as in the warehouse, as of {production_as_of}"
        );
    }
    let counts = |lacks: i64, all: i64| format!("lacks {} and has {}", counted(lacks, "row"), count(all));
    let head = format!(
        "{day} of {entity}: the warehouse {}, production {}, as of {production_as_of}",
        counts(difference.warehouse_lacks, difference.warehouse_rows),
        counts(difference.production_lacks, difference.production_rows),
    );
    let listed = difference.rows.iter().map(|row| line(&difference.columns, row));
    let more = (difference.not_listed > 0).then(|| {
        let more = count(i64::try_from(difference.not_listed).unwrap_or(i64::MAX));
        format!("and {more} more that differ; --limit says how many are listed")
    });
    report::list_lines([head].into_iter().chain(listed).chain(more))
}

fn line(columns: &[String], row: &Lacking) -> String {
    let side = match row.lacks {
        Lacks::Warehouse => "the warehouse lacks",
        Lacks::Production => "production lacks",
    };
    let values =
        columns.iter().zip(&row.values).map(|(column, value)| format!("{column} = {}", shown(value.as_deref())));
    format!("{side:<19} {:>3} x  {}", row.copies, report::list(values))
}

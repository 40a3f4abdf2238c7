//! `show`: the figures of periods or of a dimension's values, as a table with bars. Reads only the warehouse.

mod figures;
mod text;

use serde::Serialize;

use self::figures::{Asked, OfEntity};
use crate::calendar::Period;
use crate::error::{Exit, Result};
use crate::flags::{Measured, Waiting};
use crate::report::Outcome;
use crate::world::{Invocation, World};

/// Show the figures of years, months or days, as a table with bars
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends show 2024-03 --by city")]
pub(crate) struct Args {
    /// A year, month or day, to show what is inside it: 2024, 2024-01 or 2024-01-05 [default: years]
    #[arg(allow_hyphen_values = true)]
    period: Option<Period>,
    /// Show the values of this dimension in the period instead, those with the largest sum first
    #[arg(long, value_name = "DIMENSION", requires = "period")]
    by: Option<String>,
    /// The measure to show [default: the first]
    #[arg(long, value_name = "COLUMN")]
    measure: Option<String>,
    /// Only this entity
    #[arg(long, value_name = "NAME")]
    entity: Option<String>,
}

#[derive(Serialize)]
struct Figures {
    entities: Vec<OfEntity>,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(Waiting::default(), Measured::default())?;
    ready.work(async |world| show(world, &args).await)
}

async fn show(world: &World<'_>, args: &Args) -> Result<Outcome> {
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    let models = match &args.entity {
        Some(name) => vec![reading.entity(name).await?],
        None => reading.entities().await?,
    };
    let complete = reading.complete_through().await?;
    let asked = Asked { period: args.period, by: args.by.as_deref(), measure: args.measure.as_deref() };
    let mut entities = Vec::new();
    for model in &models {
        entities.push(OfEntity::read(&reading, model, &asked, complete.get(model.name()).copied()).await?);
    }
    Ok(Outcome::new(Exit::Done, text::of(&entities), &Figures { entities }))
}

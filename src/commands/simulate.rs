//! `simulate`: writes a month of pretend production data.

use std::time::Instant;

use serde::Serialize;

use crate::calendar::{Day, Period};
use crate::entity::Entity;
use crate::error::{Exit, Refusal, Result};
use crate::flags::{Measured, Waiting};
use crate::report::{self, Outcome, counted};
use crate::settings::Settings;
use crate::simulate::{Mark, MonthRows, simulate};
use crate::world::{Invocation, World};

/// Write a month of simulated production data, replacing the month's rows
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "insert-monthly-data",
    after_help = "Example: RANDOM_MAIN_CONTROLLER=1 kalends simulate 2023 6"
)]
pub(crate) struct Args {
    /// 1 to 9999
    year: i32,
    /// 1 to 12
    month: u8,
    /// Mark the database as a test source, so that its rows may be replaced
    #[arg(long)]
    mark: bool,
}

/// A month that can be simulated.
struct Month {
    month: Period,
    rows: MonthRows,
    mark: Mark,
}

#[derive(Serialize)]
struct Simulated {
    month: Period,
    deleted_rows: u64,
    inserted_rows: u64,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(Waiting::default(), Measured::default())?;
    let month = Month::new(args, &ready.settings)?;
    ready.work(async |world| write(world, month).await)
}

async fn write(world: &World<'_>, month: Month) -> Result<Outcome> {
    let started = Instant::now();
    let Month { month, rows, mark } = month;
    let entity = Entity::default_table()?;
    let done = simulate(&world.production, world.settings.limits, &entity, month.span(), rows, mark).await?;
    let what = format!("{} of {}, {month}", counted(done.inserted, "row"), entity.table.name());
    let json = Simulated { month, deleted_rows: done.deleted, inserted_rows: done.inserted };
    Ok(Outcome::new(Exit::Done, report::line("simulated", &what, started.elapsed().as_secs_f64()), &json))
}

impl Month {
    /// From the arguments and the controller of the settings.
    fn new(Args { year, month, mark }: Args, settings: &Settings) -> Result<Self> {
        let mark = if mark { Mark::Given } else { Mark::Expected };
        let rows = MonthRows::new(year, month, settings.controller()?).map_err(|refused| {
            Refusal::usage(
                refused.to_string(),
                "Years go from 1 to 9999, months from 1 to 12, RANDOM_MAIN_CONTROLLER from 1.",
            )
        })?;
        let first = Day::new(year, month, 1);
        let first = first.ok_or_else(|| Refusal::usage(format!("there is no month {year}-{month}"), "Name one."))?;
        Ok(Self { month: first.month(), rows, mark })
    }
}

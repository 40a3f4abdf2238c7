//! `simulate`: a month of pretend production data.

use std::time::Instant;

use serde::Serialize;

use super::World;
use crate::calendar::{Day, Period};
use crate::entity::Entity;
use crate::error::{Exit, Refusal, Result};
use crate::report::{self, Outcome, counted};
use crate::settings::Settings;
use crate::simulate::{Mark, MonthRows, simulate};

/// A month that can be simulated.
pub(super) struct Month {
    month: Period,
    /// Boxed: the state of Python's random numbers is large beside what other commands need.
    rows: Box<MonthRows>,
    mark: Mark,
}

#[derive(Serialize)]
struct Simulated {
    month: Period,
    deleted_rows: u64,
    inserted_rows: u64,
}

impl Month {
    /// Of what was typed and of the controller that is set.
    pub(super) fn new(year: i32, month: u8, mark: bool, settings: &Settings) -> Result<Self> {
        let mark = if mark { Mark::Given } else { Mark::Expected };
        let rows = MonthRows::new(year, month, settings.controller()?).map_err(|refused| {
            Refusal::usage(
                refused.to_string(),
                "Years go from 1 to 9999, months from 1 to 12, RANDOM_MAIN_CONTROLLER from 1.",
            )
        })?;
        let first = Day::new(year, month, 1);
        let first = first.ok_or_else(|| Refusal::usage(format!("there is no month {year}-{month}"), "Name one."))?;
        Ok(Self { month: first.month(), rows: Box::new(rows), mark })
    }
}

pub(super) async fn run(world: &World<'_>, month: Month) -> Result<Outcome> {
    let started = Instant::now();
    let Month { month, rows, mark } = month;
    let entity = Entity::default_table()?;
    let done = simulate(&world.production, world.limits(), &entity, month.span(), *rows, mark).await?;
    let what = format!("{} of {}, {month}", counted(done.inserted, "row"), entity.table.name());
    let json = Simulated { month, deleted_rows: done.deleted, inserted_rows: done.inserted };
    Ok(Outcome::new(Exit::Done, report::line("simulated", &what, started.elapsed().as_secs_f64()), &json))
}

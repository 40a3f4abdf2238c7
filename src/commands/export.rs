//! `export`: publishes the files of a month and its year, or all that are due.

use std::time::Instant;

use serde::Serialize;

use crate::calendar::{Day, Period};
use crate::checks;
use crate::error::{Exit, Refusal, Result};
use crate::exports::{Claim, Published, Scope, Which};
use crate::flags::{Closed, Measured, TakeOver, Waiting};
use crate::report::{self, Outcome, counted};
use crate::steps::{self, Files};
use crate::world::{Invocation, World};

/// Publish the files of a month and its year, or without a month all that are due
#[derive(Debug, clap::Args)]
#[command(visible_alias = "data-export", after_help = "Example: kalends export 2023 6 --exports /srv/exports")]
pub(crate) struct Args {
    /// The year; negative before Christ
    #[arg(allow_negative_numbers = true, requires = "month", value_parser = year)]
    year: Option<i32>,
    /// 1 to 12
    #[arg(value_parser = month)]
    month: Option<u8>,
    #[command(flatten)]
    take_over: TakeOver,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    closed: Closed,
}

#[derive(Serialize)]
struct Exported {
    month: Option<Period>,
    #[serde(flatten)]
    files: Files,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, Measured::default())?;
    let scope = scope(args.year.zip(args.month))?;
    ready.work(async |world| export(world, scope, args.closed.which(), args.take_over.claim()).await)
}

async fn export(world: &World<'_>, scope: Scope, which: Which, claim: Claim) -> Result<Outcome> {
    let started = Instant::now();
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    reading.check_lasting().await?;
    checks::settled_as_set(&reading, &world.settings.entities).await?;
    drop(reading);
    let published = steps::publish(world, &mut warehouse, scope, which, claim).await?;
    let month = match scope {
        Scope::Everything => None,
        Scope::Month(month) => Some(month),
    };
    let text = text(world, month, &published, started.elapsed().as_secs_f64());
    Ok(Outcome::new(Exit::Done, text, &Exported { month, files: Files::of(&published) }))
}

/// The scope for a year and a month; without them, everything.
fn scope(typed: Option<(i32, u8)>) -> Result<Scope> {
    let Some((year, month)) = typed else { return Ok(Scope::Everything) };
    let first = Day::new(year, month, 1).ok_or_else(|| {
        Refusal::usage(
            format!("there is no month {month} of year {year}"),
            "Months go from 1 to 12; years before Christ are negative, and there is no year 0.",
        )
    })?;
    Ok(Scope::Month(first.month()))
}

fn text(world: &World<'_>, month: Option<Period>, published: &Published, took_seconds: f64) -> String {
    let without_rows = month.filter(|_| !published.month_has_rows).map(|month| format!("{month} holds no rows"));
    let done = if published.is_something() {
        steps::line(world, published, took_seconds)
    } else if published.relisted {
        steps::relisted()
    } else if published.unchanged > 0 {
        format!("nothing to do: {} as the accounts have them", counted(published.unchanged, "file"))
    } else {
        "nothing to publish".to_string()
    };
    report::list_lines(without_rows.into_iter().chain([done]))
}

fn year(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| "year and month are two numbers, such as 2025 3".to_string())
}

fn month(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| "a month is a number from 1 to 12".to_string())
}

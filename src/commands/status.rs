//! `status`: the last run that changed something, and what is due. Reads only the warehouse and files.

mod guarded;
mod proofs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use self::guarded::Guarded;
use self::proofs::{Ages, Proofs};
use crate::accounts;
use crate::calendar::Day;
use crate::entity::Model;
use crate::error::{Exit, Result};
use crate::exports::{self, Scope, Trust, Which};
use crate::flags::{Closed, Measured, Waiting, duration};
use crate::report::{self, Figure, Gauge, Outcome, counted};
use crate::warehouse::{Freshness, LastRun};
use crate::world::{Invocation, World};

/// Show how fresh the figures are, the last run that changed something, and what is due
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: kalends status --json | jq .due")]
pub(crate) struct Args {
    /// End with 3 if everything was last proven equal to production longer ago, such as 26h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age: Option<Duration>,
    /// End with 3 if a day was last looked at longer ago; with `recent`, older days are looked at less often
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age_of_all: Option<Duration>,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    closed: Closed,
    #[command(flatten)]
    measured: Measured,
}

#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    proofs: Proofs,
    /// The last closed day of each entity.
    complete_through: BTreeMap<String, Day>,
    /// The newest day with rows of each entity.
    newest_day: BTreeMap<String, Day>,
    /// The entities that the last run settled.
    #[serde(skip)]
    last_entities: Vec<String>,
    /// By the warehouse's clock; `None` if nothing was proven yet.
    #[serde(skip)]
    today: Option<Day>,
    last_run: Option<LastRun>,
    settled_rows: i64,
    settled_days: usize,
    /// Entities that were settled and are no longer in the settings. They are stored, but not updated.
    not_in_settings: Vec<String>,
    due: Due,
    #[serde(flatten)]
    guarded: Guarded,
}

#[derive(Serialize)]
struct Due {
    write: Vec<String>,
    /// Files with the right content that the manifest does not list, or lists wrongly.
    list: Vec<String>,
    remove: Vec<String>,
    unchanged_files: usize,
    /// Files of open periods, if they are left alone.
    open_files: usize,
    /// Whether the manifest must be updated because more periods are closed.
    manifest: bool,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, args.measured)?;
    ready.work(async |world| {
        status(world, args.closed.which(), Ages { recent: args.max_age, all: args.max_age_of_all }).await
    })
}

async fn status(world: &World<'_>, which: Which, most: Ages) -> Result<Outcome> {
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    let entities = reading.entities().await?;
    let (mut settled_rows, mut settled_days, mut newest_day) = (0, 0, BTreeMap::new());
    for model in &entities {
        let ledger = reading.accounts(model).await?;
        settled_rows += accounts::rows(&ledger);
        settled_days += ledger.len();
        newest_day.extend(ledger.last_key_value().map(|(&day, _)| (model.name().to_string(), day)));
    }
    let is_set = |model: &Model| world.settings.has(model.name());
    let not_in_settings = entities.iter().filter(|model| !is_set(model)).map(|model| model.name().to_string());
    let look = async || {
        exports::due(&reading, &world.settings.exports, Scope::Everything, (which, Trust::ETags), &world.pages()).await
    };
    let due = world.patiently(look).await?;
    let (last_run, fresh) = (reading.last_run().await?, reading.freshness().await?);
    let last_entities = settled_by(last_run.as_ref(), &fresh);
    let today = today(&fresh);
    let status = Status {
        proofs: Proofs::read(world, &reading, &entities, fresh).await?,
        complete_through: reading.complete_through().await?,
        newest_day,
        last_entities,
        today,
        last_run,
        settled_rows,
        settled_days,
        not_in_settings: not_in_settings.collect(),
        due: Due {
            write: due.rewritten().map(|(path, _)| path.clone()).collect(),
            list: due.listed().cloned().collect(),
            remove: due.remove.into_iter().collect(),
            unchanged_files: due.unchanged,
            open_files: due.open.len(),
            manifest: due.relist,
        },
        guarded: Guarded::read(&reading).await?,
    };
    let files_due = [&status.due.write, &status.due.list, &status.due.remove].iter().any(|paths| !paths.is_empty());
    let is_due = files_due || status.due.manifest;
    let exit = if is_due || status.proofs.exceed(most) { Exit::Differs } else { Exit::Done };
    Ok(Outcome::new(exit, text(&status, most), &status).with_figures(figures(&status)))
}

/// For monitoring.
fn figures(status: &Status) -> Vec<Figure> {
    let Status { due, guarded, .. } = status;
    vec![
        Figure::count(Gauge::SettledRows, None, status.settled_rows),
        Figure::count(Gauge::SettledDays, None, status.settled_days),
        Figure::count(Gauge::DueFiles, None, due.write.len()),
        Figure::count(Gauge::DueListings, None, due.list.len()),
        Figure::count(Gauge::DueRemovals, None, due.remove.len()),
        Figure::count(Gauge::HeldPeriods, None, guarded.held.len()),
        Figure::count(Gauge::ChangingPeriods, None, guarded.changing.len()),
    ]
}

/// The entities that the last run settled: those whose last settled moment of production's data is the run's.
fn settled_by(run: Option<&LastRun>, fresh: &BTreeMap<String, Freshness>) -> Vec<String> {
    let as_of = run.map(|run| run.production_as_of.as_str());
    let settled = fresh.iter().filter(|(_, fresh)| fresh.settled_as_of.as_deref() == as_of);
    settled.map(|(entity, _)| entity.clone()).collect()
}

/// The day, in UTC, of the warehouse's clock.
fn today(fresh: &BTreeMap<String, Freshness>) -> Option<Day> {
    /// 2000-01-01 in seconds since 1970.
    const FIRST: f64 = 946_684_800.0;
    let proof = fresh.values().find_map(|fresh| fresh.proof.as_ref())?;
    let days = ((proof.as_of_seconds + proof.age_seconds - FIRST) / 86_400.0).floor();
    #[expect(clippy::cast_possible_truncation, reason = "what no day can be is none")]
    Day::from_postgres(days as i32)
}

fn text(status: &Status, most: Ages) -> String {
    let last = match &status.last_run {
        None => "last run    none has settled anything yet".to_string(),
        Some(run) => format!(
            "last run    {}{} settled {} and {}, as of {}",
            whose(status),
            run.settled_at,
            counted(run.days, "day"),
            counted(run.rows, "row"),
            run.production_as_of
        ),
    };
    let settled =
        format!("settled     {}, {}", counted(status.settled_rows, "row"), counted(status.settled_days, "day"));
    let due = &status.due;
    let files = match (due.write.len(), due.remove.len(), due.list.len()) {
        (0, 0, 0) if due.manifest => {
            format!(
                "due         the manifest: {} as the accounts have them; `kalends export` writes it",
                counted(due.unchanged_files, "file")
            )
        }
        (0, 0, 0) => format!("published   {}, nothing is due", counted(due.unchanged_files, "file")),
        (write, remove, list) => {
            let list = if list > 0 { format!(", {list} only to list") } else { String::new() };
            let write = counted(write, "file");
            format!("due         {write} to write, {remove} to remove{list}; `kalends export` does it")
        }
    };
    let not_set = (!status.not_in_settings.is_empty()).then(|| {
        format!(
            "not set     {}: no longer in the settings; `kalends forget NAME --yes` removes it",
            report::list(status.not_in_settings.iter())
        )
    });
    report::list_lines(
        status
            .proofs
            .lines(most)
            .into_iter()
            .chain(complete(status))
            .chain([last, settled, files])
            .chain(not_set)
            .chain(status.guarded.lines(status.proofs.proven_as_of.as_deref(), status.proofs.of_entities.len())),
    )
}

/// The entity of the last run, if there are several entities.
fn whose(status: &Status) -> String {
    match status.last_entities.as_slice() {
        [entity] if status.proofs.of_entities.len() > 1 => format!("{entity}: "),
        _ => String::new(),
    }
}

/// Up to which day figures are complete, and the day of the newest row; with several entities, a line for each if one
/// differs from the others.
fn complete(status: &Status) -> Vec<String> {
    let of_entity = |entity: &String, through: &Day| {
        let newest = status.newest_day.get(entity);
        let newest = newest.map_or("no rows".to_string(), |&day| format!("newest row {day}{}", age(day, status.today)));
        format!("through {through}; {newest}")
    };
    let of_all = status.complete_through.iter().map(|(entity, through)| (entity, of_entity(entity, through)));
    let told: Vec<(&String, String)> = of_all.collect();
    let alike: BTreeSet<&String> = told.iter().map(|(_, told)| told).collect();
    match alike.into_iter().collect::<Vec<_>>().as_slice() {
        [told] => vec![format!("complete    {told}")],
        _ => told.iter().map(|(entity, told)| format!("complete    {entity}: {told}")).collect(),
    }
}

/// The age of a day before yesterday: `, 6 weeks old`.
fn age(day: Day, today: Option<Day>) -> String {
    let days = today.map_or(0, |today| today.to_postgres() - day.to_postgres());
    let (number, unit) = match days {
        ..2 => return String::new(),
        2..14 => (days, "day"),
        14..92 => (days / 7, "week"),
        92..731 => (days / 30, "month"),
        _ => (days / 365, "year"),
    };
    format!(", {} old", counted(number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_day_is_told_in_units_that_fit() {
        let day = |month, day| Day::new(2026, month, day).unwrap();
        let today = Some(day(11, 28));
        for (then, told) in [
            (day(11, 29), ""),
            (day(11, 28), ""),
            (day(11, 27), ""),
            (day(11, 26), ", 2 days old"),
            (day(10, 14), ", 6 weeks old"),
            (day(1, 1), ", 11 months old"),
            (Day::new(2024, 1, 3).unwrap(), ", 2 years old"),
        ] {
            assert_eq!(age(then, today), told, "{then}");
        }
        assert_eq!(age(day(1, 1), None), "");
    }
}

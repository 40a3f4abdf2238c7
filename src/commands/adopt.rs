//! `adopt`: compares another tool's table in the warehouse with production. Without `--check`, then takes over what is
//! equal instead of loading it.

use std::time::Instant;

use serde::Serialize;
use tokio::sync::Mutex;

use crate::accounts::{self, SetAside};
use crate::adopt::{self, Compared, How, Named, Tally};
use crate::db::both;
use crate::entity::Entity;
use crate::error::{Exit, Refusal, Result};
use crate::exports::{Claim, Scope, Which};
use crate::flags::{Measured, Waiting};
use crate::production::Snapshot;
use crate::report::{self, Outcome, count, counted};
use crate::settings::table_name;
use crate::sql::Ident;
use crate::steps::{self, Files};
use crate::sync;
use crate::warehouse::Reading;
use crate::world::{Invocation, World};

/// Compare another tool's table in the warehouse with production, or take it over
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: kalends adopt --check --from analytics.entity --column created_at=created --column value=amount"
)]
pub(crate) struct Args {
    /// The other tool's table or view in the warehouse
    #[arg(long, value_name = "SCHEMA.TABLE")]
    from: String,
    /// The name there of a column of production, if it differs; repeatable
    #[arg(long = "column", value_name = "PRODUCTION=THEIRS", value_parser = column)]
    columns: Vec<(String, String)>,
    /// Which entity of the settings, if there are several
    #[arg(long, value_name = "NAME")]
    entity: Option<String>,
    /// Change nothing; list what differs from production, and end with 3 if anything does
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Serialize)]
struct Checked<'a> {
    entity: &'a str,
    from: String,
    equal: bool,
    production_as_of: &'a str,
    production_rows: i64,
    their_rows: i64,
    days: usize,
    #[serde(flatten)]
    compared: &'a Compared,
}

#[derive(Serialize)]
struct Adopted {
    entity: String,
    from: String,
    production_as_of: String,
    /// Rows and days that were taken over inside the warehouse.
    taken: Tally,
    /// Rows and days that came from production.
    loaded: Tally,
    /// How the other table differed from production.
    missed: Compared,
    /// Files that already had the right content and were left alone, whether listed again in the manifest or not.
    taken_files: usize,
    #[serde(flatten)]
    files: Files,
    #[serde(skip)]
    took_seconds: f64,
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, Measured::default())?;
    let (schema, table) = table_name(&args.from)?;
    let columns = args.columns.into_iter().map(|(ours, theirs)| Ok((ours, Ident::new(theirs)?)));
    let named = Named { schema, table, columns: columns.collect::<Result<_>>()? };
    ready.work(async |world| {
        let entity = entity(world, args.entity.as_deref())?;
        if args.check { check(world, entity, &named).await } else { adopt(world, entity, &named).await }
    })
}

/// The entity that the command is about: the only one, or the one that was named.
fn entity<'a>(world: &World<'a>, name: Option<&str>) -> Result<&'a Entity> {
    match (name, world.settings.entities.as_slice()) {
        (Some(name), _) => world.settings.entity(name),
        (None, [only]) => Ok(only),
        (None, _) => {
            let hint = format!("Choose one with --entity: {}.", world.settings.names());
            Err(Refusal::usage("the settings have several entities", hint))
        }
    }
}

async fn check(world: &World<'_>, entity: &Entity, named: &Named) -> Result<Outcome> {
    let mut connections = world.connect().await?;
    let (source, model) = connections.production.identity(entity).await?;
    let reading = connections.warehouse.read().await?;
    reading.check_is_not(&source)?;
    // Refuses what cannot be compared before production has to work for it.
    adopt::look(&reading, &model, named).await?;
    drop(reading);
    let looking = async |snapshot: &Snapshot<'_>, reading: &Reading<'_>| {
        let theirs = adopt::look(reading, snapshot.model(), named).await?;
        both(snapshot.survey(), adopt::holds(reading, snapshot.model(), named, &theirs)).await
    };
    let (production_as_of, (survey, holds)) = sync::compare(&mut connections, entity, looking).await?;
    let compared = adopt::compare(&survey.accounts, survey.set_aside, &holds);
    let checked = Checked {
        entity: entity.name.name(),
        from: from(named),
        equal: compared.is_equal(),
        production_as_of: &production_as_of,
        production_rows: accounts::rows(&survey.accounts),
        their_rows: accounts::rows(&holds.accounts),
        days: survey.accounts.len(),
        compared: &compared,
    };
    let exit = if checked.equal { Exit::Done } else { Exit::Differs };
    Ok(Outcome::new(exit, checked_text(&checked, named), &checked))
}

/// Takes over rows and accounts, then publishes the files.
async fn adopt(world: &World<'_>, entity: &Entity, named: &Named) -> Result<Outcome> {
    let mut connections = world.connect().await?;
    let reader = Mutex::new(world.warehouse().await?);
    let taking = async || sync::adopt(&mut connections, &reader, entity, world.settings.guard, named).await;
    let done = world.patiently(taking).await?;
    let (warehouse, started) = (&mut connections.warehouse, Instant::now());
    let published = steps::publish(world, warehouse, Scope::Everything, Which::All, Claim::Adopt).await?;
    let locked = warehouse.lock_for_notes().await?;
    adopt::end(&locked, &done.model).await?;
    locked.commit().await?;
    let adopted = Adopted {
        entity: entity.name.name().to_string(),
        from: from(named),
        production_as_of: done.production_as_of,
        taken: done.taken,
        loaded: done.loaded,
        missed: done.missed,
        taken_files: published.listed + published.unchanged,
        files: Files::of(&published),
        took_seconds: done.took.as_secs_f64(),
    };
    let line = steps::line(world, &published, started.elapsed().as_secs_f64());
    Ok(Outcome::new(Exit::Done, adopted_text(&adopted, named, &line), &adopted))
}

fn from(named: &Named) -> String {
    format!("{}.{}", named.schema.name(), named.table.name())
}

fn checked_text(checked: &Checked<'_>, named: &Named) -> String {
    let Checked { compared, production_as_of, .. } = checked;
    if checked.equal {
        let (rows, days) = (counted(checked.production_rows, "row"), counted(checked.days, "day"));
        let head = format!(
            "equal: {named} has production's counts and checksums on every day, {rows}, {days}, production as of \
             {production_as_of}"
        );
        return report::list_lines([head].into_iter().chain(report::set_aside(compared.set_aside)));
    }
    let head = format!("{named} {}, compared with production as of {production_as_of}", summary(compared));
    let days = compared.differences.iter().map(|one| {
        let (ours, theirs) = (count(one.production_rows), counted(one.their_rows, "row"));
        let (word, what) = match one.how {
            How::Missing => ("missing", format!("{theirs}, production has {ours}")),
            How::Extra => ("extra", format!("{theirs}, production has {ours}")),
            How::Changed => ("changed", format!("{theirs}, but other ones")),
        };
        format!("{word:<11} {} {what}", one.day)
    });
    report::list_lines([head].into_iter().chain(days))
}

/// `lacks 1,214 rows on 9 days`, and other differences.
fn summary(compared: &Compared) -> String {
    let Compared { missing, extra, changed, .. } = compared;
    let mut parts = Vec::new();
    if missing.days > 0 {
        parts.push(format!("lacks {} on {}", counted(missing.rows, "row"), counted(missing.days, "day")));
    }
    if extra.days > 0 {
        parts.push(format!("has {} too many on {}", counted(extra.rows, "row"), counted(extra.days, "day")));
    }
    if changed.days > 0 {
        parts.push(format!("has {} with other rows at the same count", counted(changed.days, "day")));
    }
    if compared.unlike_rows > 0 {
        parts.push(format!(
            "has {} with a value that production's types cannot hold",
            counted(compared.unlike_rows, "row")
        ));
    }
    if compared.set_aside != compared.their_set_aside {
        let of_no_day = |rows: SetAside| count(rows.without_time + rows.outside_calendar);
        let (theirs, ours) = (of_no_day(compared.their_set_aside), of_no_day(compared.set_aside));
        parts.push(format!("has {theirs} rows of no day where production has {ours}"));
    }
    report::list(parts.into_iter())
}

fn adopted_text(adopted: &Adopted, named: &Named, published: &str) -> String {
    let tally = |tally: Tally| format!("{} of {}", counted(tally.rows, "row"), counted(tally.days, "day"));
    let mut lines =
        vec![report::line("adopted", &format!("{} from {named}", tally(adopted.taken)), adopted.took_seconds)];
    if adopted.missed.is_equal() {
        lines.push(format!("missed      nothing: {named} has production's counts and checksums on every day"));
    } else {
        lines.push(format!("missed      {named} {}", summary(&adopted.missed)));
    }
    if adopted.loaded.days > 0 {
        lines.push(format!("loaded      {} from production", tally(adopted.loaded)));
    }
    lines.push(format!("unchanged   {} that were already right", counted(adopted.taken_files, "file")));
    lines.push(published.to_string());
    lines.join("\n")
}

/// Two names separated by `=`.
fn column(text: &str) -> Result<(String, String), String> {
    let named = text.split_once('=').filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty());
    let (ours, theirs) = named.ok_or("a column is written PRODUCTION=THEIRS")?;
    Ok((ours.to_string(), theirs.to_string()))
}

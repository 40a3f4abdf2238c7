//! `adopt`: another tool's table of the warehouse beside production; with `--check` that is all, without it what is
//! equal is taken over and not loaded again.

mod taking;

use serde::Serialize;

use super::World;
use crate::accounts::{self, SetAside};
use crate::adopt::{self, Compared, How, Named};
use crate::entity::Entity;
use crate::error::{Exit, Refusal, Result};
use crate::report::{self, Outcome, count, counted};
use crate::settings::table_name;
use crate::sql::Ident;

/// What is to be adopted, as it was typed.
pub(super) struct Asked {
    named: Named,
    entity: Option<String>,
    check: bool,
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

impl Asked {
    /// Reads `--from` and `--column`.
    pub(super) fn new(from: &str, columns: Vec<(String, String)>, entity: Option<String>, check: bool) -> Result<Self> {
        let (schema, table) = table_name(from)?;
        let columns = columns.into_iter().map(|(ours, theirs)| Ok((ours, Ident::new(theirs)?)));
        Ok(Self { named: Named { schema, table, columns: columns.collect::<Result<_>>()? }, entity, check })
    }
}

pub(super) async fn run(world: &World<'_>, asked: Asked) -> Result<Outcome> {
    let entity = entity(world, asked.entity.as_deref())?;
    if asked.check { check(world, entity, &asked.named).await } else { taking::run(world, entity, &asked.named).await }
}

/// The entity that is meant: the only one, or the one that was named.
fn entity<'a>(world: &World<'a>, name: Option<&str>) -> Result<&'a Entity> {
    let entities = &world.settings.entities;
    let names = || report::list(entities.iter().map(|one| format!("\"{}\"", one.name.name())));
    match (name, entities.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => {
            Err(Refusal::usage("the settings have several entities", format!("Choose one with --entity: {}.", names())))
        }
        (Some(name), entities) => entities.iter().find(|entity| entity.name.name() == name).ok_or_else(|| {
            Refusal::usage(format!("the settings have no entity \"{name}\""), format!("They have {}.", names()))
        }),
    }
}

async fn check(world: &World<'_>, entity: &Entity, named: &Named) -> Result<Outcome> {
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let (source, model) = production.identity(entity).await?;
    let reading = warehouse.read().await?;
    reading.check_is_not(&source)?;
    // What cannot be compared is said before production works for it.
    adopt::look(&reading, &model, named).await?;
    drop(reading);
    let snapshot = production.snapshot(entity).await?;
    // The warehouse is read after production is held still: what the other tool loads in between is not half seen.
    let reading = warehouse.read().await?;
    let theirs = adopt::look(&reading, snapshot.model(), named).await?;
    let looking = async {
        let survey = snapshot.survey().await?;
        Ok((survey, adopt::holds(&reading, snapshot.model(), named, &theirs).await?))
    };
    let (survey, holds) = world.watch().over(&snapshot, looking).await?;
    let compared = adopt::compare(&survey.accounts, survey.set_aside, &holds);
    let checked = Checked {
        entity: entity.name.name(),
        from: format!("{}.{}", named.schema.name(), named.table.name()),
        equal: compared.is_equal(),
        production_as_of: &snapshot.as_of,
        production_rows: accounts::rows(&survey.accounts),
        their_rows: accounts::rows(&holds.accounts),
        days: survey.accounts.len(),
        compared: &compared,
    };
    let exit = if checked.equal { Exit::Done } else { Exit::Differs };
    Ok(Outcome::new(exit, text(&checked, named), &checked))
}

fn text(checked: &Checked<'_>, named: &Named) -> String {
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

/// `lacks 1,214 rows on 9 days`, and what else differs.
pub(super) fn summary(compared: &Compared) -> String {
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

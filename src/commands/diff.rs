//! `diff`: the rows of a day that production and the warehouse do not share. Changes nothing.

use serde::Serialize;

use super::World;
use crate::calendar::{Day, Level, Period};
use crate::diff::{self, Difference, Lacking, Side};
use crate::error::{Exit, Refusal, Result};
use crate::report::{self, Outcome, count, counted};

/// What is to be compared.
pub(super) struct Wanted {
    day: Day,
    entity: Option<String>,
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
    difference: Difference,
}

impl Wanted {
    /// Of what was typed.
    ///
    /// # Errors
    /// Refuses (usage) a month or a year.
    pub(super) fn new(period: Period, entity: Option<String>, limit: usize) -> Result<Self> {
        if period.level() == Level::Day {
            return Ok(Self { day: period.first(), entity, limit });
        }
        Err(Refusal::usage(
            format!("{period} is not a day"),
            "Rows are compared day by day, for example 2024-01-05; `kalends verify` names the days that differ.",
        ))
    }
}

pub(super) async fn run(world: &World<'_>, wanted: &Wanted) -> Result<Outcome> {
    let named = world
        .settings
        .entities
        .iter()
        .filter(|entity| wanted.entity.as_deref().is_none_or(|name| entity.name.name() == name));
    let entities: Vec<_> = named.collect();
    if let (true, Some(name)) = (entities.is_empty(), &wanted.entity) {
        let names = report::list(world.settings.entities.iter().map(|entity| entity.name.name()));
        return Err(Refusal::usage(format!("the settings have no entity \"{name}\""), format!("They have: {names}.")));
    }
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let mut compared = Compared { day: wanted.day, entities: Vec::new() };
    for entity in entities {
        production.identity(entity).await?;
        // The warehouse is read after production is held still: a run that settles in between is not half seen.
        let snapshot = production.snapshot(entity).await?;
        let reading = warehouse.read().await?;
        reading.check_is_not(&snapshot.identity)?;
        let comparing = diff::of_day(&snapshot, &reading, wanted.day, wanted.limit);
        let difference = world.watch().over(&snapshot, comparing).await?;
        let production_as_of = snapshot.as_of.clone();
        snapshot.release().await;
        compared.entities.push(OfEntity {
            entity: entity.name.name().to_string(),
            production_as_of,
            equal: difference.is_none(),
            difference,
        });
    }
    let exit = if compared.entities.iter().all(|one| one.equal) { Exit::Done } else { Exit::Differs };
    let text = report::list_lines(compared.entities.iter().map(|one| text(wanted.day, one)));
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
        Side::Warehouse => "the warehouse lacks",
        Side::Production => "production lacks",
    };
    let values =
        columns.iter().zip(&row.values).map(|(column, value)| format!("{column} = {}", shown(value.as_deref())));
    format!("{side:<19} {:>3} x  {}", row.copies, report::list(values))
}

/// A value on one line: in quotes where it could be taken for something else, or would break the line.
pub(super) fn shown(value: Option<&str>) -> String {
    let Some(value) = value else { return "NULL".to_string() };
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-:. ".contains(c);
    if value.starts_with(|c: char| c.is_ascii_digit() || c == '-') && value.chars().all(plain) {
        return value.to_string();
    }
    format!("{value:?}")
}

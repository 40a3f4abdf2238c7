//! The tables that are accounted for, as the settings file lists them.

use std::collections::BTreeSet;

use toml::Spanned;

use super::file::TypedEntity;
use crate::calendar::Level;
use crate::entity::{self, Entity, Statistic};
use crate::error::{Refusal, Result};
use crate::sql::{Ident, Literal};

/// Which of them are NULL is hashed as a seed of 64 bits.
const MOST_COLUMNS: usize = 60;

/// Checks the tables of the file. If there are none, the default table is used.
pub(super) fn read(typed: Vec<TypedEntity>) -> Result<Vec<Entity>> {
    if typed.is_empty() {
        return Ok(vec![Entity::default_table()?]);
    }
    let entities = typed.into_iter().map(one).collect::<Result<Vec<_>>>()?;
    entity::check_apart(&entities)?;
    Ok(entities)
}

fn one(typed: TypedEntity) -> Result<Entity> {
    let (schema, table) = table_name(typed.table.get_ref())?;
    if let Some(zone) = &typed.time_zone {
        check_zone(zone.get_ref())?;
    }
    let name = Ident::new(typed.name)?;
    Literal::new(name.name())?;
    let columns = |typed: Vec<Spanned<String>>| {
        typed.into_iter().map(|column| Ident::new(column.into_inner())).collect::<Result<Vec<_>>>()
    };
    let (measures, dimensions) = (columns(typed.measures)?, columns(typed.dimensions.unwrap_or_default())?);
    check_columns(name.name(), typed.time.get_ref(), &measures, &dimensions)?;
    let statistics =
        typed.statistics.unwrap_or_else(|| vec![Statistic::Sum, Statistic::Min, Statistic::Max, Statistic::Mean]);
    let levels = typed.levels.unwrap_or_else(|| vec![Level::Day, Level::Month, Level::Year]);
    Ok(Entity {
        schema,
        table,
        time: Ident::new(typed.time.into_inner())?,
        time_zone: typed.time_zone.map(Spanned::into_inner),
        measures,
        dimensions,
        statistics: ordered(name.name(), "statistics", statistics)?,
        levels: ordered(name.name(), "levels", levels)?,
        lines: typed.lines,
        name,
    })
}

/// Reads `schema.table`, or `table` in schema public. A part in double quotes is used as it is.
///
/// # Errors
/// Refuses (usage) anything else.
pub fn table_name(text: &str) -> Result<(Ident, Ident)> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => part.extend(characters.next()),
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            _ => part.push(character),
        }
    }
    parts.push(part);
    let wrong = || {
        Refusal::usage(
            format!("\"{text}\" does not name a table"),
            "Write schema.table, with double quotes around a name that holds a dot or a quote.",
        )
    };
    match parts.as_slice() {
        _ if quoted => Err(wrong()),
        [table] if !table.is_empty() => Ok((Ident::new("public")?, Ident::new(table.as_str())?)),
        [schema, table] if !schema.is_empty() && !table.is_empty() => {
            Ok((Ident::new(schema.as_str())?, Ident::new(table.as_str())?))
        }
        _ => Err(wrong()),
    }
}

/// Whether this could be a name of the IANA database. Abbreviations and offsets mean different things in different
/// places (to PostgreSQL, `+02` is west of Greenwich).
pub(super) fn is_zone(zone: &str) -> bool {
    let plain = zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
    zone == "UTC" || (plain && zone.contains('/'))
}

fn check_zone(zone: &str) -> Result<()> {
    if is_zone(zone) {
        return Ok(());
    }
    Err(Refusal::usage(
        format!("\"{zone}\" is not the name of a time zone"),
        "Use a name of the IANA database, such as \"Europe/Paris\", or \"UTC\".",
    ))
}

fn check_columns(name: &str, time: &str, measures: &[Ident], dimensions: &[Ident]) -> Result<()> {
    let mut seen = BTreeSet::from([time]);
    if measures.is_empty() {
        return Err(Refusal::usage(format!("entity \"{name}\" has no measures"), "Name at least one column to sum."));
    }
    if measures.len() + dimensions.len() > MOST_COLUMNS {
        return Err(Refusal::usage(
            format!("entity \"{name}\" has more than {MOST_COLUMNS} measures and dimensions"),
            "Split it into two entities of the same table.",
        ));
    }
    match measures.iter().chain(dimensions).find(|column| !seen.insert(column.name())) {
        None => Ok(()),
        Some(column) => Err(Refusal::usage(
            format!("entity \"{name}\" names column \"{}\" twice", column.name()),
            "Name each column once.",
        )),
    }
}

pub(super) fn ordered<T: Ord + Copy>(name: &str, what: &str, mut given: Vec<T>) -> Result<Vec<T>> {
    let count = given.len();
    given.sort();
    given.dedup();
    if given.is_empty() || given.len() < count {
        return Err(Refusal::usage(
            format!("entity \"{name}\" has {what} that are empty or named twice"),
            "Name each once, or leave the line out for the usual ones.",
        ));
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_with_and_without_schema_and_in_quotes() {
        let named = |text: &str| table_name(text).map(|(schema, table)| format!("{}|{}", schema.name(), table.name()));
        assert_eq!(named("purchase").unwrap(), "public|purchase");
        assert_eq!(named("shop.purchase").unwrap(), "shop|purchase");
        assert_eq!(named(r#""my.shop"."Kauf ""neu""""#).unwrap(), r#"my.shop|Kauf "neu""#);
        for wrong in ["", "a.b.c", ".a", "a.", "\"a"] {
            assert!(table_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zones_have_names() {
        for zone in ["Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+2", "UTC"] {
            assert!(check_zone(zone).is_ok(), "{zone}");
        }
        for zone in ["CET", "+02", "Paris", "Europe/Paris'; --", ""] {
            assert!(check_zone(zone).is_err(), "{zone}");
        }
    }
}

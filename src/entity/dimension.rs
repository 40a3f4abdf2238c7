//! The types that a dimension can have: all that can be sorted and hashed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Entity;
use super::columns::missing;
use crate::error::{Refusal, Result};
use crate::sql::Ident;

/// A dimension's type in production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// As production spells it.
    pub(super) written: String,
    /// Its type in the warehouse, a name of `pg_catalog`; `text` for types that are not built in.
    #[serde(rename = "kept")]
    pub(super) stored_as: Ident,
    /// Whether the warehouse stores only the text of production's type.
    pub(super) as_text: bool,
    /// Whether it is a number, or a domain of numbers.
    pub(super) number: bool,
}

/// What production says about a dimension's type.
#[derive(Debug, Clone)]
pub struct FoundType {
    /// As production spells it.
    pub written: String,
    /// The name of a built-in type; `None` for others.
    pub stored_as: Option<String>,
    /// Whether it is a number, or a domain of numbers.
    pub number: bool,
    /// Why it cannot be a dimension: the type, itself or inside of it, that cannot be sorted or hashed.
    pub unfit: Option<String>,
}

/// The column of a dimension's texts in the accounts of combinations.
pub(super) fn stored_in(column: &Ident) -> Result<Ident> {
    Ident::cut(&format!("dimension_{}", column.name()))
}

/// How a dimension goes into the hash of a row.
pub(super) enum Hashed {
    /// With its type's own function.
    Number(&'static str),
    /// As the text that it is, or is stored as.
    Text,
    /// As PostgreSQL prints it.
    Printed,
}

/// Texts are hashed and sorted by their bytes. Only in UTF8 are these the same on both servers.
///
/// # Errors
/// Refuses dimensions in a database of another encoding.
pub fn check_encoding(server: impl fmt::Display, encoding: &str) -> Result<()> {
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(Refusal::refused(
        format!("the database of {server} is in {encoding}, and dimensions need UTF8"),
        "Remove dimensions, or use databases in UTF8.",
    ))
}

impl Dimension {
    pub(super) fn new(entity: &Entity, column: &Ident, found: Option<&FoundType>) -> Result<Self> {
        let found = found.ok_or_else(|| missing(entity, column.name()))?;
        if let Some(unfit) = &found.unfit {
            let written = &found.written;
            let inside = if unfit == written { String::new() } else { format!(", because of {unfit} in it") };
            return Err(Refusal::refused(
                format!(
                    "column \"{}\" of table {entity} is of type {written}, which cannot be sorted and hashed{inside}",
                    column.name()
                ),
                "Remove it from dimensions, or add a column that can be sorted and hashed, such as a text.",
            ));
        }
        Ok(Self {
            written: found.written.clone(),
            stored_as: Ident::new(found.stored_as.as_deref().unwrap_or("text"))?,
            as_text: found.stored_as.is_none(),
            number: found.number,
        })
    }

    /// The function must distinguish all values that PostgreSQL prints differently. That of a bigint folds it to 32
    /// bits, that of an interval takes 1 day for 24 hours, that of a numeric 1.0 for 1.00.
    pub(super) fn hashed(&self) -> Hashed {
        match self.stored_as.name() {
            "int2" => Hashed::Number("hashint2extended"),
            "int4" => Hashed::Number("hashint4extended"),
            "text" | "varchar" => Hashed::Text,
            _ => Hashed::Printed,
        }
    }
}

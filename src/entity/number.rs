//! The types that a measure can have.

use serde::{Deserialize, Serialize};

use super::Entity;
use super::columns::missing;
use crate::error::{Refusal, Result};
use crate::sql::Ident;

/// The type of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Number {
    /// 2 bytes.
    #[serde(rename = "smallint")]
    Smallint,
    /// 4 bytes.
    #[serde(rename = "integer")]
    Integer,
    /// 8 bytes.
    #[serde(rename = "bigint")]
    Bigint,
    /// Decimal of any size.
    #[serde(rename = "numeric")]
    Numeric,
    /// Binary, 4 bytes: used as the decimal that PostgreSQL prints.
    #[serde(rename = "real")]
    Real,
    /// Binary, 8 bytes: used as the decimal that PostgreSQL prints.
    #[serde(rename = "double precision")]
    Double,
}

pub(super) fn number(entity: &Entity, column: &Ident, found: Option<&str>) -> Result<Number> {
    let column = column.name();
    match found.ok_or_else(|| missing(entity, column))? {
        "smallint" => Ok(Number::Smallint),
        "integer" => Ok(Number::Integer),
        "bigint" => Ok(Number::Bigint),
        "numeric" => Ok(Number::Numeric),
        "real" => Ok(Number::Real),
        "double precision" => Ok(Number::Double),
        other => Err(Refusal::refused(
            format!("column \"{column}\" of table {entity} is of type {other}, which cannot be summed"),
            "Name columns of type smallint, integer, bigint, numeric, real or double precision as measures.",
        )),
    }
}

impl Number {
    /// PostgreSQL's name of the type.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Smallint => "smallint",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Numeric => "numeric",
            Self::Real => "real",
            Self::Double => "double precision",
        }
    }

    /// Its name in `pg_type`.
    pub(super) fn known(self) -> &'static str {
        match self {
            Self::Smallint => "int2",
            Self::Integer => "int4",
            Self::Bigint => "int8",
            Self::Numeric => "numeric",
            Self::Real => "float4",
            Self::Double => "float8",
        }
    }

    /// PostgreSQL's hash function of the type. For some types it does not distinguish all values:
    /// `accounts/hashes.jinja` adds what is missing.
    pub(super) fn hash(self) -> &'static str {
        match self {
            Self::Smallint => "hashint2extended",
            Self::Integer => "hashint4extended",
            Self::Bigint => "hashint8extended",
            Self::Numeric => "hash_numeric_extended",
            Self::Real => "hashfloat4extended",
            Self::Double => "hashfloat8extended",
        }
    }
}

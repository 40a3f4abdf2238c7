//! Another tool's table of the same rows, in the warehouse: which of its columns corresponds to which column of
//! production, and how its values are read as production's. Values are never altered: what production's type cannot
//! hold is left out.

use serde::Serialize;

use super::number::Number;
use super::{Model, TimeKind};
use crate::error::{Refusal, Result};
use crate::sql::{Filling, Ident, Word};

/// The table.
#[derive(Debug)]
pub struct Theirs {
    schema: Ident,
    table: Ident,
    pub(super) columns: Vec<TheirColumn>,
    /// Where its rows are stored.
    pub storage: Storage,
}

/// Where the rows of another tool's table are stored, which decides how they are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Storage {
    /// Whether it is a table of this server alone, whose rows have a `ctid` here. Those of a view have none.
    pub has_ctids: bool,
    /// Whether its rows may be on the nodes of a cluster. Accounts are then aggregated there.
    pub in_shards: bool,
}

/// One of its columns.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TheirColumn {
    theirs: Ident,
    ours: Ident,
    /// How a value is converted to production's type, a word that `accounts/theirs.jinja` knows.
    how: Word,
    /// Production's type.
    kind: Word,
    /// Whether some values may have no equal in production's type.
    judged: bool,
}

/// A column as it was found.
#[derive(Debug)]
pub struct TheirType {
    /// The column.
    pub name: Ident,
    /// The name of its type in `pg_type`, for a domain that of its base; `None`: there is no such column.
    pub known: Option<String>,
    /// Its type as PostgreSQL writes it.
    pub written: Option<String>,
}

impl Theirs {
    /// From a table and the columns that correspond to time, measures and dimensions, in this order.
    ///
    /// # Errors
    /// Refuses a missing column, and a type whose values cannot be compared with production's.
    pub fn new(model: &Model, schema: Ident, table: Ident, found: Vec<TheirType>) -> Result<Self> {
        let name = format!("\"{}.{}\"", schema.name(), table.name());
        let columns = model.entity.columns().zip(model.wanted()).zip(found).map(|((ours, wanted), found)| {
            let Some(known) = &found.known else {
                return Err(Refusal::refused(
                    format!("{name} of the warehouse has no column \"{}\"", found.name.name()),
                    format!("Give its name there with --column {}=THEIRS.", ours.name()),
                ));
            };
            let how = wanted.how(known).ok_or_else(|| {
                let written = found.written.as_deref().unwrap_or(known);
                Refusal::refused(
                    format!(
                        "column \"{}\" of {name} is of type {written}, which cannot be compared with production's {}",
                        found.name.name(),
                        wanted.written()
                    ),
                    "docs/guides/adopt.md lists the types that do; or create a view with a cast, and name the view.",
                )
            })?;
            let judged = matches!(how, "whole" | "decimal" | "double" | "real" | "midnight");
            Ok(TheirColumn {
                theirs: found.name,
                ours: ours.clone(),
                how: Word(how),
                kind: Word(wanted.kind()),
                judged,
            })
        });
        Ok(Self { columns: columns.collect::<Result<_>>()?, schema, table, storage: Storage::default() })
    }

    /// The table's name, for a statement.
    pub fn table_names(&self) -> [(&'static str, &dyn Filling); 2] {
        [("schema", &self.schema), ("table", &self.table)]
    }

    /// Whether some values may have no equal in production's types, so that they must be counted.
    pub fn is_judged(&self) -> bool {
        self.columns.iter().any(|column| column.judged)
    }
}

/// A column of production.
enum Ours<'a> {
    Time(TimeKind),
    Number(Number),
    /// A dimension, by its type in the warehouse's rows.
    Dimension(&'a str),
}

impl Model {
    /// Time, measures and dimensions.
    fn wanted(&self) -> impl Iterator<Item = Ours<'_>> {
        let measures = self.measures.iter().map(|&number| Ours::Number(number));
        let dimensions = self.dimensions.iter().map(|dimension| Ours::Dimension(dimension.stored_as.name()));
        [Ours::Time(self.time)].into_iter().chain(measures).chain(dimensions)
    }
}

impl Ours<'_> {
    fn how(&self, known: &str) -> Option<&'static str> {
        const NUMBERS: [&str; 6] = ["int2", "int4", "int8", "numeric", "float4", "float8"];
        let how = match (self, known) {
            (Self::Time(TimeKind::Timestamp), "timestamp")
            | (Self::Time(TimeKind::TimestampTz), "timestamptz")
            | (Self::Time(TimeKind::Date), "date") => "same",
            (Self::Time(TimeKind::Timestamp), "timestamptz") | (Self::Time(TimeKind::TimestampTz), "timestamp") => {
                "utc"
            }
            (Self::Time(TimeKind::Date), "timestamp") => "midnight",
            (Self::Time(_), _) => return None,
            (Self::Number(number), known) if number.known() == known => "same",
            (Self::Number(number), known) if NUMBERS.contains(&known) => match number {
                Number::Smallint | Number::Integer | Number::Bigint => "whole",
                Number::Numeric => "decimal",
                Number::Real => "real",
                Number::Double => "double",
            },
            (Self::Number(_), _) => return None,
            (Self::Dimension(stored_as), known) if *stored_as == known => "same",
            (Self::Dimension("text" | "varchar"), "text" | "varchar") => "text",
            (Self::Dimension("int2" | "int4" | "int8"), "int2" | "int4" | "int8") => "whole",
            (Self::Dimension(_), _) => return None,
        };
        Some(how)
    }

    /// Production's type, if values are converted to it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Time(time) => time.kind(),
            Self::Number(number) => number.word(),
            Self::Dimension("int2") => "smallint",
            Self::Dimension("int4") => "integer",
            Self::Dimension("int8") => "bigint",
            Self::Dimension(_) => "text",
        }
    }

    fn written(&self) -> &str {
        match self {
            Self::Dimension(stored_as) => stored_as,
            _ => self.kind(),
        }
    }
}

//! The entity: a table of production that is accounted for. Pure.

mod bounds;
mod change;
mod columns;
mod declared;
mod differing;
mod dimension;
mod draft;
mod form;
mod kind;
mod lines;
mod made;
mod model;
mod names;
mod number;
mod shape;
mod split;
mod theirs;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use change::Change;
pub use columns::Column;
pub use dimension::{Dimension, FoundType, check_encoding};
pub use draft::{Draft, SourceColumn, SourceTable};
pub use form::{Form, Format};
pub use kind::{Kind, MOST_DIGITS};
pub use lines::Lines;
pub use model::{Found, Model, TimeKind};
pub use names::Taken;
pub use number::Number;
pub use split::Split;
pub use theirs::{Storage, TheirType, Theirs};

use crate::calendar::Level;
use crate::error::{Refusal, Result};
use crate::sql::{Filling, Ident};

/// What the settings say about a table: where it is, which columns matter, and what to account for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What it is called in the warehouse and in the files.
    pub name: Ident,
    /// Schema of the table in production.
    pub schema: Ident,
    /// Name of the table in production.
    pub table: Ident,
    /// The column that says which day a row belongs to.
    pub time: Ident,
    /// The IANA name of the zone that days begin and end in, for a `timestamptz`.
    pub time_zone: Option<String>,
    /// The columns that are summed.
    pub measures: Vec<Ident>,
    /// The columns whose combinations have accounts of their own.
    #[serde(default)]
    pub dimensions: Vec<Ident>,
    /// The statistics of each measure, in the order of [`Statistic`].
    pub statistics: Vec<Statistic>,
    /// The levels that files are published for, in the order of [`Level`].
    pub levels: Vec<Level>,
    /// The lines of the settings that it is written in.
    #[serde(skip)]
    pub lines: Lines,
}

/// A statistic of a measure. NULLs are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// Exact sum.
    Sum,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Sum divided by count, rounded half away from zero to 6 decimals.
    Mean,
    /// Values that are not NULL.
    Count,
    /// Sample standard deviation, rounded half up to 6 decimals.
    Stddev,
}

impl Entity {
    /// The default table: the entity that is used if the settings name none.
    ///
    /// # Errors
    /// None: its names are short.
    pub fn default_table() -> Result<Self> {
        Ok(Self {
            name: Ident::new("entity")?,
            schema: Ident::new("public")?,
            table: Ident::new("entity")?,
            time: Ident::new("created_at")?,
            time_zone: None,
            measures: vec![Ident::new("value")?],
            dimensions: Vec::new(),
            statistics: vec![Statistic::Sum, Statistic::Min, Statistic::Max, Statistic::Mean],
            levels: vec![Level::Day, Level::Month, Level::Year],
            lines: Lines::default(),
        })
    }

    /// The columns that matter: time, measures, dimensions.
    pub fn columns(&self) -> impl Iterator<Item = &Ident> {
        [&self.time].into_iter().chain(&self.measures).chain(&self.dimensions)
    }

    /// The table's name, for a statement.
    pub fn table_names(&self) -> [(&'static str, &dyn Filling); 2] {
        [("schema", &self.schema), ("table", &self.table)]
    }
}

/// Refuses entities that would share a table of the warehouse or a file.
///
/// # Errors
/// Usage, with the names of both.
pub fn check_apart(entities: &[Entity]) -> Result<()> {
    let mut taken = Taken::default();
    for entity in entities {
        let name = entity.name.name();
        taken.take(name).map_err(|other| {
            Refusal::usage(
                format!("the entities \"{other}\" and \"{name}\" would share tables or files"),
                "Give one of them another name.",
            )
        })?;
    }
    Ok(())
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}.{}\"", self.schema.name(), self.table.name())
    }
}

impl Statistic {
    /// The statistic as one word, as in the settings and in columns.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Count => "count",
            Self::Stddev => "stddev",
        }
    }
}

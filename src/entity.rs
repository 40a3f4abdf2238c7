//! The entity: a table of production that is accounted for. Pure.

use std::fmt;

use crate::db::{Filling, Ident};

/// Where the table is, and the columns that matter.
#[derive(Debug, Clone)]
pub struct Entity {
    /// Schema of the table in production.
    pub schema: Ident,
    /// Name of the table in production.
    pub table: Ident,
    /// The column that says which day a row belongs to: `timestamp without time zone`.
    pub time: Ident,
    /// The column that is summed: `integer`.
    pub measure: Ident,
}

impl Entity {
    /// The table's name, for a statement.
    pub fn table_names(&self) -> [(&'static str, &dyn Filling); 2] {
        [("schema", &self.schema), ("table", &self.table)]
    }

    /// The names of table and columns, for a statement.
    pub fn names(&self) -> [(&'static str, &dyn Filling); 4] {
        [("schema", &self.schema), ("table", &self.table), ("time", &self.time), ("measure", &self.measure)]
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}.{}\"", self.schema.name(), self.table.name())
    }
}

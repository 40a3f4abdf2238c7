//! A row of an answer. Its values come from a server, so reading a column can fail, and never panics.

use anyhow::Context as _;
use tokio_postgres::types::FromSql;

use crate::error::Result;
use crate::sql::Sql;

/// A row of a statement's answer.
#[derive(Debug, Clone)]
pub struct Row {
    row: tokio_postgres::Row,
    statement: &'static str,
}

impl Row {
    /// From the answer to a statement.
    pub fn new(sql: &Sql, row: tokio_postgres::Row) -> Self {
        Self { row, statement: sql.path() }
    }

    /// The value of a column.
    ///
    /// # Errors
    /// Names the statement if the column is missing, has another type, or is NULL unexpectedly.
    pub fn get<'a, T: FromSql<'a>>(&'a self, column: &str) -> Result<T> {
        let reading = || format!("the server's answer to {} has no usable \"{column}\"", self.statement);
        self.row.try_get(column).with_context(reading)
    }
}

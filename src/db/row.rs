//! A row of an answer. What it holds came from a server, so reading a column can fail, and never panics.

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
    /// Of the answer to a statement.
    pub fn new(sql: &Sql, row: tokio_postgres::Row) -> Self {
        Self { row, statement: sql.path() }
    }

    /// The value of a column.
    ///
    /// # Errors
    /// Names the statement where the column is missing, of another type, or NULL where something has to be.
    pub fn get<'a, T: FromSql<'a>>(&'a self, column: &str) -> Result<T> {
        let reading = || format!("the server's answer to {} has no usable \"{column}\"", self.statement);
        self.row.try_get(column).with_context(reading)
    }
}

//! A row of an answer. Its values come from a server, so reading a column can fail, and never panics.

use std::error::Error;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::{FromSql, Type};

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

    /// Whether these columns, one after the other, have the SHA-256 that the server sent with them in `seal`. TLS would
    /// detect a changed bit; without it, the network has a sum of 16 bits.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn is_sealed(&self, columns: &[&str]) -> Result<bool> {
        let mut digest = Sha256::new();
        for column in columns {
            digest.update(self.get::<Option<Sent<'_>>>(column)?.map_or(&[][..], |Sent(bytes)| bytes));
        }
        Ok(self.get::<&[u8]>("seal")? == digest.finalize().as_slice())
    }
}

/// A value of any type, byte by byte.
struct Sent<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Sent<'a> {
    fn from_sql(_type: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_type: &Type) -> bool {
        true
    }
}

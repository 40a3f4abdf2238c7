//! What a server said of a statement, with the statement's file and the place in it.

use std::fmt;

use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use super::statement::Sql;

/// A statement that a server refused, or that never got its answer.
#[derive(Debug, thiserror::Error)]
pub struct StatementFailure {
    message: String,
    code: Option<SqlState>,
    path: &'static str,
    /// The line of the statement that the server points at, with its number and the column, both from 1.
    place: Option<(usize, usize, String)>,
}

impl StatementFailure {
    /// Of an error that a statement ended with.
    pub fn new(sql: &Sql, error: &tokio_postgres::Error) -> Self {
        let (message, code, place) = match error.as_db_error() {
            Some(answer) => (answer.message().to_string(), Some(answer.code().clone()), place(sql, answer)),
            None => (super::plainly(error), None, None),
        };
        Self { message, code, path: sql.path, place }
    }

    /// A statement that did not end within our own time limit, whatever the server's clock says.
    pub(super) fn stalled(sql: &Sql, seconds: u64) -> Self {
        let message = format!("the server did not answer within {seconds} s");
        Self { message, code: None, path: sql.path, place: None }
    }

    /// The SQLSTATE of the server's answer; `None` where there was no answer.
    pub fn code(&self) -> Option<&SqlState> {
        self.code.as_ref()
    }
}

/// The SQLSTATE behind an error, if a server's answer is its cause.
pub fn sql_state(error: &anyhow::Error) -> Option<&SqlState> {
    error.downcast_ref::<StatementFailure>().and_then(StatementFailure::code)
}

/// The server points at a character of what was sent; people count lines and columns. The server's DETAIL is left
/// out on purpose: it may hold a row's values.
fn place(sql: &Sql, answer: &DbError) -> Option<(usize, usize, String)> {
    let Some(ErrorPosition::Original(position)) = answer.position() else { return None };
    let before: String = sql.text.chars().take(usize::try_from(*position).ok()?.saturating_sub(1)).collect();
    let number = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    let column = before.chars().rev().take_while(|&character| character != '\n').count() + 1;
    Some((number, column, sql.text.lines().nth(number - 1)?.to_string()))
}

impl fmt::Display for StatementFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(code) = &self.code {
            write!(f, " ({})", code.code())?;
        }
        match &self.place {
            None => write!(f, "\n   --> {}", self.path),
            Some((number, column, line)) => {
                let blank = " ".repeat(number.to_string().len());
                let caret = " ".repeat(column - 1);
                write!(f, "\n   --> {}:{number}:{column}", self.path)?;
                write!(f, "\n    {blank} |\n    {number} | {line}\n    {blank} | {caret}^")
            }
        }
    }
}

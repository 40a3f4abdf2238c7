//! What a server said about a statement, with the statement's file and the position in it.

use std::fmt;

use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use super::Server;
use crate::error::{Picture, Refusal};
use crate::sql::Sql;

/// A statement that a server refused, or whose connection broke.
#[derive(Debug, thiserror::Error)]
pub struct StatementFailure {
    message: String,
    code: Option<SqlState>,
    /// Whether the server could not lock as many tables as the statement requires.
    lacks_locks: bool,
    /// Whether the connection was lost.
    is_lost: bool,
    #[source]
    place: Picture,
}

impl StatementFailure {
    /// From the error that a statement ended with.
    pub fn new(sql: &Sql, error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(answer) => Self {
                message: answer.message().to_string(),
                code: Some(answer.code().clone()),
                // The hint is in the server's language, except for the name of the setting.
                lacks_locks: answer.hint().is_some_and(|hint| hint.contains("max_locks_per_transaction")),
                is_lost: [&SqlState::ADMIN_SHUTDOWN, &SqlState::CRASH_SHUTDOWN].contains(&answer.code()),
                place: picture(sql, answer),
            },
            None => Self {
                message: plainly(error),
                code: None,
                lacks_locks: false,
                is_lost: is_lost(error),
                place: Picture(vec![format!("   --> {}", sql.path())]),
            },
        }
    }

    /// Adds the next step if the server's own limits were reached. Returns a refusal if the database's encoding lacks a
    /// character of what was sent: that must be a name, because values are numbers and dates, and dimensions require
    /// UTF8. Otherwise returns the error itself.
    pub(super) fn explained(self, server: Server) -> anyhow::Error {
        if self.is_lost {
            return lost(server, self.into());
        }
        if self.code == Some(SqlState::CONFIGURATION_LIMIT_EXCEEDED) {
            let hint = "Raise temp_file_limit, or work_mem, for the role on that server.";
            return Refusal::explaining("a limit of the server is too low for this command", hint, self.into());
        }
        if self.code == Some(SqlState::DISK_FULL) {
            let hint =
                "Free disk space on that server, then run again: what was committed stays, the rest was rolled back.";
            return Refusal::explaining("the disk of a server is full", hint, self.into());
        }
        if self.lacks_locks {
            let hint = "Raise max_locks_per_transaction on that server, which is 64 unless it is set, and restart it.";
            return Refusal::explaining("a server cannot lock as many tables at once as this takes", hint, self.into());
        }
        if self.code == Some(SqlState::OUT_OF_MEMORY) {
            let hint = "Give that server more memory, or less to do at once, then run again.";
            return Refusal::explaining("a server lacks memory for this command", hint, self.into());
        }
        if self.code != Some(SqlState::UNTRANSLATABLE_CHARACTER) {
            return self.into();
        }
        Refusal::refused(
            format!("a name in the settings cannot be written in the encoding of a database: {}", self.message),
            "Give the entity and its columns names that both databases can write, or use databases in UTF8.",
        )
    }

    /// The SQLSTATE of the server's answer; `None` without an answer.
    pub fn code(&self) -> Option<&SqlState> {
        self.code.as_ref()
    }
}

/// Whether an error of the driver means that the connection is lost.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    let of_system = std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
    error.is_closed() || of_system && error.as_db_error().is_none()
}

/// A connection that ended during the work: the server stopped, or the network in between broke. Nobody can tell which,
/// nor whether a server that cannot be reached has rolled back yet.
pub(super) fn lost(server: Server, cause: anyhow::Error) -> anyhow::Error {
    let hint =
        "Check that it runs and can be reached, and what its log says, then run again: only what was committed stays.";
    Refusal::explaining(format!("the connection to {server} was lost"), hint, cause)
}

impl fmt::Display for StatementFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} ({})", self.message, code.code()),
            None => write!(f, "{}", self.message),
        }
    }
}

/// The SQLSTATE behind an error, if it was caused by a server's answer.
pub fn sql_state(error: &anyhow::Error) -> Option<&SqlState> {
    error.downcast_ref::<StatementFailure>().and_then(StatementFailure::code)
}

/// The file, with the line and column that the server points at by counting characters. The server's DETAIL is left out
/// on purpose: it may contain a row's values.
fn picture(sql: &Sql, answer: &DbError) -> Picture {
    let pointed = match answer.position() {
        Some(ErrorPosition::Original(position)) => usize::try_from(*position).ok().filter(|&position| position > 0),
        _ => None,
    };
    let Some(position) = pointed else { return Picture(vec![format!("   --> {}", sql.path())]) };
    let before: String = sql.text().chars().take(position - 1).collect();
    let number = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&character| character != '\n').count() + 1;
    let line = sql.text().lines().nth(number - 1).unwrap_or_default();
    let blank = " ".repeat(number.to_string().len());
    Picture(vec![
        format!("   --> {}:{number}:{column}", sql.path()),
        format!("    {blank} |"),
        format!("    {number} | {line}"),
        format!("    {blank} | {}^", " ".repeat(column - 1)),
    ])
}

/// An error of the driver with its causes, on one line.
pub(super) fn plainly(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return format!("{} ({})", answer.message(), answer.code().code());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

//! A connection to one server, and its pinned transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use backon::{ExponentialBuilder, Retryable as _};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::failure::{is_lost, lost, plainly};
use super::line::{DEAD_AFTER, Line};
use super::pins::{self, Pins};
use super::{Access, Address, CopyIn, CopyOut, Limits, Parameter, Row, Rows, Server, StatementFailure, tls};
use crate::error::{Refusal, Result};
use crate::sql::Sql;

/// Older servers lack features that the statements use, such as infinities of numeric and
/// `client_connection_check_interval`.
const OLDEST_VERSION: u32 = 14;

/// The server ended a session that had nothing to do for its `idle_session_timeout`.
const IDLE_SESSION_TIMEOUT: &str = "57P05";

/// A connection to one server.
pub struct Session {
    client: Client,
    pub(super) server: Server,
    pins: Pins,
    line: Line,
    address: Address,
    /// Whether the server ended it because it had nothing to do.
    idled_out: Arc<AtomicBool>,
}

/// A pinned transaction. It is rolled back if it is dropped before [`Work::commit`].
pub struct Work<'a> {
    transaction: Transaction<'a>,
    limits: Limits,
    line: Line,
}

impl Session {
    /// Connects. Waits a little for a server that is starting or has no free connection.
    ///
    /// # Errors
    /// Names server, address and role; never the password.
    pub async fn connect(server: Server, address: &Address, limits: Limits) -> Result<Self> {
        let attempt = || attempt(server, address, limits);
        // 0.1 s doubling to 2 s, about 10 s in all: a restarting server is back by then; for a missing one it is not
        // worth waiting longer.
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(2))
            .with_max_times(8)
            .with_jitter();
        attempt
            .retry(pauses)
            .when(heals_by_waiting)
            .await
            .map_err(|error| explain(server, address, &error))
            .and_then(|session| check_version(session.pins.version).map(|()| session))
            .with_context(|| format!("could not connect to {server} at {address}"))
    }

    /// Pins the nodes of a cluster as well, in all transactions that begin from now on.
    pub fn pin_nodes(&mut self) {
        self.pins.nodes = true;
    }

    /// Begins a transaction and pins what it must not inherit. `then` follows in the same message, before any snapshot.
    ///
    /// # Errors
    /// If the server refuses one of the statements, or does not answer within its limit.
    pub async fn begin(&mut self, access: Access, then: &[Sql]) -> Result<Work<'_>> {
        if self.idled_out.load(Ordering::Relaxed) {
            self.connect_again().await?;
        }
        let builder = self.client.build_transaction();
        let builder = match access {
            Access::ReadSnapshot => builder.isolation_level(IsolationLevel::RepeatableRead).read_only(true),
            Access::Write => builder.isolation_level(IsolationLevel::ReadCommitted).read_only(false),
        };
        self.line.begins();
        let (server, limits, line) = (self.server, self.pins.limits, self.line.clone());
        let context = || format!("could not begin a transaction on {server}");
        let transaction = line.at_once("BEGIN", builder.start()).await.with_context(context)?.with_context(context)?;
        let work = Work { transaction, limits, line };
        if let Err(error) = work.batch(&self.pins.before(access, then)?).await {
            for sql in self.pins.instead(&error, access, then)?.ok_or(error)? {
                work.batch(&sql).await?;
            }
        }
        Ok(work)
    }

    /// Connects once more. Between transactions a session holds nothing, so another one is as good: while the other
    /// server is surveyed, one may have nothing to do for long. A setting of the session would keep the server from
    /// ending it, but behind a pooler it would stay with a connection that others use.
    async fn connect_again(&mut self) -> Result<()> {
        tracing::debug!("{} ended a session that had nothing to do; connecting again", self.server);
        let mut again = Self::connect(self.server, &self.address, self.pins.limits).await?;
        again.pins.nodes = self.pins.nodes;
        *self = again;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.line.hang_up();
    }
}

impl Work<'_> {
    /// Runs statements without parameters and without an answer.
    pub async fn batch(&self, sql: &Sql) -> Result<()> {
        self.answer(sql, self.transaction.batch_execute(sql.text())).await
    }

    /// Runs a statement and returns all its rows.
    pub async fn query(&self, sql: impl Into<Sql>, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        let sql = sql.into();
        let rows = self.answer(&sql, self.transaction.query_typed(sql.text(), parameters)).await?;
        Ok(rows.into_iter().map(|row| Row::new(&sql, row)).collect())
    }

    /// Runs a statement and returns its rows as they arrive.
    pub async fn stream(&self, sql: &Sql, parameters: &[Parameter<'_>]) -> Result<Rows> {
        let parameters = parameters.iter().map(|(value, kind)| (*value, kind.clone()));
        let stream = self.bulk_answer(sql, self.transaction.query_typed_raw(sql.text(), parameters)).await?;
        Ok(Rows::new(self.line.clone(), sql.clone(), stream))
    }

    /// Runs a statement that returns one row or none.
    pub async fn query_one(&self, sql: impl Into<Sql>, parameters: &[Parameter<'_>]) -> Result<Option<Row>> {
        Ok(self.query(sql, parameters).await?.into_iter().next())
    }

    /// Runs a statement and returns the number of rows that it wrote.
    pub async fn execute(&self, sql: impl Into<Sql>, parameters: &[Parameter<'_>]) -> Result<u64> {
        let sql = sql.into();
        self.answer(&sql, self.transaction.execute_typed(sql.text(), parameters)).await
    }

    /// Starts a `COPY … TO STDOUT`.
    pub async fn copy_out(&self, sql: &Sql) -> Result<CopyOut> {
        let stream = self.bulk_answer(sql, self.transaction.copy_out(sql.text())).await?;
        Ok(CopyOut::new(self.line.clone(), sql.clone(), stream))
    }

    /// Starts a `COPY … FROM STDIN`.
    pub async fn copy_in(&self, sql: &Sql) -> Result<CopyIn> {
        let sink = self.answer(sql, self.transaction.copy_in(sql.text())).await?;
        Ok(CopyIn::new(self.line.clone(), sql.clone(), sink))
    }

    /// The answer of a statement that sends many rows. Its pins are sent with it, in the same round trip.
    async fn bulk_answer<T>(
        &self,
        sql: &Sql,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let pins = pins::bulk(self.limits)?;
        let (pinned, answer) = futures_util::future::join(self.batch(&pins), self.answer(sql, statement)).await;
        pinned.and(answer)
    }

    /// Commits. Nothing is done until this has returned.
    pub async fn commit(self) -> Result<()> {
        let Self { transaction, line, .. } = self;
        let committed = line.answer("COMMIT", transaction.commit()).await?;
        committed.map_err(|error| {
            let failure = anyhow::anyhow!("could not commit: {}", plainly(&error));
            if is_lost(&error) { lost(line.server(), failure) } else { failure }
        })?;
        line.committed();
        Ok(())
    }

    /// Ends a transaction that only read. Nothing may be asked of it afterwards, and [`Work::leave`] must drop it. Does
    /// not wait long for a server that does not answer.
    pub async fn end_early(&self) -> Result<()> {
        self.line.goodbye("COMMIT", self.transaction.batch_execute("COMMIT")).await??;
        self.line.committed();
        Ok(())
    }

    /// Drops a transaction that was ended early. The driver does not know that, and would end it once more.
    pub fn leave(self) {
        std::mem::forget(self.transaction);
    }

    async fn answer<T>(
        &self,
        sql: &Sql,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let started = Instant::now();
        let answer = self.line.answer(sql.path(), statement).await;
        tracing::debug!(statement = sql.path(), took_ms = started.elapsed().as_millis(), "answered");
        answer?.map_err(|error| StatementFailure::new(sql, &error).explained(self.line.server()))
    }
}

/// Why an attempt to connect failed.
enum Attempt {
    Answered(tokio_postgres::Error),
    Silent(Duration),
    Other(anyhow::Error),
}

async fn attempt(server: Server, address: &Address, limits: Limits) -> Result<Session, Attempt> {
    let mut config = address.config.clone();
    config
        .connect_timeout(limits.connect)
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        // A half-open connection is detected after this time; with the system's defaults it takes a quarter of an hour.
        .tcp_user_timeout(match server {
            Server::Production => DEAD_AFTER,
            Server::Warehouse => limits.dead_after_in_bulk(),
        });
    tls::prepare(&mut config, &address.protection);
    if config.get_application_name().is_none() {
        config.application_name("kalends");
    }
    let connector = tls::connector(&address.protection).map_err(Attempt::Other)?.accepting(&address.methods);
    let connecting = tokio::time::timeout(limits.connect, config.connect(connector));
    let (client, connection) =
        connecting.await.map_err(|_| Attempt::Silent(limits.connect))?.map_err(Attempt::Answered)?;
    let version = connection.parameter("server_version").and_then(major_version).unwrap_or(0);
    let idled_out = Arc::new(AtomicBool::new(false));
    let noted = idled_out.clone();
    // The session ends when its client is dropped. If it ends earlier, a statement returns the error.
    let connection = tokio::spawn(async move {
        let ended = connection.await;
        let code = ended.as_ref().err().and_then(tokio_postgres::Error::code);
        noted.store(code.is_some_and(|code| code.code() == IDLE_SESSION_TIMEOUT), Ordering::Relaxed);
    });
    let connection = connection.abort_handle();
    let line = Line::new(server, limits, &address.protection, client.cancel_token(), connection);
    let pins = Pins { limits, version, looks_for_client: true, nodes: false };
    Ok(Session { client, server, pins, line, address: address.clone(), idled_out })
}

fn major_version(text: &str) -> Option<u32> {
    text.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn heals_by_waiting(attempt: &Attempt) -> bool {
    let Attempt::Answered(error) = attempt else { return false };
    matches!(error.code(), Some(&SqlState::CANNOT_CONNECT_NOW | &SqlState::TOO_MANY_CONNECTIONS))
}

fn explain(server: Server, address: &Address, attempt: &Attempt) -> anyhow::Error {
    let name = server.setting();
    let error = match attempt {
        Attempt::Other(error) => {
            return Refusal::failed(format!("{error:#}"), format!("Check sslmode and sslrootcert of {name}."));
        }
        Attempt::Silent(limit) => {
            let message = format!("no answer of a PostgreSQL server within {} s", limit.as_secs());
            return Refusal::failed(message, format!("Check host and port of {name}."));
        }
        Attempt::Answered(error) => error,
    };
    if let Some((message, hint)) = tls::explain(error, name) {
        return Refusal::failed(message, hint);
    }
    let hint = match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            format!("Check role and password of {name}, or PGPASSFILE.")
        }
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            let role = address.config.get_user();
            let [database, role] = [address.config.get_dbname().or(role), role]
                .map(|name| format!("\"{}\"", name.unwrap_or_default().replace('"', "\"\"")));
            let hint = format!("Run `GRANT CONNECT ON DATABASE {database} TO {role}`; nothing was changed.");
            return Refusal::refused(plainly(error), hint);
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            let database = address.config.get_dbname().unwrap_or_default();
            format!("Create the database with `createdb {database}`, or name another in {name}.")
        }
        Some(_) => "The server's log says more.".to_string(),
        None if plainly(error).contains("does not support TLS") => {
            format!("Turn ssl on at the server; sslmode=disable in {name} lets anyone on the way read everything.")
        }
        None if plainly(error).contains("password missing") => {
            format!("Put the password in ~/.pgpass, in the file that PGPASSFILE names, or in {name}.")
        }
        None => format!("Check that the server runs, and host, port and sslmode of {name}."),
    };
    Refusal::failed(plainly(error), hint)
}

/// Checks that a server is new enough. One that does not say its version (0) is accepted.
fn check_version(major: u32) -> Result<()> {
    if major == 0 || major >= OLDEST_VERSION {
        return Ok(());
    }
    Err(Refusal::refused(
        format!("PostgreSQL {major} is past its end of life, and Kalends does not support it"),
        format!("Upgrade the server to version {OLDEST_VERSION} or later."),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_too_old_are_refused() {
        assert!(check_version(14).is_ok() && check_version(18).is_ok() && check_version(0).is_ok());
        let refusal = check_version(13).unwrap_err().to_string();
        assert_eq!(refusal, "PostgreSQL 13 is past its end of life, and Kalends does not support it");
    }
}

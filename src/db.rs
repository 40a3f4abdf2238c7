//! A connection to a PostgreSQL server: connect, begin a pinned transaction, run a statement.
//!
//! Nothing here knows what production or the warehouse hold; [`crate::production`] and [`crate::warehouse`] do.

mod authentication;
mod dates;
mod facts;
mod failure;
mod line;
mod pairs;
mod pins;
mod row;
mod tls;

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use backon::{ExponentialBuilder, Retryable as _};
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, IsolationLevel, Transaction};

pub use authentication::Methods;
pub use dates::{AnyDate, Start};
pub use facts::{Facts, Offsets, Seen, is_on_this_machine, knows_zone, offsets, zones};
pub use failure::{StatementFailure, sql_state};
pub use line::{CopyIn, CopyOut, Rows};
pub use pairs::{Pairs, Sortable};
pub use row::Row;
pub use tls::Protection;

use crate::error::{Refusal, Result};
use crate::sql::Sql;
use line::{DEAD_AFTER, Line};
use pins::Pins;

/// A parameter and its type: with the type said, a statement takes one round trip, and works through any pooler.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// One of the two servers, as messages call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Where the rows come from.
    Production,
    /// Where rows, accounts and notes are kept.
    Warehouse,
}

/// Which database this is: the same values, the same database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Identity {
    /// Given to a cluster when it is made, and to all its copies.
    pub system_identifier: String,
    /// Of the database in the cluster.
    pub database_oid: u32,
}

impl Identity {
    /// From the columns `system_identifier` and `database_oid`.
    ///
    /// # Errors
    /// When the server gave one of them no value.
    pub fn of(row: &Row) -> Result<Self> {
        Ok(Self { system_identifier: row.get("system_identifier")?, database_oid: row.get("database_oid")? })
    }
}

/// Where a server is and how to reach it. Its `Debug` shows no password.
#[derive(Debug, Clone)]
pub struct Address {
    /// Hosts, database, role, password.
    pub config: Config,
    /// How the connection is protected.
    pub protection: Protection,
    /// What the server may ask for before it lets us in.
    pub methods: Methods,
}

/// How long we wait, and let others wait.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a connection to stand.
    pub connect: Duration,
    /// For a lock that another session holds.
    pub lock: Duration,
    /// For one statement.
    pub statement: Duration,
    /// For the next statement of a transaction of ours, before the server ends it.
    pub idle: Duration,
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy)]
pub enum Access {
    /// Read one snapshot.
    ReadSnapshot,
    /// Write what others see when it commits.
    Write,
}

/// A connection to one server.
pub struct Session {
    client: Client,
    server: Server,
    pins: Pins,
    line: Line,
}

/// A pinned transaction. Dropped before [`Work::commit`], it is rolled back.
pub struct Work<'a> {
    transaction: Transaction<'a>,
    limits: Limits,
    line: Line,
}

impl Session {
    /// Connects, waiting a little for a server that is starting or full.
    ///
    /// # Errors
    /// Names server, address and role; never the password.
    pub async fn connect(server: Server, address: &Address, limits: Limits) -> Result<Self> {
        let attempt = || attempt(server, address, limits);
        // 0.1 s doubling to 2 s, some 10 s in all: a restarting server is back by then; a missing one is not worth
        // more.
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
            .and_then(|session| facts::check_version(session.pins.version).map(|()| session))
            .with_context(|| format!("could not connect to {server} at {address}"))
    }

    /// Begins a transaction and pins what it must not inherit; `then` follows in the same message, before any snapshot.
    ///
    /// # Errors
    /// When the server refuses one of the statements, or does not answer within its limit.
    pub async fn begin(&mut self, access: Access, then: &[Sql]) -> Result<Work<'_>> {
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
}

impl Drop for Session {
    fn drop(&mut self) {
        self.line.hang_up();
    }
}

impl Work<'_> {
    /// Runs statements that take no parameters and answer nothing.
    pub async fn batch(&self, sql: &Sql) -> Result<()> {
        self.answer(sql, self.transaction.batch_execute(sql.text())).await
    }

    /// Runs a statement and gives all its rows.
    pub async fn query(&self, sql: impl Into<Sql>, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        let sql = sql.into();
        let rows = self.answer(&sql, self.transaction.query_typed(sql.text(), parameters)).await?;
        Ok(rows.into_iter().map(|row| Row::new(&sql, row)).collect())
    }

    /// Runs a statement and gives its rows as they come.
    pub async fn stream(&self, sql: &Sql, parameters: &[Parameter<'_>]) -> Result<Rows> {
        self.expect_bulk().await?;
        let parameters = parameters.iter().map(|(value, kind)| (*value, kind.clone()));
        let stream = self.answer(sql, self.transaction.query_typed_raw(sql.text(), parameters)).await?;
        Ok(Rows::new(self.line.clone(), sql.clone(), stream))
    }

    /// Runs a statement that gives one row or none.
    pub async fn query_one(&self, sql: impl Into<Sql>, parameters: &[Parameter<'_>]) -> Result<Option<Row>> {
        Ok(self.query(sql, parameters).await?.into_iter().next())
    }

    /// Runs a statement and gives the number of rows that it wrote.
    pub async fn execute(&self, sql: impl Into<Sql>, parameters: &[Parameter<'_>]) -> Result<u64> {
        let sql = sql.into();
        self.answer(&sql, self.transaction.execute_typed(sql.text(), parameters)).await
    }

    /// What a `COPY … TO STDOUT` sends.
    pub async fn copy_out(&self, sql: &Sql) -> Result<CopyOut> {
        self.expect_bulk().await?;
        let stream = self.answer(sql, self.transaction.copy_out(sql.text())).await?;
        Ok(CopyOut::new(self.line.clone(), sql.clone(), stream))
    }

    /// What a `COPY … FROM STDIN` takes.
    pub async fn copy_in(&self, sql: &Sql) -> Result<CopyIn> {
        let sink = self.answer(sql, self.transaction.copy_in(sql.text())).await?;
        Ok(CopyIn::new(self.line.clone(), sql.clone(), sink))
    }

    async fn expect_bulk(&self) -> Result<()> {
        self.batch(&pins::bulk(self.limits)?).await
    }

    /// Commits. Only when this has returned is anything done.
    pub async fn commit(self) -> Result<()> {
        let Self { transaction, line, .. } = self;
        let committed = line.answer("COMMIT", transaction.commit()).await?;
        committed.map_err(|error| {
            let failure = anyhow::anyhow!("could not commit: {}", plainly(&error));
            if failure::is_lost(&error) { failure::lost(line.server(), failure) } else { failure }
        })?;
        line.committed();
        Ok(())
    }

    /// Ends a transaction that only read, and that [`Work::leave`] is to drop: nothing may be asked of it any more. A
    /// server that does not hear of it is not waited for.
    pub async fn end_early(&self) -> Result<()> {
        self.line.goodbye("COMMIT", self.transaction.batch_execute("COMMIT")).await??;
        self.line.committed();
        Ok(())
    }

    /// Drops a transaction that was ended early: the driver, which does not know of it, would end it once more.
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

/// A driver's error with its causes, in one line.
fn plainly(error: &tokio_postgres::Error) -> String {
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

/// Why one attempt to connect ended.
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
        // A half-open connection is found in this time; with the system's defaults it takes a quarter of an hour.
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
    // The session ends when its client is dropped; what ends it early comes back as the error of a statement.
    let connection = tokio::spawn(connection).abort_handle();
    let line = Line::new(server, limits, &address.protection, client.cancel_token(), connection);
    Ok(Session { client, server, pins: Pins { limits, version, looks_for_client: true }, line })
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

impl Server {
    /// The setting that says where the server is.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Production => "KALENDS_PRODUCTION_URL",
            Self::Warehouse => "KALENDS_WAREHOUSE_URL",
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Production => "production",
            Self::Warehouse => "the warehouse",
        })
    }
}

/// Host, port, database and role, without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            Some(Host::Unix(folder)) => folder.display().to_string(),
            None => "localhost".to_string(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or_default();
        write!(f, "\"{host}:{port}/{database}\"")?;
        self.config.get_user().map_or(Ok(()), |user| write!(f, " as role \"{user}\""))
    }
}

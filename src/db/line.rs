//! The line to a server: Kalends sets a deadline for everything that it waits for. A server that hangs says nothing and
//! keeps its socket open, so neither its own limits nor the system's detect that.
//!
//! A deadline is for a time without any progress: slow work that makes progress goes on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Fuse, Stream, StreamExt as _};
use futures_util::{FutureExt as _, SinkExt as _};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::{CancelToken, CopyInSink, CopyOutStream, Error, RowStream};

use super::{Limits, Protection, Row, Server, StatementFailure, tls};
use crate::error::{Refusal, Result};
use crate::sql::Sql;

/// A server ends a statement at its limit by itself; the deadline is a little later.
const LATER: Duration = Duration::from_secs(5);

/// How long to wait for what a working server does at once, such as BEGIN or accepting some rows.
const AT_ONCE: Duration = Duration::from_secs(600);

/// How long to wait for the server at the end of a transaction: ROLLBACK, or COMMIT of one that only read.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long to wait for a cancel, which is only a courtesy to the server.
const CANCEL: Duration = Duration::from_secs(1);

/// After this time, a connection that cannot be used or whose data are not acknowledged counts as dead.
pub(super) const DEAD_AFTER: Duration = Duration::from_secs(30);

/// The same if the other end may have good reason to accept no data for a while: a server that stores rows, or a client
/// that waits for the other server. The system cannot distinguish that from a dead one.
const DEAD_AFTER_IN_BULK: Duration = Duration::from_secs(300);

/// The part of a connection that a session, its transactions and their streams share.
#[derive(Clone)]
pub(super) struct Line(Arc<Ends>);

struct Ends {
    server: Server,
    limits: Limits,
    protection: Protection,
    cancel: CancelToken,
    connection: AbortHandle,
    /// Whether a transaction was begun, and has not been committed.
    in_transaction: AtomicBool,
}

impl Limits {
    /// How long to wait for a statement.
    fn patience(self) -> Duration {
        self.statement.saturating_add(LATER)
    }

    /// How long data may stay unacknowledged while many rows are sent.
    pub(super) fn dead_after_in_bulk(self) -> Duration {
        self.statement.clamp(DEAD_AFTER, DEAD_AFTER_IN_BULK)
    }
}

impl Line {
    pub(super) fn new(
        server: Server,
        limits: Limits,
        protection: &Protection,
        cancel: CancelToken,
        connection: AbortHandle,
    ) -> Self {
        let (protection, in_transaction) = (protection.clone(), AtomicBool::new(false));
        Self(Arc::new(Ends { server, limits, protection, cancel, connection, in_transaction }))
    }

    /// Which server it leads to.
    pub(super) fn server(&self) -> Server {
        self.0.server
    }

    /// Notes that a transaction begins.
    pub(super) fn begins(&self) {
        self.0.in_transaction.store(true, Ordering::Relaxed);
    }

    /// Notes that it was committed.
    pub(super) fn committed(&self) {
        self.0.in_transaction.store(false, Ordering::Relaxed);
    }

    /// Waits for a statement to end.
    pub(super) async fn answer<T>(&self, doing: &str, answer: impl Future<Output = T>) -> Result<T> {
        self.within(self.0.limits.patience(), doing, answer).await
    }

    /// Waits for what takes the server no work.
    pub(super) async fn at_once<T>(&self, doing: &str, answer: impl Future<Output = T>) -> Result<T> {
        self.within(self.0.limits.patience().min(AT_ONCE), doing, answer).await
    }

    /// Waits for the end of a transaction that wrote nothing.
    pub(super) async fn goodbye<T>(&self, doing: &str, answer: impl Future<Output = T>) -> Result<T> {
        self.within(GOODBYE, doing, answer).await
    }

    async fn within<T>(&self, limit: Duration, doing: &str, answer: impl Future<Output = T>) -> Result<T> {
        match timeout(limit, answer).await {
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.give_up(limit, doing).await),
        }
    }

    /// Closes the socket, so that the server releases what it holds for us as soon as it notices.
    async fn give_up(&self, limit: Duration, doing: &str) -> anyhow::Error {
        self.0.connection.abort();
        self.cancel().await;
        let (server, seconds) = (self.0.server, limit.as_secs());
        Refusal::failed(
            format!("{server} did not answer within {seconds} s, and was given up ({doing})"),
            "Check that server, then run again: only what was committed stays.",
        )
    }

    /// Asks the server, over a separate connection, to cancel the running statement.
    async fn cancel(&self) {
        let Ok(connector) = tls::connector(&self.0.protection) else { return };
        match timeout(CANCEL, self.0.cancel.cancel_query(connector)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "could not cancel what {} does", self.0.server),
            Err(_) => tracing::debug!("could not cancel what {} does", self.0.server),
        }
    }

    /// Leaves the server. It receives the last message, such as ROLLBACK, if it accepts that at once. An answer that is
    /// still coming, for example of a COPY, is not waited for.
    pub(super) fn hang_up(&self) {
        if !self.0.in_transaction.load(Ordering::Relaxed) {
            return;
        }
        let connection = self.0.connection.clone();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                sleep(CANCEL).await;
                connection.abort();
            })),
            Err(_) => connection.abort(),
        }
    }

    /// The next item of a stream. Waits only if it is not there yet.
    async fn next<T>(
        &self,
        sql: &Sql,
        stream: &mut Pin<Box<Fuse<impl Stream<Item = Result<T, Error>>>>>,
    ) -> Result<Option<T>> {
        let next = match stream.next().now_or_never() {
            Some(next) => next,
            None => self.answer(sql.path(), stream.next()).await?,
        };
        next.transpose().map_err(|error| StatementFailure::new(sql, &error).explained(self.server()))
    }
}

/// The rows of a statement as they arrive.
pub struct Rows {
    line: Line,
    sql: Sql,
    stream: Pin<Box<Fuse<RowStream>>>,
}

impl Rows {
    pub(super) fn new(line: Line, sql: Sql, stream: RowStream) -> Self {
        Self { line, sql, stream: Box::pin(stream.fuse()) }
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    /// If the server ends the statement, or sends nothing within its limit.
    pub async fn next(&mut self) -> Result<Option<Row>> {
        let row = self.line.next(&self.sql, &mut self.stream).await?;
        Ok(row.map(|row| Row::new(&self.sql, row)))
    }
}

/// What a `COPY … TO STDOUT` sends.
pub struct CopyOut {
    line: Line,
    sql: Sql,
    stream: Pin<Box<Fuse<CopyOutStream>>>,
    ended: bool,
}

impl CopyOut {
    pub(super) fn new(line: Line, sql: Sql, stream: CopyOutStream) -> Self {
        Self { line, sql, stream: Box::pin(stream.fuse()), ended: false }
    }

    /// The next message; `None` after the last one.
    ///
    /// # Errors
    /// If the server ends the statement, or sends nothing within its limit.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let next = self.line.next(&self.sql, &mut self.stream).await;
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }

    /// Ends a COPY whose rest is not needed. Otherwise the server would send all of it before it accepts another
    /// statement.
    pub async fn stop(self) {
        if !self.ended {
            self.line.cancel().await;
        }
    }
}

/// Sends the data of a `COPY … FROM STDIN`.
pub struct CopyIn {
    line: Line,
    sql: Sql,
    sink: Pin<Box<CopyInSink<Bytes>>>,
}

impl CopyIn {
    pub(super) fn new(line: Line, sql: Sql, sink: CopyInSink<Bytes>) -> Self {
        Self { line, sql, sink: Box::pin(sink) }
    }

    /// Sends some bytes.
    ///
    /// # Errors
    /// If the server does not accept them in time, or the connection is lost.
    pub async fn send(&mut self, bytes: Bytes) -> Result<()> {
        let sent = self.line.at_once(self.sql.path(), self.sink.send(bytes)).await?;
        sent.map_err(|error| StatementFailure::new(&self.sql, &error).explained(self.line.server()))
    }

    /// Ends the data, and returns the number of rows that the server counted. If dropped before, nothing is stored.
    ///
    /// # Errors
    /// If the server refuses the rows, or does not answer within its limit.
    pub async fn finish(mut self) -> Result<u64> {
        let finished = self.line.answer(self.sql.path(), self.sink.as_mut().finish()).await?;
        finished.map_err(|error| StatementFailure::new(&self.sql, &error).explained(self.line.server()))
    }
}

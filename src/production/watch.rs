//! Giving way: nobody on production waits long behind a lock or a snapshot of Kalends.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::types::Type;

use super::Snapshot;
use crate::db::{Access, Address, Limits, Server, Session};
use crate::error::{Refusal, Result};
use crate::sql::Statement;
use crate::statement;

const WAITING: Statement = statement!("production/waiting.sql");
const CANCEL: Statement = statement!("production/cancel.sql");

/// Shorter work is not worth a second connection.
const AFTER: Duration = Duration::from_millis(500);

/// With [`AFTER`] and the time to connect, whoever waits is let through within 2 s.
const EVERY: Duration = Duration::from_millis(500);

/// How long to wait for a server that does not even accept a cancel.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);

/// Watches, on its own connection, who waits for what a snapshot of Kalends locks.
pub struct Watch {
    address: Address,
    limits: Limits,
}

impl Watch {
    /// For the server that the snapshots are taken of. Does not connect yet.
    pub fn new(address: &Address, limits: Limits) -> Self {
        let mut address = address.clone();
        let name = address.config.get_application_name().map_or_else(String::new, |name| format!("{name} (watch)"));
        address.config.application_name(name);
        Self { address, limits }
    }

    /// Works under a snapshot, until somebody waits for what it locks.
    ///
    /// # Errors
    /// Those of the work; busy if it gave way. What was not committed is rolled back.
    pub async fn over<T>(&self, snapshot: &Snapshot<'_>, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (session, waiting) = tokio::select! {
            done = work => return done,
            waiting = self.somebody_waits(snapshot.pid) => waiting,
        };
        // The work was dropped. Production must also end its part now, which releases the locks.
        match timeout(CANCEL_PATIENCE, cancel(session, snapshot.pid)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("could not cancel what production still does: {error:#}"),
            Err(_) => tracing::warn!("could not cancel what production still does in time"),
        }
        Err(Refusal::busy(
            format!("gave way on production: {waiting} waits for the snapshot of table {}", snapshot.model.entity),
            "Try again; what was settled until then stays.",
        ))
    }

    /// Returns when somebody waits for the session `pid`.
    async fn somebody_waits(&self, pid: i32) -> (Session, String) {
        sleep(AFTER).await;
        loop {
            match self.look_on(pid).await {
                Ok(found) => return found,
                // Without a watch, the limits of [production] still apply, so this is no reason to fail.
                Err(error) => tracing::warn!("could not watch who waits on production: {error:#}"),
            }
            sleep(EVERY * 4).await;
        }
    }

    async fn look_on(&self, pid: i32) -> Result<(Session, String)> {
        let mut session = Session::connect(Server::Production, &self.address, self.limits).await?;
        loop {
            let work = session.begin(Access::ReadSnapshot, &[]).await?;
            let waiting = work.query_one(WAITING, &[(&pid, Type::INT4)]).await?;
            work.commit().await?;
            if let Some(row) = waiting {
                let waiting = row.get("waiting")?;
                return Ok((session, waiting));
            }
            sleep(EVERY).await;
        }
    }
}

async fn cancel(mut session: Session, pid: i32) -> Result<()> {
    let work = session.begin(Access::ReadSnapshot, &[]).await?;
    work.query(CANCEL, &[(&pid, Type::INT4)]).await?;
    work.commit().await
}

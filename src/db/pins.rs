//! Settings that a transaction must not inherit from server, role, database or pooler.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::line::DEAD_AFTER;
use super::{Access, Limits, sql_state};
use crate::error::Result;
use crate::sql::{Filling, Milliseconds, Sql, Statement};

const ALL: Statement = crate::statement!("pins/all.sql");
const WRITE: Statement = crate::statement!("pins/write.sql");
const VERSION_14: Statement = crate::statement!("pins/version_14.sql");
const VERSION_17: Statement = crate::statement!("pins/version_17.sql");
const NODES: Statement = crate::statement!("pins/nodes.sql");
const BULK: Statement = crate::statement!("pins/bulk.sql");
const READ_ANEW: Statement = crate::statement!("pins/read_anew.sql");
const WRITE_ANEW: Statement = crate::statement!("pins/write_anew.sql");

/// What the server of a connection is able to pin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pins {
    pub(super) limits: Limits,
    /// The server's major version.
    pub(super) version: u32,
    /// Whether the server can check, during a statement, if its client is still there. Not every system supports that.
    pub(super) looks_for_client: bool,
    /// Whether the server hands statements on to the nodes of a Citus cluster.
    pub(super) nodes: bool,
}

impl Pins {
    /// The pins of a transaction and the statements that follow them, as one message.
    pub(super) fn before(self, access: Access, then: &[Sql]) -> Result<Sql> {
        let limits = self.limits;
        let [lock, statement, idle, dead] = [limits.lock, limits.statement, limits.idle, DEAD_AFTER].map(milliseconds);
        let mut names: Vec<(&str, &dyn Filling)> =
            vec![("lock_ms", &lock), ("statement_ms", &statement), ("idle_ms", &idle), ("dead_ms", &dead)];
        names.extend(limits.workers.iter().map(|workers| ("workers", workers as &dyn Filling)));
        let mut all = vec![ALL.with(&names)?];
        if matches!(access, Access::Write) {
            all.push(WRITE.into());
        }
        if self.version >= 14 && self.looks_for_client {
            all.push(VERSION_14.into());
        }
        if self.version >= 17 {
            all.push(VERSION_17.into());
        }
        if self.nodes {
            all.push(NODES.into());
        }
        all.extend_from_slice(then);
        Ok(Sql::joined(&all))
    }

    /// The same without the setting that the server has just refused, in a new transaction; `None` if it refused
    /// something else.
    /// something else.
    pub(super) fn instead(&mut self, error: &anyhow::Error, access: Access, then: &[Sql]) -> Result<Option<[Sql; 2]>> {
        let refused = sql_state(error) == Some(&SqlState::INVALID_PARAMETER_VALUE)
            && error.to_string().contains("client_connection_check_interval");
        if !refused || !self.looks_for_client {
            return Ok(None);
        }
        tracing::debug!("the server's system does not tell it of a client that is gone");
        self.looks_for_client = false;
        let anew = match access {
            Access::ReadSnapshot => READ_ANEW,
            Access::Write => WRITE_ANEW,
        };
        Ok(Some([anew.into(), self.before(access, then)?]))
    }
}

/// The pins for sending many rows.
pub(super) fn bulk(limits: Limits) -> Result<Sql> {
    BULK.with(&[("dead_ms", &milliseconds(limits.dead_after_in_bulk()))])
}

fn milliseconds(limit: Duration) -> Milliseconds {
    Milliseconds(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
}

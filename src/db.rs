//! A connection to a PostgreSQL server: connect, begin a pinned transaction, run a statement.
//!
//! Nothing here knows what production or the warehouse hold; `production` and `warehouse` do.

mod authentication;
mod dates;
mod facts;
mod failure;
mod line;
mod pairs;
mod pins;
mod row;
mod session;
mod tls;

use std::fmt;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres::types::{ToSql, Type};

pub use authentication::Methods;
pub use dates::{AnyDate, Start};
pub use facts::{Facts, Offsets, Seen, is_on_this_machine, knows_zone, offsets, zones};
pub use failure::{StatementFailure, sql_state};
pub use line::{CopyIn, CopyOut, Rows};
pub use pairs::{Pairs, Sortable};
pub use row::Row;
pub use session::{Session, Work};
pub use tls::Protection;

use crate::error::Result;

/// A parameter and its type. With the type given, a statement takes one round trip, and works through any pooler.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// One of the two servers, as messages call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Where the rows come from.
    Production,
    /// Where rows, accounts and notes are stored.
    Warehouse,
}

/// The answers of both servers, which are asked at once. If one of them fails, the other is waited for nevertheless,
/// because its session is used again, for another entity or another try.
///
/// # Errors
/// The first one's, else the other's.
pub async fn both<A, B>(
    one: impl Future<Output = Result<A>>,
    other: impl Future<Output = Result<B>>,
) -> Result<(A, B)> {
    let (one, other) = tokio::join!(one, other);
    Ok((one?, other?))
}

/// Which database this is. Equal values mean the same database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Identity {
    /// The cluster's: given to it when it is created, and the same in all its copies.
    pub system_identifier: String,
    /// The database's, within the cluster.
    pub database_oid: u32,
}

impl Identity {
    /// From the columns `system_identifier` and `database_oid`.
    ///
    /// # Errors
    /// If the server returned NULL for one of them.
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
    /// Which authentication methods the server may use.
    pub methods: Methods,
}

/// How long to wait, and to let others wait; and how much of a server to take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a connection to be established.
    pub connect: Duration,
    /// For a lock that another session holds.
    pub lock: Duration,
    /// For a statement to end.
    pub statement: Duration,
    /// For the next statement of an open transaction, before the server ends the session.
    pub idle: Duration,
    /// How many processes a statement may take beside its own; `None`: as the server is set.
    pub workers: Option<u16>,
}

/// What a transaction does.
#[derive(Debug, Clone, Copy)]
pub enum Access {
    /// Reads one snapshot.
    ReadSnapshot,
    /// Writes. Others see it when it commits.
    Write,
}

impl Server {
    /// The setting with the server's URL.
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

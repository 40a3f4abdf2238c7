//! What a server says about itself and about the connection to it.

use std::net::IpAddr;

use anyhow::Context as _;
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres::types::Type;

use super::{Access, Address, Identity, Parameter, Row, Session, Work};
use crate::calendar::Day;
use crate::error::Result;
use crate::sql::{Ident, Statement};

const FACTS: Statement = crate::statement!("servers/facts.sql");
const SEEN: Statement = crate::statement!("servers/seen.sql");
const ZONE: Statement = crate::statement!("servers/zone.sql");
const ZONES: Statement = crate::statement!("servers/zones.sql");
const OFFSETS: Statement = crate::statement!("servers/offsets.sql");

/// What a server says about itself.
#[derive(Debug)]
pub struct Facts {
    /// Which database this is.
    pub identity: Identity,
    /// Its version, as it prints it.
    pub version: String,
    /// Whether it is a standby, which cannot be written to.
    pub standby: bool,
    /// The protocol that protects the session, such as `TLSv1.3`; `None` if it is not protected.
    pub protocol: Option<String>,
}

impl Session {
    /// What the server says about itself, in a transaction that is pinned like all others.
    ///
    /// # Errors
    /// If the server refuses a setting of a pinned transaction, or does not say which database this is.
    pub async fn facts(&mut self) -> Result<Facts> {
        let server = self.server;
        let work = self.begin(Access::ReadSnapshot, &[]).await?;
        let row = work.query_one(FACTS, &[]).await?.with_context(|| format!("{server} did not say who it is"))?;
        Ok(Facts {
            identity: Identity::of(&row)?,
            version: row.get("version")?,
            standby: row.get("standby")?,
            protocol: row.get("protocol")?,
        })
    }
}

/// What distinguishes the two databases.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Whether it has Kalends' schemas.
    pub is_warehouse: bool,
    /// Whether it has a table of this name.
    pub has_table: bool,
}

impl Session {
    /// Whether the database is a warehouse, and whether it has a table.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub async fn seen(&mut self, schema: &Ident, table: &Ident) -> Result<Seen> {
        let work = self.begin(Access::ReadSnapshot, &[]).await?;
        let parameters: [Parameter<'_>; 2] = [(&schema.name(), Type::TEXT), (&table.name(), Type::TEXT)];
        let row = work.query_one(SEEN, &parameters).await?.context("a server did not say what it has")?;
        Ok(Seen { is_warehouse: row.get("is_warehouse")?, has_table: row.get("has_table")? })
    }
}

/// Whether the server knows a time zone of this name.
///
/// # Errors
/// If it does not answer.
pub async fn knows_zone(work: &Work<'_>, zone: &str) -> Result<bool> {
    let row = work.query_one(ZONE, &[(&zone, Type::TEXT)]).await?;
    row.map_or(Ok(false), |row| row.get("known"))
}

/// The time zones that the server knows.
///
/// # Errors
/// If it does not answer.
pub async fn zones(work: &Work<'_>) -> Result<Vec<String>> {
    work.query(ZONES, &[]).await?.iter().map(|row| row.get("name")).collect()
}

/// Moments of UTC around a day, each with the zone's offset from UTC, both as the server prints them.
#[derive(Debug)]
pub struct Offsets {
    /// The day.
    pub day: Day,
    /// Pairs, 15 minutes apart.
    pub moments: Vec<(String, String)>,
}

/// What a server's time zone data say about some days.
///
/// # Errors
/// If it does not answer, or a day is outside the range of timestamps.
pub async fn offsets(work: &Work<'_>, zone: &str, days: &[Day]) -> Result<Vec<Offsets>> {
    let rows = work.query(OFFSETS, &[(&zone, Type::TEXT), (&days, Type::DATE_ARRAY)]).await?;
    let of_day = |row: &Row| -> Result<Offsets> {
        let (moments, offsets): (Vec<String>, Vec<String>) = (row.get("moments")?, row.get("offsets")?);
        Ok(Offsets { day: row.get("day")?, moments: moments.into_iter().zip(offsets).collect() })
    };
    rows.iter().map(of_day).collect()
}

impl Address {
    /// Whether the server is on this machine.
    pub fn is_on_this_machine(&self) -> bool {
        is_on_this_machine(&self.config)
    }
}

/// On this machine nobody can listen in between, so certificates prove nothing.
pub fn is_on_this_machine(config: &Config) -> bool {
    config.get_hostaddrs().iter().all(IpAddr::is_loopback)
        && config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        })
}

//! What the warehouse is spread over, if it is not one server.

use serde::Deserialize;

/// An engine that makes one database of several servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cluster {
    /// The nodes of Citus, behind their coordinator.
    Citus,
}

//! The two private servers, and the role that logs in to them.

/// The role that logs in, a superuser of both servers.
pub(super) const ROLE: &str = "kalends";

/// One of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The pretend production system, marked as a test source.
    Production,
    /// The warehouse, where accounts are settled.
    Warehouse,
}

impl Side {
    /// Both, in the order in which rows are copied.
    pub const BOTH: [Self; 2] = [Self::Production, Self::Warehouse];

    /// Its name in messages and as its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Warehouse => "warehouse",
        }
    }

    pub(super) fn database(self) -> &'static str {
        match self {
            Self::Production => "production_data",
            Self::Warehouse => "warehouse_data",
        }
    }

    /// The number distinguishes the two sockets in a folder. No TCP port is opened.
    pub(super) fn port(self) -> u16 {
        match self {
            Self::Production => 5432,
            Self::Warehouse => 5433,
        }
    }
}

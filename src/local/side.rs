//! The two private servers, and who logs in to them.

/// The role that logs in, a superuser of its two servers.
pub(super) const ROLE: &str = "kalends";

/// One of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The pretend production system, marked as a test source.
    Production,
    /// Where its accounts are settled.
    Warehouse,
}

impl Side {
    /// Both, in the order in which rows travel.
    pub const BOTH: [Self; 2] = [Self::Production, Self::Warehouse];

    /// The word for it: in messages, and as the name of its folder.
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

    /// No TCP port is opened; the number only tells the two sockets of one folder apart.
    pub(super) fn port(self) -> u16 {
        match self {
            Self::Production => 5432,
            Self::Warehouse => 5433,
        }
    }
}

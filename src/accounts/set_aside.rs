//! Rows that no account counts.

use serde::Serialize;

/// Rows that belong to no day: counted and reported, but in no account and no file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// Rows whose time is NULL.
    pub without_time: i64,
    /// Rows whose time is `infinity`, `-infinity` or in 4714 BC.
    pub outside_calendar: i64,
}

impl SetAside {
    /// All of them.
    pub fn rows(self) -> i64 {
        self.without_time + self.outside_calendar
    }

    /// These rows and others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self {
            without_time: self.without_time + others.without_time,
            outside_calendar: self.outside_calendar + others.outside_calendar,
        }
    }
}

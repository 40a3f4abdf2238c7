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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_set_aside_are_added_up_kind_by_kind() {
        let (some, others) =
            (SetAside { without_time: 2, outside_calendar: 3 }, SetAside { without_time: 5, outside_calendar: 7 });
        assert_eq!((some.rows(), SetAside::default().rows()), (5, 0));
        assert_eq!(some.and(others), SetAside { without_time: 7, outside_calendar: 10 });
    }
}

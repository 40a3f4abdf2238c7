//! Accounts as `accounts/days.sql` and `accounts/kept.sql` give them, on either server.

use serde::Serialize;
use tokio_postgres::Row;

use super::{Account, Accounts};
use crate::db::AnyDate;

/// Rows that belong to no day: counted and reported, in no account and no file.
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

/// The accounts of days, and the rows that belong to no day.
pub fn read(rows: &[Row]) -> (Accounts, SetAside) {
    let mut accounts = Accounts::new();
    let mut set_aside = SetAside::default();
    for row in rows {
        match row.get::<_, Option<AnyDate>>("day") {
            None => set_aside.without_time += row.get::<_, i64>("rows"),
            Some(date) => match date.day() {
                None => set_aside.outside_calendar += row.get::<_, i64>("rows"),
                Some(day) => drop(accounts.insert(day, account(row))),
            },
        }
    }
    (accounts, set_aside)
}

fn account(row: &Row) -> Account {
    Account {
        rows: row.get("rows"),
        statistics: row.get("statistics"),
        hash_a: row.get("hash_a"),
        hash_b: row.get("hash_b"),
    }
}

//! Days that a run would load.

use serde::Serialize;

use crate::accounts::{Accounts, Cause, Changes, Moved};
use crate::calendar::Day;

/// A day that would be loaded.
#[derive(Debug, Serialize)]
pub struct PlannedDay {
    /// Its date.
    pub day: Day,
    /// Why it differs.
    pub cause: Cause,
    /// Rows that are settled, and rows in production.
    pub rows: Moved<i64>,
}

/// The days that differ, each with its rows on both sides.
pub fn days(changes: &Changes, survey: &Accounts, ledger: &Accounts) -> Vec<PlannedDay> {
    let rows = |accounts: &Accounts, day: &Day| accounts.get(day).map_or(0, |account| account.rows);
    let day = |(day, &cause): (&Day, &Cause)| PlannedDay {
        day: *day,
        cause,
        rows: Moved { before: rows(ledger, day), after: rows(survey, day) },
    };
    changes.iter().map(day).collect()
}

//! Reads the answers of `accounts/days.sql` and `accounts/stored.sql`, from either server.

use anyhow::Context as _;

use crate::accounts::{Account, Accounts, SetAside};
use crate::calendar::Day;
use crate::db::{AnyDate, Row};
use crate::error::Result;

/// The accounts of days, and the rows that belong to no day.
///
/// # Errors
/// If the server's answer is not that of the account statement.
pub fn read(rows: &[Row]) -> Result<(Accounts, SetAside)> {
    let mut reader = Reader::default();
    for row in rows {
        reader.take(row)?;
    }
    Ok(reader.all())
}

/// Reads the answer of the account statement row by row.
#[derive(Default)]
pub struct Reader {
    accounts: Accounts,
    set_aside: SetAside,
    width: Option<usize>,
    rows: i64,
}

impl Reader {
    /// Takes a row, and returns the day whose account it is, if it belongs to a day.
    ///
    /// # Errors
    /// As [`read`].
    pub fn take(&mut self, row: &Row) -> Result<Option<Day>> {
        let day = match row.get::<Option<AnyDate>>("day")? {
            None => {
                count(&mut self.set_aside.without_time, row)?;
                return Ok(None);
            }
            Some(date) => date.day(),
        };
        let Some(day) = day else {
            count(&mut self.set_aside.outside_calendar, row)?;
            return Ok(None);
        };
        let account = account(row)?;
        add(&mut self.rows, account.rows)?;
        // Statistics are written as columns with a value of each day.
        let wide = account.statistics().count();
        anyhow::ensure!(
            *self.width.get_or_insert(wide) == wide,
            "the accounts of two days have not the same statistics"
        );
        anyhow::ensure!(self.accounts.insert(day, account).is_none(), "a server gave two accounts of {day}");
        Ok(Some(day))
    }

    /// How many rows the accounts count so far.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.rows).unwrap_or_default()
    }

    /// Returns what was read.
    pub fn all(self) -> (Accounts, SetAside) {
        (self.accounts, self.set_aside)
    }
}

/// More rows than any table has, and few enough that sums of several such numbers do not overflow.
const MOST_ROWS: i64 = 1 << 60;

fn count(rows: &mut i64, row: &Row) -> Result<()> {
    add(rows, row.get("rows")?)
}

fn add(sum: &mut i64, rows: i64) -> Result<()> {
    let possible = sum.checked_add(rows).filter(|sum| rows >= 0 && *sum <= MOST_ROWS);
    *sum = possible.with_context(|| format!("a server counted {rows} rows, which cannot be"))?;
    Ok(())
}

fn account(row: &Row) -> Result<Account> {
    let (hash_a, hash_b): (&str, &str) = (row.get("hash_a")?, row.get("hash_b")?);
    // Without hashes, accounts would be compared by their figures alone.
    anyhow::ensure!(!hash_a.is_empty() && !hash_b.is_empty(), "a server gave an account without its hashes");
    Account::new(row.get("rows")?, [hash_a, hash_b], row.get::<Vec<Option<&str>>>("statistics")?)
}

//! The account of a day, and how two sets of accounts differ. Pure: nothing here computes a statistic, reads or writes.

mod account;
mod combination;
mod decimal;
mod said;
mod set_aside;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use account::Account;
pub use combination::{Combination, Combinations, LISTED};
pub use decimal::{Decimal, difference};
pub use said::{Moved, Said, Statistic, moved};
pub use set_aside::SetAside;

use crate::calendar::{Day, Period};

/// Accounts by day, in order.
pub type Accounts = BTreeMap<Day, Account>;

/// Why a day's account differs from the one in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The ledger has no account of the day.
    New,
    /// Production has more rows.
    Grown,
    /// Production has as many rows, but different ones.
    Changed,
    /// Production has fewer rows, but still some.
    Shrunk,
    /// Production no longer has rows of the day.
    Vanished,
}

/// The days whose accounts differ, each with its cause.
pub type Changes = BTreeMap<Day, Cause>;

/// SHA-256 of accounts, in hexadecimal digits. Equal accounts have equal digests.
pub fn digest<'a>(accounts: impl IntoIterator<Item = (&'a Day, &'a Account)>) -> String {
    let mut digest = Sha256::new();
    for (day, account) in accounts {
        digest.update(format!("{day} {}\n", account.digested()));
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The days on which `survey` and `ledger` differ, in either direction.
pub fn compare(survey: &Accounts, ledger: &Accounts) -> Changes {
    let days: BTreeSet<Day> = survey.keys().chain(ledger.keys()).copied().collect();
    days.into_iter().filter_map(|day| Some((day, cause(survey.get(&day), ledger.get(&day))?))).collect()
}

fn cause(survey: Option<&Account>, ledger: Option<&Account>) -> Option<Cause> {
    match (survey, ledger) {
        (Some(_), None) => Some(Cause::New),
        (None, Some(_)) => Some(Cause::Vanished),
        (Some(survey), Some(ledger)) if survey.rows > ledger.rows => Some(Cause::Grown),
        (Some(survey), Some(ledger)) if survey.rows < ledger.rows => Some(Cause::Shrunk),
        (Some(survey), Some(ledger)) => (!survey.has_rows_of(ledger)).then_some(Cause::Changed),
        (None, None) => None,
    }
}

/// A month in which something is to be done.
#[derive(Debug)]
pub struct Month {
    /// The month.
    pub period: Period,
    /// Its days whose accounts are to be written.
    pub changes: Changes,
    /// Its days whose rows are to be loaded.
    pub load: BTreeSet<Day>,
    /// Its days of which only the accounts that follow from their rows are to be rebuilt.
    pub remake: BTreeSet<Day>,
    /// The accounts that its days should have: production's, except for days that are left as they were settled.
    pub survey: Accounts,
    /// Days that differ from production and are left as they were settled.
    pub left: BTreeSet<Day>,
}

/// The months that have changes, in order. The rows of each changed day are to be loaded.
pub fn months(changes: Changes, survey: &Accounts) -> Vec<Month> {
    let mut months = BTreeMap::<Period, Changes>::new();
    for (day, cause) in changes {
        months.entry(day.month()).or_default().insert(day, cause);
    }
    let with_survey = months.into_iter().map(|(period, changes)| Month {
        load: changes.keys().copied().collect(),
        changes,
        ..Month::of(period, survey)
    });
    with_survey.collect()
}

impl Month {
    /// A month in which nothing is to be done, and whose days should have these accounts. Others are ignored.
    pub fn of(period: Period, accounts: &Accounts) -> Self {
        let span = period.span();
        let survey = accounts.range(span.from..span.until).map(|(&day, account)| (day, account.clone())).collect();
        let (changes, load, remake, left) = (Changes::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { period, changes, load, remake, survey, left }
    }

    /// The days whose accounts are to be written.
    pub fn changed_days(&self) -> Vec<Day> {
        self.changes.keys().copied().collect()
    }

    /// All days on which something is to be done.
    pub fn days(&self) -> BTreeSet<Day> {
        self.changes.keys().chain(&self.load).chain(&self.remake).copied().collect()
    }

    /// Whether it has rows, and nothing of it was settled before.
    pub fn is_new(&self) -> bool {
        let is_new = |day| self.changes.get(day) == Some(&Cause::New);
        !self.survey.is_empty() && self.survey.keys().chain(self.changes.keys()).all(is_new)
    }

    /// Production's rows on the days that are to be loaded.
    pub fn rows_to_load(&self) -> i64 {
        self.load.iter().filter_map(|day| self.survey.get(day)).map(|account| account.rows).sum()
    }
}

/// The statistics of accounts as columns: one per statistic, with a value of each account.
pub fn columns<'a>(accounts: impl Iterator<Item = impl Iterator<Item = Option<&'a str>>>) -> Vec<Vec<Option<&'a str>>> {
    let mut columns = Vec::new();
    for account in accounts {
        for (at, value) in account.enumerate() {
            if columns.len() == at {
                columns.push(Vec::new());
            }
            columns[at].push(value);
        }
    }
    columns
}

/// The rows of all days together.
pub fn rows(accounts: &Accounts) -> i64 {
    accounts.values().map(|account| account.rows).sum()
}

/// How many days changed, by cause, in the order of [`Cause`]. Causes without a day are left out.
pub fn tally(changes: &Changes) -> BTreeMap<Cause, usize> {
    let mut tally = BTreeMap::new();
    for &cause in changes.values() {
        *tally.entry(cause).or_default() += 1;
    }
    tally
}

impl Cause {
    /// The cause as one word, as in the warehouse's history.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Changed => "changed",
            Self::Shrunk => "shrunk",
            Self::Vanished => "vanished",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(rows: i64, sum: &str) -> Account {
        Account::new(rows, ["1", "2"], [Some(rows.to_string().as_str()), Some(sum), None, None]).unwrap()
    }

    fn day(day: u8) -> Day {
        Day::new(2023, 1, day).unwrap()
    }

    #[test]
    fn each_difference_has_its_cause_and_equal_days_have_none() {
        let survey = Accounts::from([
            (day(1), account(1, "5")),
            (day(2), account(2, "5")),
            (day(3), account(1, "6")),
            (day(4), account(1, "5")),
            (day(5), account(1, "5")),
        ]);
        let ledger = Accounts::from([
            (day(2), account(1, "5")),
            (day(3), account(1, "5")),
            (day(4), account(2, "5")),
            (day(5), account(1, "5")),
            (day(6), account(1, "5")),
        ]);
        let expected = [
            (day(1), Cause::New),
            (day(2), Cause::Grown),
            (day(3), Cause::Changed),
            (day(4), Cause::Shrunk),
            (day(6), Cause::Vanished),
        ];
        assert_eq!(compare(&survey, &ledger), Changes::from(expected));
        assert_eq!(compare(&survey, &survey), Changes::new());
    }

    #[test]
    fn any_field_alone_makes_a_day_changed() {
        let ledger = account(2, "5");
        let of = |hashes, statistics: [Option<&str>; 4]| Account::new(2, hashes, statistics).unwrap();
        let edited = [
            of(["1", "2"], [Some("1"), Some("5"), None, None]),
            of(["1", "2"], [Some("2"), None, None, None]),
            of(["1", "2"], [Some("2"), Some("5"), Some("1"), None]),
            of(["1", "2"], [Some("2"), Some("5"), None, Some("1")]),
            of(["7", "2"], [Some("2"), Some("5"), None, None]),
            of(["1", "7"], [Some("2"), Some("5"), None, None]),
        ];
        assert_eq!(cause(Some(&of(["1", "2"], [Some("2"), Some("5"), None, None])), Some(&ledger)), None);
        for survey in edited {
            assert_eq!(cause(Some(&survey), Some(&ledger)), Some(Cause::Changed));
        }
    }

    #[test]
    fn changes_are_grouped_by_month_in_order() {
        let february = Day::new(2023, 2, 1).unwrap();
        let changes = Changes::from([(february, Cause::New), (day(31), Cause::Grown), (day(1), Cause::New)]);
        let survey =
            Accounts::from([(day(1), account(2, "5")), (day(30), account(3, "5")), (february, account(4, "5"))]);
        let months = months(changes, &survey);
        let seen = months.iter().map(|month| (month.period.to_string(), month.days().len(), month.rows_to_load()));
        assert_eq!(seen.collect::<Vec<_>>(), [("2023-01".to_string(), 2, 2), ("2023-02".to_string(), 1, 4)]);
        assert_eq!(months[0].survey.len(), 2);
        assert_eq!(months[0].changes, Changes::from([(day(1), Cause::New), (day(31), Cause::Grown)]));
        assert_eq!((months[0].changed_days(), months[1].changed_days()), (vec![day(1), day(31)], vec![february]));
    }

    #[test]
    fn a_column_has_a_statistic_of_each_account() {
        let accounts = [vec![Some("1"), None, Some("3")], vec![Some("4"), Some("5"), None]];
        let columns = columns(accounts.into_iter().map(Vec::into_iter));
        assert_eq!(columns, [[Some("1"), Some("4")], [None, Some("5")], [Some("3"), None]]);
    }

    #[test]
    fn a_digest_is_of_the_days_and_of_everything_that_their_accounts_say() {
        let of = |accounts: &[(Day, Account)]| digest(accounts.iter().map(|(day, account)| (day, account)));
        let known = [(day(1), account(1, "5")), (day(2), account(2, "5"))];
        assert_eq!(of(&known), of(&known.clone()));
        // As 0.1.0 computed it: warehouses and plans contain such digests.
        assert_eq!(of(&known[..1]), "79ebabbba4d5a652ce8f72969bca2ce37b195e060041d46e221af585cc7ea6ac");
        assert_eq!(of(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let others = [
            vec![(day(1), account(1, "5"))],
            vec![(day(1), account(1, "5")), (day(3), account(2, "5"))],
            vec![(day(1), account(1, "6")), (day(2), account(2, "5"))],
        ];
        assert!(others.iter().all(|other| of(other) != of(&known)));
    }

    #[test]
    fn rows_and_causes_are_counted() {
        let accounts = Accounts::from([(day(1), account(2, "5")), (day(2), account(3, "5"))]);
        assert_eq!((rows(&accounts), rows(&Accounts::new())), (5, 0));
        let changes = Changes::from([(day(1), Cause::New), (day(2), Cause::Shrunk), (day(3), Cause::New)]);
        assert_eq!(tally(&changes), BTreeMap::from([(Cause::New, 2), (Cause::Shrunk, 1)]));
        let words = [Cause::New, Cause::Grown, Cause::Changed, Cause::Shrunk, Cause::Vanished].map(Cause::word);
        assert_eq!(words, ["new", "grown", "changed", "shrunk", "vanished"]);
    }

    #[test]
    fn where_other_statistics_are_stored_rows_and_hashes_tell() {
        let ledger = account(2, "5");
        let other = Account::new(2, ["1", "2"], [Some("2")]).unwrap();
        assert_eq!(cause(Some(&other), Some(&ledger)), None);
        assert_eq!(
            cause(Some(&Account::new(2, ["1", "7"], [Some("2")]).unwrap()), Some(&ledger)),
            Some(Cause::Changed)
        );
    }
}

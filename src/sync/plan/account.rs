//! Accounts that would change. They are stored as the servers' texts until they are printed, because there may be very
//! many.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::accounts::{self, Moved, Said, Statistic};
use crate::calendar::{Level, Period};
use crate::error::Result;
use crate::exports::Line;

/// What an account and its file will contain.
pub(super) struct Told {
    pub(super) rows: i64,
    /// An object of texts, as the server prints it.
    pub(super) said: Option<Box<str>>,
    pub(super) fields: Option<Vec<Option<String>>>,
}

/// An account that would change.
#[derive(Debug)]
pub struct PlannedAccount {
    /// Its level.
    pub level: Level,
    /// Which period.
    pub period: Period,
    /// Rows that it accounts for; 0 if it is removed.
    pub rows: Moved<i64>,
    said: Moved<Option<Box<str>>>,
}

impl PlannedAccount {
    /// Its figures.
    ///
    /// # Errors
    /// If a server's text cannot be read.
    pub fn statistics(&self) -> Result<Vec<Statistic>> {
        let Moved { before, after } = &self.said;
        Ok(accounts::moved(&Said::parse(before.as_deref())?, &Said::parse(after.as_deref())?))
    }
}

impl Serialize for PlannedAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written {
            level: Level,
            period: Period,
            rows: Moved<i64>,
            statistics: Vec<Statistic>,
        }
        let statistics = self.statistics().map_err(serde::ser::Error::custom)?;
        Written { level: self.level, period: self.period, rows: self.rows, statistics }.serialize(serializer)
    }
}

impl Told {
    pub(super) fn line(self, period: Period) -> Line {
        Line { period, rows: self.rows, fields: self.fields }
    }
}

/// The accounts of a level that will change; their new contents are taken out of `fresh`.
pub(super) fn differing(
    level: Level,
    mut stored: BTreeMap<Period, Told>,
    fresh: &mut BTreeMap<Period, Told>,
) -> Result<Vec<PlannedAccount>> {
    let periods: BTreeSet<Period> = stored.keys().chain(fresh.keys()).copied().collect();
    let mut differing = Vec::new();
    for period in periods {
        let before = stored.remove(&period).and_then(|told| told.said);
        let after = fresh.get_mut(&period).and_then(|told| told.said.take());
        if before == after {
            continue;
        }
        let (was, is) = (Said::parse(before.as_deref())?, Said::parse(after.as_deref())?);
        if was != is {
            let rows = Moved { before: was.rows, after: is.rows };
            differing.push(PlannedAccount { level, period, rows, said: Moved { before, after } });
        }
    }
    Ok(differing)
}

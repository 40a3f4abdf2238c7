//! The accounts of a snapshot's days.

use std::time::{Duration, Instant};

use super::{CtidRanges, Snapshot, explain};
use crate::accounts::{self, Account, Accounts, SetAside};
use crate::calendar::Day;
use crate::db::Row;
use crate::error::{Refusal, Result};
use crate::look::Sight;
use crate::sql::{Shape, Statement};
use crate::statement;
use crate::survey::Reader;

pub(super) const DAYS: Statement = statement!("accounts/days.sql");

/// What its seal is of.
const SEALED: [&str; 7] = ["day", "rows", "statistics", "hash_a", "hash_b", "first_ctid", "last_ctid"];

/// The accounts of the days of one snapshot that were looked at, and the rows that belong to no day.
#[derive(Debug)]
pub struct Survey {
    /// By day.
    pub accounts: Accounts,
    /// The days that were looked at.
    pub sight: Sight,
    /// Rows that no account counts.
    pub set_aside: SetAside,
    /// Where the rows of each day lie in the table.
    pub ctid_ranges: CtidRanges,
    /// How long production worked for it.
    pub took: Duration,
}

impl Survey {
    /// The accounts of the days that were looked at. If others are among the accounts, they are not production's.
    pub fn looked_at(&self) -> impl Iterator<Item = (&Day, &Account)> {
        self.accounts.iter().filter(|(day, _)| self.sight.contains(**day))
    }
}

impl Snapshot<'_> {
    /// The accounts of all days.
    ///
    /// # Errors
    /// If production does not answer; refuses if the table is gone.
    pub async fn survey(&self) -> Result<Survey> {
        self.survey_of(&self.model.shape()?, &Sight::all()).await
    }

    /// The accounts of some days. Other days may lie between their rows. Between two stretches it rests as long as the
    /// pace asks.
    ///
    /// # Errors
    /// As [`Snapshot::survey`].
    pub async fn survey_days(&self, sight: &Sight) -> Result<Survey> {
        self.survey_of(&self.model.shape()?, sight).await
    }

    /// The accounts of so many rows of a million; rows without a time are left out. It cannot be used to load rows.
    ///
    /// # Errors
    /// As [`Snapshot::survey`].
    pub async fn survey_sample(&self, of_a_million: u32) -> Result<Survey> {
        self.survey_of(&self.model.shape_of_sample(of_a_million)?, &Sight::all()).await
    }

    async fn survey_of(&self, shape: &Shape, sight: &Sight) -> Result<Survey> {
        let started = Instant::now();
        let failed = |error| explain(&self.model.entity, error, "could not survey production");
        let (mut reader, mut ctid_ranges) = (Reader::default(), CtidRanges::of_survey(sight));
        for (&stretch, at) in sight.stretches().iter().zip(0..) {
            if at > 0 {
                self.pace.wait().await;
            }
            let bounds = self.model.open_bounds(stretch);
            let names = [&self.model.entity.table_names()[..], &bounds.names(), &[("with_ctids", &true)]].concat();
            let sql = DAYS.of(&shape.with(&names))?;
            let before = reader.rows();
            let mut answer = self.work.stream(&sql, &[]).await.map_err(failed)?;
            while let Some(row) = answer.next().await.map_err(failed)? {
                check_seal(&row)?;
                ctid_ranges.take(reader.take(&row)?, &row)?;
            }
            // A survey of all days is one statement, and not slowed down.
            if !sight.is_all() {
                self.pace.count(reader.rows() - before);
            }
        }
        let (accounts, set_aside) = reader.all();
        tracing::info!(days = accounts.len(), rows = accounts::rows(&accounts), "surveyed production");
        Ok(Survey { accounts, sight: sight.clone(), set_aside, ctid_ranges, took: started.elapsed() })
    }
}

/// Where a day became another on its way, the proof of its month would not notice that it is missing.
fn check_seal(row: &Row) -> Result<()> {
    if row.is_sealed(&SEALED)? {
        return Ok(());
    }
    Err(Refusal::failed(
        "the account of a day was altered on its way from production",
        "Nothing of that snapshot was settled. Encrypt the connection or check the network, then try again.",
    ))
}

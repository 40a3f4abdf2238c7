//! Which of the days that differ are settled, and which are left as they were.

use super::open::Known;
use crate::accounts::Accounts;
use crate::error::Result;
use crate::guard::{self, Accepted, Judged, Moment, Rules, Seen};
use crate::production::{Snapshot, Survey};

/// What may be settled.
pub struct Terms<'a> {
    /// What is left as it was settled.
    pub rules: Rules,
    /// Which losses are accepted all the same.
    pub accepted: &'a Accepted,
}

impl Known {
    /// What the guard lets through, of accounts that stand in the warehouse as `stored`.
    ///
    /// Tables that are made anew hold a part of nothing: all is settled as the snapshot has it, or, where anything is
    /// held, nothing is.
    pub async fn judge(
        &self,
        terms: &Terms<'_>,
        (snapshot, survey): (&Snapshot<'_>, &Survey),
        stored: &Accounts,
    ) -> Result<Judged> {
        let rules = match self.ledger.rebuild {
            Some(_) => Rules { settle_after: None, ..terms.rules },
            None => terms.rules,
        };
        let today = match rules.settle_after {
            None => None,
            Some(_) => Some(snapshot.today().await?),
        };
        let seen = Seen {
            survey: &survey.accounts,
            ledger: stored,
            source: &snapshot.source(),
            before: &self.before,
            now: Moment(snapshot.as_of_us),
            today,
        };
        Ok(guard::judge(&seen, &rules, terms.accepted))
    }
}

//! Which of the days that differ are settled, and which are left as they were.

use super::open::Known;
use crate::accounts::Accounts;
use crate::error::Result;
use crate::guard::{self, Accepted, Judged, Moment, Rules, Seen};
use crate::look::Look;
use crate::production::{Snapshot, Survey};

/// The rules that decide what is settled.
pub struct Terms<'a> {
    /// The guard's rules.
    pub rules: Rules,
    /// Which losses are accepted all the same.
    pub accepted: &'a Accepted,
    /// What is looked at; `None`: everything.
    pub look: Option<Look>,
    /// Whether everything is looked at now, whatever `look` says.
    pub all: bool,
}

impl Known {
    /// What the guard lets through, if the warehouse has the accounts `stored`.
    ///
    /// If the tables are created again, all of the entity is settled from this snapshot, or nothing if anything is
    /// held.
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
            is_all: survey.sight.is_all(),
            source: &snapshot.source(),
            before: &self.before,
            now: Moment(snapshot.as_of_us),
            today,
        };
        Ok(guard::judge(&seen, &rules, terms.accepted))
    }
}

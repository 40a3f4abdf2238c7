//! How many tables the warehouse's server can lock at once. An entity has one for each month.

use anyhow::Context as _;
use tokio_postgres::types::Type;

use super::Reading;
use crate::entity::Model;
use crate::error::{Refusal, Result};
use crate::report::counted;
use crate::sql::Statement;
use crate::statement;

const LOCKS: Statement = statement!("warehouse/locks.sql");
const READ_ALONE: Statement = statement!("warehouse/read_alone.sql");

/// The processes that lock all months if a statement reads them in parallel, with PostgreSQL's own settings, and one
/// for other sessions.
const READERS: i64 = 4;

impl Reading<'_> {
    /// Whether an entity of which tables were made as `known` can be rebuilt, all in one transaction.
    ///
    /// # Errors
    /// Refuses if the server has too few locks.
    pub(super) async fn check_locks(&self, known: &Model, keeps_rows: bool) -> Result<()> {
        let (months, to_drop, for_each_session, sessions) = self.locks(known).await?;
        // What is dropped is made again; rows that serve on are read, month by month.
        let needed = if keeps_rows { months } else { 2 * to_drop };
        let granted = for_each_session * sessions;
        if needed <= granted {
            return Ok(());
        }
        let name = known.name();
        let enough = (needed / sessions.max(1) + 1).max(2 * for_each_session);
        let has = counted(granted, "lock");
        Err(Refusal::refused(
            format!(
                "to settle entity \"{name}\" anew takes {} at once, and the warehouse has {has}",
                counted(needed, "lock")
            ),
            format!(
                "Set max_locks_per_transaction to {enough} there and restart it, or let go of its history with \
                `kalends \
                 forget {name} --yes` and run again; nothing was changed."
            ),
        ))
    }

    /// Call it before all rows of an entity are read: if there are many months, it turns parallel workers off, which
    /// would lock them as well.
    pub async fn spare_locks(&self, model: &Model) -> Result<()> {
        let (months, _, for_each_session, sessions) = self.locks(model).await?;
        if months * READERS > for_each_session * sessions {
            self.work.batch(&READ_ALONE.into()).await?;
        }
        Ok(())
    }

    /// The number of months, the locks that dropping them takes, and the locks that each session may have.
    async fn locks(&self, model: &Model) -> Result<(i64, i64, i64, i64)> {
        let row = self.work.query_one(LOCKS, &[(&model.rows().name(), Type::TEXT)]).await?;
        let row = row.context("the warehouse did not say how many locks it has")?;
        Ok((row.get("months")?, row.get("to_drop")?, row.get("for_each_session")?, row.get("sessions")?))
    }
}

//! The lock of the warehouse: one transaction at a time has it.

use tokio_postgres::types::Type;

use super::{Locked, Reading, Warehouse};
use crate::db::{Access, Session, Work};
use crate::error::{Refusal, Result};
use crate::settings::Cluster;
use crate::sql::Statement;
use crate::statement;

const LOCK: Statement = statement!("warehouse/lock.sql");
const LOCK_NEXT: Statement = statement!("warehouse/lock_next.sql");
const LOCK_NOTES: Statement = statement!("warehouse/lock_notes.sql");
const HOLDER: Statement = statement!("warehouse/holder.sql");
const HOLD_PLACE: Statement = statement!("warehouse/hold_place.sql");
const SHARE_PLACE: Statement = statement!("warehouse/share_place.sql");
const TAKE_GENERATION: Statement = statement!("warehouse/take_generation.sql");

/// The number of the warehouse's own lock; those of places are negative.
const WAREHOUSE: i32 = 1;

/// A transaction that locks places in object stores, and does nothing else. It keeps no snapshot.
pub struct PlaceLock<'a> {
    work: Work<'a>,
}

impl PlaceLock<'_> {
    /// Locks the place of a negative number until this value ends. Returns whether it could.
    ///
    /// # Errors
    /// If the warehouse does not answer.
    pub async fn take(&self, number: i32) -> Result<bool> {
        is_locked(&self.work, HOLD_PLACE, number).await
    }

    /// Who has locked it, if somebody still has.
    ///
    /// # Errors
    /// If the warehouse does not answer.
    pub async fn holder(&self, number: i32) -> Result<Option<String>> {
        holder(&self.work, number).await
    }
}

async fn is_locked(work: &Work<'_>, lock: Statement, number: i32) -> Result<bool> {
    work.query_one(lock, &[(&number, Type::INT4)]).await?.map_or(Ok(false), |row| row.get("locked"))
}

async fn holder(work: &Work<'_>, number: i32) -> Result<Option<String>> {
    work.query_one(HOLDER, &[(&number, Type::INT4)]).await?.map(|row| row.get("holder")).transpose()
}

impl Warehouse {
    /// Begins a transaction to lock places in object stores with.
    ///
    /// # Errors
    /// If the warehouse does not answer.
    pub async fn place_lock(&mut self) -> Result<PlaceLock<'_>> {
        Ok(PlaceLock { work: self.session.begin(Access::Write, &[]).await? })
    }

    /// Locks the warehouse for one transaction, to settle what was compared with `generation`.
    ///
    /// # Errors
    /// Busy if another run is using the warehouse, or has settled something since.
    pub async fn lock(&mut self, generation: i64) -> Result<Locked<'_>> {
        let cluster = self.cluster;
        let work = hold(&mut self.session).await?;
        take_generation(work, cluster, generation).await
    }

    /// As [`Warehouse::lock`], for a run that has settled something already: it waits for the lock. If it gave way at
    /// once, two runs could make each other give way.
    pub async fn lock_next(&mut self, generation: i64) -> Result<Locked<'_>> {
        let cluster = self.cluster;
        let work = hold_next(&mut self.session).await?;
        take_generation(work, cluster, generation).await
    }

    /// Waits for the lock to note what was published. Other runs may settle meanwhile: no comparison depends on such
    /// notes.
    pub async fn lock_for_notes(&mut self) -> Result<Locked<'_>> {
        let cluster = self.cluster;
        let work = self.session.begin(Access::Write, &[LOCK_NOTES.into()]).await?;
        Ok(Locked { work, cluster })
    }
}

impl Reading<'_> {
    /// Locks the place of a negative number, beside others who read there, until the snapshot ends. Returns whether it
    /// could: not while a run publishes there.
    ///
    /// # Errors
    /// If the warehouse does not answer.
    pub async fn share_place(&self, number: i32) -> Result<bool> {
        is_locked(&self.work, SHARE_PLACE, number).await
    }

    /// Who has locked it, if somebody still has.
    ///
    /// # Errors
    /// If the warehouse does not answer.
    pub async fn place_holder(&self, number: i32) -> Result<Option<String>> {
        holder(&self.work, number).await
    }

    /// Checks that no other run has the warehouse, so that production is not surveyed in vain.
    ///
    /// # Errors
    /// Busy if one has.
    pub async fn check_is_free(&self) -> Result<()> {
        match holder(&self.work, WAREHOUSE).await? {
            Some(holder) => Err(is_held(&holder)),
            None => Ok(()),
        }
    }
}

/// Begins a transaction that locks the warehouse.
pub(super) async fn hold(session: &mut Session) -> Result<Work<'_>> {
    let work = session.begin(Access::Write, &[]).await?;
    let locked = work.query_one(LOCK, &[]).await?.map_or(Ok(false), |row| row.get("locked"))?;
    if locked {
        return Ok(work);
    }
    let holder = holder(&work, WAREHOUSE).await?;
    Err(is_held(holder.as_deref().unwrap_or("it has just ended")))
}

/// The same, but waits for a run that has the lock.
pub(super) async fn hold_next(session: &mut Session) -> Result<Work<'_>> {
    let work = session.begin(Access::Write, &[]).await?;
    work.query(LOCK_NEXT, &[]).await?;
    Ok(work)
}

async fn take_generation(work: Work<'_>, cluster: Option<Cluster>, generation: i64) -> Result<Locked<'_>> {
    if work.execute(TAKE_GENERATION, &[(&generation, Type::INT8)]).await? == 0 {
        return Err(Refusal::held("another run has settled something since this one looked", "Try again."));
    }
    Ok(Locked { work, cluster })
}

fn is_held(holder: &str) -> anyhow::Error {
    Refusal::held(
        format!("another run is at work in the warehouse ({holder}); nothing half loaded is published"),
        "Try again when it has ended, or let this command wait for it with --wait 60s.",
    )
}

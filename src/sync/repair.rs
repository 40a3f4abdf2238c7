//! Rebuilds what differs: first rows, then accounts.

use super::judge::Terms;
use super::open::{Connections, Wish, find, open};
use super::settling::Settling;
use crate::accounts::{self, Accounts};
use crate::checks::{self, Difference, Found};
use crate::db::both;
use crate::entity::Entity;
use crate::error::Result;
use crate::guard::Noted;

/// What was done for an entity.
pub struct Repaired {
    /// The moment of production's data, UTC.
    pub production_as_of: String,
    /// Rows in production that belong to a day.
    pub rows: i64,
    /// Days in production.
    pub days: usize,
    /// Rows that were loaded again.
    pub loaded: u64,
    /// What differed.
    pub found: Found,
    /// What still differs.
    pub left: Vec<Difference>,
    /// What is left as it was settled.
    pub noted: Vec<Noted>,
}

/// Repairs rows and accounts of an entity. Days whose rows are as they should be are not loaded again.
///
/// # Errors
/// A refusal or a failure; months that were committed before stay committed.
pub async fn repair(connections: &mut Connections, entity: &Entity, terms: &Terms<'_>) -> Result<Repaired> {
    let found = find(connections, entity).await?;
    let Connections { production, warehouse, watch, talk } = connections;
    let mut known = open(warehouse, found, Wish::default()).await?;
    if known.ledger.rebuild.is_some() {
        // Refuses, as without a repair.
        checks::holds(&warehouse.read().await?, &known.model).await?;
    }
    let snapshot = known.snapshot(production).await?;
    let repairing = async {
        let reading = warehouse.read().await?;
        let (survey, holds) = both(snapshot.survey(), checks::holds(&reading, &known.model)).await?;
        let mut found = holds.compared_with(&survey.accounts);
        let stored = stored(&known.ledger.accounts, &survey.accounts, &found);
        let judged = known.judge(terms, (&snapshot, &survey), &stored).await?;
        if !judged.left.is_empty() {
            found = holds.compared_with(&judged.target);
        }
        drop(reading);
        let (talk, has_past) = (*talk, known.has_past());
        let settling =
            Settling { talk, snapshot: &snapshot, survey: &survey, judged: &judged, has_past, adopting: None };
        let loaded = settling.repair(warehouse, &mut known.ledger.generation, &found).await;
        let loaded = settling.explained(warehouse, &known.ledger.accounts, loaded).await?;
        Ok((survey, judged, found, loaded))
    };
    let (survey, judged, found, loaded) = watch.over(&snapshot, repairing).await?;
    let (production_as_of, as_of_us) = (snapshot.as_of.clone(), snapshot.as_of_us);
    snapshot.release().await;
    known.note(warehouse, &judged.noted).await?;
    let mut left = Vec::new();
    if !found.is_equal() {
        let holds = checks::holds(&warehouse.read().await?, &known.model).await?;
        left = holds.compared_with(&judged.target).differences();
    }
    if left.is_empty() && judged.left.is_empty() {
        // As a run does, before files are published: the manifest says what is closed by then.
        known.confirm(warehouse, as_of_us).await?;
    }
    let (rows, days) = (accounts::rows(&survey.accounts), survey.accounts.len());
    Ok(Repaired { production_as_of, rows, days, loaded: loaded.rows, found, left, noted: judged.noted })
}

/// What the guard compares with. If the warehouse's rows of a day equal production's, it is their account, whatever the
/// stored one says: an account that somebody edited is not a loss.
fn stored(settled: &Accounts, survey: &Accounts, found: &Found) -> Accounts {
    let mut stored = settled.clone();
    for day in found.accounts.keys().filter(|day| !found.rows.contains_key(day)) {
        match survey.get(day) {
            Some(account) => stored.insert(*day, account.clone()),
            None => stored.remove(day),
        };
    }
    stored
}

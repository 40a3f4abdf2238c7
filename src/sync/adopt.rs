//! Taking another tool's table over: days that are equal are copied inside the warehouse, others come from production.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::judge::Terms;
use super::open::{Connections, Known, Wish, find, open};
use super::settling::{Adopting, Settling};
use crate::accounts;
use crate::adopt::{self, Compared, Named, Tally};
use crate::calendar::Day;
use crate::db::both;
use crate::entity::{Entity, Model};
use crate::error::{Refusal, Result};
use crate::guard::{Accepted, Judged, Rules};
use crate::warehouse::Warehouse;

/// What was taken over.
pub struct Adopted {
    /// The entity, with production's types.
    pub model: Model,
    /// The moment of production's data, UTC.
    pub production_as_of: String,
    /// Rows and days that were taken over inside the warehouse.
    pub taken: Tally,
    /// Rows and days that came from production.
    pub loaded: Tally,
    /// How the other table compared with production.
    pub missed: Compared,
    /// How long that took.
    pub took: Duration,
}

/// Settles an entity that was not settled yet, from another tool's table as far as its days are equal to production. It
/// continues an adoption that was interrupted. `reader` is another session of the warehouse. The caller records its
/// end, once the files are published as well.
///
/// # Errors
/// Refuses a table that cannot be compared, and an entity that was settled already in another way.
pub async fn adopt(
    connections: &mut Connections,
    reader: &Mutex<Warehouse>,
    entity: &Entity,
    rules: Rules,
    named: &Named,
) -> Result<Adopted> {
    let found = find(connections, entity).await?;
    let Connections { production, warehouse, watch, talk } = connections;
    let reading = warehouse.read().await?;
    reading.check_is_not(&found.0)?;
    adopt::look(&reading, &found.1, named).await?;
    drop(reading);
    let mut known = open(warehouse, found, Wish::default()).await?;
    let begun = check_not_settled(warehouse, &known, named).await?;
    let snapshot = known.snapshot(production).await?;
    let taking = async {
        let reading = warehouse.read().await?;
        let theirs = adopt::look(&reading, &known.model, named).await?;
        let (survey, holds) = both(snapshot.survey(), adopt::holds(&reading, &known.model, named, &theirs)).await?;
        drop(reading);
        // What an adoption that was killed has settled may have been lost since.
        let terms =
            Terms { rules: Rules { settle_after: None, ..rules }, accepted: &Accepted::Nothing, look: None, all: true };
        let judged = known.judge(&terms, (&snapshot, &survey), known.stored()).await?;
        check_nothing_is_held(&judged)?;
        let started = Instant::now();
        if !begun {
            let locked = warehouse.lock(known.ledger.generation).await?;
            adopt::begin(&locked, &known.model, named).await?;
            locked.commit().await?;
            known.ledger.generation += 1;
        }
        let changes = accounts::compare(&judged.target, &known.ledger.accounts);
        let changed_days = changes.len();
        let is_equal =
            |day: &&Day| survey.accounts.get(day).is_some_and(|account| holds.accounts.get(day) == Some(account));
        let equal: BTreeSet<Day> = changes.keys().filter(is_equal).copied().collect();
        let adopting = Some(Adopting { reader, theirs: &theirs, holds: &holds, equal: &equal });
        let (talk, has_past) = (*talk, known.has_past());
        let settling = Settling { talk, snapshot: &snapshot, survey: &survey, judged: &judged, has_past, adopting };
        let settled = settling.catch_up(warehouse, &mut known.ledger, changes).await;
        let settled = settling.explained(warehouse, &known.ledger.accounts, settled).await?;
        let missed = adopt::compare(&survey.accounts, survey.set_aside, &holds);
        Ok((settled, changed_days, missed, started.elapsed()))
    };
    let (settled, changed_days, missed, took) = watch.over(&snapshot, taking).await?;
    let (production_as_of, as_of_us) = (snapshot.as_of.clone(), snapshot.as_of_us);
    snapshot.release().await;
    if settled.months == 0 {
        known.confirm(warehouse, as_of_us).await?;
    }
    let tally = |rows: u64, days| Tally { rows: i64::try_from(rows).unwrap_or(i64::MAX), days };
    Ok(Adopted {
        taken: tally(settled.loaded.taken, settled.loaded.taken_days),
        loaded: tally(settled.loaded.rows, changed_days - settled.loaded.taken_days),
        model: known.model,
        production_as_of,
        missed,
        took,
    })
}

/// Checks that the guard holds nothing.
///
/// # Errors
/// Refuses if anything is held.
fn check_nothing_is_held(judged: &Judged) -> Result<()> {
    match judged.noted.first() {
        None => Ok(()),
        Some(held) => Err(Refusal::refused(
            format!("{} is held since the adoption began: {}", held.unit, held.reason),
            "`kalends run` says more; what it accepts with --accept-loss, an adoption goes on with.",
        )),
    }
}

/// Whether an adoption has begun and not ended.
///
/// # Errors
/// Refuses an entity that was settled already in another way.
async fn check_not_settled(warehouse: &mut Warehouse, known: &Known, named: &Named) -> Result<bool> {
    let begun = adopt::is_begun(&warehouse.read().await?, &known.model).await?;
    if known.ledger.rebuild.is_none() && (known.ledger.accounts.is_empty() || begun) {
        return Ok(begun);
    }
    let name = known.model.name();
    Err(Refusal::refused(
        format!("entity \"{name}\" is settled already"),
        format!("`kalends run` keeps it so; to take {named} over instead, `kalends forget {name} --yes` first."),
    ))
}

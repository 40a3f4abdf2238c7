//! What a run would do, computed from a survey without changing anything, and the plan that a run must keep to.

mod account;
mod combinations;
mod contents;
mod day;
mod entity;
mod file;
mod written;

pub use account::PlannedAccount;
pub use combinations::OfDay;
pub use contents::Plan;
pub use day::PlannedDay;
pub use entity::OfEntity;
pub use file::{Expected, write};
pub use written::Written;

use combinations::moving;
use contents::{Files, KIND, VERSION};
use entity::of_entity;

use super::due;
use super::judge::Terms;
use super::open::{Connections, Known, Wish};
use crate::calendar::Period;
use crate::entity::Entity;
use crate::error::Result;
use crate::exports::Preview;
use crate::guard::{Accepted, Rules};
use crate::look::Look;
use crate::production::{Production, Watch};
use crate::warehouse::Reading;

/// A planned run.
pub struct Planned<'a> {
    /// What would be prepared, one after the other.
    pub entities: &'a [Entity],
    /// What would be left as it was settled.
    pub rules: Rules,
    /// What would be looked at of an entity; `None`: everything.
    pub look: &'a dyn Fn(&Entity) -> Option<Look>,
    /// Which losses would be accepted: `None` for none, an empty list for all.
    pub accept_loss: Option<Vec<Period>>,
}

/// How far a plan looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// As far as a run must keep to it.
    Days,
    /// Also at the combinations of dimensions on the days that change.
    Combinations,
}

/// What a run would do, and what the files would be made from: surveys and compares all entities, one after the other.
/// As in a run, the warehouse is read before production's snapshots are taken.
///
/// # Errors
/// Refuses what the run would refuse; busy if it gave way to a session of production.
pub async fn plan(
    reading: &Reading<'_>,
    production: (&mut Production, &Watch),
    run: &Planned<'_>,
) -> Result<(Plan, Vec<Preview>)> {
    survey(reading, production, run, Depth::Combinations).await
}

/// Checks, before a run does what was planned, that production and the warehouse have not changed since. Reads only.
///
/// # Errors
/// Refuses if one of them has.
pub async fn check_still_holds(connections: &mut Connections, expected: &Expected, run: &Planned<'_>) -> Result<()> {
    let Connections { production, warehouse, watch, .. } = connections;
    let run = Planned { accept_loss: expected.accept_loss(), ..*run };
    let (now, _) = survey(&warehouse.read().await?, (production, watch), &run, Depth::Days).await?;
    expected.check(&now)
}

async fn survey(
    reading: &Reading<'_>,
    (production, watch): (&mut Production, &Watch),
    run: &Planned<'_>,
    depth: Depth,
) -> Result<(Plan, Vec<Preview>)> {
    let accepted = Accepted::of(run.accept_loss.clone());
    let (mut entities, mut previews) = (Vec::new(), Vec::new());
    for entity in run.entities {
        let found = production.identity(entity).await?;
        reading.check_is_not(&found.0)?;
        let look = (run.look)(entity);
        let now = match look {
            Some(_) => production.counted(entity).await.now,
            None => None,
        };
        let terms = Terms { rules: run.rules, accepted: &accepted, look, all: false };
        let mut wish = Wish { recent: look.zip(now.map(|(today, _)| today)), more: &[], whole_ledger: true };
        let mut known = Known::read(reading, found.clone(), wish).await?;
        let mut snapshot = known.snapshot(production).await?;
        if !known.sight.is_all() && known.before.unlike(&snapshot.source()).is_some() {
            snapshot.release().await;
            wish.recent = None;
            known = Known::read(reading, found, wish).await?;
            snapshot = known.snapshot(production).await?;
        }
        let planning = async {
            let survey = known.survey(&snapshot).await?;
            let judged = known.judge(&terms, (&snapshot, &survey), known.stored()).await?;
            let (mut planned, preview) = of_entity(&snapshot, reading, &known, &survey, judged).await?;
            planned.older = due::planned(reading, &known, terms.look, now).await?;
            // Of tables that are made anew there is nothing to compare with.
            if depth == Depth::Combinations && planned.settled_anew.is_empty() {
                (planned.combinations, planned.not_looked_into_days) =
                    moving(&snapshot, reading, &survey, &planned.days).await?;
            }
            Ok((planned, preview))
        };
        let (of_entity, of_files) = watch.over(&snapshot, planning).await?;
        snapshot.release().await;
        entities.push(of_entity);
        previews.extend(of_files);
    }
    let plan = Plan {
        version: VERSION,
        kind: KIND,
        nothing_to_do: entities.iter().all(OfEntity::nothing_to_do),
        warehouse: reading.name().await?,
        warehouse_database: reading.identity.clone(),
        generation: if reading.prepared { Some(reading.generation().await?) } else { None },
        accept_loss: run.accept_loss.clone(),
        entities,
        files: Files::default(),
        publishing_refused: None,
    };
    Ok((plan, previews))
}

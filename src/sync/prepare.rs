//! A run's part in the warehouse: survey, compare, then load and settle month by month.

use std::time::{Duration, Instant};

use super::judge::Terms;
use super::open::{Connections, find, open};
use super::plan::Expected;
use super::settling::{Settled, Settling};
use crate::accounts;
use crate::calendar::Period;
use crate::entity::Entity;
use crate::error::Result;
use crate::guard::{Kind, Noted};
use crate::production::{Durations, Survey};

/// What was found and done for an entity.
pub struct Prepared {
    /// The moment of production's data, UTC.
    pub production_as_of: String,
    /// What production holds.
    pub survey: Survey,
    /// What was settled.
    pub settled: Settled,
    /// If the settings changed what is settled: what was added and removed.
    pub rebuilt: Vec<String>,
    /// Periods whose accounts somebody had edited, and which were rebuilt.
    pub repaired_periods: Vec<Period>,
    /// What is held until somebody accepts the loss.
    pub held: Vec<Noted>,
    /// What is changing: left as it was settled until it has stayed the same for `settle_after`.
    pub changing: Vec<Noted>,
    /// How long production's snapshot was held.
    pub snapshot: Durations,
    /// How long loading and settling took, copying included.
    pub took: Duration,
}

/// Makes an entity's rows and accounts equal to one snapshot of production. With a plan, it does what the plan says or
/// nothing.
///
/// # Errors
/// A refusal or a failure; months that were committed before stay committed.
pub async fn prepare(
    connections: &mut Connections,
    entity: &Entity,
    terms: &Terms<'_>,
    planned: Option<&Expected>,
) -> Result<Prepared> {
    let found = find(connections, entity).await?;
    let Connections { production, warehouse, watch, talk } = connections;
    let mut known = open(warehouse, found).await?;
    let snapshot = known.snapshot(production).await?;
    let settling = async {
        let survey = snapshot.survey().await?;
        let judged = known.judge(terms, (&snapshot, &survey), known.stored()).await?;
        let changes = accounts::compare(&judged.target, &known.ledger.accounts);
        if let Some(planned) = planned {
            planned.check_one(known.model.name(), &survey.accounts, &known.ledger.accounts, &changes)?;
        }
        let started = Instant::now();
        let settling = Settling { talk: *talk, snapshot: &snapshot, survey: &survey, judged: &judged, adopting: None };
        let settled = match &known.ledger.rebuild {
            None => settling.catch_up(warehouse, &mut known.ledger, changes).await,
            Some(rebuild) if judged.left.is_empty() => {
                settling.rebuild(warehouse, known.ledger.generation, changes, rebuild).await
            }
            Some(_) => Ok(Settled::default()),
        };
        let settled = settling.explained(warehouse, &known.ledger.accounts, settled).await?;
        Ok((survey, judged, settled, started.elapsed()))
    };
    let (survey, judged, settled, took) = watch.over(&snapshot, settling).await?;
    let (production_as_of, as_of_us) = (snapshot.as_of.clone(), snapshot.as_of_us);
    let snapshot = snapshot.release().await;
    known.note(warehouse, &judged.noted).await?;
    if settled.months == 0 && known.ledger.inconsistent.is_empty() && judged.left.is_empty() {
        known.confirm(warehouse, as_of_us).await?;
    }
    let (changing, held): (Vec<_>, Vec<_>) = judged.noted.into_iter().partition(|noted| noted.kind == Kind::Changing);
    let rebuilt = known.ledger.rebuild.filter(|_| held.is_empty()).map(|rebuild| rebuild.what).unwrap_or_default();
    let repaired_periods = known.ledger.inconsistent;
    Ok(Prepared { production_as_of, survey, settled, rebuilt, repaired_periods, held, changing, snapshot, took })
}

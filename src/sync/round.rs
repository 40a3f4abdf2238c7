//! One look at production's snapshot, and what it leads to: survey, compare, then load and settle month by month.

use std::time::{Duration, Instant};

use super::judge::Terms;
use super::open::{Connections, Known, Wish, find, open};
use super::plan::Expected;
use super::settling::{Settled, Settling};
use crate::accounts;
use crate::calendar::{Day, Period};
use crate::entity::Entity;
use crate::error::Result;
use crate::guard::{Judged, Kind, Noted};
use crate::look::{Hint, Stretch};
use crate::production::{Durations, Survey};

/// What was found and done for an entity.
pub struct Prepared {
    /// The moment of production's data, UTC.
    pub production_as_of: String,
    /// What production holds, on the days that were looked at.
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
    /// What was looked at of the older days; `None` if all days were looked at together.
    pub older: Option<Older>,
}

/// What was looked at of the older days.
#[derive(Debug, Clone, Default)]
pub struct Older {
    /// The first of the recent days.
    pub recent_from: Option<Day>,
    /// Days that production's counters pointed to.
    pub hints: Vec<Hint>,
    /// Rows in the days that were looked at.
    pub rows: i64,
    /// The days that were looked at.
    pub days: Vec<Stretch>,
    /// In how many snapshots.
    pub slices: usize,
    /// How long that took, without rests.
    pub took: Duration,
    /// Parts that were due, and are left to the next run because somebody waited for this one.
    pub left_parts: usize,
    /// Why.
    pub gave_way: Option<String>,
    /// The moment that all older days were looked at as of, or later, in microseconds since 1970 UTC.
    pub oldest_us: Option<i64>,
}

/// What a look at production's snapshot found, and what was done.
pub(super) struct Round {
    pub(super) prepared: Prepared,
    /// What was known before; the generation is that of now.
    pub(super) known: Known,
    /// What was settled, and what was left.
    pub(super) judged: Judged,
    /// The moment of production's data, in microseconds since 1970 UTC.
    pub(super) as_of_us: i64,
}

/// Looks at one snapshot of production, and settles what differs. If production turns out to be an earlier state of
/// itself, it looks at everything.
pub(super) async fn round(
    connections: &mut Connections,
    entity: &Entity,
    terms: &Terms<'_>,
    planned: Option<&Expected>,
    wish: Wish<'_>,
) -> Result<Round> {
    let found = find(connections, entity).await?;
    let mut known = open(&mut connections.warehouse, found.clone(), wish).await?;
    let mut snapshot = known.snapshot(&mut connections.production).await?;
    if !known.sight.is_all() && known.before.unlike(&snapshot.source()).is_some() {
        snapshot.release().await;
        known = open(&mut connections.warehouse, found, Wish::default()).await?;
        snapshot = known.snapshot(&mut connections.production).await?;
    }
    let Connections { warehouse, watch, talk, .. } = connections;
    let settling = async {
        let survey = known.survey(&snapshot).await?;
        let judged = known.judge(terms, (&snapshot, &survey), known.stored()).await?;
        let changes = accounts::compare(&judged.target, &known.ledger.accounts);
        if let Some(planned) = planned {
            planned.check_one(known.model.name(), &survey.accounts, &known.ledger.accounts, &changes)?;
        }
        let started = Instant::now();
        let (talk, has_past) = (*talk, known.has_past());
        let settling =
            Settling { talk, snapshot: &snapshot, survey: &survey, judged: &judged, has_past, adopting: None };
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
    let noted = judged.noted.iter().cloned();
    let (changing, held): (Vec<_>, Vec<_>) = noted.partition(|noted| noted.kind == Kind::Changing);
    let rebuilt = known.ledger.rebuild.as_ref().filter(|_| held.is_empty());
    let rebuilt = rebuilt.map(|rebuild| rebuild.what.clone()).unwrap_or_default();
    let repaired_periods = known.ledger.inconsistent.clone();
    let older = None;
    let prepared = Prepared {
        production_as_of,
        survey,
        settled,
        rebuilt,
        repaired_periods,
        held,
        changing,
        snapshot,
        took,
        older,
    };
    Ok(Round { prepared, known, judged, as_of_us })
}

impl Prepared {
    /// Both of two looks, the later of which looked at more.
    pub(super) fn and(self, later: Self) -> Self {
        Self {
            settled: self.settled.and(later.settled),
            repaired_periods: [self.repaired_periods, later.repaired_periods].concat(),
            snapshot: self.snapshot.longer(later.snapshot),
            took: self.took + later.took,
            ..later
        }
    }
}

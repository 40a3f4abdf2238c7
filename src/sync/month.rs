//! Months that are settled in one transaction: each is loaded, proven and settled.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use tokio_postgres::error::SqlState;

use super::load::{self, Loaded};
use super::settle::{self, Proof, Proven, Ready, Run};
use super::settling::{Adopting, Settling, Unsettled};
use crate::accounts::Month;
use crate::calendar::Day;
use crate::db::sql_state;
use crate::error::Result;
use crate::progress::Progress;
use crate::warehouse::{Locked, Partition};

/// How often months are tried in all, if other sessions of the warehouse conflict with it.
pub(super) const TRIES: usize = 3;

/// Which accounts of a month's days are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Those that changed.
    Changes,
    /// All, because their checksums have an earlier form. The entity is noted with that form until the final month is
    /// done, so the next run after a killed one does all of it again.
    Renewing,
}

impl Settling<'_> {
    /// Loads and settles months in one transaction, or leaves them as they were. The final one of all is alone in it.
    /// Production's snapshot ends as soon as its rows are proven, because what follows can take long.
    pub(super) async fn settle_together(
        &self,
        locked: Locked<'_>,
        months: &mut [Month],
        progress: &Progress,
        (run, is_final, way): (Option<Run>, bool, Way),
    ) -> Result<(Option<Run>, Loaded, usize)> {
        let mut loaded = Vec::with_capacity(months.len());
        for month in months.iter_mut() {
            let period = month.period;
            loaded.push(self.load(&locked, month, progress).await.context(Unsettled(vec![period]))?);
        }
        if is_final {
            self.snapshot.let_go().await;
            locked.mark_proven().await?;
        }
        let ready = months.iter().zip(&loaded).map(|(month, (loaded, proven))| Ready {
            month,
            rows: loaded.rows + loaded.taken,
            proven,
        });
        let ready: Vec<Ready<'_>> = ready.collect();
        let mut tries = 1..;
        let (run, renewed_days) = loop {
            match self.write(&locked, &ready, (run.clone(), is_final, way)).await {
                Err(error) if is_final && is_conflict(&error) && tries.next() < Some(TRIES) => {
                    locked.back_to_proven().await?;
                }
                written => break written.with_context(|| unsettled(&ready))?,
            }
        };
        locked.commit().await?;
        let mut all = Loaded::default();
        loaded.into_iter().for_each(|(loaded, _)| all.add(loaded));
        Ok((run, all, renewed_days))
    }

    /// Writes what follows from the rows of months, which are proven.
    async fn write(
        &self,
        locked: &Locked<'_>,
        months: &[Ready<'_>],
        (run, is_final, way): (Option<Run>, bool, Way),
    ) -> Result<(Option<Run>, usize)> {
        let model = self.snapshot.model();
        let mut run = self.run(locked, months, run).await?;
        settle::settle(locked, model, run.as_mut(), months).await?;
        let mut renewed_days = 0;
        if way == Way::Renewing {
            for Ready { month, proven, .. } in months {
                renewed_days += settle::renew(locked, model, month, proven).await?;
            }
        }
        // What is left of an entity keeps it from being whole.
        self.note(locked, months.len(), is_final && self.judged.left.is_empty()).await?;
        Ok((run, renewed_days))
    }

    /// The run in progress, or a new one if a month needs one. Those whose accounts are only rebuilt need none.
    async fn run(&self, locked: &Locked<'_>, months: &[Ready<'_>], run: Option<Run>) -> Result<Option<Run>> {
        let only_remade = |ready: &Ready<'_>| ready.month.changes.is_empty() && ready.month.load.is_empty();
        if run.is_some() || months.iter().all(only_remade) {
            return Ok(run);
        }
        settle::begin_run(locked, &self.snapshot.as_of, self.has_past).await.map(Some)
    }

    /// Notes what is settled, in the transaction that settles it: how many months, as of which moment, whether the
    /// entity as a whole is now equal to production, and from which production, unless that one is not accepted yet.
    pub(super) async fn note(&self, locked: &Locked<'_>, months: usize, whole: bool) -> Result<()> {
        let name = self.snapshot.model().name();
        locked.note_settled(name, self.snapshot.as_of_us, (months, whole)).await?;
        if !self.judged.is_source {
            return Ok(());
        }
        locked.note_source(name, &self.snapshot.source()).await
    }

    /// Whether months can be tried again: another session of the warehouse conflicted with it, and the snapshot of
    /// production is still open.
    pub(super) fn can_load_again(&self, error: &anyhow::Error) -> bool {
        is_conflict(error) && !self.snapshot.is_let_go()
    }

    /// Loads a month's days and proves the month. If rows in the warehouse do not match its accounts, their days are
    /// loaded as well.
    pub(super) async fn load(
        &self,
        locked: &Locked<'_>,
        month: &mut Month,
        progress: &Progress,
    ) -> Result<(Loaded, Proven)> {
        let (snapshot, ctid_ranges) = (self.snapshot, &self.survey.ctid_ranges);
        let passing = |rows| progress.add(rows);
        let (mut loaded, found) = match self.adopting {
            _ if month.load.is_empty() => (Loaded::default(), locked.partition(snapshot.model(), month.period).await?),
            None => (load::reload(snapshot, locked, month, &[], ctid_ranges, &passing).await?, Partition::Attached),
            Some(adopting) => (self.adopt(locked, month, adopting, progress).await?, Partition::Attached),
        };
        let differing = match settle::prove(locked, snapshot.model(), month, found).await? {
            Proof::Equal(proven) => return Ok((loaded, proven)),
            Proof::Differing(differing) => differing,
        };
        // Days that no survey could tell of: somebody changed the warehouse's rows, or time zone data have changed.
        // Rows that belong to another month by now are settled with that month.
        tracing::warn!(month = %month.period, days = differing.len(), "the warehouse's rows are not what was settled");
        let span = month.period.span();
        let (own, strange): (Vec<Day>, Vec<Day>) = differing.into_keys().partition(|&day| span.contains(day));
        if let Some(day) = own.iter().find(|day| month.left.contains(day)) {
            bail!("somebody edited the warehouse's rows of {day}, which are left as they were settled");
        }
        month.load.extend(own);
        loaded = load::reload(snapshot, locked, month, &strange, ctid_ranges, &passing).await?;
        match settle::prove(locked, snapshot.model(), month, Partition::Attached).await? {
            Proof::Equal(proven) => Ok((loaded, proven)),
            Proof::Differing(days) => Err(snapshot.model().not_kept(days.len())),
        }
    }

    /// As [`load::reload`], except that days which another tool's table has as production does are copied from there.
    async fn adopt(
        &self,
        locked: &Locked<'_>,
        month: &Month,
        adopting: Adopting<'_>,
        progress: &Progress,
    ) -> Result<Loaded> {
        let model = self.snapshot.model();
        let (equal, others): (BTreeSet<Day>, BTreeSet<Day>) =
            month.load.iter().partition(|day| adopting.equal.contains(day));
        let passing = |rows| progress.add(rows);
        let mut reader = adopting.reader.lock().await;
        let reading = reader.read().await?;
        let other = load::Other { reading: &reading, theirs: adopting.theirs, holds: adopting.holds };
        let taken = load::take(other, locked, model, &equal, &passing).await?;
        drop(reading);
        let rest = Month { load: others, ..self.month(month.period) };
        let loaded = load::reload(self.snapshot, locked, &rest, &[], &self.survey.ctid_ranges, &passing).await?;
        Ok(Loaded { taken, taken_days: equal.len(), ..loaded })
    }
}

fn unsettled(months: &[Ready<'_>]) -> Unsettled {
    Unsettled(months.iter().map(|ready| ready.month.period).collect())
}

/// Another session of the warehouse conflicted; the next attempt may succeed.
fn is_conflict(error: &anyhow::Error) -> bool {
    matches!(sql_state(error), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

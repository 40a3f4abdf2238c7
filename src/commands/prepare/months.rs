//! Month by month: each loaded, proven and settled in a transaction of its own; all in one where an entity is made anew.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use tokio_postgres::error::SqlState;

use crate::accounts::{self, Accounts, Cause, Changes, Month};
use crate::calendar::{Day, Period};
use crate::db::sql_state;
use crate::entity::{Model, Theirs};
use crate::error::Result;
use crate::guard::Judged;
use crate::load::{self, Loaded};
use crate::production::{Snapshot, Survey};
use crate::progress::{Progress, Talk};
use crate::settle::{self, Proof, Proven, Run};
use crate::warehouse::{Anew, Ledger, Locked, Warehouse};

/// Conflicts with other sessions of the warehouse are tried again, so many times in all.
const TRIES: usize = 3;

/// What is settled, and from where.
pub(in crate::commands) struct Settling<'a> {
    pub(in crate::commands) talk: Talk,
    pub(in crate::commands) snapshot: &'a Snapshot<'a>,
    pub(in crate::commands) survey: &'a Survey,
    /// What of it is to be settled.
    pub(in crate::commands) judged: &'a Judged,
    /// Where days that are equal are to be taken from.
    pub(in crate::commands) adopting: Option<Adopting<'a>>,
}

/// Another tool's table, and the days whose rows it has as production does.
#[derive(Clone, Copy)]
pub(in crate::commands) struct Adopting<'a> {
    pub(in crate::commands) theirs: &'a Theirs,
    pub(in crate::commands) equal: &'a BTreeSet<Day>,
}

/// What was settled.
#[derive(Default)]
pub(in crate::commands) struct Settled {
    /// Days, by why they were.
    pub(in crate::commands) days: BTreeMap<Cause, usize>,
    pub(in crate::commands) months: usize,
    pub(in crate::commands) loaded: Loaded,
}

impl Settling<'_> {
    /// Loads and settles the months with changes, one after the other; `generation` goes with them.
    pub(in crate::commands) async fn catch_up(
        &self,
        warehouse: &mut Warehouse,
        generation: &mut i64,
        changes: Changes,
    ) -> Result<Settled> {
        let mut all = Settled::of(&changes);
        let months = self.months(changes);
        all.months = months.len();
        let progress = self.progress(&months);
        let mut run = None;
        for mut month in months {
            let mut tries = 1..;
            let (settled, loaded) = loop {
                let locked = match run {
                    None => warehouse.lock(*generation).await,
                    Some(_) => warehouse.lock_next(*generation).await,
                };
                match self.settle(locked?, &mut month, &progress, run.clone()).await {
                    Err(error) if is_conflict(&error) && tries.next() < Some(TRIES) => continue,
                    settled => break settled.with_context(|| format!("could not settle month {}", month.period))?,
                }
            };
            *generation += 1;
            run = Some(settled);
            all.add(loaded);
        }
        Ok(all)
    }

    /// Makes the entity's tables anew and settles all its days, in one transaction: until it is committed the warehouse
    /// is what it was. Only the days of `changes` are loaded where the warehouse's rows serve on.
    pub(in crate::commands) async fn anew(
        &self,
        warehouse: &mut Warehouse,
        generation: i64,
        changes: Changes,
        anew: &Anew,
    ) -> Result<Settled> {
        let (model, every) = (self.snapshot.model(), accounts::compare(&self.judged.target, &Accounts::new()));
        let mut all = Settled::of(&every);
        let locked = warehouse.lock(generation).await?;
        let mut run = settle::begin_run(&locked, &self.snapshot.as_of).await?;
        let changed = self.months(changes);
        if anew.keeps_rows {
            for month in &changed {
                settle::note_before(&locked, &anew.known, &run, month).await?;
                run.has_settled(month.period);
            }
        }
        locked.make_anew(anew, model).await?;
        let progress = self.progress(&changed);
        let mut changed: BTreeMap<Period, Month> = changed.into_iter().map(|month| (month.period, month)).collect();
        let mut whole: BTreeMap<Period, Month> =
            self.months(every).into_iter().map(|month| (month.period, month)).collect();
        let periods: BTreeSet<Period> = changed.keys().chain(whole.keys()).copied().collect();
        for period in periods {
            let nothing = || Month::of(period, Accounts::new());
            let mut to_settle = whole.remove(&period).unwrap_or_else(nothing);
            let mut to_load = changed.remove(&period).unwrap_or_else(|| Month::of(period, to_settle.survey.clone()));
            let context = || format!("could not settle month {period}");
            let (loaded, proven) = self.load(&locked, &mut to_load, &progress).await.with_context(context)?;
            // What vanished is in no table that was just made; it is named for the history.
            to_settle.changes.extend(to_load.changes);
            settle::settle(&locked, model, &mut run, &to_settle, loaded.rows, proven).await.with_context(context)?;
            all.months += 1;
            all.add(loaded);
        }
        self.note_source(&locked).await?;
        locked.commit().await?;
        Ok(all)
    }

    fn months(&self, changes: Changes) -> Vec<Month> {
        let mut months = accounts::months(changes, &self.judged.target);
        for month in &mut months {
            let span = month.period.span();
            month.left = self.judged.left.range(span.from..span.until).copied().collect();
        }
        months
    }

    /// Notes which production this is, in the transaction that settles, unless nobody has consented to it yet.
    async fn note_source(&self, locked: &Locked<'_>) -> Result<()> {
        if !self.judged.is_source {
            return Ok(());
        }
        locked.note_source(self.snapshot.model().name(), &self.snapshot.source()).await
    }

    fn progress(&self, months: &[Month]) -> Progress {
        Progress::rows(months.iter().map(Month::changed_rows).sum(), self.talk)
    }

    /// The run under way, or a new one.
    async fn run(&self, locked: &Locked<'_>, run: Option<Run>) -> Result<Run> {
        match run {
            Some(run) => Ok(run),
            None => settle::begin_run(locked, &self.snapshot.as_of).await,
        }
    }

    /// Loads and settles a month in one transaction, or leaves it as it was.
    async fn settle(
        &self,
        locked: Locked<'_>,
        month: &mut Month,
        progress: &Progress,
        run: Option<Run>,
    ) -> Result<(Run, Loaded)> {
        let mut run = self.run(&locked, run).await?;
        let (loaded, proven) = self.load(&locked, month, progress).await?;
        settle::settle(&locked, self.snapshot.model(), &mut run, month, loaded.rows + loaded.taken, proven).await?;
        self.note_source(&locked).await?;
        locked.commit().await?;
        Ok((run, loaded))
    }

    /// Loads a month's changed days and proves the month. Days of the warehouse that turn out to be others than its
    /// accounts said join the changes.
    async fn load(&self, locked: &Locked<'_>, month: &mut Month, progress: &Progress) -> Result<(Loaded, Proven)> {
        let (snapshot, places) = (self.snapshot, &self.survey.places);
        let passing = |rows| progress.add(rows);
        let mut loaded = Loaded::default();
        if !month.changes.is_empty() {
            loaded = match self.adopting {
                None => load::reload(snapshot, locked, month, places, &passing).await?,
                Some(adopting) => self.adopt(locked, month, adopting, progress).await?,
            };
        }
        let tampered = match settle::prove(locked, snapshot.model(), month).await? {
            Proof::Equal(proven) => return Ok((loaded, proven)),
            Proof::Differing(tampered) => tampered,
        };
        // Days that no survey could tell of: somebody changed the warehouse's rows. They are loaded again as well.
        tracing::warn!(month = %month.period, days = tampered.len(), "the warehouse's rows were tampered with");
        if let Some(day) = tampered.keys().find(|day| month.left.contains(day)) {
            bail!("somebody changed the warehouse's rows of {day}, which are left as they were settled");
        }
        month.changes.extend(tampered);
        loaded = load::reload(snapshot, locked, month, places, &passing).await?;
        match settle::prove(locked, snapshot.model(), month).await? {
            Proof::Equal(proven) => Ok((loaded, proven)),
            Proof::Differing(days) => bail!("the warehouse does not keep {} days as production sent them", days.len()),
        }
    }
}

impl Settling<'_> {
    /// As [`load::reload`], but what another tool's table has as production does comes from there.
    async fn adopt(
        &self,
        locked: &Locked<'_>,
        month: &Month,
        adopting: Adopting<'_>,
        progress: &Progress,
    ) -> Result<Loaded> {
        let model = self.snapshot.model();
        let (equal, others): (Changes, Changes) =
            month.changes.iter().partition(|(day, _)| adopting.equal.contains(day));
        let days: Vec<Day> = equal.into_keys().collect();
        let taken = load::take(locked, model, adopting.theirs, month.period, &days).await?;
        progress.add(taken);
        let rest = Month { changes: others, left: month.left.clone(), ..Month::of(month.period, month.survey.clone()) };
        let loaded =
            load::reload(self.snapshot, locked, &rest, &self.survey.places, &|rows| progress.add(rows)).await?;
        Ok(Loaded { taken, taken_days: days.len(), ..loaded })
    }
}

impl Settling<'_> {
    /// Loads the days of `rows` again and settles those of `accounts`, month by month, each in a transaction of its own.
    pub(in crate::commands) async fn repair(
        &self,
        warehouse: &mut Warehouse,
        generation: &mut i64,
        rows: Changes,
        accounts: Changes,
    ) -> Result<Loaded> {
        let by_month = |changes| self.months(changes).into_iter().map(|month| (month.period, month));
        let mut to_load: BTreeMap<Period, Month> = by_month(rows).collect();
        let mut to_settle: BTreeMap<Period, Month> = by_month(accounts).collect();
        let periods: BTreeSet<Period> = to_load.keys().chain(to_settle.keys()).copied().collect();
        let progress = Progress::rows(to_load.values().map(Month::changed_rows).sum(), self.talk);
        let (mut all, mut run) = (Loaded::default(), None::<Run>);
        for period in periods {
            let span = period.span();
            let survey: Accounts =
                self.judged.target.range(span.from..span.until).map(|(&day, one)| (day, one.clone())).collect();
            let left = self.judged.left.range(span.from..span.until).copied().collect();
            let unchanged = Month { left, ..Month::of(period, survey) };
            let restated = to_settle.remove(&period);
            let mut month = to_load.remove(&period).unwrap_or(unchanged);
            if let Some(restated) = restated.as_ref().filter(|_| month.survey.is_empty()) {
                // A month that production does not have may have no table of rows to prove.
                month.changes.extend(restated.changes.clone());
            }
            let locked = match run {
                None => warehouse.lock(*generation).await?,
                Some(_) => warehouse.lock_next(*generation).await?,
            };
            let (begun, loaded) = self
                .repair_month(locked, &mut month, restated.as_ref(), &progress, run)
                .await
                .with_context(|| format!("could not repair month {period}"))?;
            *generation += 1;
            run = Some(begun);
            all.rows += loaded.rows;
        }
        Ok(all)
    }

    /// A month whose rows are loaded again; its accounts are restated only where they differ.
    async fn repair_month(
        &self,
        locked: Locked<'_>,
        month: &mut Month,
        restated: Option<&Month>,
        progress: &Progress,
        run: Option<Run>,
    ) -> Result<(Run, Loaded)> {
        let mut run = self.run(&locked, run).await?;
        let (loaded, proven) = self.load(&locked, month, progress).await?;
        match restated {
            None => settle::count(&locked, &run, month, loaded.rows).await?,
            Some(restated) => {
                settle::settle(&locked, self.snapshot.model(), &mut run, restated, loaded.rows, proven).await?;
                self.note_source(&locked).await?;
            }
        }
        locked.commit().await?;
        Ok((run, loaded))
    }

    /// Takes rows out of the warehouse that belong to no day.
    pub(in crate::commands) async fn remove_rows_of_no_day(
        &self,
        warehouse: &mut Warehouse,
        generation: &mut i64,
    ) -> Result<()> {
        let locked = warehouse.lock(*generation).await?;
        load::remove_rows_of_no_day(&locked, self.snapshot.model()).await?;
        locked.commit().await?;
        *generation += 1;
        Ok(())
    }
}

impl Settled {
    fn of(changes: &Changes) -> Self {
        Self { days: accounts::tally(changes), months: 0, loaded: Loaded::default() }
    }

    fn add(&mut self, loaded: Loaded) {
        self.loaded.rows += loaded.rows;
        self.loaded.taken += loaded.taken;
        self.loaded.taken_days += loaded.taken_days;
        self.loaded.copying += loaded.copying;
    }
}

/// Makes those accounts again that somebody changed, of days that are as they should be. Nothing is written where none is.
pub(in crate::commands) async fn mend(
    warehouse: &mut Warehouse,
    model: &Model,
    survey: &Accounts,
    ledger: &mut Ledger,
) -> Result<()> {
    for &period in &ledger.unsummed {
        let locked = warehouse.lock(ledger.generation).await?;
        settle::mend(&locked, model, survey, period).await?;
        locked.commit().await?;
        ledger.generation += 1;
    }
    Ok(())
}

/// Another session of the warehouse was in the way, and may not be the next time.
fn is_conflict(error: &anyhow::Error) -> bool {
    matches!(sql_state(error), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

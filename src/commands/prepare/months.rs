//! Month by month: each loaded, proven and settled in a transaction of its own; all in one where an entity is made
//! anew.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use tokio_postgres::error::SqlState;

use crate::accounts::{self, Accounts, Cause, Changes, Month};
use crate::calendar::{Day, Period};
use crate::db::sql_state;
use crate::entity::Theirs;
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

/// The month that could not be settled, as the context of why.
#[derive(Debug, thiserror::Error)]
#[error("could not settle month {0}")]
pub(in crate::commands) struct Unsettled(pub(in crate::commands) Period);

/// How months are settled one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// What changed is written.
    Changes,
    /// All accounts of the days are written, since their checksums are of another form. Until the final month is done
    /// the entity is noted with that form: a run that was killed is gone on with by doing all of it again.
    Renewing,
}

/// What was settled.
#[derive(Default)]
pub(in crate::commands) struct Settled {
    /// Days, by why they were.
    pub(in crate::commands) days: BTreeMap<Cause, usize>,
    pub(in crate::commands) months: usize,
    pub(in crate::commands) loaded: Loaded,
    /// Days that got checksums in today's form, and are what they were.
    pub(in crate::commands) renewed_days: usize,
}

impl Settling<'_> {
    /// Loads and settles the months with changes, one after the other, and makes again what somebody changed of the
    /// accounts; the generation of the ledger goes with them.
    pub(in crate::commands) async fn catch_up(
        &self,
        warehouse: &mut Warehouse,
        ledger: &mut Ledger,
        changes: Changes,
    ) -> Result<Settled> {
        let settled = Settled::of(&changes);
        let mut months = self.with_remade(self.months(changes), &ledger.unsummed);
        let way = if ledger.renews_checksums { Way::Renewing } else { Way::Changes };
        if way == Way::Renewing {
            months = self.with_every(months);
        }
        let changed_months = months.iter().filter(|month| !month.changes.is_empty()).count();
        let (loaded, renewed_days) = self.each(warehouse, &mut ledger.generation, months, way).await?;
        Ok(Settled { months: changed_months, loaded, renewed_days, ..settled })
    }

    /// Loads the days of `rows` again, settles those of `accounts` and makes again those of `unsummed`.
    pub(in crate::commands) async fn repair(
        &self,
        warehouse: &mut Warehouse,
        generation: &mut i64,
        (rows, accounts, unsummed): (&Changes, Changes, &[Period]),
    ) -> Result<Loaded> {
        let mut months: BTreeMap<Period, Month> =
            self.months(accounts).into_iter().map(|month| (month.period, month)).collect();
        months.values_mut().for_each(|month| month.load.clear());
        for &day in rows.keys() {
            months.entry(day.month()).or_insert_with(|| self.month(day.month())).load.insert(day);
        }
        let months = self.with_remade(months.into_values().collect(), unsummed);
        Ok(self.each(warehouse, generation, months, Way::Changes).await?.0)
    }

    /// Months, one after the other, each in a transaction of its own; gives what was loaded, and the days that were
    /// renewed.
    async fn each(
        &self,
        warehouse: &mut Warehouse,
        generation: &mut i64,
        months: Vec<Month>,
        way: Way,
    ) -> Result<(Loaded, usize)> {
        let (progress, count) = (self.progress(&months), months.len());
        let (mut all, mut renewed_days, mut run) = (Loaded::default(), 0, None);
        for (mut month, at) in months.into_iter().zip(1..) {
            let is_final = at == count;
            let mut tries = 1..;
            let (settled, loaded, renewed) = loop {
                let locked = match at {
                    1 => warehouse.lock(*generation).await,
                    _ => warehouse.lock_next(*generation).await,
                };
                match self.settle(locked?, &mut month, &progress, (run.clone(), is_final, way)).await {
                    Err(error) if self.can_load_again(&error) && tries.next() < Some(TRIES) => continue,
                    settled => break settled.context(Unsettled(month.period))?,
                }
            };
            *generation += 1;
            progress.commit(1);
            run = settled;
            renewed_days += renewed;
            all.add(loaded);
        }
        if way == Way::Renewing {
            let locked = warehouse.lock_next(*generation).await?;
            locked.note_checksums(self.snapshot.model()).await?;
            locked.commit().await?;
            *generation += 1;
        }
        Ok((all, renewed_days))
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
        let (progress, changed_months) = (self.progress(&changed), changed.len());
        let mut whole: BTreeMap<Period, Month> =
            self.months(every).into_iter().map(|month| (month.period, month)).collect();
        whole.values_mut().for_each(|month| month.load.clear());
        for month in changed {
            let whole = whole.entry(month.period).or_insert_with(|| self.month(month.period));
            whole.load = month.load;
            // What vanished is in no table that was just made; it is named for the history.
            whole.changes.extend(month.changes);
        }
        let mut months = whole.into_values();
        while let Some(mut month) = months.next() {
            let period = month.period;
            let context = || Unsettled(period);
            let (loaded, proven) = self.load(&locked, &mut month, &progress).await.with_context(context)?;
            if months.len() == 0 {
                self.snapshot.let_go().await;
            }
            settle::settle(&locked, model, Some(&mut run), &month, loaded.rows, &proven).await.with_context(context)?;
            all.months += 1;
            all.loaded.add(loaded);
        }
        self.note(&locked, true).await?;
        locked.commit().await?;
        progress.commit(changed_months);
        Ok(all)
    }

    /// The months that changes are in.
    fn months(&self, changes: Changes) -> Vec<Month> {
        let mut months = accounts::months(changes, &self.judged.target);
        months.iter_mut().for_each(|month| month.left = self.left(month.period));
        months
    }

    /// A month of which nothing is to be done yet.
    fn month(&self, period: Period) -> Month {
        Month { left: self.left(period), ..Month::of(period, &self.judged.target) }
    }

    fn left(&self, month: Period) -> BTreeSet<Day> {
        let span = month.span();
        self.judged.left.range(span.from..span.until).copied().collect()
    }

    /// The same with those months whose accounts are to be made again because somebody changed them.
    fn with_remade(&self, months: Vec<Month>, unsummed: &[Period]) -> Vec<Month> {
        let mut months: BTreeMap<Period, Month> = months.into_iter().map(|month| (month.period, month)).collect();
        for period in unsummed {
            let span = period.span();
            // Of a period without rows there may be an account as well.
            let days = self.judged.target.range(span.from..span.until).map(|(&day, _)| day).chain([span.day_inside()]);
            for day in days {
                months.entry(day.month()).or_insert_with(|| self.month(day.month())).remake.insert(day);
            }
        }
        months.into_values().collect()
    }

    /// The same and all other months, of each day of which the accounts that follow from its rows are made again.
    fn with_every(&self, months: Vec<Month>) -> Vec<Month> {
        let mut months: BTreeMap<Period, Month> = months.into_iter().map(|month| (month.period, month)).collect();
        for &day in self.judged.target.keys() {
            months.entry(day.month()).or_insert_with(|| self.month(day.month())).remake.insert(day);
        }
        months.into_values().collect()
    }

    /// Notes what is settled, in the transaction that settles it: as of which moment, whether the entity is whole with
    /// that, and from which production, unless nobody has consented to that one yet.
    async fn note(&self, locked: &Locked<'_>, whole: bool) -> Result<()> {
        let name = self.snapshot.model().name();
        locked.note_settled(name, self.snapshot.as_of_us, whole).await?;
        if !self.judged.is_source {
            return Ok(());
        }
        locked.note_source(name, &self.snapshot.source()).await
    }

    fn progress(&self, months: &[Month]) -> Progress {
        let rows = months.iter().map(Month::rows_to_load).sum();
        Progress::of(self.snapshot.model().name(), rows, months.len(), self.talk)
    }

    /// The run under way, or a new one where the month needs one: accounts that are only made again are nothing of
    /// production's.
    async fn run(&self, locked: &Locked<'_>, month: &Month, run: Option<Run>) -> Result<Option<Run>> {
        if run.is_some() || month.changes.is_empty() && month.load.is_empty() {
            return Ok(run);
        }
        settle::begin_run(locked, &self.snapshot.as_of).await.map(Some)
    }

    /// Loads and settles a month in one transaction, or leaves it as it was. Production is let go as soon as the final
    /// month's rows are proven: what follows from them can take long.
    async fn settle(
        &self,
        locked: Locked<'_>,
        month: &mut Month,
        progress: &Progress,
        (run, is_final, way): (Option<Run>, bool, Way),
    ) -> Result<(Option<Run>, Loaded, usize)> {
        let (loaded, proven) = self.load(&locked, month, progress).await?;
        if is_final {
            self.snapshot.let_go().await;
            locked.mark_proven().await?;
        }
        let mut tries = 1..;
        let (run, renewed_days) = loop {
            match self.write(&locked, month, (loaded, &proven), (run.clone(), is_final, way)).await {
                Err(error) if is_final && is_conflict(&error) && tries.next() < Some(TRIES) => {
                    locked.back_to_proven().await?;
                }
                written => break written?,
            }
        };
        locked.commit().await?;
        Ok((run, loaded, renewed_days))
    }

    /// Writes what follows from a month's rows, which are proven.
    async fn write(
        &self,
        locked: &Locked<'_>,
        month: &Month,
        (loaded, proven): (Loaded, &Proven),
        (run, is_final, way): (Option<Run>, bool, Way),
    ) -> Result<(Option<Run>, usize)> {
        let mut run = self.run(locked, month, run).await?;
        let rows = loaded.rows + loaded.taken;
        settle::settle(locked, self.snapshot.model(), run.as_mut(), month, rows, proven).await?;
        let renewed_days = match way {
            Way::Changes => 0,
            Way::Renewing => settle::renew(locked, self.snapshot.model(), month, proven).await?,
        };
        // What is left of an entity keeps it from being whole.
        self.note(locked, is_final && self.judged.left.is_empty()).await?;
        Ok((run, renewed_days))
    }

    /// Whether a month can be tried again from its rows on: another session was in the way, and production still has
    /// the snapshot.
    fn can_load_again(&self, error: &anyhow::Error) -> bool {
        is_conflict(error) && !self.snapshot.is_let_go()
    }

    /// Loads a month's days and proves the month. Days of the warehouse that turn out to be others than its accounts
    /// said are loaded as well.
    async fn load(&self, locked: &Locked<'_>, month: &mut Month, progress: &Progress) -> Result<(Loaded, Proven)> {
        let (snapshot, places) = (self.snapshot, &self.survey.places);
        let passing = |rows| progress.add(rows);
        let mut loaded = Loaded::default();
        if !month.load.is_empty() {
            loaded = match self.adopting {
                None => load::reload(snapshot, locked, month, &[], places, &passing).await?,
                Some(adopting) => self.adopt(locked, month, adopting, progress).await?,
            };
        }
        let differing = match settle::prove(locked, snapshot.model(), month).await? {
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
        loaded = load::reload(snapshot, locked, month, &strange, places, &passing).await?;
        match settle::prove(locked, snapshot.model(), month).await? {
            Proof::Equal(proven) => Ok((loaded, proven)),
            Proof::Differing(days) => Err(snapshot.model().not_kept(days.len())),
        }
    }

    /// As [`load::reload`], but what another tool's table has as production does comes from there.
    async fn adopt(
        &self,
        locked: &Locked<'_>,
        month: &Month,
        adopting: Adopting<'_>,
        progress: &Progress,
    ) -> Result<Loaded> {
        let model = self.snapshot.model();
        let (equal, others): (Vec<Day>, Vec<Day>) = month.load.iter().partition(|day| adopting.equal.contains(day));
        let taken = load::take(locked, model, adopting.theirs, month.period, &equal).await?;
        progress.add(taken);
        let rest = Month { load: others.into_iter().collect(), ..self.month(month.period) };
        let passing = |rows| progress.add(rows);
        let loaded = load::reload(self.snapshot, locked, &rest, &[], &self.survey.places, &passing).await?;
        Ok(Loaded { taken, taken_days: equal.len(), ..loaded })
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
        Self { days: accounts::tally(changes), ..Self::default() }
    }
}

/// Another session of the warehouse was in the way, and may not be the next time.
fn is_conflict(error: &anyhow::Error) -> bool {
    matches!(sql_state(error), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

//! Creates an entity's tables again and settles all its days.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::settle::{self, Ready};
use super::settling::{Settled, Settling, Unsettled};
use crate::accounts::{self, Accounts, Changes, Month};
use crate::calendar::Period;
use crate::error::Result;
use crate::warehouse::{Rebuild, Warehouse};

impl Settling<'_> {
    /// Creates the entity's tables again and settles all its days, in one transaction: until it commits, the warehouse
    /// stays as it was. If the warehouse's rows can be used again, only the days of `changes` are loaded.
    pub(super) async fn rebuild(
        &self,
        warehouse: &mut Warehouse,
        generation: i64,
        changes: Changes,
        rebuild: &Rebuild,
    ) -> Result<Settled> {
        let (model, every) = (self.snapshot.model(), accounts::compare(&self.judged.target, &Accounts::new()));
        let mut all = Settled::of(&every);
        let locked = warehouse.lock(generation).await?;
        let mut run = settle::begin_run(&locked, &self.snapshot.as_of, self.has_past).await?;
        let changed = self.months(changes);
        if rebuild.keeps_rows {
            for month in &changed {
                settle::note_before(&locked, &rebuild.known, &mut run, month).await?;
            }
        }
        locked.rebuild(rebuild, model).await?;
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
            let context = || Unsettled(vec![period]);
            let (loaded, proven) = self.load(&locked, &mut month, &progress).await.with_context(context)?;
            if months.len() == 0 {
                self.snapshot.let_go().await;
            }
            let ready = Ready { month: &month, rows: loaded.rows, proven: &proven };
            settle::settle(&locked, model, Some(&mut run), &[ready]).await.with_context(context)?;
            all.months += 1;
            all.loaded.add(loaded);
        }
        self.note(&locked, all.months.max(1), true).await?;
        locked.commit().await?;
        progress.commit(changed_months);
        Ok(all)
    }
}

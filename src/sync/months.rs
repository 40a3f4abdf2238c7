//! Settles months one after the other, each in a transaction of its own.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::load::{self, Loaded};
use super::month::{TRIES, Way};
use super::settling::{Settled, Settling, Unsettled};
use crate::accounts::{Changes, Month};
use crate::calendar::Period;
use crate::checks::Found;
use crate::error::Result;
use crate::warehouse::{Ledger, Warehouse};

impl Settling<'_> {
    /// Loads and settles the months with changes, one after the other, and rebuilds accounts that somebody edited. The
    /// ledger's generation is kept up to date.
    pub(super) async fn catch_up(
        &self,
        warehouse: &mut Warehouse,
        ledger: &mut Ledger,
        changes: Changes,
    ) -> Result<Settled> {
        let settled = Settled::of(&changes);
        let mut months = self.with_remade(self.months(changes), &ledger.inconsistent);
        let way = if ledger.renews_checksums { Way::Renewing } else { Way::Changes };
        if way == Way::Renewing {
            months = self.with_every(months);
        }
        let changed_months = months.iter().filter(|month| !month.changes.is_empty()).count();
        let (loaded, renewed_days) = self.each(warehouse, &mut ledger.generation, months, way).await?;
        Ok(Settled { months: changed_months, loaded, renewed_days, ..settled })
    }

    /// Loads the days whose rows differ again, settles those whose accounts differ, and rebuilds sums that do not add
    /// up.
    pub(super) async fn repair(
        &self,
        warehouse: &mut Warehouse,
        generation: &mut i64,
        found: &Found,
    ) -> Result<Loaded> {
        if found.undated_rows {
            self.remove_undated_rows(warehouse, generation).await?;
        }
        let mut months: BTreeMap<Period, Month> =
            self.months(found.accounts.clone()).into_iter().map(|month| (month.period, month)).collect();
        months.values_mut().for_each(|month| month.load.clear());
        for &day in found.rows.keys() {
            months.entry(day.month()).or_insert_with(|| self.month(day.month())).load.insert(day);
        }
        let months = self.with_remade(months.into_values().collect(), &found.inconsistent);
        Ok(self.each(warehouse, generation, months, Way::Changes).await?.0)
    }

    /// Settles months one after the other, each in a transaction of its own. Returns what was loaded, and the days
    /// whose checksums were renewed.
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
                match self.settle_month(locked?, &mut month, &progress, (run.clone(), is_final, way)).await {
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

    /// Deletes rows of the warehouse that belong to no day.
    async fn remove_undated_rows(&self, warehouse: &mut Warehouse, generation: &mut i64) -> Result<()> {
        let locked = warehouse.lock(*generation).await?;
        load::remove_undated_rows(&locked, self.snapshot.model()).await?;
        locked.commit().await?;
        *generation += 1;
        Ok(())
    }
}

//! Settles months one after the other, each in a transaction of its own; small ones that are new, together.

use std::collections::BTreeMap;
use std::slice::from_mut;

use super::load::{self, Loaded};
use super::month::{TRIES, Way};
use super::settle::Run;
use super::settling::{Settled, Settling, Unsettled};
use crate::accounts::{self, Changes, Month};
use crate::calendar::Period;
use crate::checks::Found;
use crate::error::Result;
use crate::progress::Progress;
use crate::warehouse::{Ledger, Warehouse};

/// How many rows months that are settled together have at most: enough that a transaction costs little beside them, few
/// enough that it is soon done. Where rows have to wait, it is as many as pass in a second.
const ROWS_TOGETHER: i64 = 100_000;

/// How many months are settled together at most. The server locks some tables for each.
const MONTHS_TOGETHER: usize = 12;

/// What transactions have done so far.
#[derive(Default)]
struct Done {
    has_settled: bool,
    loaded: Loaded,
    renewed_days: usize,
    run: Option<Run>,
}

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

    /// Settles months one after the other, by transaction. Returns what was loaded, and the days whose checksums were
    /// renewed.
    async fn each(
        &self,
        warehouse: &mut Warehouse,
        generation: &mut i64,
        months: Vec<Month>,
        way: Way,
    ) -> Result<(Loaded, usize)> {
        let (progress, mut done) = (self.progress(&months), Done::default());
        let in_a_second = i64::try_from(self.snapshot.pace.in_a_second()).unwrap_or(i64::MAX);
        let mut groups = together(months, in_a_second.min(ROWS_TOGETHER)).into_iter();
        while let Some(mut months) = groups.next() {
            let how = (&progress, groups.len() == 0, way);
            let Err(error) = self.transaction(warehouse, generation, &mut months, &mut done, how).await else {
                continue;
            };
            if months.len() == 1 {
                return Err(error);
            }
            // The one that cannot be settled keeps none before it from being settled.
            for month in &mut months {
                if let Err(again) = self.transaction(warehouse, generation, from_mut(month), &mut done, how).await {
                    return Err(if is_of_one(&error) || !is_of_one(&again) { error } else { again });
                }
            }
        }
        if way == Way::Renewing {
            let locked = warehouse.lock_next(*generation).await?;
            locked.note_checksums(self.snapshot.model()).await?;
            locked.commit().await?;
            *generation += 1;
        }
        Ok((done.loaded, done.renewed_days))
    }

    /// Settles months in one transaction, which is tried again if another session of the warehouse conflicts with it.
    async fn transaction(
        &self,
        warehouse: &mut Warehouse,
        generation: &mut i64,
        months: &mut [Month],
        done: &mut Done,
        (progress, is_final, way): (&Progress, bool, Way),
    ) -> Result<()> {
        let mut tries = 1..;
        let (run, loaded, renewed_days) = loop {
            let locked = match done.has_settled {
                false => warehouse.lock(*generation).await,
                true => warehouse.lock_next(*generation).await,
            };
            match self.settle_together(locked?, months, progress, (done.run.clone(), is_final, way)).await {
                Err(error) if self.can_load_again(&error) && tries.next() < Some(TRIES) => continue,
                settled => break settled?,
            }
        };
        *generation += 1;
        progress.commit(months.len());
        (done.run, done.has_settled) = (run, true);
        done.renewed_days += renewed_days;
        done.loaded.add(loaded);
        Ok(())
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

/// Whether it is known which month could not be settled.
fn is_of_one(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Unsettled>().is_some_and(|Unsettled(months)| months.len() == 1)
}

/// The months by transaction. Only months that are new are settled together: nobody reads or locks them yet. The final
/// one has its own, in which production is let go. They have at most so many rows.
fn together(mut months: Vec<Month>, most: i64) -> Vec<Vec<Month>> {
    let final_month = months.pop();
    let mut groups: Vec<Vec<Month>> = Vec::new();
    // Rows of the last group, if another month can be settled with it.
    let mut rows = None;
    for month in months {
        let of_month = month.is_new().then(|| accounts::rows(&month.survey));
        let both = rows.zip(of_month).map(|(rows, of_month)| rows + of_month).filter(|&rows| rows <= most);
        match groups.last_mut() {
            Some(group) if both.is_some() && group.len() < MONTHS_TOGETHER => {
                group.push(month);
                rows = both;
            }
            _ => {
                groups.push(vec![month]);
                rows = of_month;
            }
        }
    }
    groups.extend(final_month.map(|month| vec![month]));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Account, Cause};
    use crate::calendar::Day;

    /// January with so many rows a day, on so many days that are new and so many others.
    fn month(rows: i64, new: u8, settled: u8) -> Month {
        let day = |number| Day::new(2024, 1, number).unwrap();
        let account = || Account::new(rows, ["1", "2"], [Some("5")]).unwrap();
        let survey = (1..=new + settled).map(|number| (day(number), account())).collect();
        let changes = (1..=new).map(|number| (day(number), Cause::New)).collect();
        Month { changes, ..Month::of(day(1).month(), &survey) }
    }

    fn sizes(months: Vec<Month>) -> Vec<usize> {
        together(months, 100).iter().map(Vec::len).collect()
    }

    #[test]
    fn months_that_are_new_and_small_are_settled_together() {
        let many = |count, rows| (0..count).map(|_| month(rows, 2, 0)).collect::<Vec<_>>();
        assert_eq!(sizes(Vec::new()), [0; 0]);
        assert_eq!(sizes(many(26, 1)), [12, 12, 1, 1]);
        assert_eq!(sizes(many(12, 1)), [11, 1]);
        assert_eq!(sizes(many(6, 25)), [2, 2, 1, 1]);
        assert_eq!(sizes(many(4, 26)), [1, 1, 1, 1]);
        assert_eq!(sizes(many(3, 100)), [1, 1, 1]);
    }

    #[test]
    fn a_month_that_was_settled_is_settled_by_itself() {
        let new = || month(1, 2, 0);
        for settled in [month(1, 1, 1), month(1, 0, 2), month(1, 0, 0)] {
            assert_eq!(sizes(vec![new(), new(), settled, new(), new(), new()]), [2, 1, 2, 1]);
        }
    }
}

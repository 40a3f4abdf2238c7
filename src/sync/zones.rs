//! Explains why a month could not be settled, if the two servers disagree about the time zone.

use std::collections::BTreeSet;

use super::settling::{Settling, Unsettled};
use crate::accounts::Accounts;
use crate::calendar::Day;
use crate::db::{self, Offsets};
use crate::error::{Refusal, Result};
use crate::production::Snapshot;
use crate::warehouse::Warehouse;

impl Settling<'_> {
    /// Returns the outcome. If a month failed because the servers disagree about where days or hours begin, the error
    /// says so.
    pub(super) async fn explained<T>(
        &self,
        warehouse: &mut Warehouse,
        stored: &Accounts,
        outcome: Result<T>,
    ) -> Result<T> {
        let error = match outcome {
            Ok(settled) => return Ok(settled),
            Err(error) => error,
        };
        let Some(Unsettled(months)) = error.downcast_ref::<Unsettled>() else { return Err(error) };
        let both = [&self.survey.accounts, stored].into_iter().flat_map(|accounts| accounts.keys().copied());
        let days: BTreeSet<Day> = both.filter(|day| months.contains(&day.month())).collect();
        let days: Vec<Day> = days.into_iter().collect();
        match disagreement(self.snapshot, warehouse, &days).await {
            Ok(Some(refusal)) => Err(refusal),
            Ok(None) => Err(error),
            Err(failure) => {
                tracing::warn!("could not compare the servers' time zones: {failure:#}");
                Err(error)
            }
        }
    }
}

/// The first moment around these days on which the two servers' time zone data disagree.
async fn disagreement(
    snapshot: &Snapshot<'_>,
    warehouse: &mut Warehouse,
    days: &[Day],
) -> Result<Option<anyhow::Error>> {
    let Some(zone) = snapshot.model().entity.time_zone.as_deref() else { return Ok(None) };
    // Production was let go once all rows were proven: the servers do not disagree about these.
    if snapshot.is_let_go() {
        return Ok(None);
    }
    let in_production = db::offsets(snapshot.work(), zone, days).await?;
    let in_warehouse = db::offsets(warehouse.read().await?.work(), zone, days).await?;
    let differing = |(one, other): (&Offsets, &Offsets)| {
        let mut pairs = one.moments.iter().zip(&other.moments);
        let ((moment, in_production), (_, in_warehouse)) = pairs.find(|(one, other)| one != other)?;
        Some(Refusal::refused(
            format!(
                "production and the warehouse disagree about time zone \"{zone}\" on {}: at {moment} UTC it is \
                 {in_production} ahead of UTC in production and {in_warehouse} in the warehouse",
                one.day
            ),
            "Give both servers the same time zone data, for example the same version of package tzdata, then run \
            again; \
             nothing of the month was changed.",
        ))
    };
    Ok(in_production.iter().zip(&in_warehouse).find_map(differing))
}

//! What is left as it was settled: asked of the guard, noted, and said.

use super::Prepared;
use crate::accounts::Accounts;
use crate::entity::Entity;
use crate::error::{Refusal, Result};
use crate::guard::{self, Accepted, Before, Judged, Kind, Moment, Noted, Rules, Seen};
use crate::production::{Snapshot, Survey};
use crate::report::counted;
use crate::warehouse::{Anew, Ledger, Warehouse};

/// What the guard lets through.
///
/// Tables that are made anew hold a part of nothing: all is settled as the snapshot has it, or, where anything is held,
/// nothing is.
pub(in crate::commands) async fn judge(
    rules: Rules,
    accepted: &Accepted,
    (snapshot, survey): (&Snapshot<'_>, &Survey),
    (ledger, before, replaced): (&Ledger, &Before, Option<&Accounts>),
) -> Result<Judged> {
    let rules = if ledger.anew.is_some() { Rules { settle_after: None, ..rules } } else { rules };
    let today = match rules.settle_after {
        None => None,
        Some(_) => Some(snapshot.today().await?),
    };
    let seen = Seen {
        survey: &survey.accounts,
        kept: replaced.unwrap_or(&ledger.accounts),
        source: &snapshot.source(),
        before,
        now: Moment(snapshot.as_of_us),
        today,
    };
    Ok(guard::judge(&seen, &rules, accepted))
}

/// The accounts that tables hold which are about to be made anew with other rows; `None` where the ledger has them.
pub(super) async fn replaced(warehouse: &mut Warehouse, ledger: &Ledger) -> Result<Option<Accounts>> {
    match &ledger.anew {
        Some(Anew { known, keeps_rows: false, .. }) => Ok(Some(warehouse.read().await?.accounts(known).await?)),
        _ => Ok(None),
    }
}

/// Notes what is left, if anything else was noted before.
pub(super) async fn note(warehouse: &mut Warehouse, entity: &Entity, before: &Before, noted: &[Noted]) -> Result<()> {
    if before.noted == noted {
        return Ok(());
    }
    warehouse.note_held(entity.name.name(), noted).await
}

/// The refusal that a run ends with that held something; `None` where nothing is held.
pub(super) fn refusal(prepared: &Prepared) -> Option<anyhow::Error> {
    let first = prepared.held.iter().max_by_key(|noted| noted.kind)?;
    let accept = prepared.accept.as_deref()?;
    let units = counted(prepared.held.len(), first.unit.level().word());
    let what = match (first.kind, prepared.held.len()) {
        (Kind::Loss, 1) => format!("{} is held: {}", first.unit, first.reason),
        (Kind::Loss, _) => format!("{units} are held, {} the first of them: {}", first_held(prepared), first.reason),
        _ => format!("{units} held: {}", first.reason),
    };
    Some(Refusal::refused(
        format!("entity \"{}\": {what}", prepared.entity),
        format!("If this is meant, run `{accept}`; what is held stays as it was."),
    ))
}

fn first_held(prepared: &Prepared) -> String {
    prepared.held.first().map(|noted| noted.unit.to_string()).unwrap_or_default()
}

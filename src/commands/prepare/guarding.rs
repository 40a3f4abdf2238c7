//! What is left as it was settled: asked of the guard, noted, and said.

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
pub(in crate::commands) async fn replaced(warehouse: &mut Warehouse, ledger: &Ledger) -> Result<Option<Accounts>> {
    match &ledger.anew {
        Some(Anew { known, keeps_rows: false, .. }) => Ok(Some(warehouse.read().await?.accounts(known).await?)),
        _ => Ok(None),
    }
}

/// Notes what is left, if anything else was noted before.
pub(in crate::commands) async fn note(
    warehouse: &mut Warehouse,
    entity: &Entity,
    before: &Before,
    noted: &[Noted],
) -> Result<()> {
    if before.noted == noted {
        return Ok(());
    }
    warehouse.note_held(entity.name.name(), noted).await
}

/// The refusal that a run ends with that held something of an entity, and the command that accepts it; `None` where
/// nothing is held.
pub(in crate::commands) fn refusal(entity: &str, held: &[Noted], accept: Option<&str>) -> Option<anyhow::Error> {
    let (gravest, accept) = (held.iter().max_by_key(|noted| noted.kind)?, accept?);
    let units = counted(held.len(), gravest.unit.level().word());
    let what = match (gravest.kind, held) {
        (Kind::Loss, [only]) => format!("{} is held: {}", only.unit, only.reason),
        (Kind::Loss, _) => format!("{units} are held, {} the first of them: {}", held[0].unit, gravest.reason),
        _ => format!("{units} held: {}", gravest.reason),
    };
    Some(Refusal::refused(
        format!("entity \"{entity}\": {what}"),
        format!("To accept this, run `{accept}`; until then it stays as it was settled."),
    ))
}

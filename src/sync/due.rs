//! Which of the older days are due, before any is looked at.

use serde::Serialize;

use super::open::{Connections, Known};
use crate::calendar::Day;
use crate::entity::Entity;
use crate::error::Result;
use crate::look::{self, Look, Looked, Part, Stretch};
use crate::production::Counted;
use crate::warehouse::{Looks, Reading};

/// The older days that are due, if they cannot be found by their time: then the whole table is read anyway, once.
pub(super) async fn due(
    connections: &mut Connections,
    entity: &Entity,
    look: &Look,
    counted: &Counted,
) -> Result<Vec<Stretch>> {
    let (Some((today, now_us)), reading) = (counted.now, connections.warehouse.read().await?) else {
        return Ok(Vec::new());
    };
    if !reading.is_current().await? {
        return Ok(Vec::new());
    }
    let Some(model) = reading.settled_as(entity.name.name()).await? else { return Ok(Vec::new()) };
    let looks = reading.looks(&model).await?;
    let Some((looked, first)) = beginning(look, today, &looks) else { return Ok(Vec::new()) };
    let parts = look::parts(&looked, &reading.rows_of_months(&model, first).await?);
    let due = look::due(&parts, now_us, look.prove_all_every);
    Ok(parts[..due].iter().map(|part| part.stretch).collect())
}

/// What a run would look at of the older days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedLook {
    /// The first of the recent days.
    pub recent_from: Day,
    /// Rows of the older days that are due.
    pub due_rows: i64,
    /// How many days these are, in months with rows.
    pub due_days: usize,
    /// Rows of all older days.
    pub rows: i64,
}

/// What a run would look at of the older days as of now; `None` if it looks at all days.
pub(super) async fn planned(
    reading: &Reading<'_>,
    known: &Known,
    look: Option<Look>,
    now: Option<(Day, i64)>,
) -> Result<Option<PlannedLook>> {
    let Some((look, (today, now_us))) = look.zip(now).filter(|_| !known.sight.is_all()) else { return Ok(None) };
    let Some((looked, recent_from)) = beginning(&look, today, &known.looks) else { return Ok(None) };
    let parts = look::parts(&looked, &reading.rows_of_months(&known.model, recent_from).await?);
    let due = &parts[..look::due(&parts, now_us, look.prove_all_every)];
    let rows = |parts: &[Part]| parts.iter().map(|part| part.rows).sum();
    let due_days = due.iter().filter(|part| part.rows > 0).count();
    Ok(Some(PlannedLook { recent_from, due_rows: rows(due), due_days, rows: rows(&parts) }))
}

/// As of when the older days were looked at before this run, and the first of the recent days; `None` if everything is
/// looked at.
pub(super) fn beginning(look: &Look, today: Day, looks: &Looks) -> Option<(Looked, Day)> {
    let recent_from = look.recent_from(today, looks.open_from?)?;
    let first = looks.looked.recent_from.map_or(recent_from, |known| known.min(recent_from));
    Some((looks.looked.beginning(Some(first), looks.proven_us?), recent_from))
}

//! A run's part in the warehouse: a look at production, then at a share of the older days if not all are looked at.

use super::due;
use super::judge::Terms;
use super::older;
use super::open::{Connections, Wish};
use super::plan::Expected;
use super::round::{Prepared, round};
use crate::entity::Entity;
use crate::error::Result;

/// Makes an entity's rows and accounts equal to one snapshot of production. With a plan, it does what the plan says or
/// nothing.
///
/// If the settings limit what every run looks at, older days are looked at after the recent ones. Months in which they
/// differ are then settled like these.
///
/// # Errors
/// A refusal or a failure; months that were committed before stay committed.
pub async fn prepare(
    connections: &mut Connections,
    entity: &Entity,
    terms: &Terms<'_>,
    planned: Option<&Expected>,
) -> Result<Prepared> {
    let Some(look) = terms.look else {
        let all = round(connections, entity, terms, planned, Wish::default()).await?;
        older::forget(connections, &all).await?;
        return Ok(all.prepared);
    };
    let counted = connections.production.counted(entity).await;
    let recent = counted.now.filter(|_| !terms.all).map(|(today, _)| (look, today));
    let more = if counted.by_time { Vec::new() } else { due::due(connections, entity, &look, &counted).await? };
    let wish = Wish { recent, more: &more, whole_ledger: planned.is_some() };
    let recent = round(connections, entity, terms, planned, wish).await?;
    // What a run does that is held to a plan is what was planned.
    let older = older::Looking { look, counted, only_note: planned.is_some() };
    let (mut prepared, seen) = older.at(connections, entity, recent).await?;
    if !seen.differing.is_empty() {
        let again = round(connections, entity, terms, None, Wish { more: &seen.differing, ..wish }).await?;
        prepared = prepared.and(older.settled(connections, &seen, again).await?);
    }
    Ok(Prepared { older: seen.older, ..prepared })
}

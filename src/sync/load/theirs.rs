//! Copies rows of another tool's table into the entity's table, inside the warehouse.

use tokio_postgres::types::Type;

use super::{attach, replace};
use crate::calendar::{Day, Period};
use crate::entity::{Model, Theirs};
use crate::error::Result;
use crate::production::Lying;
use crate::sql::{Filling, Statement};
use crate::statement;
use crate::warehouse::{Locked, Partition};

const TAKE: Statement = statement!("load/take.sql");

/// Replaces the rows of some days of a month by those of another tool's table, and returns how many. If it is known
/// where they lay, the rest of that table is not read. Whether they equal
/// production's is proven later.
///
/// # Errors
/// If the warehouse fails, or the other table was dropped.
pub async fn take(
    locked: &Locked<'_>,
    model: &Model,
    theirs: &Theirs,
    (month, days): (Period, &[Day]),
    lying: Option<Lying>,
) -> Result<u64> {
    let (work, table) = (locked.work(), model.partition(month)?);
    let found = replace(locked, model, month, days).await?;
    let [schema, their_table] = theirs.table_names();
    let mut names: Vec<(&str, &dyn Filling)> = vec![schema, their_table, ("partition", &table)];
    if let Some(Lying { span, .. }) = &lying {
        names.extend([("first_ctid", &span.first as &dyn Filling), ("last_ctid", &span.last)]);
    }
    let rows =
        work.execute(TAKE.of(&model.shape_of_theirs(theirs)?.with(&names))?, &[(&days, Type::DATE_ARRAY)]).await?;
    if found == Partition::Missing {
        attach(locked, model, month).await?;
    }
    tracing::info!(month = %month, days = days.len(), rows, "taken over");
    Ok(rows)
}

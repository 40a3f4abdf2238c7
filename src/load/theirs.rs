//! Rows of another tool's table into the warehouse's, inside of it.

use tokio_postgres::types::Type;

use super::{CREATE_PARTITION, DELETE_DAYS, PARTITION};
use crate::calendar::{Day, Period};
use crate::db::{Filling, Statement};
use crate::entity::{Model, Theirs};
use crate::error::Result;
use crate::statement;
use crate::warehouse::Locked;

const TAKE: Statement = statement!("load/take.sql");

/// Replaces the rows of some days of a month by those of another tool's table, and gives how many. They are not production's
/// until that is proven. The month's table is left to be attached by [`super::reload`].
///
/// # Errors
/// When the warehouse fails, or the other table went away.
pub async fn take(locked: &Locked<'_>, model: &Model, theirs: &Theirs, month: Period, days: &[Day]) -> Result<u64> {
    let (work, table, shape) = (locked.work(), model.partition(month)?, model.shape()?);
    if work.query_one(PARTITION, &[(&table.name(), Type::TEXT)]).await?.is_none() {
        work.batch(&CREATE_PARTITION.of(&shape)?.with(&[("partition", &table)])).await?;
    } else {
        let delete = DELETE_DAYS.of(&shape)?.with(&[("partition", &table)]);
        work.execute(delete, &[(&days, Type::DATE_ARRAY)]).await?;
    }
    let [schema, their_table] = theirs.table_names();
    let names: [(&str, &dyn Filling); 3] = [schema, their_table, ("partition", &table)];
    let rows =
        work.execute(TAKE.of(&model.shape_of_theirs(theirs)?)?.with(&names), &[(&days, Type::DATE_ARRAY)]).await?;
    tracing::info!(month = %month, days = days.len(), rows, "taken over");
    Ok(rows)
}

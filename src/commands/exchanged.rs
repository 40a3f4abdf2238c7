//! Whether the two URLs were exchanged: production would be written to.

use crate::entity::Entity;
use crate::error::{Refusal, Result};
use crate::production::Production;
use crate::warehouse::Warehouse;

/// Before anything is made in a warehouse that has none of Kalends' schemas yet: it is the warehouse, and not
/// production.
///
/// # Errors
/// Refuses where production has the schemas, and the warehouse the entity's table.
pub(super) async fn check(production: &mut Production, warehouse: &mut Warehouse, entity: &Entity) -> Result<()> {
    if warehouse.read().await?.prepared {
        return Ok(());
    }
    let (there, here) = (production.seen(entity).await?, warehouse.seen(entity).await?);
    if !(there.is_warehouse && here.has_table) {
        return Ok(());
    }
    Err(Refusal::refused(
        format!("production holds Kalends' schemas, and the warehouse table {entity}: their URLs seem to be swapped"),
        "Swap KALENDS_PRODUCTION_URL and KALENDS_WAREHOUSE_URL; nothing was changed.",
    ))
}

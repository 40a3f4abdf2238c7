//! Which published moments of production's data the warehouse has settled itself.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use crate::db::Parameter;
use crate::error::Result;
use crate::sql::Statement;
use crate::statement;
use crate::warehouse::Reading;

const KNOWN: Statement = statement!("exports/known.sql");

/// By entity, the last settlement that this warehouse has made of a moment, from entities and moments.
pub(super) async fn of<'a>(
    reading: &Reading<'_>,
    published: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<BTreeMap<String, i64>> {
    let (entities, moments): (Vec<&str>, Vec<&str>) = published.unzip();
    if !reading.prepared || entities.is_empty() {
        return Ok(BTreeMap::new());
    }
    let parameters: [Parameter<'_>; 2] = [(&entities, Type::TEXT_ARRAY), (&moments, Type::TEXT_ARRAY)];
    let rows = reading.work().query(KNOWN, &parameters).await?;
    rows.iter().map(|row| Ok((row.get("entity")?, row.get("settlement")?))).collect()
}

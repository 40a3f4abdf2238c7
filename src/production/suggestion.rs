//! What was probably meant by the name of a table or column that production does not have.

use tokio_postgres::types::Type;

use crate::db::{Parameter, Work};
use crate::entity::Entity;
use crate::error::{Refusal, Result};
use crate::settings::nearest;
use crate::sql::{Ident, Statement};
use crate::statement;

pub(super) const TABLES: Statement = statement!("production/tables.sql");
const COLUMNS: Statement = statement!("production/columns.sql");

/// The refusal of a missing table, with the nearest name. The default table is nobody's typing error: nothing was set.
pub(super) async fn of_table(work: &Work<'_>, entity: &Entity) -> anyhow::Error {
    match tables(work).await {
        Ok(known) => missing(entity, near(entity, &known).as_deref()),
        Err(error) => error,
    }
}

/// A table with nearly this name in the schema, or with this name in another schema.
fn near(entity: &Entity, known: &[(String, String)]) -> Option<String> {
    let (schema, table) = (entity.schema.name(), entity.table.name());
    let beside: Vec<String> = known.iter().filter(|one| one.0 == schema).map(|one| one.1.clone()).collect();
    // Names of one or two letters are near to all others.
    let misspelt = if table.chars().count() > 2 { nearest(table, &beside) } else { None };
    let elsewhere = || known.iter().find(|one| one.1 == table).map(|(schema, _)| format!("{schema}.{table}"));
    misspelt.map(|found| format!("{schema}.{found}")).or_else(elsewhere)
}

/// The same, without asking production.
pub(super) fn missing(entity: &Entity, near: Option<&str>) -> anyhow::Error {
    let is_default = Entity::default_table().is_ok_and(|default| default == *entity);
    let hint = match near {
        _ if is_default => {
            "It is the default table, used if the settings have no [[entity]]: `kalends init` writes settings for your \
             tables. Else check KALENDS_PRODUCTION_URL."
                .to_string()
        }
        Some(near) => {
            let place = entity.lines.place("table");
            format!("Did you mean \"{near}\"?{place} Else check that KALENDS_PRODUCTION_URL names the right database.")
        }
        None => {
            let place = entity.lines.place("table");
            format!("Check the table in [[entity]]{place}, and that KALENDS_PRODUCTION_URL names the right database.")
        }
    };
    Refusal::refused(format!("production has no table {entity}"), hint)
}

/// The refusal of a missing column, with the nearest name.
pub(super) async fn of_column(work: &Work<'_>, entity: &Entity, column: &Ident) -> anyhow::Error {
    let known = match columns(work, entity).await {
        Ok(known) => known,
        Err(error) => return error,
    };
    let place = entity.lines.place(column.name());
    let hint = match nearest(column.name(), &known) {
        Some(near) => format!("Did you mean \"{near}\"?{place} Nothing of this table was read or changed."),
        None => format!("Its columns are {}.{place} Nothing of this table was read or changed.", quoted(&known)),
    };
    Refusal::refused(format!("table {entity} of production has no column \"{}\"", column.name()), hint)
}

/// Schema and name of each table.
async fn tables(work: &Work<'_>) -> Result<Vec<(String, String)>> {
    let rows = work.query(TABLES, &[]).await?;
    rows.iter().map(|row| Ok((row.get("schema")?, row.get("name")?))).collect()
}

async fn columns(work: &Work<'_>, entity: &Entity) -> Result<Vec<String>> {
    let (schema, table) = (entity.schema.name(), entity.table.name());
    let parameters: [Parameter<'_>; 2] = [(&schema, Type::TEXT), (&table, Type::TEXT)];
    work.query(COLUMNS, &parameters).await?.iter().map(|row| row.get("name")).collect()
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

//! How a run would read an entity's rows in production.

use super::findings::{Findings, size};
use crate::entity::Entity;
use crate::production::Effort;
use crate::sql::Filling;

/// From this value on, rows are so nearly in the order of time that those of a month are next to each other.
const IN_ORDER: f32 = 0.9;

/// How a run would read the table's rows.
pub(super) fn of(findings: &mut Findings, about: &str, entity: &Entity, effort: &Effort) {
    let time = entity.time.name();
    let order = effort.order_of_time.map(|order| format!("{:.0} %", order * 100.0));
    match (effort.indexed, effort.order_of_time) {
        (true, _) => findings.ok(about, format!("column \"{time}\" has an index")),
        (false, Some(order_of_time)) if order_of_time >= IN_ORDER => findings.ok(
            about,
            format!(
                "column \"{time}\" has no index and needs none: rows lie in order of time ({}), so a month's are \
                together",
                order.unwrap_or_default()
            ),
        ),
        (false, _) => findings.warning(
            about,
            format!(
                "column \"{time}\" has no index, and rows do not lie in order of time ({}): loading a month that \
                changed \
                 reads most of the table",
                order.unwrap_or_else(|| "unknown before ANALYZE".to_string())
            ),
            "You need not do anything. If loading takes long, create an index on the column.",
        ),
    }
}

/// How a run would find the recent days, if it does not look at all days.
pub(super) fn recent(findings: &mut Findings, about: &str, entity: &Entity, effort: &Effort, by_time: bool) {
    if by_time {
        findings.ok(about, "recent days can be found by an index or by partitions, without reading the whole table");
        return;
    }
    let [schema, table, time] = [&entity.schema, &entity.table, &entity.time].map(Filling::filled);
    // A BRIN index is small, and enough where rows lie in the order of time.
    let in_order = effort.order_of_time.is_some_and(|order| order >= IN_ORDER);
    let kind = if in_order { " USING brin" } else { "" };
    findings.warning(
        about,
        format!(
            "recent days are not found without reading the whole table, {}: each run does, and hashes these days alone",
            size(effort.bytes)
        ),
        format!("Create an index: CREATE INDEX CONCURRENTLY ON {schema}.{table}{kind} ({time});"),
    );
}

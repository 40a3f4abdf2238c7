//! Combinations of dimensions that changed, for people; and values on one line.

use crate::accounts::{Combination, Combinations, Statistic, difference};
use crate::report::{self, count};

/// How many are shown for a day.
const SHOWN: usize = 10;

/// The combinations that changed most, each with what changed, on indented lines.
pub fn lines(found: &Combinations, indent: &str) -> Vec<String> {
    let shown = found.moved.iter().take(SHOWN);
    let mut lines: Vec<String> = shown.flat_map(|one| of_one(&found.dimensions, one, indent)).collect();
    let more = found.count().saturating_sub(SHOWN);
    if more > 0 {
        let listed = count(i64::try_from(found.moved.len()).unwrap_or(i64::MAX));
        let more = count(i64::try_from(more).unwrap_or(i64::MAX));
        lines.push(format!("{indent}and {more} more; --json lists the {listed} that moved most"));
    }
    lines
}

fn of_one(dimensions: &[String], one: &Combination, indent: &str) -> Vec<String> {
    let named = dimensions.iter().zip(&one.values);
    let named = report::list(named.map(|(name, value)| format!("{name} = {}", shown(value.as_deref()))));
    let (before, after) = (one.rows.before, one.rows.after);
    let rows = (before != after).then(|| {
        format!("rows {} -> {} ({}{})", count(before), count(after), sign(before, after), count(after - before))
    });
    let statistics = one.statistics.iter().map(of_statistic);
    report::wrapped(&format!("{indent}{named}: "), rows.into_iter().chain(statistics), ",")
}

fn sign(before: i64, after: i64) -> &'static str {
    if after > before { "+" } else { "" }
}

fn of_statistic(one: &Statistic) -> String {
    let value = |value: &Option<String>| value.as_deref().map_or("none".to_string(), report::grouped);
    let (before, after) = (&one.value.before, &one.value.after);
    let moved = format!("{} {} -> {}", one.name, value(before), value(after));
    match difference(before.as_deref(), after.as_deref()) {
        Some(difference) => format!("{moved} ({})", report::grouped(&difference)),
        None => moved,
    }
}

/// A value on one line: in quotes if it could be mistaken for something else, or would break the line.
pub fn shown(value: Option<&str>) -> String {
    let Some(value) = value else { return "NULL".to_string() };
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-:. ".contains(c);
    if value.starts_with(|c: char| c.is_ascii_digit() || c == '-') && value.chars().all(plain) {
        return value.to_string();
    }
    format!("{value:?}")
}

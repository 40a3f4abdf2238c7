//! Figures for people: a line for each period or value, with a bar of its sum and what is inside it.

use super::figures::{Line, OfEntity};
use crate::report::{self, bar, count, grouped, number, sparkline};

/// Columns of a bar.
const BAR: usize = 16;

/// A value that is longer is cut.
const LONGEST: usize = 24;

pub(super) fn of(entities: &[OfEntity]) -> String {
    let blocks: Vec<String> = entities.iter().map(of_entity).collect();
    if blocks.is_empty() { "nothing was settled yet".to_string() } else { blocks.join("\n\n") }
}

fn of_entity(one: &OfEntity) -> String {
    let period = one.period.map_or(String::new(), |period| format!(" {period}"));
    if one.lines.is_empty() {
        return format!("{}{period}: no rows", one.entity);
    }
    let mut head = vec![format!("{}{period}", one.entity), "rows".to_string()];
    head.extend(one.statistics.iter().cloned());
    let sum = |line: &Line| number(line.statistics.get(&one.sum).and_then(|sum| sum.as_deref()));
    let most = one.lines.iter().filter_map(sum).map(f64::abs).fold(0.0, f64::max);
    let all: Vec<&Line> = one.lines.iter().chain(&one.whole).collect();
    let cells: Vec<Vec<String>> =
        [head].into_iter().chain(all.iter().map(|line| cells(line, &one.statistics))).collect();
    let widths: Vec<usize> = (0..cells[0].len())
        .map(|at| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or_default())
        .collect();
    let mut lines: Vec<String> = Vec::new();
    for (row, at) in cells.iter().zip(0_usize..) {
        let mut text = format!("{:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            text.push_str(&format!("  {cell:>width$}"));
        }
        if let Some(line) = at.checked_sub(1).and_then(|at| one.lines.get(at)) {
            let parts: Vec<Option<f64>> = line.parts.iter().map(|part| number(part.as_deref())).collect();
            let open = if line.closed == Some(false) { " open" } else { "" };
            text.push_str(&format!("  {:<BAR$}  {}{open}", bar(sum(line), most, BAR), sparkline(&parts)));
        }
        lines.push(text.trim_end().to_string());
    }
    report::list_lines(lines.into_iter())
}

fn cells(line: &Line, statistics: &[String]) -> Vec<String> {
    let name = match (&line.period, &line.value) {
        (Some(period), _) => period.to_string(),
        (None, Some(Some(value))) => cut(value),
        (None, _) => "NULL".to_string(),
    };
    let figures = statistics.iter().map(|name| match line.statistics.get(name) {
        Some(Some(figure)) => grouped(figure),
        _ => "none".to_string(),
    });
    [name, count(line.rows)].into_iter().chain(figures).collect()
}

/// A value in one line, not too long.
fn cut(value: &str) -> String {
    let value = crate::error::one_line(value);
    if value.chars().count() <= LONGEST {
        return value;
    }
    value.chars().take(LONGEST - 1).chain(['…']).collect()
}

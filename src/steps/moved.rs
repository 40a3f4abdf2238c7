//! Figures of an account that changed, for people.

use crate::accounts::{self, Moved};
use crate::entity::Statistic;
use crate::report::MovedFigure;

/// Rows and statistics that changed: only those of the settings, if these are known. (Accounts store others as well,
/// such as counts.)
pub fn moved(rows: Moved<i64>, statistics: &[accounts::Statistic], asked: Option<&[Statistic]>) -> Vec<MovedFigure> {
    let is_asked = |name: &str| {
        asked.is_none_or(|asked| {
            asked.iter().any(|one| name.strip_prefix(one.word()).is_some_and(|rest| rest.starts_with('_')))
        })
    };
    let statistics = statistics.iter().filter(|one| one.value.before != one.value.after && is_asked(&one.name));
    let rows = (rows.before != rows.after).then(|| of_rows(rows));
    rows.into_iter().chain(statistics.map(of_statistic)).collect()
}

/// Rows and statistics, changed or not.
pub fn all(rows: Moved<i64>, statistics: &[accounts::Statistic]) -> Vec<MovedFigure> {
    [of_rows(rows)].into_iter().chain(statistics.iter().map(of_statistic)).collect()
}

fn of_rows(rows: Moved<i64>) -> MovedFigure {
    figure("rows", Some(rows.before.to_string()), Some(rows.after.to_string()))
}

fn of_statistic(one: &accounts::Statistic) -> MovedFigure {
    figure(&one.name, one.value.before.clone(), one.value.after.clone())
}

fn figure(name: &str, before: Option<String>, after: Option<String>) -> MovedFigure {
    let difference = accounts::difference(before.as_deref(), after.as_deref()).filter(|_| before != after);
    MovedFigure { name: name.to_string(), before, after, difference }
}

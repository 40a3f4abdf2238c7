//! The figures of a period's account, by the names of its statistics, and how two accounts differ.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Serialize;

use crate::error::Result;

/// The beginnings of the statistics' names, in the order of the files.
const ORDER: [&str; 6] = ["sum_", "min_", "max_", "mean_", "stddev_", "count_"];

/// Rows and statistics of a period. A period without rows has 0 and none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Rows that it counts.
    pub rows: i64,
    /// By name, as the server's text; `None` if there is no value.
    pub statistics: BTreeMap<String, Option<String>>,
}

/// A number before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moved<T> {
    /// What it was.
    pub before: T,
    /// What it became.
    pub after: T,
}

/// A statistic before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statistic {
    /// As in the files' columns.
    pub name: String,
    /// Its value.
    #[serde(flatten)]
    pub value: Moved<Option<String>>,
}

impl Said {
    /// From a JSON object of texts, as the server prints it. No text: no rows and no statistics.
    ///
    /// # Errors
    /// If it is not such an object, or has no number of rows.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        text.map_or_else(|| Ok(Self::default()), |text| Self::of(serde_json::from_str(text)?))
    }

    /// From texts by name.
    ///
    /// # Errors
    /// If they have no number of rows.
    pub(super) fn of(mut statistics: BTreeMap<String, Option<String>>) -> Result<Self> {
        let rows: i64 = statistics.remove("rows").flatten().context("an account counts no rows")?.parse()?;
        anyhow::ensure!(rows.unsigned_abs() < 1 << 48, "an account counts {rows} rows, which cannot be");
        // Sums of squares are stored for standard deviations, and are in no file.
        statistics.retain(|name, _| !name.starts_with("squares_"));
        Ok(Self { rows, statistics })
    }
}

/// Each statistic of either account, measure by measure, in the order of the files.
pub fn moved(before: &Said, after: &Said) -> Vec<Statistic> {
    let (before, after) = (&before.statistics, &after.statistics);
    let mut names: Vec<&String> =
        before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    let place = |name: &str| ORDER.iter().position(|start| name.starts_with(start)).unwrap_or(ORDER.len());
    let measure = |name: &str| name.split_once('_').map_or(String::new(), |(_, measure)| measure.to_string());
    names.sort_by_key(|name| (measure(name), place(name)));
    let value = |of: &BTreeMap<String, Option<String>>, name: &str| of.get(name).cloned().flatten();
    let statistic = |name: &String| Statistic {
        name: name.clone(),
        value: Moved { before: value(before, name), after: value(after, name) },
    };
    names.into_iter().map(statistic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_says_rows_and_statistics_but_no_squares() {
        let said =
            Said::parse(Some(r#"{"rows": "3", "sum_value": "5", "min_value": null, "squares_value": "9"}"#)).unwrap();
        assert_eq!(said.rows, 3);
        let statistics = [("min_value".to_string(), None), ("sum_value".to_string(), Some("5".to_string()))];
        assert_eq!(said.statistics, BTreeMap::from(statistics));
        assert_eq!(Said::parse(None).unwrap(), Said::default());
        assert!(Said::parse(Some(r#"{"sum_value": "5"}"#)).is_err() && Said::parse(Some("5")).is_err());
    }

    #[test]
    fn what_moved_is_told_measure_by_measure_in_the_order_of_the_files() {
        let said = |text| Said::parse(Some(text)).unwrap();
        let before = said(r#"{"rows": "1", "count_b": "1", "sum_b": "2", "mean_a": "3", "max_a": "4"}"#);
        let after = said(r#"{"rows": "1", "sum_a": "5", "min_a": "6", "stddev_a": "7", "sum_b": "8", "count_b": "1"}"#);
        let found = moved(&before, &after);
        let found: Vec<(&str, Option<&str>, Option<&str>)> = found
            .iter()
            .map(|one| (one.name.as_str(), one.value.before.as_deref(), one.value.after.as_deref()))
            .collect();
        let expected = [
            ("sum_a", None, Some("5")),
            ("min_a", None, Some("6")),
            ("max_a", Some("4"), None),
            ("mean_a", Some("3"), None),
            ("stddev_a", None, Some("7")),
            ("sum_b", Some("2"), Some("8")),
            ("count_b", Some("1"), Some("1")),
        ];
        assert_eq!(found, expected);
    }
}

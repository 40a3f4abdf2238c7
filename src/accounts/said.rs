//! What the account of a period says, by the names of its statistics, and what moves from one to another.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Serialize;

use crate::error::Result;

/// The statistics in the order of the files, as their names begin.
const ORDER: [&str; 6] = ["sum_", "min_", "max_", "mean_", "stddev_", "count_"];

/// Rows and statistics of a period; of one without rows 0 and none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Rows that it accounts for.
    pub rows: i64,
    /// By name, as the server's text; `None` where there is no value.
    pub statistics: BTreeMap<String, Option<String>>,
}

/// A number before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moved<T> {
    /// What it was.
    pub before: T,
    /// What it is then.
    pub after: T,
}

/// A statistic before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statistic {
    /// As in the files' columns.
    pub name: String,
    /// Its values.
    #[serde(flatten)]
    pub value: Moved<Option<String>>,
}

impl Said {
    /// Of an object of texts, as the server prints it; nothing says nothing.
    ///
    /// # Errors
    /// When it is none, or counts no rows.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        text.map_or_else(|| Ok(Self::default()), |text| Self::of(serde_json::from_str(text)?))
    }

    /// Of texts by name.
    ///
    /// # Errors
    /// When they count no rows.
    pub(super) fn of(mut statistics: BTreeMap<String, Option<String>>) -> Result<Self> {
        let rows: i64 = statistics.remove("rows").flatten().context("an account counts no rows")?.parse()?;
        anyhow::ensure!(rows.unsigned_abs() < 1 << 48, "an account counts {rows} rows, which cannot be");
        // Sums of squares are kept for deviations, and are in no file.
        statistics.retain(|name, _| !name.starts_with("squares_"));
        Ok(Self { rows, statistics })
    }
}

/// Each statistic of either, measure by measure, in the order of the files.
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

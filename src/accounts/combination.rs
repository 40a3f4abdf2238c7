//! The combinations of dimensions whose accounts changed on a day, before and after.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::said::{self, Moved, Said, Statistic};
use crate::error::Result;

/// At most this many are noted and listed for a day, those that changed most; the others are counted. A day may have as
/// many combinations as rows.
pub const LISTED: usize = 100;

/// Combinations of dimensions whose accounts changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Combinations {
    /// The columns' names of the dimensions, in order.
    pub dimensions: Vec<String>,
    /// Those that changed most: by rows, then by the first sum that changed.
    pub moved: Vec<Combination>,
    /// How many others changed.
    pub not_listed: usize,
}

/// A combination, and its account before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Combination {
    /// Its values as texts, in the order of the dimensions; null is NULL. A long text is cut, and ends with `…`.
    pub values: Vec<Option<String>>,
    /// Rows; 0: there are none.
    pub rows: Moved<i64>,
    /// The statistics that changed; null: there is no value.
    pub statistics: Vec<Statistic>,
}

/// As `warehouse/restatement_combinations.sql` writes them.
#[derive(Deserialize)]
struct Noted {
    dimensions: Vec<String>,
    moved: Vec<NotedOne>,
    not_listed: usize,
}

#[derive(Deserialize)]
struct NotedOne {
    values: Vec<Option<String>>,
    before: Option<BTreeMap<String, Option<String>>>,
    after: Option<BTreeMap<String, Option<String>>>,
}

impl Combinations {
    /// From what the warehouse notes.
    ///
    /// # Errors
    /// If its form is unknown.
    pub fn parse(text: &str) -> Result<Self> {
        let Noted { dimensions, moved, not_listed } = serde_json::from_str(text)?;
        let side = |account: Option<_>| account.map_or_else(|| Ok(Said::default()), Said::of);
        let one = |one: NotedOne| Ok(Combination::between(one.values, &side(one.before)?, &side(one.after)?));
        Ok(Self { dimensions, moved: moved.into_iter().map(one).collect::<Result<_>>()?, not_listed })
    }

    /// Adds one that changed. Stores at most twice as many as are listed.
    pub fn add(&mut self, one: Combination) {
        self.moved.push(one);
        if self.moved.len() >= 2 * LISTED {
            self.cut();
        }
    }

    /// Removes all but those that changed most.
    pub fn cut(&mut self) {
        self.moved.sort_by_cached_key(|one| (Reverse(one.movement()), one.values.clone()));
        self.not_listed += self.moved.len().saturating_sub(LISTED);
        self.moved.truncate(LISTED);
    }

    /// How many changed, listed or not.
    pub fn count(&self) -> usize {
        self.moved.len() + self.not_listed
    }
}

impl Combination {
    /// What changed between two accounts.
    pub fn between(values: Vec<Option<String>>, before: &Said, after: &Said) -> Self {
        let mut statistics = said::moved(before, after);
        statistics.retain(|one| one.value.before != one.value.after);
        Self { values, rows: Moved { before: before.rows, after: after.rows }, statistics }
    }

    /// By how many rows it changed, whether the first sum changed from or to what is no number, and else by how much.
    fn movement(&self) -> (u64, bool, Option<Decimal>) {
        let figure = |text: &Option<String>| text.as_deref().map_or_else(|| Some(Decimal::default()), Decimal::parse);
        let moved = |one: &Statistic| Some(figure(&one.value.after)?.minus(&figure(&one.value.before)?).size());
        let sum = self.statistics.iter().find(|one| one.name.starts_with("sum_"));
        let sum = sum.map_or_else(|| Some(Decimal::default()), moved);
        (self.rows.after.abs_diff(self.rows.before), sum.is_none(), sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_moved_most_are_left_and_the_others_counted() {
        let said = |rows: i64| Said { rows, ..Said::default() };
        let mut found = Combinations::default();
        for rows in 0..250 {
            found.add(Combination::between(vec![Some(rows.to_string())], &said(0), &said(rows)));
            let added = usize::try_from(rows).unwrap() + 1;
            assert_eq!(found.moved.len(), if added < 200 { added } else { added - 100 }, "after {added}");
        }
        found.cut();
        assert_eq!((found.moved.len(), found.not_listed, found.count()), (100, 150, 250));
        let rows: Vec<i64> = found.moved.iter().map(|one| one.rows.after).collect();
        assert_eq!(rows, (150..250).rev().collect::<Vec<_>>());
    }

    fn noted(moved: &str) -> Combinations {
        Combinations::parse(&format!(r#"{{"dimensions": ["city"], "not_listed": 3, "moved": [{moved}]}}"#)).unwrap()
    }

    #[test]
    fn what_is_noted_is_told_without_what_stayed() {
        let found = noted(
            r#"{"values": ["Lyon"], "before": {"rows": "1", "sum_a": "5", "min_a": "2"},
                "after": {"rows": "2", "sum_a": "9", "min_a": "2"}}, {"values": [null], "before": null,
                "after": {"rows": "1", "sum_a": null, "min_a": "4"}}"#,
        );
        assert_eq!((found.dimensions.as_slice(), found.count()), (&["city".to_string()][..], 5));
        let told = found.moved.iter();
        let told = told.map(|one| (one.values[0].as_deref(), (one.rows.before, one.rows.after), names(one)));
        assert_eq!(told.collect::<Vec<_>>(), [(Some("Lyon"), (1, 2), vec!["sum_a"]), (None, (0, 1), vec!["min_a"])]);
    }

    fn names(one: &Combination) -> Vec<&str> {
        one.statistics.iter().map(|statistic| statistic.name.as_str()).collect()
    }

    #[test]
    fn of_those_with_as_many_rows_the_first_sum_tells_which_moved_most() {
        let one = |city: &str, before: &str, after: &str| {
            let said = |sum| format!(r#"{{"rows": "1", "sum_a": "{sum}"}}"#);
            format!(r#"{{"values": ["{city}"], "before": {}, "after": {}}}"#, said(before), said(after))
        };
        let long = |last| format!("{}{last}", "9".repeat(400));
        let found = [
            one("a", "100", "101"),
            one("b", "2", "6"),
            one("c", "6", "-1"),
            one("d", "1", &long(1)),
            one("e", "1", &long(2)),
            one("f", "1", "NaN"),
        ];
        let mut found = noted(&found.join(", "));
        found.cut();
        let cities: Vec<_> = found.moved.iter().map(|one| one.values[0].as_deref().unwrap()).collect();
        assert_eq!(cities, ["f", "e", "d", "c", "b", "a"]);
    }
}

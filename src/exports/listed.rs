//! Pages of the report as the manifest lists them. A page is Kalends' if the manifest lists it, or if it begins as all
//! pages of Kalends do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The page that leads to all others.
pub const FIRST: &str = "index.html";

/// The folder of the entities' pages.
pub(super) const FOLDER: &str = "report/";

/// How each page begins.
pub const BEGINS: &str = "<!doctype html>\n<!-- A report of Kalends";

/// A page as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its entity; `None` for the page that leads to all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// The page's size.
    pub bytes: u64,
    /// SHA-256 of the page, in hexadecimal digits.
    pub sha256: String,
    /// The ETag that an object store gave it; none in a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// How far its entity was settled when the page was written.
    #[serde(flatten)]
    pub mark: Mark,
}

/// How far an entity was settled when its page was written: what moved since then is shown by the next page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which entity of this name it is: one that was forgotten and is settled again has another number.
    pub number: i32,
    /// The moment of production's data that was settled last, UTC.
    pub as_of: Option<String>,
    /// Counts the months of the entity that were settled, each time.
    pub settlement: i64,
    /// The last run that restated something of it; 0: none has.
    pub restated: i64,
    /// The last run that had restated something when the page before was written; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
}

impl Mark {
    /// The mark of a page as it is now, with what the page before it tells. As long as nothing is settled, it stays the
    /// same.
    #[must_use]
    pub fn after(before: Option<&Self>, now: Self) -> Self {
        let since = match before.filter(|before| before.number == now.number) {
            Some(before) if before.settlement == now.settlement => before.since,
            Some(before) => Some(before.restated),
            None => None,
        };
        Self { since, ..now }
    }
}

/// The path of an entity's page, from the name that its files have.
pub fn path(name_in_files: &str) -> String {
    format!("{FOLDER}{name_in_files}.html")
}

/// Whether a path is one of a page.
pub(super) fn is_page(path: &str) -> bool {
    path == FIRST || (path.starts_with(FOLDER) && path.ends_with(".html"))
}

/// Whether something of this name may be where nothing was published yet, in a place that has pages of Kalends or not.
pub(super) fn may_be_there(name: &str, has_pages: bool) -> bool {
    let of_pages = has_pages && (name == FIRST || name == FOLDER.trim_end_matches('/'));
    of_pages || name.starts_with("year=") || name.starts_with("iso_year=") || name.starts_with('.')
}

/// The pages that a manifest lists, and what a dead run had begun.
pub(super) type Known<'a> = (&'a BTreeMap<String, Listed>, &'a BTreeMap<String, Option<String>>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_since_the_page_before_for_as_long_as_nothing_is_settled() {
        let mark = |number, settlement: i64, restated, since| Mark {
            number,
            as_of: Some(settlement.to_string()),
            settlement,
            restated,
            since,
        };
        let after =
            |before: &Mark, settlement, restated| Mark::after(Some(before), mark(1, settlement, restated, None));
        let first = Mark::after(None, mark(1, 4, 0, None));
        assert_eq!((&first.since, after(&first, 4, 0)), (&None, first.clone()));
        let second = after(&first, 5, 5);
        assert_eq!(second, mark(1, 5, 5, Some(0)));
        assert_eq!(after(&second, 5, 5), second);
        assert_eq!(after(&second, 6, 5), mark(1, 6, 5, Some(5)));
        // Another one of the same name.
        assert_eq!(Mark::after(Some(&second), mark(2, 6, 0, None)).since, None);
    }

    #[test]
    fn pages_have_paths_of_their_own() {
        for (path, found) in [("index.html", true), ("report/orders.html", true), ("report/daily/a.csv", false)] {
            assert_eq!(is_page(path), found, "{path}");
        }
    }
}

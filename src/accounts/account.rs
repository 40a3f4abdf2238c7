//! The account of a day, in few bytes: there may be 100,000 days, each with several accounts.

use std::sync::Arc;

use crate::error::Result;

/// Precedes each statistic, and separates the hashes. No printed number contains it.
const BEFORE: char = '\u{1f}';

/// Stands for a statistic without a value.
const NONE: &str = "\0";

/// What a server says about all rows of one day. Equal accounts mean equal rows, duplicates included.
///
/// Sums, extremes and hashes are stored as the server's text, because they are only compared and passed on. All texts
/// are in one piece of memory, which clones share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Rows of the day.
    pub rows: i64,
    texts: Arc<str>,
}

impl Account {
    /// From the sums over the rows of their first and their second 64-bit hash, and, of each measure: how many values
    /// are not NULL, their exact sum, the smallest, the largest. The last three are `None` if every value is NULL.
    ///
    /// # Errors
    /// If a text contains characters that no number is printed with.
    pub fn new<'a>(
        rows: i64,
        [hash_a, hash_b]: [&str; 2],
        statistics: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Result<Self> {
        let mut texts = [hash_a, hash_b].join(BEFORE.encode_utf8(&mut [0; 4]));
        let mut separators = 1;
        for statistic in statistics {
            anyhow::ensure!(statistic != Some(NONE), "a server gave a statistic that is no number");
            texts.push(BEFORE);
            texts.push_str(statistic.unwrap_or(NONE));
            separators += 1;
        }
        anyhow::ensure!(texts.matches(BEFORE).count() == separators, "a server gave a statistic that is no number");
        Ok(Self { rows, texts: texts.into() })
    }

    /// The sums of hashes. Empty if they cannot be compared, because their form is another.
    pub fn hashes(&self) -> [&str; 2] {
        let mut texts = self.texts.splitn(3, BEFORE);
        [texts.next().unwrap_or_default(), texts.next().unwrap_or_default()]
    }

    /// The statistics, in order.
    pub fn statistics(&self) -> impl Iterator<Item = Option<&str>> {
        self.texts.split(BEFORE).skip(2).map(|text| Some(text).filter(|text| *text != NONE))
    }

    /// The text that a digest is computed from. Digests are stored in warehouses and in plans, so the form never
    /// changes.
    pub(super) fn digested(&self) -> String {
        let statistic =
            |text: Option<&str>| text.map_or_else(|| "None".to_string(), |text| format!("Some(\"{text}\")"));
        let (rows, [hash_a, hash_b]) = (self.rows, self.hashes());
        let statistics = self.statistics().map(statistic).collect::<Vec<_>>().join(", ");
        format!("Account {{ rows: {rows}, statistics: [{statistics}], hash_a: \"{hash_a}\", hash_b: \"{hash_b}\" }}")
    }

    /// Whether both accounts have the same rows. If the other account has other statistics, or hashes of another form,
    /// only the rest is compared.
    pub(super) fn has_rows_of(&self, other: &Self) -> bool {
        let comparable = self.statistics().count() == other.statistics().count();
        let hashed = !self.hashes()[0].is_empty() && !other.hashes()[0].is_empty();
        self.rows == other.rows
            && (!hashed || self.hashes() == other.hashes())
            && (!comparable || self.statistics().eq(other.statistics()))
    }

    /// The same without hashes, for comparing with accounts whose hashes have another form.
    #[must_use]
    pub fn without_hashes(&self) -> Self {
        let statistics = self.texts.splitn(3, BEFORE).nth(2);
        let texts = statistics.map_or_else(|| BEFORE.to_string(), |statistics| format!("{BEFORE}{BEFORE}{statistics}"));
        Self { rows: self.rows, texts: texts.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_gives_what_it_was_made_of() {
        for statistics in [vec![], vec![Some("1"), None, Some("")], vec![None], vec![Some("-5.0")]] {
            let account = Account::new(7, ["12", "-3"], statistics.clone()).unwrap();
            assert_eq!((account.rows, account.hashes()), (7, ["12", "-3"]));
            assert_eq!(account.statistics().collect::<Vec<_>>(), statistics);
            let bare = account.without_hashes();
            assert_eq!((bare.rows, bare.hashes()), (7, ["", ""]));
            assert_eq!(bare.statistics().collect::<Vec<_>>(), statistics);
        }
        assert!(Account::new(1, ["1", "2"], [Some("1\u{1f}2")]).is_err());
        assert!(Account::new(1, ["1", "2"], [Some("\0")]).is_err());
    }

    #[test]
    fn hashes_are_compared_where_both_have_them() {
        let [one, other] = ["1", "7"].map(|hash| Account::new(2, [hash, "2"], [Some("5")]).unwrap());
        assert!(one.has_rows_of(&one) && !one.has_rows_of(&other));
        assert!(one.has_rows_of(&other.without_hashes()) && one.without_hashes().has_rows_of(&other));
        let more = Account::new(3, ["1", "2"], [Some("5")]).unwrap();
        assert!(!one.without_hashes().has_rows_of(&more));
    }

    #[test]
    fn a_digest_is_made_of_the_same_words_as_ever() {
        let account = Account::new(2, ["1", "2"], [Some("5"), None]).unwrap();
        let words = r#"Account { rows: 2, statistics: [Some("5"), None], hash_a: "1", hash_b: "2" }"#;
        assert_eq!(account.digested(), words);
    }
}

//! The entries of a manifest's files. There may be a hundred thousand, of which a run asks for a few, so each is kept
//! as the text that it has in the manifest, and read when it is asked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::calendar::Level;
use crate::error::Result;

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its entity; missing in a manifest of an earlier version.
    #[serde(default)]
    pub entity: String,
    /// Its level.
    pub level: Level,
    /// Its period, as people write it.
    pub period: String,
    /// Rows in the file, without the header.
    pub rows: u64,
    /// Rows of the entity that it accounts for.
    pub entity_rows: i64,
    /// Whether the period is closed: it had ended when the entity was proven equal to production. The figures of an
    /// open one may grow.
    #[serde(default)]
    pub closed: bool,
    /// The file's size.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// The ETag that an object store gave it; none in a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// The entries of files, by path.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Entries(BTreeMap<String, Box<RawValue>>);

impl Entries {
    /// Checks that all entries can be read. Without it, one that cannot be is taken for none.
    ///
    /// # Errors
    /// Names the first that cannot be read.
    pub(super) fn check(&self) -> Result<(), String> {
        self.0.iter().try_for_each(|(path, text)| {
            let read = serde_json::from_str::<Entry>(text.get());
            read.map(drop).map_err(|error| format!("{error} of the entry of \"{path}\""))
        })
    }

    /// A file's entry.
    pub(super) fn get(&self, path: &str) -> Option<Entry> {
        serde_json::from_str(self.0.get(path)?.get()).ok()
    }

    /// Lists a file, in the form that the whole manifest has.
    ///
    /// # Errors
    /// None that could happen.
    pub(super) fn insert(&mut self, path: &str, entry: &Entry) -> Result<()> {
        let text = serde_json::to_string_pretty(entry)?.replace('\n', "\n    ");
        self.0.insert(path.to_string(), RawValue::from_string(text)?);
        Ok(())
    }

    /// Says of a file that is listed whether its period is closed.
    ///
    /// # Errors
    /// As [`Entries::insert`].
    pub(super) fn close(&mut self, path: &str, closed: bool) -> Result<()> {
        match self.get(path) {
            Some(entry) if entry.closed != closed => self.insert(path, &Entry { closed, ..entry }),
            _ => Ok(()),
        }
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.0.remove(path);
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All paths, in order.
    pub(super) fn paths(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// All entries, in the order of their paths.
    pub(super) fn all(&self) -> impl Iterator<Item = (&String, Entry)> {
        self.0.iter().filter_map(|(path, text)| Some((path, serde_json::from_str::<Entry>(text.get()).ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Entry {
        Entry {
            entity: "a \"b\"\n    c".to_string(),
            level: Level::Day,
            period: "2024-02-29".to_string(),
            rows: 1,
            entity_rows: 2,
            closed: false,
            bytes: 3,
            sha256: "ab".to_string(),
            etag: None,
        }
    }

    #[test]
    fn entries_are_written_as_if_they_were_no_texts_and_again_as_they_were_read() {
        #[derive(Serialize)]
        struct Typed {
            files: BTreeMap<String, Entry>,
        }
        #[derive(Serialize, Deserialize)]
        struct Kept {
            files: Entries,
        }
        let mut kept = Kept { files: Entries::default() };
        kept.files.insert("a.csv", &example()).unwrap();
        kept.files.insert("b.csv", &Entry { etag: Some("x".to_string()), ..example() }).unwrap();
        let typed =
            serde_json::to_vec_pretty(&Typed { files: kept.files.all().map(|(p, e)| (p.clone(), e)).collect() });
        let written = serde_json::to_vec_pretty(&kept).unwrap();
        assert_eq!(String::from_utf8(written.clone()).unwrap(), String::from_utf8(typed.unwrap()).unwrap());
        let read: Kept = serde_json::from_slice(&written).unwrap();
        assert_eq!(read.files.get("a.csv"), Some(example()));
        assert_eq!(serde_json::to_vec_pretty(&read).unwrap(), written);
    }

    #[test]
    fn what_is_no_entry_is_found_by_the_check_and_is_none_without_it() {
        let text = r#"{"a.csv": {"level": "day"}, "b.csv": 7}"#;
        let read: Entries = serde_json::from_str(text).unwrap();
        assert!(read.check().unwrap_err().contains("of the entry of \"a.csv\""));
        assert_eq!((read.get("a.csv"), read.get("b.csv"), read.all().count(), read.len()), (None, None, 0, 2));
    }

    #[test]
    fn a_period_that_closes_changes_nothing_else_of_its_entry() {
        let mut entries = Entries::default();
        entries.insert("a.csv", &example()).unwrap();
        entries.close("a.csv", true).unwrap();
        entries.close("b.csv", true).unwrap();
        assert_eq!(entries.all().map(|(_, entry)| entry).collect::<Vec<_>>(), [Entry { closed: true, ..example() }]);
        // One that stays as it is keeps what another version has written.
        let text = r#"{"a.csv":{"level":"day","period":"","rows":1,"entity_rows":1,"bytes":1,"sha256":"","more":1}}"#;
        let mut entries: Entries = serde_json::from_str(text).unwrap();
        entries.close("a.csv", false).unwrap();
        assert_eq!(serde_json::to_string(&entries).unwrap(), text);
    }
}

//! The form in which an entity's files are published. It is no part of the definition that accounts are made by.

use serde::Deserialize;

use crate::calendar::Layout;

/// The format of a file. Its bytes follow from its lines alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Format {
    /// Lines of fields, with a header.
    #[serde(rename = "csv")]
    Csv,
    /// The same, compressed by gzip.
    #[serde(rename = "csv.gz")]
    CsvGz,
    /// An object of JSON in each line.
    #[serde(rename = "jsonl")]
    Jsonl,
    /// Columns with types, by Apache Parquet.
    #[serde(rename = "parquet")]
    Parquet,
}

/// In which formats and folders an entity's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Which folders they are in.
    pub layout: Layout,
    /// The formats, in the order of [`Format`]. Each period has a file in each.
    pub formats: Vec<Format>,
}

impl Default for Form {
    fn default() -> Self {
        Self { layout: Layout::default(), formats: vec![Format::Csv] }
    }
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Csv, Self::CsvGz, Self::Jsonl, Self::Parquet];

    /// The format as one word, which files end with.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::CsvGz => "csv.gz",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// The format of a file of ours, by its path.
    fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| path.strip_suffix(format.word()).is_some_and(|name| name.ends_with('.')))
    }
}

impl Form {
    /// The form of published files, by their paths; `None` if there are none.
    pub fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut form: Option<Self> = None;
        for path in paths {
            let Some(format) = Format::of(path) else { continue };
            let (layout, _) = Layout::of(path);
            let form = form.get_or_insert_with(|| Self { layout, formats: Vec::new() });
            if !form.formats.contains(&format) {
                form.formats.push(format);
                form.formats.sort();
            }
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_files_is_told_by_their_paths() {
        let of = |paths: &[&str]| Form::of(paths.iter().copied());
        assert_eq!(of(&["year=2023/o_stats_yearly_2023.csv"]), Some(Form::default()));
        let hive = ["o/parquet/yearly/year=2023/o.parquet", "o/csv.gz/yearly/year=2023/o.csv.gz"];
        let formats = vec![Format::CsvGz, Format::Parquet];
        assert_eq!(of(&hive), Some(Form { layout: Layout::Hive, formats }));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["year=2023/o_csv", "year=2023/o.txt"]), None);
    }
}

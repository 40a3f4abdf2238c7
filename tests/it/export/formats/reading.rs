//! Reads files of all formats, and compares them with the CSV file of the same period.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::kit::World;

/// The formats of files, by their endings.
#[cfg(feature = "parquet")]
pub const FORMATS: [&str; 4] = ["csv", "csv.gz", "jsonl", "parquet"];
#[cfg(not(feature = "parquet"))]
pub const FORMATS: [&str; 3] = ["csv", "csv.gz", "jsonl"];

/// A line of a file, by column; NULL is `None`.
type Line = Vec<(String, Option<String>)>;

/// The files that end so, by their paths without the ending.
pub fn ending<'a>(files: &'a BTreeMap<String, Vec<u8>>, format: &str) -> BTreeMap<&'a str, &'a [u8]> {
    let ending = format!(".{format}");
    files.iter().filter_map(|(path, bytes)| Some((path.strip_suffix(&ending)?, bytes.as_slice()))).collect()
}

/// Each period has a file in each format, and all of them say what its CSV file says. With the layout of Hive, the
/// files of formats are in folders of their own. Returns how many periods there are.
pub fn all_say_the_same(world: &World, dimensions: &[&str]) -> usize {
    let files = world.files();
    let in_its_folder = |path: &str, format: &str| path.replacen("/csv/", &format!("/{format}/"), 1);
    let csv = ending(&files, "csv");
    assert_eq!(files.len(), csv.len() * FORMATS.len(), "{:?}", files.keys());
    for (path, &bytes) in &csv {
        let lines = lines(std::str::from_utf8(bytes).unwrap());
        let of = |format: &str| ending(&files, format)[in_its_folder(path, format).as_str()];
        let mut unzipped = Vec::new();
        GzDecoder::new(of("csv.gz")).read_to_end(&mut unzipped).unwrap();
        assert_eq!(unzipped, bytes, "{path}.csv.gz");
        let json: String = lines.iter().map(|line| json(line, dimensions)).collect();
        assert_eq!(std::str::from_utf8(of("jsonl")).unwrap(), json, "{path}.jsonl");
        #[cfg(feature = "parquet")]
        parquet::says(of("parquet"), &lines, dimensions);
    }
    csv.len()
}

/// The lines of a CSV file, below its header.
fn lines(text: &str) -> Vec<Line> {
    let (mut rows, mut row, mut field, mut quoted, mut was_quoted) =
        (Vec::new(), Vec::new(), String::new(), false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => (quoted, was_quoted) = (!quoted, true),
            ',' | '\n' if !quoted => {
                let text = std::mem::take(&mut field);
                row.push((was_quoted || !text.is_empty()).then_some(text));
                was_quoted = false;
                if character == '\n' {
                    rows.push(std::mem::take(&mut row));
                }
            }
            _ => field.push(character),
        }
    }
    assert!(field.is_empty() && row.is_empty(), "the last line has no end: {text:?}");
    let headers: Vec<String> = rows.remove(0).into_iter().map(Option::unwrap).collect();
    rows.into_iter().map(|row| headers.iter().cloned().zip(row).collect()).collect()
}

/// The text of a dimension, without the mark that no spreadsheet takes for a formula.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

fn json(line: &Line, dimensions: &[&str]) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let value = |name: &str, text: &Option<String>| match text.as_deref() {
        None => "null".to_string(),
        Some(text) if dimensions.contains(&name) => quoted(unmarked(text)),
        Some(text @ ("NaN" | "Infinity" | "-Infinity")) => quoted(text),
        Some(number) => number.to_string(),
    };
    let pairs: Vec<String> =
        line.iter().map(|(name, text)| format!("{}:{}", quoted(name), value(name, text))).collect();
    format!("{{{}}}\n", pairs.join(","))
}

#[cfg(feature = "parquet")]
pub mod parquet {
    use bytes::Bytes;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::Field;
    use parquet::schema::printer::print_schema;

    use super::{Line, unmarked};

    /// The file has these lines, and after its columns one more.
    pub fn says(bytes: &[u8], lines: &[Line], dimensions: &[&str]) {
        let rows = rows(bytes);
        assert_eq!(rows.len(), lines.len());
        for (row, line) in rows.iter().zip(lines) {
            let names = |fields: &[(String, Field)]| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            let expected = line.iter().map(|(name, _)| name.clone()).chain(["period_start".to_string()]);
            assert_eq!(names(row), expected.collect::<Vec<_>>());
            for ((name, field), (_, text)) in row.iter().zip(line) {
                let text =
                    text.as_deref().map(|text| if dimensions.contains(&name.as_str()) { unmarked(text) } else { text });
                assert!(is(field, text), "{name}: {field:?} is not {text:?}");
            }
        }
    }

    /// Whether a field has the value of a text.
    fn is(field: &Field, text: Option<&str>) -> bool {
        match (field, text) {
            (Field::Null, None) => true,
            (Field::Int(number), Some(text)) => number.to_string() == text,
            (Field::Long(number), Some(text)) => number.to_string() == text,
            (Field::Float(number), Some(text)) => number.to_bits() == text.parse::<f32>().unwrap().to_bits(),
            (Field::Double(number), Some(text)) => number.to_bits() == text.parse::<f64>().unwrap().to_bits(),
            (Field::Str(found), Some(text)) => found == text,
            (Field::Decimal(_), Some(text)) => exact(&field.to_string()) == exact(text),
            _ => false,
        }
    }

    /// The digits of a number without zeros at the end.
    fn exact(number: &str) -> &str {
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
    }

    /// The rows of a file, by column.
    pub fn rows(bytes: &[u8]) -> Vec<Vec<(String, Field)>> {
        let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes)).unwrap();
        reader.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns()).collect()
    }

    /// The types of a file's columns, as a text.
    pub fn schema(bytes: &[u8]) -> String {
        let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes)).unwrap();
        let mut printed = Vec::new();
        print_schema(&mut printed, reader.metadata().file_metadata().schema());
        String::from_utf8(printed).unwrap()
    }
}

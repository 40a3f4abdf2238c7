//! The bytes of a file in each format, made from the same lines. They depend on nothing else: not on the clock, the
//! machine, or the order in which files are made.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};

use super::columns::Columns;
use super::csv::{self, Field};
use super::jsonl;
#[cfg(feature = "parquet")]
use super::parquet::Table;
use crate::calendar::Period;
use crate::entity::{Format, Kind};
use crate::error::Result;

/// The level of compression. Another one would be another file.
const GZIP_LEVEL: u32 = 6;

/// A file that is being rendered.
pub(super) enum Rendering {
    Csv(Vec<u8>),
    CsvGz(Vec<u8>),
    Jsonl(Vec<u8>),
    #[cfg(feature = "parquet")]
    Parquet(Table),
}

impl Rendering {
    /// A file without lines.
    ///
    /// # Errors
    /// Refuses a format that this program was built without.
    pub(super) fn begin(format: Format, columns: &Columns, period: Period) -> Result<Self> {
        let header = || {
            let mut header = Vec::new();
            csv::write_line(&mut header, columns.headers.iter().map(|header| Field::Text(Some(header))));
            header
        };
        Ok(match format {
            Format::Csv => Self::Csv(header()),
            Format::CsvGz => Self::CsvGz(header()),
            Format::Jsonl => Self::Jsonl(Vec::new()),
            #[cfg(feature = "parquet")]
            Format::Parquet => Self::Parquet(Table::new(columns, period)),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => {
                let entity = &columns.entity;
                return Err(crate::error::Refusal::refused(
                    format!("the files of entity \"{entity}\" are of Parquet, and this Kalends was built without it"),
                    format!(
                        "Use one with it, which `cargo install --locked --path .` builds; {period} was not written."
                    ),
                ));
            }
        })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Refuses a value that the format cannot hold.
    pub(super) fn line(&mut self, columns: &Columns, fields: &[Option<&str>]) -> Result<()> {
        let pairs = fields.iter().copied().zip(&columns.kinds);
        match self {
            Self::Csv(bytes) | Self::CsvGz(bytes) => {
                let field = |(text, kind): (_, &Kind)| match kind {
                    Kind::Text { number: false } => Field::Text(text),
                    _ => Field::Plain(text),
                };
                csv::write_line(bytes, pairs.map(field));
            }
            Self::Jsonl(bytes) => jsonl::write_line(bytes, columns.headers.iter().map(String::as_str).zip(pairs))?,
            #[cfg(feature = "parquet")]
            Self::Parquet(table) => table.line(columns, fields)?,
        }
        Ok(())
    }

    /// The whole file.
    pub(super) fn end(self) -> Result<Vec<u8>> {
        match self {
            Self::Csv(bytes) | Self::Jsonl(bytes) => Ok(bytes),
            Self::CsvGz(bytes) => {
                // Without a name, and with a time of 0, which stands for none.
                let mut zipped = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(GZIP_LEVEL));
                zipped.write_all(&bytes)?;
                Ok(zipped.finish()?)
            }
            #[cfg(feature = "parquet")]
            Self::Parquet(table) => table.to_bytes(),
        }
    }
}

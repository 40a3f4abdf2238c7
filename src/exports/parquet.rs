//! Files of Apache Parquet. Their types follow from the entity's definition: exact numbers are decimals if their digits
//! are bounded, otherwise texts; dimensions are texts. All columns of a file are in one row group.

use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Stored};
use ::parquet::data_type::{
    ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType, Int32Type,
    Int64Type,
};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::types::{Type, TypePtr};
use anyhow::Context as _;

use super::columns::Columns;
use crate::calendar::{Level, Period};
use crate::entity::{Kind, MOST_DIGITS};
use crate::error::{Refusal, Result};

/// Who wrote the file. It goes up if the form of the files changes, and names neither a build nor a library, so that
/// another build of the same version writes the same bytes.
const CREATED_BY: &str = "kalends version 1";

/// The bytes of a decimal of [`MOST_DIGITS`] digits.
const DECIMAL_BYTES: i32 = 16;

/// The days from 1970-01-01, from which Parquet counts, to 2000-01-01.
const DAYS_TO_2000: i32 = 10_957;

const HOUR_MS: i64 = 3_600_000;

/// The content of a file, column by column.
pub(super) struct Table {
    period: Period,
    columns: Vec<Cells>,
    start: String,
    lines: usize,
}

/// The values of a column.
struct Cells {
    name: String,
    kind: Kind,
    values: Values,
    /// For each line, 0 where there is no value and 1 where there is one.
    present: Vec<i16>,
}

enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Decimal(Vec<FixedLenByteArray>),
    Text(Vec<ByteArray>),
}

impl Table {
    /// A table without lines.
    pub(super) fn new(columns: &Columns, period: Period) -> Self {
        let cells = columns.headers.iter().zip(&columns.kinds).map(|(name, &kind)| {
            let values = match kind {
                Kind::Calendar | Kind::Integer => Values::Int32(Vec::new()),
                Kind::Bigint => Values::Int64(Vec::new()),
                Kind::Real => Values::Float(Vec::new()),
                Kind::Double => Values::Double(Vec::new()),
                Kind::Decimal(_) => Values::Decimal(Vec::new()),
                Kind::Text { .. } | Kind::Number => Values::Text(Vec::new()),
            };
            Cells { name: name.clone(), kind, values, present: Vec::new() }
        });
        Self { period, columns: cells.collect(), start: columns.start.clone(), lines: 0 }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Refuses a value that its column's type cannot hold, by name.
    pub(super) fn line(&mut self, columns: &Columns, fields: &[Option<&str>]) -> Result<()> {
        for (cells, text) in self.columns.iter_mut().zip(fields) {
            cells.present.push(i16::from(text.is_some()));
            let Some(text) = text else { continue };
            if cells.values.push(text, cells.kind).is_none() {
                return Err(refused(&cells.name, cells.kind, text, self.period, &columns.entity));
            }
        }
        self.lines += 1;
        Ok(())
    }

    /// The file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_string())
            .set_compression(Compression::SNAPPY)
            .set_dictionary_enabled(true)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            // Pages are told apart by nothing in so small files.
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(None)
            .build();
        let mut writer = SerializedFileWriter::new(Vec::new(), self.schema()?, Arc::new(properties))?;
        let mut group = writer.next_row_group()?;
        for cells in &self.columns {
            let present = (!matches!(cells.kind, Kind::Calendar)).then_some(cells.present.as_slice());
            match &cells.values {
                Values::Int32(values) => write::<Int32Type>(&mut group, values, present),
                Values::Int64(values) => write::<Int64Type>(&mut group, values, present),
                Values::Float(values) => write::<FloatType>(&mut group, values, present),
                Values::Double(values) => write::<DoubleType>(&mut group, values, present),
                Values::Decimal(values) => write::<FixedLenByteArrayType>(&mut group, values, present),
                Values::Text(values) => write::<ByteArrayType>(&mut group, values, present),
            }?;
        }
        let days = self.period.first().to_postgres() + DAYS_TO_2000;
        match self.period.level() {
            Level::Hour => {
                let begin = i64::from(days) * 24 + i64::from(self.period.hour());
                write::<Int64Type>(&mut group, &vec![begin * HOUR_MS; self.lines], None)?;
            }
            _ => write::<Int32Type>(&mut group, &vec![days; self.lines], None)?,
        }
        group.close()?;
        Ok(writer.into_inner()?)
    }

    fn schema(&self) -> Result<TypePtr> {
        let mut fields = Vec::new();
        for Cells { name, kind, .. } in &self.columns {
            let (stored, logical) = match kind {
                Kind::Calendar | Kind::Integer => (Stored::INT32, None),
                Kind::Bigint => (Stored::INT64, None),
                Kind::Real => (Stored::FLOAT, None),
                Kind::Double => (Stored::DOUBLE, None),
                Kind::Decimal(decimals) => {
                    let decimal = LogicalType::decimal(i32::from(*decimals), i32::from(MOST_DIGITS));
                    (Stored::FIXED_LEN_BYTE_ARRAY, Some(decimal))
                }
                Kind::Text { .. } | Kind::Number => (Stored::BYTE_ARRAY, Some(LogicalType::String)),
            };
            let repetition = if *kind == Kind::Calendar { Repetition::REQUIRED } else { Repetition::OPTIONAL };
            let mut field = Type::primitive_type_builder(name, stored).with_repetition(repetition);
            if let Kind::Decimal(decimals) = kind {
                field = field.with_length(DECIMAL_BYTES).with_precision(i32::from(MOST_DIGITS));
                field = field.with_scale(i32::from(*decimals));
            }
            fields.push(Arc::new(field.with_logical_type(logical).build()?));
        }
        let (stored, logical) = match self.period.level() {
            Level::Hour => (Stored::INT64, LogicalType::timestamp(false, TimeUnit::MILLIS)),
            _ => (Stored::INT32, LogicalType::Date),
        };
        let start = Type::primitive_type_builder(&self.start, stored).with_repetition(Repetition::REQUIRED);
        fields.push(Arc::new(start.with_logical_type(Some(logical)).build()?));
        Ok(Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?))
    }
}

impl Values {
    /// Adds a value; `None` if the type cannot hold it.
    fn push(&mut self, text: &str, kind: Kind) -> Option<()> {
        match (self, kind) {
            (Self::Int32(values), _) => values.push(text.parse().ok()?),
            (Self::Int64(values), _) => values.push(text.parse().ok()?),
            // PostgreSQL prints the shortest decimal that is read as the same number.
            (Self::Float(values), _) => values.push(text.parse().ok()?),
            (Self::Double(values), _) => values.push(text.parse().ok()?),
            (Self::Decimal(values), Kind::Decimal(decimals)) => {
                let bytes = unscaled(text, usize::from(decimals))?.to_be_bytes().to_vec();
                values.push(FixedLenByteArray::from(bytes));
            }
            (Self::Decimal(_), _) => return None,
            (Self::Text(values), _) => values.push(ByteArray::from(text)),
        }
        Some(())
    }
}

/// Writes the next column; with `present`, one that may have NULLs.
fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    present: Option<&[i16]>,
) -> Result<()> {
    let mut column = group.next_column()?.context("a file of Parquet has more columns than its schema")?;
    column.typed::<T>().write_batch(values, present, None)?;
    Ok(column.close()?)
}

/// The digits of an exact number with so many decimals, as a whole number; `None` if it has more decimals or digits, or
/// is NaN or infinite.
fn unscaled(text: &str, decimals: usize) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let are_digits = !whole.is_empty() && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !are_digits || part.len() > decimals {
        return None;
    }
    let number: i128 = format!("{whole}{part:0<decimals$}").parse().ok()?;
    let number = Some(number).filter(|number| *number < 10_i128.pow(u32::from(MOST_DIGITS)))?;
    Some(if text.starts_with('-') { -number } else { number })
}

fn refused(column: &str, kind: Kind, text: &str, period: Period, entity: &str) -> anyhow::Error {
    let shown: String = text.chars().take(50).collect();
    let type_name = match kind {
        Kind::Decimal(decimals) => format!("DECIMAL({MOST_DIGITS}, {decimals})"),
        _ => "its type".to_string(),
    };
    Refusal::refused(
        format!("{column} of {period} of entity \"{entity}\" is {shown}, which {type_name} of Parquet cannot hold"),
        "Remove \"parquet\" from its formats, or correct the value in production; no file was written.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_exact_or_nothing() {
        for (text, decimals, expected) in [
            ("15.5", 2, Some(1550)),
            ("-0.01", 2, Some(-1)),
            ("7", 6, Some(7_000_000)),
            ("7.100000", 1, Some(71)),
            ("0", 0, Some(0)),
            ("99999999999999999999999999999999999999", 0, Some(10_i128.pow(38) - 1)),
            ("-99999999999999999999999999999999999999", 0, Some(1 - 10_i128.pow(38))),
            ("100000000000000000000000000000000000000", 0, None),
            ("9999999999999999999999999999999999999.9", 2, None),
            ("1.001", 2, None),
            ("NaN", 2, None),
            ("Infinity", 2, None),
            ("1e+30", 2, None),
            ("", 2, None),
        ] {
            assert_eq!(unscaled(text, decimals), expected, "{text}");
        }
    }
}

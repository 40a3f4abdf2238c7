//! An entity with the types that production has for it: what the warehouse's tables and all statements are made from.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Entity;
use super::columns::{self, Column};
use crate::calendar::{Level, Period};
use crate::db::{Ident, Literal, Shape};
use crate::error::{Refusal, Result};

/// Bytes of an entity's name that a file's name has as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// Endings of the tables and views that an entity has in the warehouse, partitions left out.
const ENDINGS: [&str; 9] =
    ["_day", "_month", "_year", "_stats_daily", "_stats_monthly", "_stats_yearly", "_daily", "_monthly", "_yearly"];

/// The type of a time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeKind {
    /// `timestamp without time zone`, taken as it is.
    #[serde(rename = "timestamp without time zone")]
    Timestamp,
    /// `timestamp with time zone`, whose days are those of the entity's time zone.
    #[serde(rename = "timestamp with time zone")]
    TimestampTz,
    /// `date`
    #[serde(rename = "date")]
    Date,
}

/// The type of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Number {
    /// 2 bytes.
    #[serde(rename = "smallint")]
    Smallint,
    /// 4 bytes.
    #[serde(rename = "integer")]
    Integer,
    /// 8 bytes.
    #[serde(rename = "bigint")]
    Bigint,
    /// Decimal of any size.
    #[serde(rename = "numeric")]
    Numeric,
    /// Binary, 4 bytes: taken as the decimal that PostgreSQL prints.
    #[serde(rename = "real")]
    Real,
    /// Binary, 8 bytes: taken as the decimal that PostgreSQL prints.
    #[serde(rename = "double precision")]
    Double,
}

/// The types of an entity's columns, as production names them; `None` for a column that is not there.
#[derive(Debug)]
pub struct Found {
    /// Of the time column.
    pub time: Option<String>,
    /// Of the measures, in their order.
    pub measures: Vec<Option<String>>,
}

/// An entity and the types of its columns. Two that are equal have the same tables, views and files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// What was asked for.
    pub entity: Entity,
    pub(super) time: TimeKind,
    pub(super) measures: Vec<Number>,
}

impl Model {
    /// Of what was asked for and what production has.
    ///
    /// # Errors
    /// Refuses a missing column, a type that cannot be accounted for, and a time zone that is missing or has no effect.
    pub fn new(entity: &Entity, found: &Found) -> Result<Self> {
        let time = time_kind(entity, found.time.as_deref())?;
        let pairs = entity.measures.iter().zip(&found.measures);
        let measures = pairs.map(|(column, found)| number(entity, column, found.as_deref())).collect::<Result<_>>()?;
        Ok(Self { entity: entity.clone(), time, measures })
    }

    /// The entity's name.
    pub fn name(&self) -> &str {
        self.entity.name.name()
    }

    /// Its table of rows, in schema `kalends_raw`.
    pub fn rows(&self) -> &Ident {
        &self.entity.name
    }

    /// The table that holds a month's rows, in schema `kalends_raw`.
    pub fn partition(&self, month: Period) -> Result<Ident> {
        let (year, number, _) = month.first().year_month_day();
        let era = if year < 0 { "bc" } else { "" };
        self.derived(&format!("_{era}{:04}_{number:02}", year.unsigned_abs()))
    }

    /// The table of a level's accounts, in schema `kalends_stats`.
    pub fn accounts(&self, level: Level) -> Result<Ident> {
        self.derived(&format!("_{}", level.word()))
    }

    /// The view that files of a level are made from, in schema `kalends`.
    pub fn view(&self, level: Level) -> Result<Ident> {
        self.derived(&format!("_{}", level.adverb()))
    }

    /// The columns of a level's files.
    pub fn file_columns(&self, level: Level) -> Result<Vec<Column>> {
        columns::of_file(&self.entity, level)
    }

    /// The entity's part of a file's name.
    pub fn file_name(&self) -> String {
        utf8_percent_encode(self.name(), ENCODED).to_string()
    }

    /// Whether bounds of its time column are timestamps without zone; otherwise they are dates.
    pub fn is_of_timestamps(&self) -> bool {
        self.time == TimeKind::Timestamp
    }

    /// The model as statements see it.
    pub fn shape(&self) -> Result<Shape> {
        let levels = [Level::Day, Level::Month, Level::Year].into_iter().map(|level| self.level_shape(level));
        let measures = self.entity.measures.iter().zip(&self.measures).enumerate();
        Ok(Shape::new(&ModelShape {
            name: Literal::new(self.name())?,
            rows: self.entity.name.clone(),
            time: self.entity.time.clone(),
            kind: self.time.kind(),
            zone: Literal::new(self.entity.time_zone.as_deref().unwrap_or("UTC"))?,
            levels: levels.collect::<Result<_>>()?,
            measures: measures
                .map(|(at, (column, &number))| self.measure(at, column, number))
                .collect::<Result<_>>()?,
        }))
    }

    fn level_shape(&self, level: Level) -> Result<LevelShape> {
        Ok(LevelShape {
            word: level.word(),
            table: self.accounts(level)?,
            file_view: self.view(level)?,
            stats_view: self.derived(&format!("_stats_{}", level.adverb()))?,
            columns: self.file_columns(level)?,
            published: self.entity.levels.contains(&level),
        })
    }

    fn measure(&self, at: usize, column: &Ident, number: Number) -> Result<Measure> {
        let label = columns::label(&self.entity, column);
        let named = |statistic: &str| Ident::cut(&format!("{statistic}_{label}"));
        let (hash_a, hash_b) = number.hashes();
        Ok(Measure {
            column: column.clone(),
            alias: Ident::new(format!("measure_{at}"))?,
            kind: number.word(),
            whole: matches!(number, Number::Smallint | Number::Integer | Number::Bigint),
            small: matches!(number, Number::Smallint | Number::Integer),
            binary: matches!(number, Number::Real | Number::Double),
            hash_a,
            hash_b,
            count: named("count")?,
            sum: named("sum")?,
            min: named("min")?,
            max: named("max")?,
        })
    }

    /// A name of the entity's with an ending, cut where it would be too long.
    fn derived(&self, ending: &str) -> Result<Ident> {
        Ident::cut(&format!("{}{ending}", self.name()))
    }

    /// A file's path.
    pub fn path(&self, period: Period) -> String {
        period.path(&self.file_name())
    }
}

/// Whether an object or a file of the first entity would have a name of the second's.
pub(super) fn collide(one: &str, other: &str) -> bool {
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let is_month = |ending: &str| {
        let digits = ending.strip_prefix("_bc").or_else(|| ending.strip_prefix('_')).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let ended = |ending: &str| same(&format!("{one}{ending}"), other);
    same(one, other)
        || ENDINGS.into_iter().any(ended)
        || other.strip_prefix(one).is_some_and(is_month)
        || ENDINGS.iter().any(|a| ENDINGS.iter().any(|b| same(&format!("{one}{a}"), &format!("{other}{b}"))))
}

/// All that statements are filled from; only quoted names, quoted texts and words of ours.
#[derive(Serialize)]
struct ModelShape {
    name: Literal,
    rows: Ident,
    time: Ident,
    kind: &'static str,
    zone: Literal,
    levels: Vec<LevelShape>,
    measures: Vec<Measure>,
}

#[derive(Serialize)]
struct LevelShape {
    word: &'static str,
    table: Ident,
    file_view: Ident,
    stats_view: Ident,
    columns: Vec<Column>,
    published: bool,
}

#[derive(Serialize)]
struct Measure {
    column: Ident,
    alias: Ident,
    kind: &'static str,
    whole: bool,
    small: bool,
    binary: bool,
    hash_a: &'static str,
    hash_b: &'static str,
    count: Ident,
    sum: Ident,
    min: Ident,
    max: Ident,
}

fn time_kind(entity: &Entity, found: Option<&str>) -> Result<TimeKind> {
    let column = entity.time.name();
    let kind = match found.ok_or_else(|| missing(entity, column))? {
        "timestamp without time zone" => TimeKind::Timestamp,
        "timestamp with time zone" => TimeKind::TimestampTz,
        "date" => TimeKind::Date,
        other => {
            return Err(Refusal::refused(
                format!("column \"{column}\" of table {entity} is of type {other}, which says no day"),
                "Name a column of type timestamp, timestamptz or date as time.",
            ));
        }
    };
    match (kind, &entity.time_zone) {
        (TimeKind::TimestampTz, None) => Err(Refusal::refused(
            format!("column \"{column}\" of table {entity} is of type timestamp with time zone"),
            "Say with time_zone in [[entity]] where a day begins and ends, for example \"Europe/Paris\".",
        )),
        (TimeKind::Timestamp | TimeKind::Date, Some(_)) => Err(Refusal::refused(
            format!("column \"{column}\" of table {entity} has no time zone, and a time_zone is set"),
            "Leave time_zone out: days are taken as they are written.",
        )),
        _ => Ok(kind),
    }
}

fn number(entity: &Entity, column: &Ident, found: Option<&str>) -> Result<Number> {
    let column = column.name();
    match found.ok_or_else(|| missing(entity, column))? {
        "smallint" => Ok(Number::Smallint),
        "integer" => Ok(Number::Integer),
        "bigint" => Ok(Number::Bigint),
        "numeric" => Ok(Number::Numeric),
        "real" => Ok(Number::Real),
        "double precision" => Ok(Number::Double),
        other => Err(Refusal::refused(
            format!("column \"{column}\" of table {entity} is of type {other}, which cannot be summed"),
            "Name columns of type smallint, integer, bigint, numeric, real or double precision as measures.",
        )),
    }
}

fn missing(entity: &Entity, column: &str) -> anyhow::Error {
    Refusal::refused(
        format!("table {entity} of production has no column \"{column}\""),
        "Give the column its name back; nothing was read or changed.",
    )
}

impl TimeKind {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::Date => "date",
        }
    }
}

impl Number {
    /// PostgreSQL's name of the type.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Smallint => "smallint",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Numeric => "numeric",
            Self::Real => "real",
            Self::Double => "double precision",
        }
    }

    /// The functions of the two hashes. PostgreSQL folds a bigint's 64 bits to 32 before it hashes; as a double it is
    /// not folded, and what a double cannot tell (neighbours beyond 2^53) does not fold alike.
    fn hashes(self) -> (&'static str, &'static str) {
        match self {
            Self::Smallint => ("hashint2extended", "hashint2extended"),
            Self::Integer => ("hashint4extended", "hashint4extended"),
            Self::Bigint => ("hashint8extended", "hashfloat8extended"),
            Self::Numeric => ("hash_numeric_extended", "hash_numeric_extended"),
            Self::Real => ("hashfloat4extended", "hashfloat4extended"),
            Self::Double => ("hashfloat8extended", "hashfloat8extended"),
        }
    }
}

//! An entity with the types of its columns in production. The warehouse's tables and all statements are made from it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::columns::{self, Column, missing};
use super::declared::Declared;
use super::dimension::{Dimension, FoundType, stored_in};
use super::form::Format;
use super::made::Made;
use super::number::{Number, number};
use super::split::Split;
use super::{Entity, Statistic};
use crate::calendar::{Layout, Level, Period};
use crate::error::{Refusal, Result};
use crate::sql::Ident;

/// Characters of an entity's name that are percent-encoded in a file's name.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// The form of checksums that this version writes into accounts of days. The form of 0.1.0 had blind spots; what it
/// settled is noted without a form.
const CHECKSUM: u8 = 2;

/// The type of a time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeKind {
    /// `timestamp without time zone`, used as it is.
    #[serde(rename = "timestamp without time zone")]
    Timestamp,
    /// `timestamp with time zone`, with the days of the entity's time zone.
    #[serde(rename = "timestamp with time zone")]
    TimestampTz,
    /// `date`
    #[serde(rename = "date")]
    Date,
}

/// The types of an entity's columns, as production names them; `None` for a missing column.
#[derive(Debug, Default)]
pub struct Found {
    /// The time column's.
    pub time: Option<String>,
    /// The measures', in order.
    pub measures: Vec<Option<String>>,
    /// What the measures' types are declared with, in order: `pg_attribute.atttypmod`.
    pub modifiers: Vec<i32>,
    /// The dimensions', in order.
    pub dimensions: Vec<Option<FoundType>>,
}

/// An entity and the types of its columns. Equal models have the same tables, views and files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// What the settings say.
    pub entity: Entity,
    pub(super) time: TimeKind,
    pub(super) measures: Vec<Number>,
    /// What numeric measures declare, in order; empty if none does. Accounts do not depend on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) declared: Vec<Option<Declared>>,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
    #[serde(default = "first_checksum")]
    pub(super) checksum: u8,
    #[serde(skip)]
    pub(super) made: Made,
}

fn first_checksum() -> u8 {
    1
}

impl Model {
    /// From what the settings say and what production has.
    ///
    /// # Errors
    /// Refuses a missing column, a type that cannot be accounted for, and a time zone that is missing or has no effect.
    pub fn new(entity: &Entity, found: &Found) -> Result<Self> {
        let time = time_kind(entity, found.time.as_deref())?;
        let pairs = entity.measures.iter().zip(&found.measures);
        let measures =
            pairs.map(|(column, found)| number(entity, column, found.as_deref())).collect::<Result<Vec<_>>>()?;
        let declared = declared(&measures, &found.modifiers);
        let pairs = entity.dimensions.iter().zip(&found.dimensions);
        let dimensions = pairs.map(|(column, found)| Dimension::new(entity, column, found.as_ref()));
        let dimensions = dimensions.collect::<Result<_>>()?;
        if time == TimeKind::Date && entity.levels.contains(&Level::Hour) {
            return Err(Refusal::refused(
                format!("column \"{}\" of table {entity} is of type date, which has no hours", entity.time.name()),
                "Remove \"hour\" from levels.",
            ));
        }
        let (entity, made) = (entity.clone(), Made::default());
        Ok(Self { entity, time, measures, declared, dimensions, checksum: CHECKSUM, made })
    }

    /// The entity's name.
    pub fn name(&self) -> &str {
        self.entity.name.name()
    }

    /// The time zone of its days.
    pub fn zone(&self) -> &str {
        self.entity.time_zone.as_deref().unwrap_or("UTC")
    }

    /// The table of its rows, in schema `kalends_raw`.
    pub fn rows(&self) -> &Ident {
        &self.entity.name
    }

    /// The table of a month's rows, in schema `kalends_raw`.
    pub fn partition(&self, month: Period) -> Result<Ident> {
        let (year, number, _) = month.first().year_month_day();
        let era = if year < 0 { "bc" } else { "" };
        self.derived(&format!("_{era}{:04}_{number:02}", year.unsigned_abs()))
    }

    /// The table of a level's accounts, in schema `kalends_stats`.
    pub fn accounts(&self, level: Level, split: Split) -> Result<Ident> {
        match split {
            Split::Whole => self.derived(&format!("_{}", level.word())),
            Split::Combinations => self.derived(&format!("_by_{}", level.word())),
        }
    }

    /// The view that a level's files are written from, in schema `kalends`.
    pub fn view(&self, level: Level) -> Result<Ident> {
        self.derived(&format!("_{}", level.adverb()))
    }

    /// The view with the columns of a level's files, in schema `kalends_stats`.
    pub fn stats_view(&self, level: Level) -> Result<Ident> {
        self.derived(&format!("_stats_{}", level.adverb()))
    }

    /// The view that sets a level's sums beside those of other periods, in schema `kalends_stats`.
    pub fn trend_view(&self, level: Level) -> Result<Ident> {
        self.derived(&format!("_trend_{}", level.adverb()))
    }

    /// Whether a level has accounts: days, months and years always, other levels if they are published.
    pub fn keeps(&self, level: Level) -> bool {
        matches!(level, Level::Day | Level::Month | Level::Year) || self.entity.levels.contains(&level)
    }

    /// The tables of accounts that are computed from rows, besides the ledger: of hours, and of combinations.
    pub fn details(&self) -> impl Iterator<Item = (Level, Split)> {
        let hours = self.keeps(Level::Hour).then_some((Level::Hour, Split::Whole));
        let split = !self.dimensions.is_empty();
        let levels = [Level::Hour, Level::Day].into_iter().filter(move |&level| split && self.keeps(level));
        hours.into_iter().chain(levels.map(|level| (level, Split::Combinations)))
    }

    /// The tables of accounts that are sums of other accounts, parts before wholes.
    pub fn sums(&self) -> impl Iterator<Item = (Level, Split)> {
        let combinations = (!self.dimensions.is_empty()).then_some(Split::Combinations);
        let levels = [Level::Week, Level::Month, Level::Quarter, Level::Year];
        levels.into_iter().filter(|&level| self.keeps(level)).flat_map(move |level| {
            [Some(Split::Whole), combinations].into_iter().flatten().map(move |split| (level, split))
        })
    }

    /// Whether there are accounts of hours that depend on time zone data.
    pub fn hours_follow_zone(&self) -> bool {
        self.time == TimeKind::TimestampTz && self.keeps(Level::Hour)
    }

    /// Whether accounts contain sums of squares.
    pub(super) fn keeps_squares(&self) -> bool {
        self.entity.statistics.contains(&Statistic::Stddev)
    }

    /// The measures, each with what follows the statistic in the names of its figures.
    pub fn measure_labels(&self) -> Vec<(String, String)> {
        let measures = self.entity.measures.iter();
        measures.map(|measure| (measure.name().to_string(), columns::label(&self.entity, measure))).collect()
    }

    /// The column of a dimension's texts in the accounts of combinations.
    pub fn dimension_column(&self, at: usize) -> Option<Ident> {
        self.entity.dimensions.get(at).and_then(|column| stored_in(column).ok())
    }

    /// The columns' names of the dimensions, in order.
    pub fn dimension_names(&self) -> Vec<String> {
        self.entity.dimensions.iter().map(|dimension| dimension.name().to_string()).collect()
    }

    /// The columns of a level's files.
    pub fn file_columns(&self, level: Level) -> Result<Vec<Column>> {
        columns::of_file(&self.entity, level)
    }

    /// The column with which views say when a period of a level began.
    pub fn start_column(&self, level: Level) -> Result<String> {
        Ok(columns::beside(&self.file_columns(level)?)?.0.name().to_string())
    }

    /// The entity's part of a file's name.
    pub fn file_name(&self) -> String {
        utf8_percent_encode(self.name(), ENCODED).to_string()
    }

    /// Whether the bounds of its time column are timestamps without time zone; otherwise they are dates.
    pub fn is_of_timestamps(&self) -> bool {
        self.time == TimeKind::Timestamp
    }

    /// The entity's name with an ending, cut if it would be too long.
    fn derived(&self, ending: &str) -> Result<Ident> {
        Ident::cut(&format!("{}{ending}", self.name()))
    }

    /// The path of a period's file.
    pub fn path(&self, period: Period, layout: Layout, format: Format) -> String {
        period.path(layout, &self.file_name(), format.word())
    }
}

/// The endings of all tables and views that an entity can have in the warehouse, except partitions, and except views of
/// trends: no other entity has anything of such a name in their schema.
pub(super) fn endings() -> Vec<String> {
    let of_level = |level: Level| {
        let (word, adverb) = (level.word(), level.adverb());
        [format!("_{word}"), format!("_by_{word}"), format!("_stats_{adverb}"), format!("_{adverb}")]
    };
    Level::ALL.into_iter().flat_map(of_level).collect()
}

fn declared(measures: &[Number], modifiers: &[i32]) -> Vec<Option<Declared>> {
    let declared = measures.iter().zip(modifiers).map(|(number, &modifier)| match number {
        Number::Numeric => Declared::of(modifier),
        _ => None,
    });
    let declared: Vec<_> = declared.collect();
    if declared.iter().any(Option::is_some) { declared } else { Vec::new() }
}

fn time_kind(entity: &Entity, found: Option<&str>) -> Result<TimeKind> {
    let column = entity.time.name();
    let kind = match found.ok_or_else(|| missing(entity, column))? {
        "timestamp without time zone" => TimeKind::Timestamp,
        "timestamp with time zone" => TimeKind::TimestampTz,
        "date" => TimeKind::Date,
        other => {
            return Err(Refusal::refused(
                format!("column \"{column}\" of table {entity} is of type {other}, which is not a date or time"),
                "Name a column of type timestamp, timestamptz or date as time.",
            ));
        }
    };
    match (kind, &entity.time_zone) {
        (TimeKind::TimestampTz, None) => Err(Refusal::refused(
            format!("column \"{column}\" of table {entity} is of type timestamp with time zone"),
            "Add time_zone to its [[entity]], for example time_zone = \"Europe/Paris\".",
        )),
        (TimeKind::Timestamp | TimeKind::Date, Some(_)) => Err(Refusal::refused(
            format!("column \"{column}\" of table {entity} has no time zone, but time_zone is set"),
            "Remove time_zone: days are taken as they are written.",
        )),
        _ => Ok(kind),
    }
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

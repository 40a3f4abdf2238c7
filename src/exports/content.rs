//! What the files should say: accounts as the warehouse's views give them, one header and one row a file.

use std::collections::BTreeMap;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::Type;

use crate::calendar::{Day, Level, Period, Span};
use crate::db::Statement;
use crate::entity::Model;
use crate::error::Result;
use crate::statement;
use crate::warehouse::Reading;

const CONTENTS: Statement = statement!("exports/contents.sql");

/// Which files are meant.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    /// All there are, and all that should be gone.
    Everything,
    /// The days of a month, the month, and its year.
    Month(Period),
}

/// A file as it should be.
#[derive(Debug)]
pub struct Content {
    /// Of which entity.
    pub entity: String,
    /// What it is about.
    pub period: Period,
    /// Rows of the entity that it accounts for.
    pub entity_rows: i64,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// Files as they should be, by path.
pub type Contents = BTreeMap<String, Content>;

impl Scope {
    /// Whether a file of ours, by its path, is meant.
    pub fn covers(self, path: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Month(month) => {
                let folder = |period: Period| {
                    period.path("").rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"))
                };
                let in_year = path.strip_prefix(&folder(month.first().year()));
                in_year.is_some_and(|name| !name.contains('/')) || path.starts_with(&folder(month))
            }
        }
    }

    fn span(self, level: Level) -> Option<Span> {
        match (self, level) {
            (Self::Everything, _) => None,
            (Self::Month(month), Level::Day | Level::Month) => Some(month.span()),
            (Self::Month(month), Level::Year) => Some(month.first().year().span()),
        }
    }
}

/// The files of a scope as they should be, of every entity that was settled. A period without rows has none.
pub async fn contents(reading: &Reading<'_>, scope: Scope) -> Result<Contents> {
    let mut contents = Contents::new();
    for model in reading.entities().await? {
        for &level in &model.entity.levels {
            of_level(reading, &model, level, scope, &mut contents).await?;
        }
    }
    Ok(contents)
}

async fn of_level(
    reading: &Reading<'_>,
    model: &Model,
    level: Level,
    scope: Scope,
    contents: &mut Contents,
) -> Result<()> {
    let span = scope.span(level);
    let (from, until) = (span.map(|span| span.from), span.map(|span| span.until));
    let sql = CONTENTS.with(&[("view", &model.view(level)?)]);
    let columns = model.file_columns(level)?;
    let header: Vec<&str> = columns.iter().map(|column| column.header.as_str()).collect();
    for row in reading.work().query(sql, &[(&from, Type::DATE), (&until, Type::DATE)]).await? {
        let first: Day = row.get("period");
        let period = Period::new(level, first).with_context(|| format!("{first} starts no {level:?}"))?;
        let bytes = csv(&header, &row.get::<_, Vec<Option<&str>>>("fields"))?;
        let content = Content { entity: model.name().to_string(), period, entity_rows: row.get("rows"), bytes };
        contents.insert(model.path(period), content);
    }
    Ok(())
}

/// Header and row, as RFC 4180 has them but for the line ends, which are LF. NULL is an empty field.
fn csv(header: &[&str], fields: &[Option<&str>]) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(header)?;
    writer.write_record(fields.iter().map(|field| field.unwrap_or_default()))?;
    Ok(writer.into_inner()?)
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_covers_its_days_itself_and_its_year_only() {
        let january = Scope::Month(Day::new(2023, 1, 1).unwrap().month());
        assert!(january.covers("year=2023/month=1/day=9/entity_stats_daily_2023_1_9.csv"));
        assert!(january.covers("year=2023/month=1/entity_stats_monthly_2023_1.csv"));
        assert!(january.covers("year=2023/entity_stats_yearly_2023.csv"));
        assert!(!january.covers("year=2023/month=12/entity_stats_monthly_2023_12.csv"));
        assert!(!january.covers("year=2024/entity_stats_yearly_2024.csv"));
    }

    #[test]
    fn sha256_is_as_published() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

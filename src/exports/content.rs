//! What the files should contain: a header, and accounts as the warehouse's views show them.

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::Type;

use super::columns::Columns;
use super::formed::Formed;
use super::rendering::Rendering;
use crate::calendar::{Layout, Level, Period, Span};
use crate::db::{Row, Start};
use crate::entity::{Format, Model};
use crate::error::{Refusal, Result};
use crate::sql::Statement;
use crate::statement;
use crate::warehouse::Reading;

const ANYTHING: Statement = statement!("exports/anything.sql");
const CONTENTS: Statement = statement!("exports/contents.sql");

/// Which files a command is about.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    /// All, with those that are to be removed.
    Everything,
    /// The hours and days of a month, the month, and the weeks, the quarter and the year that it touches.
    Month(Period),
}

/// Which periods' files a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Closed and open ones.
    All,
    /// Only closed ones, which had ended when the entity was proven equal to production. Files of open ones are left as
    /// they are.
    Closed,
}

/// A file as it should be.
#[derive(Debug)]
pub struct Content {
    /// Its entity.
    pub entity: String,
    /// Its period.
    pub period: Period,
    /// Its format.
    pub format: Format,
    /// Lines without the header.
    pub lines: u64,
    /// Rows of the entity that it accounts for.
    pub entity_rows: i64,
    /// Whether the period had ended when the warehouse was proven equal to production.
    pub closed: bool,
    /// The whole file.
    pub bytes: Vec<u8>,
}

impl Scope {
    /// Whether the scope includes a file of ours, by its path.
    pub fn covers(self, path: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Month(month) => {
                let quarter = month.first().period(Level::Quarter);
                let weeks = std::iter::successors(Some(month.first().period(Level::Week)), |week| {
                    let next = week.span().until;
                    month.span().contains(next).then(|| next.period(Level::Week))
                });
                let (layout, path) = Layout::of(path);
                let in_folder = |period: Period| path.strip_prefix(&period.folder(layout));
                let is_right_in = |period| in_folder(period).is_some_and(|name| !name.contains('/'));
                in_folder(month).is_some()
                    || is_right_in(month.first().year())
                    || is_right_in(quarter)
                    || weeks.into_iter().any(is_right_in)
            }
        }
    }

    /// The days on which the scope's periods of a level begin.
    pub(super) fn span(self, level: Level) -> Option<Span> {
        let Self::Month(month) = self else { return None };
        let days = month.span();
        Some(match level {
            Level::Hour | Level::Day | Level::Month => days,
            Level::Week => Span { from: days.from.period(level).first(), until: days.until },
            Level::Quarter | Level::Year => days.from.period(level).span(),
        })
    }
}

/// Renders each file of some spans of periods as it should be, and passes it to `take`, one after the other. A period
/// without rows has no file.
///
/// Only the files of one period are in memory at a time.
pub(super) async fn each(
    reading: &Reading<'_>,
    entities: &[Formed],
    spans: impl Fn(&Model, Level) -> Vec<Option<Span>>,
    mut take: impl FnMut(&Formed, Content) -> Result<()>,
) -> Result<()> {
    for entity in entities {
        let (model, formats) = (&entity.model, &entity.form.formats);
        for &level in &model.entity.levels {
            for span in spans(model, level) {
                of_level(reading, (model, formats), level, span, &mut |content| take(entity, content)).await?;
            }
        }
    }
    Ok(())
}

/// Whether there is any file of a scope. Asks for one period, and renders none.
pub(super) async fn any(reading: &Reading<'_>, scope: Scope, which: Which) -> Result<bool> {
    if !reading.prepared {
        return Ok(false);
    }
    for model in reading.entities().await? {
        for &level in &model.entity.levels {
            let span = scope.span(level);
            let (from, until) = (span.map(|span| span.from), span.map(|span| span.until));
            let sql = ANYTHING.with(&[("view", &model.view(level)?)])?;
            let parameters =
                [(&from as _, Type::DATE), (&until as _, Type::DATE), (&(which == Which::All) as _, Type::BOOL)];
            let row = reading.work().query_one(sql, &parameters).await?;
            if row.is_some_and(|row| row.get("found").unwrap_or(false)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Renders one file again; `None` if its period has no rows.
pub(super) async fn one(
    reading: &Reading<'_>,
    model: &Model,
    period: Period,
    format: Format,
) -> Result<Option<Content>> {
    let mut found = None;
    let mut take = |content: Content| {
        // The hours of a day come together.
        found = if content.period == period { Some(content) } else { found.take() };
        Ok(())
    };
    of_level(reading, (model, &[format]), period.level(), Some(period.span()), &mut take).await?;
    Ok(found)
}

async fn of_level(
    reading: &Reading<'_>,
    (model, formats): (&Model, &[Format]),
    level: Level,
    span: Option<Span>,
    take: &mut impl FnMut(Content) -> Result<()>,
) -> Result<()> {
    let (from, until) = (span.map(|span| span.from), span.map(|span| span.until));
    let sql = CONTENTS.of(&model.shape_of_files(level)?.with(&[("view", &model.view(level)?)]))?;
    let columns = Columns::of(model, level)?;
    let mut rows = reading.work().stream(&sql, &[(&from, Type::DATE), (&until, Type::DATE)]).await?;
    let mut open: Option<Open> = None;
    while let Some(row) = rows.next().await? {
        let start: Start = row.get("period")?;
        check_arrived(&row, start)?;
        let period = start.period(level)?;
        if open.as_ref().is_none_or(|open| open.period != period) {
            open.take().map_or(Ok(()), |open| open.end(&columns, take))?;
        }
        let of_period = match &mut open {
            Some(of_period) => of_period,
            None => open.insert(Open::begin(&columns, formats, period, row.get("closed")?)?),
        };
        of_period.line(&columns, row.get("rows")?, &row.get::<Vec<Option<&str>>>("fields")?)?;
    }
    open.take().map_or(Ok(()), |open| open.end(&columns, take))
}

/// The files of a period, in all formats, while their lines arrive.
struct Open {
    period: Period,
    lines: u64,
    entity_rows: i64,
    closed: bool,
    files: Vec<(Format, Rendering)>,
}

impl Open {
    fn begin(columns: &Columns, formats: &[Format], period: Period, closed: bool) -> Result<Self> {
        let begun = |&format| Ok((format, Rendering::begin(format, columns, period)?));
        let files = formats.iter().map(begun).collect::<Result<_>>()?;
        Ok(Self { period, lines: 0, entity_rows: 0, closed, files })
    }

    fn line(&mut self, columns: &Columns, rows: i64, fields: &[Option<&str>]) -> Result<()> {
        self.lines += 1;
        let rows = self.entity_rows.checked_add(rows);
        self.entity_rows = rows.context("a file accounts for more rows than there can be")?;
        self.files.iter_mut().try_for_each(|(_, file)| file.line(columns, fields))
    }

    fn end(self, columns: &Columns, take: &mut impl FnMut(Content) -> Result<()>) -> Result<()> {
        let Self { period, lines, entity_rows, closed, files } = self;
        files.into_iter().try_for_each(|(format, file)| {
            let entity = columns.entity.clone();
            take(Content { entity, period, format, lines, entity_rows, closed, bytes: file.end()? })
        })
    }
}

/// Checks that a row is as the server sent it.
fn check_arrived(row: &Row, start: Start) -> Result<()> {
    let fields = row.get::<Vec<Option<&str>>>("fields")?;
    let fields: Vec<&str> = fields.into_iter().map(|field| field.unwrap_or("\x1e")).collect();
    let (rows, closed, fields): (i64, bool, _) = (row.get("rows")?, row.get("closed")?, fields.join("\x1f"));
    let said = format!("{} {} {rows} {closed} {fields}", start.days, start.hour);
    if row.get::<&[u8]>("digest")? == Sha256::digest(said).as_slice() {
        return Ok(());
    }
    Err(Refusal::failed(
        "the content of a file was altered on its way from the warehouse",
        "Encrypt the connection or check the network, then try again.",
    ))
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// A digest in hexadecimal digits.
pub(super) fn hexadecimal(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(64), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Day;

    #[test]
    fn a_month_covers_its_days_itself_and_what_it_touches_only() {
        let january = Scope::Month(Day::new(2023, 1, 1).unwrap().month());
        assert!(january.covers("year=2023/month=1/day=9/entity_stats_daily_2023_1_9.csv"));
        assert!(january.covers("year=2023/month=1/entity_stats_monthly_2023_1.csv"));
        assert!(january.covers("year=2023/entity_stats_yearly_2023.csv"));
        assert!(january.covers("year=2023/month=1/day=9/hour=5/entity_stats_hourly_2023_1_9_5.csv"));
        assert!(january.covers("year=2023/quarter=1/entity_stats_quarterly_2023_1.csv"));
        assert!(!january.covers("year=2023/quarter=2/entity_stats_quarterly_2023_2.csv"));
        for (week, covered) in [("2022/week=51", false), ("2022/week=52", true), ("2023/week=1", true)] {
            assert_eq!(january.covers(&format!("iso_year={week}/entity_stats_weekly_x.csv")), covered, "{week}");
        }
        for (week, covered) in [("2023/week=5", true), ("2023/week=6", false)] {
            assert_eq!(january.covers(&format!("iso_year={week}/entity_stats_weekly_x.csv")), covered, "{week}");
        }
        assert!(!january.covers("year=2023/month=12/entity_stats_monthly_2023_12.csv"));
        assert!(!january.covers("year=2024/entity_stats_yearly_2024.csv"));
        for (path, covered) in [
            ("daily/year=2023/month=01/e_stats_daily_2023_01_09.csv", true),
            ("hourly/year=2023/month=01/e_stats_hourly_2023_01_09_05.csv", true),
            ("monthly/year=2023/month=01/e_stats_monthly_2023_01.csv", true),
            ("monthly/year=2023/month=02/e_stats_monthly_2023_02.csv", false),
            ("weekly/iso_year=2022/week=52/e_stats_weekly_2022_52.csv", true),
            ("weekly/iso_year=2022/week=51/e_stats_weekly_2022_51.csv", false),
            ("quarterly/year=2023/quarter=1/e_stats_quarterly_2023_1.csv", true),
            ("yearly/year=2023/e_stats_yearly_2023.csv", true),
            ("yearly/year=2022/e_stats_yearly_2022.csv", false),
        ] {
            assert_eq!(january.covers(&format!("e/csv/{path}")), covered, "{path}");
        }
    }

    #[test]
    fn sha256_is_as_published() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

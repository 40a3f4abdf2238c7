//! The figures of all periods as tables. Each picture is drawn from one of them.

use serde::Serialize;

use super::facts::{DAYS_OF_HOURS, Facts};
use super::figures::{Figure, shown};
use crate::calendar::{Level, Period};
use crate::entity::Split;
use crate::error::Result;
use crate::report::count;
use crate::show::Shown;
use crate::sql::Filling as _;

/// The periods of a level.
#[derive(Serialize)]
pub(super) struct Table {
    level: &'static str,
    title: String,
    head: Vec<String>,
    /// Days are shown by year; the newest group comes first.
    groups: Vec<Group>,
    /// Where the same figures are in the warehouse.
    sql: String,
}

#[derive(Serialize)]
struct Group {
    title: String,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    period: String,
    is_open: bool,
    /// How often days of it were restated.
    restated: i64,
    /// The period, its rows and its figures.
    cells: Vec<String>,
}

impl Table {
    /// The tables of all levels that are kept, years first.
    pub(super) fn all(facts: &Facts, figures: &[Figure]) -> Result<Vec<Self>> {
        let levels = Level::ALL.into_iter().rev().filter(|level| facts.levels.contains_key(level));
        levels.map(|level| Self::of(facts, figures, level)).collect()
    }

    fn of(facts: &Facts, figures: &[Figure], level: Level) -> Result<Self> {
        let model = &facts.model;
        let mut groups: Vec<Group> = Vec::new();
        for one in facts.of(level) {
            let title = match level {
                Level::Day => one.period.first().year().to_string(),
                _ => String::new(),
            };
            if groups.last().is_none_or(|group| group.title != title) {
                groups.push(Group { title, rows: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                group.rows.push(row(facts, figures, one));
            }
        }
        groups.reverse();
        let is_published = model.entity.levels.contains(&level);
        let source = match is_published {
            true => model.stats_view(level)?,
            false => model.accounts(level, Split::Whole)?,
        };
        let title = match level {
            Level::Hour => format!("Hours of the last {DAYS_OF_HOURS} days"),
            level => format!("{}s", capital(level.word())),
        };
        Ok(Self {
            level: level.word(),
            title,
            head: [level.word(), "rows"]
                .into_iter()
                .chain(figures.iter().map(|figure| figure.name.as_str()))
                .chain(["state"])
                .map(str::to_string)
                .collect(),
            groups,
            sql: format!("SELECT * FROM kalends_stats.{} ORDER BY {}", source.filled(), places(level, is_published)),
        })
    }
}

/// The places of the columns that tell a period, in a view or a table.
fn places(level: Level, is_view: bool) -> &'static str {
    match level {
        _ if !is_view => "1",
        Level::Hour => "1, 2, 3, 4",
        Level::Day => "1, 2, 3",
        Level::Week | Level::Month | Level::Quarter => "1, 2",
        Level::Year => "1",
    }
}

fn row(facts: &Facts, figures: &[Figure], one: &Shown) -> Row {
    let span = one.period.span();
    let times = |period: Period| match period.level() {
        Level::Hour => 0,
        _ => facts.restated.range(span.from..span.until).map(|(_, times)| times).sum(),
    };
    Row {
        period: one.period.to_string(),
        is_open: !facts.is_closed(one.period),
        restated: times(one.period),
        cells: [one.period.to_string(), count(one.said.rows)]
            .into_iter()
            .chain(figures.iter().map(|figure| shown(figure.text(&one.said))))
            .collect(),
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

//! Hours to years, half-open spans of days, and the paths of periods. Pure: no clock, no time zone, no I/O.
//!
//! A period is named by its first day, and an hour by its day and number, as in the warehouse. Years are labelled as
//! PostgreSQL and people do: there is no year 0, the year before 1 is -1 (1 BC), so 44 BC is -44.

mod layout;
mod level;
mod parse;

use std::fmt;

pub use layout::Layout;
pub use level::Level;
use serde::{Serialize, Serializer};
use time::{Date, Month as MonthName};

/// The Julian day number of 2000-01-01, from which PostgreSQL counts its dates.
const JULIAN_DAY_OF_2000: i32 = 2_451_545;

/// 4713 BC, the first year whose every day PostgreSQL can name.
const FIRST_ASTRONOMICAL_YEAR: i32 = -4712;

/// The last year that is followed by one that [`Date`] can name: a year ends when the next one begins.
const FINAL_ASTRONOMICAL_YEAR: i32 = 999_998;

/// A day of the proleptic Gregorian calendar, counted from 2000-01-01 like PostgreSQL's `date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// An hour, day, week, month, quarter or year: its level and its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    level: Level,
    first: Day,
    /// 0 to 23 for an hour, otherwise 0.
    hour: u8,
}

/// The days from `from` until before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first day of the span.
    pub from: Day,
    /// The day after the span.
    pub until: Day,
}

impl Day {
    /// The day of a labelled year (negative: BC), a month (1 to 12) and a day of the month; `None` if it does not
    /// exist, or is one that [`Day::from_postgres`] excludes.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let astronomical = match year {
            0 => return None,
            1.. => year,
            _ => year + 1,
        };
        let date = Date::from_calendar_date(astronomical, MonthName::try_from(month).ok()?, day).ok()?;
        Self::from_postgres(date.to_julian_day() - JULIAN_DAY_OF_2000)
    }

    /// The day that PostgreSQL sends as `days` since 2000-01-01; `None` for `infinity` and `-infinity`, for the 38 days
    /// of 4714 BC that a timestamp can have (their year and month start before PostgreSQL's first date), and for days
    /// beyond the year 999998, which no timestamp has.
    pub fn from_postgres(days: i32) -> Option<Self> {
        let date = Date::from_julian_day(days.checked_add(JULIAN_DAY_OF_2000)?).ok()?;
        (FIRST_ASTRONOMICAL_YEAR..=FINAL_ASTRONOMICAL_YEAR).contains(&date.year()).then_some(Self(days))
    }

    /// Days since 2000-01-01.
    pub fn to_postgres(self) -> i32 {
        self.0
    }

    /// As the calendar library's type.
    fn date(self) -> Date {
        Date::from_julian_day(self.0 + JULIAN_DAY_OF_2000).expect("a Day is made from a valid date only")
    }

    /// The labelled year (never 0), the month (1 to 12) and the day of the month (1 to 31).
    pub fn year_month_day(self) -> (i32, u8, u8) {
        let date = self.date();
        (labelled(date.year()), date.month().into(), date.day())
    }

    /// The labelled year (never 0) and the number (1 to 53) of the day's week, by ISO 8601.
    pub fn year_week(self) -> (i32, u8) {
        let (year, week, _) = self.date().to_iso_week_date();
        (labelled(year), week)
    }

    /// The day after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The day this many days later, or earlier if negative.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// The period of a level that contains the day; of hours, the day's first.
    pub fn period(self, level: Level) -> Period {
        let date = self.date();
        let (_, month, day) = self.year_month_day();
        let in_quarter = || {
            let first = MonthName::try_from((month - 1) / 3 * 3 + 1).expect("1, 4, 7 and 10 are months");
            date.ordinal() - Date::from_calendar_date(date.year(), first, 1).map_or(1, Date::ordinal)
        };
        let days_before = match level {
            Level::Hour | Level::Day => 0,
            Level::Week => i32::from(date.weekday().number_days_from_monday()),
            Level::Month => i32::from(day) - 1,
            Level::Quarter => i32::from(in_quarter()),
            Level::Year => i32::from(date.ordinal()) - 1,
        };
        Period { level, first: Self(self.0 - days_before), hour: 0 }
    }

    /// The month that contains the day.
    pub fn month(self) -> Period {
        self.period(Level::Month)
    }

    /// The year that contains the day.
    pub fn year(self) -> Period {
        self.period(Level::Year)
    }
}

/// The year as people label it, from the astronomical one, which has a year 0.
fn labelled(year: i32) -> i32 {
    if year <= 0 { year - 1 } else { year }
}

impl Period {
    /// The period of a level that starts on `first`; `None` if none does.
    pub fn new(level: Level, first: Day) -> Option<Self> {
        let period = first.period(level);
        (period.first == first).then_some(period)
    }

    /// The period that starts `days` after 2000-01-01, at an hour, as PostgreSQL counts; `None` if none does.
    pub fn from_postgres(level: Level, days: i32, hour: u8) -> Option<Self> {
        // A week of the first January may begin before it, and one of the last December may end after it.
        let inside = match level {
            Level::Week => Day::from_postgres(days).or_else(|| Day::from_postgres(days.checked_add(6)?)),
            _ => Day::from_postgres(days),
        };
        let period = Self { hour, ..inside?.period(level) };
        (period.first.0 == days && hour < 24 && (hour == 0 || level == Level::Hour)).then_some(period)
    }

    /// Its level.
    pub fn level(self) -> Level {
        self.level
    }

    /// Its first day.
    pub fn first(self) -> Day {
        self.first
    }

    /// 0 to 23 for an hour, otherwise 0.
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// Its days; for an hour, its day.
    pub fn span(self) -> Span {
        // This many days after the first lie in the next month, quarter and year.
        let until = match self.level {
            Level::Hour | Level::Day => self.first.next(),
            Level::Week => Day(self.first.0 + 7),
            Level::Month => Day(self.first.0 + 31).month().first,
            Level::Quarter => Day(self.first.0 + 92).period(Level::Quarter).first,
            Level::Year => Day(self.first.0 + 366).year().first,
        };
        Span { from: self.first, until }
    }

    /// The path of an entity's file, relative to the export folder, with `/` between folders. Paths are made only here.
    pub fn path(self, layout: Layout, entity: &str, ending: &str) -> String {
        let (adverb, folder) = (self.level.adverb(), self.folder(layout));
        let numbers: Vec<String> =
            self.numbers().iter().map(|&(_, number, digits)| layout.number(number, digits)).collect();
        let name = format!("{entity}_stats_{adverb}_{}.{ending}", numbers.join("_"));
        match layout {
            Layout::Tree => format!("{folder}{name}"),
            Layout::Hive => format!("{entity}/{ending}/{adverb}/{folder}{name}"),
        }
    }

    /// The folder of its files, with a `/` at the end: relative to the export folder, or to that of the level.
    pub fn folder(self, layout: Layout) -> String {
        let numbers = self.numbers().into_iter().take(layout.folders());
        numbers.map(|(name, number, digits)| format!("{name}={}/", layout.number(number, digits))).collect()
    }

    /// The numbers that name the period in a path, each with its name and its usual number of digits.
    fn numbers(self) -> Vec<(&'static str, i32, usize)> {
        let (year, month, day) = self.first.year_month_day();
        let (iso_year, week) = self.first.year_week();
        let (year, iso_year) = (("year", year, 4), ("iso_year", iso_year, 4));
        let two = |name, number: u8| (name, i32::from(number), 2);
        let month_of_year = two("month", month);
        match self.level {
            Level::Hour => vec![year, month_of_year, two("day", day), two("hour", self.hour)],
            Level::Day => vec![year, month_of_year, two("day", day)],
            Level::Week => vec![iso_year, two("week", week)],
            Level::Month => vec![year, month_of_year],
            Level::Quarter => vec![year, ("quarter", i32::from(month.div_ceil(3)), 1)],
            Level::Year => vec![year],
        }
    }
}

impl Span {
    /// A day of the span that is in the calendar. The first and the last week begin or end outside of it.
    pub fn day_inside(self) -> Day {
        Day::from_postgres(self.from.0).unwrap_or(Day(self.until.0 - 1))
    }

    /// Whether the span contains the day.
    pub fn contains(self, day: Day) -> bool {
        self.from <= day && day < self.until
    }
}

/// As people write it: `2023-03-01`, `12024-01-01`, `-0044-03-15` (44 BC).
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(f, Period { level: Level::Day, first: *self, hour: 0 })
    }
}

/// As people write it: `2023-03-01T05`, `2023-03-01`, `2023-W09`, `2023-03`, `2023-Q1` or `2023`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(f, *self)
    }
}

fn write_date(f: &mut fmt::Formatter<'_>, period: Period) -> fmt::Result {
    let (year, month, day) = period.first.year_month_day();
    let (iso_year, week) = period.first.year_week();
    let year = if period.level == Level::Week { iso_year } else { year };
    // Four digits, as ISO 8601 writes a year, after the sign of a year BC.
    let sign = if year < 0 { "-" } else { "" };
    write!(f, "{sign}{:04}", year.unsigned_abs())?;
    match period.level {
        Level::Hour => write!(f, "-{month:02}-{day:02}T{:02}", period.hour),
        Level::Day => write!(f, "-{month:02}-{day:02}"),
        Level::Week => write!(f, "-W{week:02}"),
        Level::Month => write!(f, "-{month:02}"),
        Level::Quarter => write!(f, "-Q{}", month.div_ceil(3)),
        Level::Year => Ok(()),
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;

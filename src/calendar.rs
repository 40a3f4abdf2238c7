//! Days, months and years, half-open spans of days, and the paths of periods. Pure: no clock, no time zone, no I/O.
//!
//! A period is named by its first day, as in the warehouse. Years are labelled as PostgreSQL and people do: there is no
//! year 0, the year before 1 is -1 (1 BC), so 44 BC is -44.

mod parse;

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use time::{Date, Month as MonthName};

/// The Julian day number of 2000-01-01, from which PostgreSQL counts its dates.
const JULIAN_DAY_OF_2000: i32 = 2_451_545;

/// 4713 BC, the first year whose every day PostgreSQL can name.
const FIRST_ASTRONOMICAL_YEAR: i32 = -4712;

/// A day of the proleptic Gregorian calendar, counted from 2000-01-01, as PostgreSQL's `date` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// What a period covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// One day.
    Day,
    /// One calendar month.
    Month,
    /// One calendar year.
    Year,
}

/// A day, month or year: its level and its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    level: Level,
    first: Day,
}

/// The days from `from` on and before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first day of the span.
    pub from: Day,
    /// The day after the span.
    pub until: Day,
}

impl Level {
    /// The level as one word, as in the warehouse and the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// How often, as in the names of files and views.
    pub fn adverb(self) -> &'static str {
        match self {
            Self::Day => "daily",
            Self::Month => "monthly",
            Self::Year => "yearly",
        }
    }
}

impl Day {
    /// The day of a labelled year (negative: BC), a month (1 to 12) and a day of the month; `None` where there is none.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let astronomical = match year {
            0 => return None,
            1.. => year,
            _ => year + 1,
        };
        let date = Date::from_calendar_date(astronomical, MonthName::try_from(month).ok()?, day).ok()?;
        Some(Self(date.to_julian_day() - JULIAN_DAY_OF_2000))
    }

    /// The day that PostgreSQL sends as `days` since 2000-01-01; `None` for `infinity` and `-infinity`, for the 38 days of
    /// 4714 BC that a timestamp can have (their year and month start before PostgreSQL's first date), and for days beyond
    /// the year 999999, which no timestamp has.
    pub fn from_postgres(days: i32) -> Option<Self> {
        let date = Date::from_julian_day(days.checked_add(JULIAN_DAY_OF_2000)?).ok()?;
        (date.year() >= FIRST_ASTRONOMICAL_YEAR).then_some(Self(days))
    }

    /// Days since 2000-01-01.
    pub fn to_postgres(self) -> i32 {
        self.0
    }

    /// The labelled year (never 0), the month (1 to 12) and the day of the month (1 to 31).
    pub fn year_month_day(self) -> (i32, u8, u8) {
        let date = Date::from_julian_day(self.0 + JULIAN_DAY_OF_2000).expect("a Day is made from a valid date only");
        let year = if date.year() <= 0 { date.year() - 1 } else { date.year() };
        (year, date.month().into(), date.day())
    }

    /// The day after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The month that the day is in.
    pub fn month(self) -> Period {
        let (_, _, day) = self.year_month_day();
        Period { level: Level::Month, first: Self(self.0 - i32::from(day) + 1) }
    }

    /// The year that the day is in.
    pub fn year(self) -> Period {
        let date = Date::from_julian_day(self.0 + JULIAN_DAY_OF_2000).expect("a Day is made from a valid date only");
        Period { level: Level::Year, first: Self(self.0 - i32::from(date.ordinal()) + 1) }
    }
}

impl Period {
    /// The period of a level that starts on `first`; `None` where none does.
    pub fn new(level: Level, first: Day) -> Option<Self> {
        let period = match level {
            Level::Day => Self { level, first },
            Level::Month => first.month(),
            Level::Year => first.year(),
        };
        (period.first == first).then_some(period)
    }

    /// What it covers.
    pub fn level(self) -> Level {
        self.level
    }

    /// Its first day.
    pub fn first(self) -> Day {
        self.first
    }

    /// Its days.
    pub fn span(self) -> Span {
        // 31 days after the first of a month lie in the next month, 366 after the first of a year in the next year.
        let until = match self.level {
            Level::Day => self.first.next(),
            Level::Month => Day(self.first.0 + 31).month().first,
            Level::Year => Day(self.first.0 + 366).year().first,
        };
        Span { from: self.first, until }
    }

    /// An entity's file, relative to the export folder, with `/` between folders: the only place where a path is made.
    pub fn path(self, entity: &str) -> String {
        let (year, month, day) = self.first.year_month_day();
        match self.level {
            Level::Day => format!("year={year}/month={month}/day={day}/{entity}_stats_daily_{year}_{month}_{day}.csv"),
            Level::Month => format!("year={year}/month={month}/{entity}_stats_monthly_{year}_{month}.csv"),
            Level::Year => format!("year={year}/{entity}_stats_yearly_{year}.csv"),
        }
    }
}

impl Span {
    /// Whether the day is one of the span's.
    pub fn contains(self, day: Day) -> bool {
        self.from <= day && day < self.until
    }
}

/// As people write it: `2023-03-01`, `12024-01-01`, `-0044-03-15` (44 BC).
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(f, Level::Day, *self)
    }
}

/// As people write it: `2023-03-01`, `2023-03` or `2023`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(f, self.level, self.first)
    }
}

fn write_date(f: &mut fmt::Formatter<'_>, level: Level, first: Day) -> fmt::Result {
    let (year, month, day) = first.year_month_day();
    // Four digits, as ISO 8601 writes a year, behind the sign of a year BC.
    let sign = if year < 0 { "-" } else { "" };
    write!(f, "{sign}{:04}", year.unsigned_abs())?;
    match level {
        Level::Day => write!(f, "-{month:02}-{day:02}"),
        Level::Month => write!(f, "-{month:02}"),
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
mod tests {
    use super::*;

    fn day(year: i32, month: u8, day: u8) -> Day {
        Day::new(year, month, day).unwrap()
    }

    #[test]
    fn paths_are_not_padded_and_name_bc_and_five_digit_years() {
        let paths = |day: Day| {
            [
                Period::new(Level::Day, day).unwrap().path("entity"),
                day.month().path("entity"),
                day.year().path("entity"),
            ]
        };
        assert_eq!(
            paths(day(2023, 1, 9)),
            [
                "year=2023/month=1/day=9/entity_stats_daily_2023_1_9.csv",
                "year=2023/month=1/entity_stats_monthly_2023_1.csv",
                "year=2023/entity_stats_yearly_2023.csv",
            ]
        );
        assert_eq!(day(-44, 3, 15).year().path("entity"), "year=-44/entity_stats_yearly_-44.csv");
        assert_eq!(day(44, 3, 15).year().path("entity"), "year=44/entity_stats_yearly_44.csv");
        assert_eq!(day(12024, 12, 31).month().path("entity"), "year=12024/month=12/entity_stats_monthly_12024_12.csv");
    }

    #[test]
    fn every_day_of_a_thousand_years_is_in_its_own_month_and_year() {
        for days in day(-300, 1, 1).0..day(700, 1, 1).0 {
            let here = Day(days);
            let (year, month, date) = here.year_month_day();
            assert_eq!(day(year, month, date), here);
            assert_eq!(here.month().first(), day(year, month, 1));
            assert_eq!(here.year().first(), day(year, 1, 1));
            assert!(here.month().span().contains(here) && here.year().span().contains(here));
        }
    }

    #[test]
    fn a_span_ends_where_the_next_period_starts() {
        assert_eq!(day(2024, 2, 29).month().span(), Span { from: day(2024, 2, 1), until: day(2024, 3, 1) });
        assert_eq!(day(1900, 2, 28).next(), day(1900, 3, 1));
        assert_eq!(day(-1, 12, 31).year().span(), Span { from: day(-1, 1, 1), until: day(1, 1, 1) });
        assert_eq!(day(2023, 12, 31).month().span().until, day(2024, 1, 1));
        assert_eq!(day(2024, 5, 5).year().span().until, day(2025, 1, 1));
    }

    #[test]
    fn postgres_counts_from_2000_and_infinity_is_no_day() {
        assert_eq!(day(2000, 1, 1).to_postgres(), 0);
        assert_eq!(day(1970, 1, 1).to_postgres(), -10957);
        assert_eq!(Day::from_postgres(i32::MAX), None);
        assert_eq!(Day::from_postgres(i32::MIN), None);
        let first = day(-4713, 1, 1).to_postgres();
        assert!(Day::from_postgres(first).is_some() && Day::from_postgres(first - 1).is_none());
        assert_eq!(Day::new(0, 1, 1), None);
        assert_eq!(Period::new(Level::Month, day(2023, 1, 2)), None);
    }

    #[test]
    fn days_and_periods_read_as_people_write_them() {
        assert_eq!(day(2023, 3, 1).to_string(), "2023-03-01");
        assert_eq!(day(-44, 3, 15).to_string(), "-0044-03-15");
        assert_eq!(day(2023, 3, 1).month().to_string(), "2023-03");
    }
}

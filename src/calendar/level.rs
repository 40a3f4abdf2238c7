//! The levels of periods.

use serde::{Deserialize, Serialize};

/// What a period covers: its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// One hour of the wall clock.
    Hour,
    /// One day.
    Day,
    /// One week of ISO 8601: Monday to Sunday. It belongs to the year that contains its Thursday.
    Week,
    /// One calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// One calendar year.
    Year,
}

impl Level {
    /// All levels.
    pub const ALL: [Self; 6] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// The level whose accounts are summed for this one; `None` for hours and days, which are computed from rows.
    pub fn part(self) -> Option<Self> {
        match self {
            Self::Hour | Self::Day => None,
            Self::Week | Self::Month => Some(Self::Day),
            Self::Quarter | Self::Year => Some(Self::Month),
        }
    }

    /// The level as one word, as in the warehouse and the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// How often, as in the names of files and views.
    pub fn adverb(self) -> &'static str {
        match self {
            Self::Hour => "hourly",
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Quarter => "quarterly",
            Self::Year => "yearly",
        }
    }
}

//! Days as they are sent to and from a server.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use crate::calendar::{Day, Level, Period};
use crate::error::{Refusal, Result};

/// A `date` of the server: a day, or one of the two infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnyDate(i32);

impl AnyDate {
    /// The day; `None` for an infinity.
    pub fn day(self) -> Option<Day> {
        Day::from_postgres(self.0)
    }

    /// Days since 2000-01-01, as the server counts.
    pub fn days(self) -> i32 {
        self.0
    }

    /// Its position among dates, as a server sorts them.
    pub fn sorted(self) -> i64 {
        i64::from(self.0)
    }
}

impl FromSql<'_> for AnyDate {
    fn from_sql(_type: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(i32::from_be_bytes(raw.try_into()?)))
    }

    accepts!(DATE);
}

impl FromSql<'_> for Day {
    fn from_sql(kind: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        AnyDate::from_sql(kind, raw)?.day().ok_or_else(|| "an infinite date is not a day".into())
    }

    accepts!(DATE);
}

impl ToSql for Day {
    fn to_sql(&self, _type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i32(self.to_postgres());
        Ok(IsNull::No)
    }

    accepts!(DATE);
    to_sql_checked!();
}

/// When a period starts, as a `date` or, for an hour, a `timestamp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Days since 2000-01-01.
    pub days: i32,
    /// Whole hours of that day.
    pub hour: u8,
}

impl Start {
    /// The period of a level that starts then.
    ///
    /// # Errors
    /// If none does: only a person can have written that.
    pub fn period(self, level: Level) -> Result<Period> {
        Period::from_postgres(level, self.days, self.hour).ok_or_else(|| {
            let hours = i64::from(self.days) * 24 + i64::from(self.hour);
            Refusal::failed(
                format!(
                    "the warehouse has an account of a {} that starts {hours} hours after 2000-01-01",
                    level.word()
                ),
                "No period starts then: somebody edited it. Delete it from its table in kalends_stats, and run again.",
            )
        })
    }
}

impl FromSql<'_> for Start {
    fn from_sql(kind: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        if *kind == Type::DATE {
            return Ok(Self { days: i32::from_be_bytes(raw.try_into()?), hour: 0 });
        }
        const HOUR: i64 = 3_600_000_000;
        let microseconds = i64::from_be_bytes(raw.try_into()?);
        let days = i32::try_from(microseconds.div_euclid(24 * HOUR))?;
        Ok(Self { days, hour: u8::try_from(microseconds.rem_euclid(24 * HOUR) / HOUR)? })
    }

    accepts!(DATE, TIMESTAMP);
}

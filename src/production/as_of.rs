//! The moment that production's data are as of.

use time::OffsetDateTime;
use tokio_postgres::types::PgLsn;

use crate::db::Row;
use crate::error::{Refusal, Result};

/// What data are as of.
pub(super) struct AsOf {
    /// UTC.
    pub(super) text: String,
    /// In microseconds since 1970 UTC.
    pub(super) us: i64,
    /// All that the write-ahead log says up to there is in them.
    pub(super) position: PgLsn,
}

impl AsOf {
    /// Reads the moment from an answer, which has it twice: what is proven is proven as of that moment.
    ///
    /// # Errors
    /// If the two are not the same.
    pub(super) fn of(row: &Row, position: PgLsn) -> Result<Self> {
        let (text, us): (String, i64) = (row.get("as_of")?, row.get("as_of_us")?);
        if written(us).as_ref() == Some(&text) {
            return Ok(Self { text, us, position });
        }
        Err(Refusal::failed(
            "the moment of production's data was altered on its way",
            "Nothing of that snapshot was settled. Encrypt the connection or check the network, then try again.",
        ))
    }
}

/// A moment as production writes it; `None` if it is in no year of the calendar.
fn written(us: i64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(us) * 1000).ok()?;
    let (month, (hour, minute, second, us)) = (u8::from(at.month()), at.to_hms_micro());
    Some(format!("{:04}-{month:02}-{:02} {hour:02}:{minute:02}:{second:02}.{us:06} UTC", at.year(), at.day()))
}

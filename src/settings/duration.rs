//! Durations as people write them: `10s`, `1h 30m`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// A duration of the settings file; never 0, which to PostgreSQL would mean no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written(pub(super) Duration);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match humantime::parse_duration(&text) {
            Ok(duration) if duration >= Duration::from_millis(1) => Ok(Self(duration)),
            Ok(_) => Err(serde::de::Error::custom("a duration of at least 1 ms is needed, such as \"10s\"")),
            Err(error) => Err(serde::de::Error::custom(format!("{error}; a duration is written like \"10s\""))),
        }
    }
}

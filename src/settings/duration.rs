//! Durations as people write them: `10s`, `1h 30m`; and limits in whole seconds.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The longest limit. PostgreSQL stores a limit in milliseconds, in 31 bits.
const LONGEST: Duration = Duration::from_secs(24 * 24 * 60 * 60);

/// The range of limits, for messages.
const FORM: &str = "a limit is from 1 ms to 24 days";

/// A duration in the settings file. It is never 0, which PostgreSQL takes for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written(pub(super) Duration);

/// A limit in whole seconds. It is never 0, which PostgreSQL takes for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) Duration);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The library's message contains a part of the text, which may be a misplaced password.
        let duration = humantime::parse_duration(&text)
            .map_err(|_| D::Error::custom("a duration is written like \"10s\" or \"1h 30m\""))?;
        within(duration).map(Self).ok_or_else(|| D::Error::custom(format!("{FORM}, written like \"10s\"")))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        let most = LONGEST.as_secs();
        let form = || D::Error::custom(format!("a limit is from 1 to {most} seconds (24 days)"));
        within(Duration::from_secs(seconds)).map(Self).ok_or_else(form)
    }
}

fn within(limit: Duration) -> Option<Duration> {
    (Duration::from_millis(1)..=LONGEST).contains(&limit).then_some(limit)
}

//! The limits of the settings file: durations, or the whole seconds of 0.1.0 under other names.

use std::time::Duration;

use serde::Deserialize;

use super::duration::{Seconds, Written};
use crate::db;
use crate::error::{Refusal, Result};

/// The section as in the file. No limit may be 0, which PostgreSQL takes for none.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) connect_timeout: Written,
    pub(super) lock_timeout: Written,
    pub(super) statement_timeout: Written,
    pub(super) idle_timeout: Written,
    connect_seconds: Option<Seconds>,
    lock_seconds: Option<Seconds>,
    statement_seconds: Option<Seconds>,
    idle_seconds: Option<Seconds>,
}

/// The ending of the keys of 0.1.0.
pub(super) const FORMER: &str = "_seconds";

impl Default for Limits {
    fn default() -> Self {
        let seconds = |seconds| Written(Duration::from_secs(seconds));
        Self {
            connect_timeout: seconds(10),
            lock_timeout: seconds(10),
            statement_timeout: seconds(3600),
            idle_timeout: seconds(3600),
            connect_seconds: None,
            lock_seconds: None,
            statement_seconds: None,
            idle_seconds: None,
        }
    }
}

impl Limits {
    /// The limits, and notes about keys that have new names.
    ///
    /// # Errors
    /// Refuses (usage) a limit that is given in both forms.
    pub(super) fn read(&self) -> Result<(db::Limits, Vec<String>)> {
        let default = Self::default();
        let mut notes = Vec::new();
        let mut either = |name: &str, written: Written, usual: Written, former: Option<Seconds>| {
            let Some(former) = former else { return Ok(written.0) };
            if written != usual {
                return Err(Refusal::usage(
                    format!("[limits] has both {name}_timeout and {name}{FORMER}"),
                    format!("Remove {name}{FORMER}, which is the name that 0.1.0 had."),
                ));
            }
            let duration = humantime::format_duration(former.0);
            notes.push(format!("{name}{FORMER} of [limits] has another name now: {name}_timeout = \"{duration}\""));
            Ok(former.0)
        };
        let limits = db::Limits {
            connect: either("connect", self.connect_timeout, default.connect_timeout, self.connect_seconds)?,
            lock: either("lock", self.lock_timeout, default.lock_timeout, self.lock_seconds)?,
            statement: either("statement", self.statement_timeout, default.statement_timeout, self.statement_seconds)?,
            idle: either("idle", self.idle_timeout, default.idle_timeout, self.idle_seconds)?,
            workers: None,
        };
        Ok((limits, notes))
    }
}

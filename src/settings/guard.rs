//! The guard's section of the settings file.

use serde::Deserialize;

use crate::error::{Refusal, Result};
use crate::guard::Rules;

/// The section as in the file.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Guard {
    pub(super) loss: String,
    pub(super) settle_after: Option<String>,
}

impl Default for Guard {
    fn default() -> Self {
        Self { loss: "50%".to_string(), settle_after: None }
    }
}

impl Guard {
    /// Checks the section. A wrong value is not shown, because it may be a password.
    pub(super) fn read(&self) -> Result<Rules> {
        let loss = self.loss.parse().map_err(|()| {
            Refusal::usage(
                "loss in [guard] is not a percentage",
                "Write a percentage from \"0%\" (any loss is held) to \"100%\" (no month is held), with up to 4 decimals.",
            )
        })?;
        let settle_after = self.settle_after.as_ref().map(|text| {
            humantime::parse_duration(text).map_err(|_| {
                Refusal::usage(
                    "settle_after in [guard] is not a duration",
                    "Write a number and its unit, such as \"90s\", \"10 min\" or \"2h\".",
                )
            })
        });
        Ok(Rules { loss, settle_after: settle_after.transpose()? })
    }
}

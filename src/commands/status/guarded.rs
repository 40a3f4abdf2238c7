//! What the guard has noted: held, changing, and the last failures.

use serde::Serialize;

use crate::error::Result;
use crate::guard::{self, Kind, Noted};
use crate::report::{self, counted};
use crate::steps::held;
use crate::warehouse::Reading;
use crate::warehouse::notes::Failure;

/// How many failures are shown to people; `--json` has all that are stored.
const SHOWN: usize = 3;

/// What the guard has noted.
#[derive(Serialize)]
pub(super) struct Guarded {
    pub(super) held: Vec<Left>,
    pub(super) changing: Vec<Left>,
    /// The newest failures come first.
    failures: Vec<Failure>,
}

/// A unit that is left as it was settled.
#[derive(Serialize)]
pub(super) struct Left {
    entity: String,
    #[serde(flatten)]
    noted: Noted,
}

impl Guarded {
    /// Reads it from the warehouse.
    pub(super) async fn read(reading: &Reading<'_>) -> Result<Self> {
        let noted = reading.noted().await?.into_iter().map(|(entity, noted)| Left { entity, noted });
        let (changing, held) = noted.partition(|left| left.noted.kind == Kind::Changing);
        Ok(Self { held, changing, failures: reading.failures().await? })
    }

    /// Lines for people; none if there is nothing to report. With several entities, each line names its own.
    ///
    /// Failures that are dated before the moment that all is proven as of are only counted. The dates are of two
    /// clocks, the warehouse's and production's, so no more is said than that.
    pub(super) fn lines(&self, proven_as_of: Option<&str>, entities: usize) -> Vec<String> {
        let several = entities > 1;
        let mut left: Vec<&str> = self.held.iter().chain(&self.changing).map(|left| left.entity.as_str()).collect();
        left.sort_unstable();
        left.dedup();
        let mut lines = Vec::new();
        for entity in &left {
            let of = |left: &[Left]| -> Vec<Noted> {
                left.iter().filter(|left| left.entity == *entity).map(|left| left.noted.clone()).collect()
            };
            let (held, changing) = (of(&self.held), of(&self.changing));
            let accept = guard::accepting(held.iter());
            let told = held::lines(&held, &changing, accept.as_deref());
            lines.extend(if several { report::of_entity(told, entity) } else { told });
        }
        // Both moments begin like `2024-03-05 02:15:07`, UTC.
        let second = |moment: &str| moment.get(..19).unwrap_or_default().to_string();
        let is_past = |failure: &&Failure| proven_as_of.is_some_and(|proven| second(&failure.at) < second(proven));
        let (past, since): (Vec<&Failure>, Vec<&Failure>) = self.failures.iter().partition(is_past);
        lines.extend(since.into_iter().take(SHOWN).map(|failure| {
            let Failure { at, command, entity, exit_code, message } = failure;
            let entity = entity.as_ref().filter(|_| several).map_or(String::new(), |entity| format!("{entity}: "));
            format!("failed      {entity}{at}, {command} ended with {exit_code}: {message}")
        }));
        if !past.is_empty() {
            let failures = counted(past.len(), "failure");
            lines.push(format!("earlier     {failures}, dated before the proof; `kalends status --json` lists them"));
        }
        lines
    }
}

//! What can be said of an entity's figures: what was proven, and nothing beyond it.

use serde::Serialize;

use super::facts::Facts;
use crate::guard::Kind;
use crate::report::{counted, seconds};
use crate::warehouse::Freshness;

/// The verdict of a page, by word and sign as well as by colour.
#[derive(Serialize)]
pub(super) struct Verdict {
    /// `equal`, `held`, `part` or `none`: the colour.
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) headline: String,
    /// What else is to be known.
    pub(super) lines: Vec<String>,
}

impl Verdict {
    pub(super) fn of(facts: &Facts) -> Self {
        let held = facts.left.iter().filter(|noted| noted.kind != Kind::Changing).count();
        let changing = facts.left.len() - held;
        let proven = facts.fresh.as_ref().filter(|fresh| fresh.proof.is_some());
        let (class, sign, headline) = match proven {
            _ if held > 0 => {
                let units = counted(held, "period");
                ("held", "!", format!("Held: {units} differed from production, and stay as they were settled"))
            }
            _ if changing > 0 => {
                let units = counted(changing, "period");
                ("held", "~", format!("Changing: {units} of production had not settled down, and stay as they were"))
            }
            None => ("none", "?", "Not proven yet: no run has ended with all of it equal to production".to_string()),
            Some(fresh) if !fresh.whole => {
                ("part", "~", "Settled in part: no run has ended with all of it equal to production since".to_string())
            }
            Some(fresh) if fresh.recent.is_some() => {
                ("equal", "✓", format!("Recent days are proven equal to production{}", as_of(fresh)))
            }
            Some(fresh) => ("equal", "✓", format!("Proven equal to production{}", as_of(fresh))),
        };
        Self { class, sign, headline, lines: lines(facts) }
    }
}

/// As of the last settlement or later, if the proof is no earlier than that: production's clock may have been set back.
/// The moment of the proof itself moves with each run.
fn as_of(fresh: &Freshness) -> String {
    match (&fresh.settled_as_of, &fresh.proof) {
        // Both are printed alike, so that they compare as texts.
        (Some(settled), Some(proof)) if proof.as_of >= *settled => {
            format!(", as of {} or later", seconds(settled))
        }
        _ => String::new(),
    }
}

fn lines(facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    let is_recent = facts.fresh.as_ref().is_some_and(|fresh| fresh.recent.is_some());
    if let Some(day) = facts.complete_through {
        let what = if is_recent { "recent days were" } else { "it was" };
        lines.push(format!("Complete through {day}: the last day that had ended when {what} last proven equal."));
    }
    if let Some(last) = facts.proof.last {
        lines.push(format!("The newest rows that were settled are of {last}."));
    }
    if is_recent {
        lines.push("Older days are looked at in shares; `kalends status` says as of when.".to_string());
    }
    lines.extend(facts.left.iter().map(|noted| match noted.kind {
        Kind::Changing => format!("{} was still changing when last looked at, since {}.", noted.unit, noted.since),
        _ => format!("{} is held: {}.", noted.unit, noted.reason),
    }));
    if let Some(failure) = facts.failures.first() {
        let failed = counted(facts.failures.len(), "run");
        lines.push(format!("{failed} failed since; the last one, {}: {}", failure.at, failure.message));
    }
    lines
}

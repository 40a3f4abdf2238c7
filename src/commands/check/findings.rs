//! What was found, and how a run would end.

use serde::Serialize;

use crate::error::{self, Exit, Result};

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    /// A run can start, but somebody should know this.
    Warning,
    /// A run cannot start.
    Problem,
}

#[derive(Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// `production`, `warehouse`, `exports` or `entity NAME`.
    pub(super) about: String,
    pub(super) what: String,
    /// The next step; `None` if all is well.
    pub(super) next: Option<String>,
}

/// What was found so far, and how a run would end.
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    pub(super) exit: Exit,
}

impl Findings {
    pub(super) fn add(&mut self, verdict: Verdict, about: &str, what: impl Into<String>, next: Option<String>) {
        self.list.push(Finding { verdict, about: about.to_string(), what: what.into(), next });
    }

    pub(super) fn ok(&mut self, about: &str, what: impl Into<String>) {
        self.add(Verdict::Ok, about, what, None);
    }

    pub(super) fn warning(&mut self, about: &str, what: impl Into<String>, next: impl Into<String>) {
        self.add(Verdict::Warning, about, what, Some(next.into()));
    }

    /// Returns what was found. For an error, notes the problem and returns `None`.
    pub(super) fn keep<T>(&mut self, about: &str, found: Result<T>) -> Option<T> {
        let error = match found {
            Ok(found) => return Some(found),
            Err(error) => error,
        };
        self.exit = self.exit.graver(error::exit_code(&error));
        let next = error::hint(&error).unwrap_or("The server's log may say more.").to_string();
        self.add(Verdict::Problem, about, error::in_one_line(&error), Some(next));
        None
    }
}

/// `61 MB`: whole units, by steps of 1000.
pub(super) fn size(bytes: u64) -> String {
    let mut size = (bytes, "B");
    for unit in ["kB", "MB", "GB", "TB"] {
        if size.0 < 1000 {
            break;
        }
        size = (size.0.div_ceil(1000), unit);
    }
    format!("{} {}", size.0, size.1)
}

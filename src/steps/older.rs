//! What was looked at of the older days, in words and as JSON.

use serde::Serialize;

use crate::calendar::Day;
use crate::guard::Moment;
use crate::look::{Hint, Stretch};
use crate::report::{self, counted};
use crate::sync;

/// What was looked at of the older days.
#[derive(Debug, Serialize)]
pub struct Older {
    /// The first of the recent days, which every run looks at.
    recent_from: Option<Day>,
    /// The older days that were looked at.
    looked_at: Vec<Days>,
    /// Their rows.
    pub rows: i64,
    /// In how many snapshots of production.
    slices: usize,
    /// How long that took, in seconds.
    seconds: f64,
    /// Days that production's counters pointed to.
    hints: Vec<Hinted>,
    /// Days or gaps that were due and are left to the next run.
    left_parts: usize,
    /// Why.
    gave_way: Option<String>,
    /// The moment that all older days were looked at as of, or later.
    as_of: Option<Moment>,
}

/// Consecutive days.
#[derive(Debug, Serialize)]
struct Days {
    /// The first; null: the first of all.
    from: Option<Day>,
    /// The day after the last; null: there is no end.
    until: Option<Day>,
}

/// Days that production's counters pointed to.
#[derive(Debug, Serialize)]
struct Hinted {
    #[serde(flatten)]
    days: Days,
    /// `rows`: more rows were counted than the recent days show; `replaced`: a table or partition is new, was removed
    /// or was written again.
    why: &'static str,
}

impl From<Stretch> for Days {
    fn from(Stretch { from, until }: Stretch) -> Self {
        Self { from, until }
    }
}

impl Days {
    fn words(&self) -> String {
        match (self.from, self.until.map(|until| until.plus(-1))) {
            (None, None) => "all days".to_string(),
            (Some(from), None) => format!("{from} on"),
            (None, Some(last)) => format!("up to {last}"),
            (Some(from), Some(last)) if from == last => from.to_string(),
            (Some(from), Some(last)) => format!("{from} to {last}"),
        }
    }
}

impl Older {
    /// What was found and done.
    pub fn of(done: sync::Older) -> Self {
        let hinted = |hint: Hint| {
            let why = match hint {
                Hint::Rows(_) => "rows",
                Hint::Replaced(_) => "replaced",
            };
            Hinted { days: hint.stretch().into(), why }
        };
        Self {
            recent_from: done.recent_from,
            looked_at: done.days.into_iter().map(Days::from).collect(),
            rows: done.rows,
            slices: done.slices,
            seconds: done.took.as_secs_f64(),
            hints: done.hints.into_iter().map(hinted).collect(),
            left_parts: done.left_parts,
            gave_way: done.gave_way,
            as_of: done.oldest_us.map(Moment),
        }
    }

    /// On which days a run found production equal: ` from 2026-10-01 on; before, as of … or later`.
    pub fn equal(&self) -> String {
        let before = self.as_of.map_or(String::new(), |as_of| format!("; before, as of {as_of} or later"));
        self.recent_from.map_or(String::new(), |from| format!(" from {from} on{before}"))
    }

    /// The days that every run looks at: `, from 2026-10-01 on`.
    pub fn recent(&self) -> String {
        self.recent_from.map_or(String::new(), |from| format!(", from {from} on"))
    }

    /// Lines for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.hints.iter().map(Hinted::line).collect();
        if let [first, rest @ ..] = self.looked_at.as_slice() {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let rows = counted(self.rows, "row");
            let what = format!("{rows} of {}{more}, {}", first.words(), counted(self.slices, "slice"));
            lines.push(report::line("older", &what, self.seconds));
        }
        if let Some(why) = &self.gave_way {
            lines.push(format!(
                "left        {} of older days, to the next run: {why}",
                counted(self.left_parts, "part")
            ));
        }
        lines
    }
}

impl Hinted {
    fn line(&self) -> String {
        let days = self.days.words();
        match self.why {
            "rows" => format!("hint        production counted more than the recent days show; due now: {days}"),
            _ => format!("hint        a table of production was replaced or written again; due now: {days}"),
        }
    }
}

//! Shows the progress of long work on stderr: a bar on a terminal, a line now and then elsewhere, nothing with
//! `--quiet`.

use std::cell::Cell;
use std::fmt::Write;
use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::report::{columns, count, talk};

/// Often enough to see that it is alive, rarely enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How many characters of an entity's name are shown before a bar.
const NAME: usize = 16;

/// With fewer columns, rows and rate are left out: name, bar and billions of rows take 94.
const ROOMY: usize = 95;

/// Whether anything is printed while a command works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Progress and, if requested, the log.
    Normal,
    /// Errors only.
    Quiet,
}

/// Counts an entity's rows, whose number is known before, and its committed months.
pub struct Progress {
    bar: ProgressBar,
    entity: String,
    lines: Lines,
    spoken: Cell<Instant>,
}

#[derive(PartialEq, Eq)]
enum Lines {
    Spoken,
    Silent,
}

/// The progress of the entity that is being settled or was settled last, for the message of a command that is stopped.
static COMMITTED: Mutex<Option<Committed>> = Mutex::new(None);

/// Months of an entity, each committed by itself.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The entity.
    pub entity: String,
    /// How many are committed.
    pub months: usize,
    /// How many there are.
    pub of: usize,
}

/// The progress of settling in this process; `None` if there was nothing to settle yet.
pub fn committed() -> Option<Committed> {
    COMMITTED.lock().ok()?.clone()
}

impl Progress {
    /// For so many rows of an entity, in so many months.
    pub fn of(entity: &str, rows: i64, months: usize, how: Talk) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if how == Talk::Normal && terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(rows.unsigned_abs()), target);
        let name = shortened(entity);
        bar.set_style(style(columns().unwrap_or(usize::MAX), name.chars().count()));
        bar.set_message(name);
        if let Ok(mut committed) = COMMITTED.lock() {
            *committed = (months > 0).then(|| Committed { entity: entity.to_string(), months: 0, of: months });
        }
        let lines = if how == Talk::Normal && !terminal { Lines::Spoken } else { Lines::Silent };
        Self { bar, entity: entity.to_string(), lines, spoken: Cell::new(Instant::now()) }
    }

    /// Counts rows that have passed, approximately: the end of each month's stream counts as a row, and a month that
    /// must be loaded again counts twice. Never shows more rows than there are.
    pub fn add(&self, rows: u64) {
        let left = self.bar.length().unwrap_or_default().saturating_sub(self.bar.position());
        self.bar.inc(rows.min(left));
        if self.lines == Lines::Spoken && self.spoken.get().elapsed() >= LINE_EVERY {
            self.spoken.set(Instant::now());
            let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
            let (done, total) = (count(done.cast_signed()), count(total.cast_signed()));
            talk(&format!("loading {}: {done} of {total} rows", self.entity));
        }
    }

    /// Counts months that are committed.
    pub fn commit(&self, months: usize) {
        if let Ok(mut committed) = COMMITTED.lock()
            && let Some(committed) = committed.as_mut()
        {
            committed.months += months;
        }
    }
}

/// As much of a name as fits before a bar.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME { name.to_string() } else { name.chars().take(NAME - 1).chain(['…']).collect() }
}

/// Numbers are written as in the result that follows. If there is little room, only the percentage and the remaining
/// time are shown.
fn style(columns: usize, name: usize) -> ProgressStyle {
    let template = if columns < ROOMY {
        let bar = columns.saturating_sub(name + " ".len() + "  100%  59m ".len()).clamp(4, 24);
        format!("{{msg}} {{bar:{bar}}} {{percent:>3}}% {{eta:>4}}")
    } else {
        "{msg} {bar:16} {done} of {all} rows  {rate}/s  {eta} left".to_string()
    };
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style
        .with_key("done", |state: &ProgressState, out: &mut dyn Write| write_count(out, state.pos()))
        .with_key("all", |state: &ProgressState, out: &mut dyn Write| write_count(out, state.len().unwrap_or_default()))
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| write_count(out, whole(state.per_sec())))
}

fn write_count(out: &mut dyn Write, rows: u64) {
    let _ = out.write_str(&count(rows.cast_signed()));
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows a second, for people")]
fn whole(rate: f64) -> u64 {
    rate as u64
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_rows_pass_than_there_are() {
        let progress = Progress::of("entity", 5, 1, Talk::Quiet);
        let said: Vec<u64> = [2, 2, 2, 1]
            .into_iter()
            .map(|rows| {
                progress.add(rows);
                progress.bar.position()
            })
            .collect();
        assert_eq!(said, [2, 4, 5, 5]);
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(shortened("orders"), "orders");
        assert_eq!(shortened("orders_of_the_whole_world"), "orders_of_the_w…");
    }
}

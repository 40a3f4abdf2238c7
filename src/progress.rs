//! How far long work has come, on stderr: a bar on a terminal, a line now and then elsewhere, nothing when quiet.

use std::cell::Cell;
use std::fmt::Write;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::report::{count, talk};

/// Often enough to see that it lives, seldom enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Whether anything is said while a command works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Progress and, where asked for, the log.
    Normal,
    /// Errors only.
    Quiet,
}

/// Rows that pass, of a number known before.
pub struct Progress {
    bar: ProgressBar,
    lines: Lines,
    spoken: Cell<Instant>,
}

#[derive(PartialEq, Eq)]
enum Lines {
    Spoken,
    Silent,
}

impl Progress {
    /// Of `total` rows.
    pub fn rows(total: i64, how: Talk) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if how == Talk::Normal && terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total.unsigned_abs()), target);
        bar.set_style(style());
        bar.set_message("loading");
        let lines = if how == Talk::Normal && !terminal { Lines::Spoken } else { Lines::Silent };
        Self { bar, lines, spoken: Cell::new(Instant::now()) }
    }

    /// So many more rows have passed, more or less: the end of each month's stream passes as a row, and a month that
    /// has to be loaded again passes twice. More than all there are is never said.
    pub fn add(&self, rows: u64) {
        let left = self.bar.length().unwrap_or_default().saturating_sub(self.bar.position());
        self.bar.inc(rows.min(left));
        if self.lines == Lines::Spoken && self.spoken.get().elapsed() >= LINE_EVERY {
            self.spoken.set(Instant::now());
            let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
            talk(&format!("loading: {} of {} rows", count(done.cast_signed()), count(total.cast_signed())));
        }
    }
}

/// Numbers are written as in the result that follows.
fn style() -> ProgressStyle {
    let template = "{msg:12} {bar:24} {done} of {all} rows  {rate}/s  {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
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
        let progress = Progress::rows(5, Talk::Quiet);
        let said: Vec<u64> = [2, 2, 2, 1]
            .into_iter()
            .map(|rows| {
                progress.add(rows);
                progress.bar.position()
            })
            .collect();
        assert_eq!(said, [2, 4, 5, 5]);
    }
}

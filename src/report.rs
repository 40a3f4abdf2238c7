//! Results as text for people and JSON for programs. Results go to stdout, everything else to stderr.

mod bars;
mod figures;
mod moved;
mod terminal;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write as _;

use serde::Serialize;

pub(crate) use bars::{bar, number, sparkline};
pub(crate) use figures::{Figure, Gauge};
pub(crate) use moved::{MovedFigure, grouped, percent, table};

use crate::accounts::{Cause, SetAside};
use crate::error::Exit;

/// The version of every command's JSON, its key `version`. A change that readers of this version would misread gets the
/// next number.
const VERSION: u32 = 1;

/// How a command ended, in both forms.
#[derive(Debug, Default)]
pub struct Outcome {
    /// For people, without a newline at the end. Empty: there is nothing to say.
    pub text: String,
    /// For programs.
    pub json: serde_json::Value,
    /// The JSON as text, if it was printed before because it is long.
    pub printed: Option<String>,
    /// For monitoring.
    pub(crate) figures: Vec<Figure>,
    /// The exit code.
    pub exit: Exit,
    /// How the text is printed.
    pub form: Form,
}

/// How a text is printed for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// On a terminal in colour, with long lines folded.
    #[default]
    Told,
    /// Unchanged: it is a file or a script.
    Verbatim,
}

impl Outcome {
    /// From the text and the value that is printed as JSON, with the version.
    pub fn new(exit: Exit, text: impl Into<String>, json: &impl Serialize) -> Self {
        let mut json = serde_json::to_value(json).unwrap_or_default();
        if let Some(object) = json.as_object_mut() {
            object.insert("version".to_string(), VERSION.into());
        }
        Self { exit, text: text.into(), json, ..Self::default() }
    }
}

impl Outcome {
    /// The same with figures for monitoring.
    #[must_use]
    pub(crate) fn with_figures(self, figures: Vec<Figure>) -> Self {
        Self { figures, ..self }
    }
}

/// Prints a text for programs, unchanged. A reader that has closed the pipe is no error.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a result for people.
pub fn tell(text: &str, form: Form) {
    match form {
        Form::Told => print(&terminal::shown(text, &std::io::stdout())),
        Form::Verbatim => print(text),
    }
}

/// Prints a line about the work in progress, to stderr.
pub fn talk(text: &str) {
    let stderr = std::io::stderr();
    let _ = writeln!(std::io::stderr(), "{}", terminal::shown(text, &stderr));
}

/// Whether stderr is in colour: on a terminal, unless `NO_COLOR` or a similar variable prevents it.
pub fn colours() -> bool {
    terminal::is_coloured(&std::io::stderr())
}

/// The width of stderr's terminal; `None` if it is no terminal.
pub fn columns() -> Option<usize> {
    terminal::columns(&std::io::stderr())
}

/// A line of a result: what was done, to what, and how long it took.
pub fn line(verb: &str, what: &str, took_seconds: f64) -> String {
    format!("{verb:<11} {what:<45} {took_seconds:>6.2} s")
}

/// Lines about one of several entities, each with the entity's name after its first word. A line that already has the
/// name, or continues another one, stays as it is.
pub fn of_entity(lines: impl IntoIterator<Item = String>, name: &str) -> Vec<String> {
    let said = format!(" of {name}");
    lines.into_iter().map(|line| if line.contains(&said) { line } else { named(&line, name) }).collect()
}

fn named(line: &str, name: &str) -> String {
    if line.starts_with(' ') {
        return line.to_string();
    }
    let Some((verb, what)) = line.split_at_checked(VERB).filter(|(verb, _)| verb.ends_with(' ')) else {
        return format!("{name}: {line}");
    };
    // The duration stays aligned with those of other lines, if there is room.
    let name = format!("{name}: ");
    let room = name.chars().count();
    match what.rfind("  ").map(|at| (what[..at].trim_end(), &what[at + 2..])) {
        Some((what, took)) if took.ends_with(" s") => {
            let width = 45_usize.max(room + what.chars().count());
            format!("{verb}{:<width$} {took:>8}", format!("{name}{what}"))
        }
        _ => format!("{verb}{name}{what}"),
    }
}

/// Width of the first column of a result's line.
const VERB: usize = 12;

/// A number with grouped digits: `742,784`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// `1 day`, `2 days`.
pub fn counted(number: impl TryInto<i64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(i64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// `2 grown, 1 changed`.
pub fn tally(causes: &BTreeMap<Cause, usize>) -> String {
    list(causes.iter().map(|(cause, days)| format!("{days} {}", cause.word())))
}

/// The line about rows that belong to no day; `None` if there are none.
pub fn set_aside(rows: SetAside) -> Option<String> {
    if rows == SetAside::default() {
        return None;
    }
    let SetAside { without_time, outside_calendar } = rows;
    let (without, outside) = (counted(without_time, "row"), count(outside_calendar));
    Some(format!("set aside   {without} without a time, {outside} at infinity, before 4713 BC or after 999998"))
}

/// A moment without its microseconds.
pub fn seconds(as_of: &str) -> String {
    match as_of.split_once('.') {
        Some((seconds, _)) => format!("{seconds} UTC"),
        None => as_of.to_string(),
    }
}

/// Longest line of joined parts. Only a single part may be longer.
const WIDTH: usize = 99;

/// Joins parts after a head, with a mark in between, on as many lines as necessary. Further lines are indented.
pub fn wrapped(head: &str, parts: impl Iterator<Item = String>, mark: &str) -> Vec<String> {
    let width = head.chars().count();
    let indent = if width <= 20 { width } else { width - head.trim_start().chars().count() + 4 };
    let (mut lines, mut line, mut is_bare) = (Vec::new(), head.to_string(), true);
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let part = if parts.peek().is_some() { format!("{part}{mark}") } else { part };
        let length = line.chars().count() + part.chars().count() + usize::from(!is_bare);
        if length > WIDTH && !line.trim().is_empty() {
            lines.push(line.trim_end().to_string());
            (line, is_bare) = (" ".repeat(indent), true);
        }
        line = format!("{line}{}{part}", if is_bare { "" } else { " " });
        is_bare = false;
    }
    lines.push(line.trim_end().to_string());
    lines
}

/// Lines, one below the other.
pub fn list_lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// Parts, separated by commas.
pub fn list(parts: impl Iterator<Item = impl Display>) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([count(0), count(999), count(1000), count(742_784)], ["0", "999", "1,000", "742,784"]);
        assert_eq!(count(-1_000_000), "-1,000,000");
    }

    #[test]
    fn parts_are_wrapped_before_a_line_is_too_long() {
        let part = |number: usize| format!("part {number:>2} {}", "x".repeat(20));
        let lines = wrapped("  head: ", (0..8).map(part), ",");
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:?}");
        assert!(lines[0].starts_with("  head: part  0 ") && lines[1].starts_with("        part "), "{lines:?}");
        assert_eq!(lines.join(" ").matches(',').count(), 7);
        assert_eq!(wrapped("  head: ", std::iter::once("y".repeat(120)), ",").len(), 2);
        assert_eq!(wrapped("  head", std::iter::empty(), ","), ["  head"]);
    }

    #[test]
    fn lines_about_one_of_several_entities_name_it() {
        let lines = [
            line("surveyed", "2 rows of orders, 1 day", 0.01),
            line("settled", "1 day (1 new), 1 month", 0.02),
            "held        2024-01: none of 2 rows is left".to_string(),
            "            to accept this: kalends run".to_string(),
            "nothing to do: equal".to_string(),
        ];
        assert_eq!(
            of_entity(lines, "orders"),
            [
                "surveyed    2 rows of orders, 1 day                         0.01 s",
                "settled     orders: 1 day (1 new), 1 month                  0.02 s",
                "held        orders: 2024-01: none of 2 rows is left",
                "            to accept this: kalends run",
                "orders: nothing to do: equal",
            ]
        );
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([counted(1_usize, "day"), counted(2_i64, "file")], ["1 day", "2 files"]);
    }
}

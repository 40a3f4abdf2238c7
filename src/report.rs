//! What was found or done, as text for people and JSON for programs. Results go to stdout, talk to stderr.

mod figures;
mod moved;
mod terminal;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write as _;

use serde::Serialize;

pub(crate) use figures::{Figure, Gauge};
pub(crate) use moved::{MovedFigure, grouped, table};

use crate::accounts::{Cause, SetAside};
use crate::error::Exit;

/// The form of every command's JSON, its key `version`. A form that readers of this one would misread gets the next
/// number.
const VERSION: u32 = 1;

/// How a command ended, in both forms.
#[derive(Debug, Default)]
pub struct Outcome {
    /// For people; without a line end behind it. Empty: there is nothing to say.
    pub text: String,
    /// For programs.
    pub json: serde_json::Value,
    /// The same where it was printed before, being long.
    pub printed: Option<String>,
    /// For monitoring.
    pub(crate) figures: Vec<Figure>,
    /// The exit code.
    pub exit: Exit,
    /// How the text is printed.
    pub form: Form,
}

/// How a text is printed where a person reads it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// In colour, and its long lines folded, on a terminal.
    #[default]
    Told,
    /// As it stands: it is a file or a script.
    Verbatim,
}

impl Outcome {
    /// Of text and of what is printed as JSON, with the version of its form.
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

/// Prints what programs read, as it stands. A reader that went away is no error of ours.
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

/// Says something to whoever watches.
pub fn talk(text: &str) {
    let stderr = std::io::stderr();
    let _ = writeln!(std::io::stderr(), "{}", terminal::shown(text, &stderr));
}

/// Whether stderr is shown in colour: on a terminal, unless `NO_COLOR` or the like says otherwise.
pub fn colours() -> bool {
    terminal::is_coloured(&std::io::stderr())
}

/// How wide the terminal of stderr is; `None` where it is none.
pub fn columns() -> Option<usize> {
    terminal::columns(&std::io::stderr())
}

/// A line of a result: what was done, to what, and how long it took.
pub fn line(verb: &str, what: &str, took_seconds: f64) -> String {
    format!("{verb:<11} {what:<45} {took_seconds:>6.2} s")
}

/// Lines about one of several entities, each with its name behind the word that it begins with. A line that says whose
/// it is, or that goes on below another, stays as it is.
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
    // How long it took stays where it is in the lines around, as far as there is room.
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

/// Columns of the word that a line of a result begins with.
const VERB: usize = 12;

/// A number with its thousands apart: `742,784`.
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

/// The line about rows that belong to no day; `None` where there are none.
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

/// No line of parts is longer, where a part allows it.
const WIDTH: usize = 99;

/// Parts behind a head, with a mark between, in as many lines as it takes; those below are indented.
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

/// Lines one below the other.
pub fn list_lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// Parts with commas between.
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

//! What was found or done, as text for people and JSON for programs. Results go to stdout, talk to stderr.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write as _;

use serde::Serialize;

use crate::accounts::{Cause, SetAside};
use crate::error::Exit;

/// How a command ended, in both forms.
#[derive(Debug)]
pub struct Outcome {
    /// For people; without a line end behind it. Empty: there is nothing to say.
    pub text: String,
    /// For programs.
    pub json: serde_json::Value,
    /// The exit code.
    pub exit: Exit,
}

impl Outcome {
    /// Of text and of what is printed as JSON.
    pub fn new(exit: Exit, text: impl Into<String>, json: &impl Serialize) -> Self {
        Self { exit, text: text.into(), json: serde_json::to_value(json).unwrap_or_default() }
    }
}

/// Prints a result. A reader that went away is no error of ours.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Says something to whoever watches.
pub fn talk(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Whether stderr is shown in colour: on a terminal, unless `NO_COLOR` or the like says otherwise.
pub fn colours() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// A line of a result: what was done, to what, and how long it took.
pub fn line(verb: &str, what: &str, took_seconds: f64) -> String {
    format!("{verb:<11} {what:<45} {took_seconds:>6.2} s")
}

/// A number with its thousands apart: `742 784`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// `1 day`, `2 days`.
pub fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(i64::try_from(number).unwrap_or(i64::MAX)))
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
    let (without, outside) = (count(without_time), count(outside_calendar));
    Some(format!("set aside   {without} rows without a time, {outside} at infinity, before 4713 BC or after 999998"))
}

/// A moment without its microseconds.
pub fn seconds(as_of: &str) -> String {
    match as_of.split_once('.') {
        Some((seconds, _)) => format!("{seconds} UTC"),
        None => as_of.to_string(),
    }
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
        assert_eq!([count(0), count(999), count(1000), count(742_784)], ["0", "999", "1 000", "742 784"]);
        assert_eq!(count(-1_000_000), "-1 000 000");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([counted(1, "day"), counted(2, "file")], ["1 day", "2 files"]);
    }
}

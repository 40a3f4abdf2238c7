//! Refusals and failures, and the exit code of each.
//!
//! A refusal is Kalends' own decision: it has a type, and a hint that names the next step. A failure comes from
//! outside: a chain of contexts, each saying what we were doing. Both are [`anyhow::Error`]s. Only [`exit_code`] and
//! [`render`] distinguish them, where the program ends.

use std::fmt::Write as _;
use std::io;

/// What every fallible function of Kalends returns.
pub type Result<T, E = anyhow::Error> = std::result::Result<T, E>;

/// How a command ends, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exit {
    /// Done, or nothing to do.
    #[default]
    Done = 0,
    /// Something outside failed: a server, the network, the disk.
    Failed = 1,
    /// Invalid arguments or settings.
    Usage = 2,
    /// `verify`, `diff` or `status` found a difference.
    Differs = 3,
    /// Refused: it would lose something without consent, or the source has changed.
    Refused = 4,
    /// Another run is at work; try again (`EX_TEMPFAIL` of sysexits).
    Busy = 75,
    /// Interrupted at the terminal (128 + SIGINT).
    Interrupted = 130,
    /// Told to stop (128 + SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// Returns the graver of two ends: failures before refusals, before busy, before differences.
    #[must_use]
    pub fn graver(self, other: Self) -> Self {
        let gravity = |exit| match exit {
            Self::Failed => 5,
            Self::Refused => 4,
            Self::Usage => 3,
            Self::Busy => 2,
            Self::Differs => 1,
            Self::Done | Self::Interrupted | Self::Terminated => 0,
        };
        if gravity(other) > gravity(self) { other } else { self }
    }
}

/// Kalends' decision not to continue. When one is returned, nothing has been changed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// One line: what was found, with the object named and quoted.
    pub message: String,
    /// One sentence: the next step.
    pub hint: String,
    /// How the command ends.
    pub exit: Exit,
    /// Whether another run of Kalends is at work, so that waiting for its end helps.
    pub waits_for_a_run: bool,
}

impl Refusal {
    /// Invalid arguments or settings (exit code 2).
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self::ending(Exit::Usage, message, hint)
    }

    /// Continuing might lose or damage something (exit code 4).
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self::ending(Exit::Refused, message, hint)
    }

    /// Another run is at work (exit code 75).
    pub fn busy(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self::ending(Exit::Busy, message, hint)
    }

    /// Another run of Kalends is at work: busy, and worth waiting for.
    pub fn held(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: hint.into(), exit: Exit::Busy, waits_for_a_run: true }.into()
    }

    /// Something is missing that a person can supply (exit code 1).
    pub fn failed(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self::ending(Exit::Failed, message, hint)
    }

    /// Something outside failed, and the next step is known (exit code 1). `cause` remains the cause.
    pub fn explaining(message: impl Into<String>, hint: impl Into<String>, cause: anyhow::Error) -> anyhow::Error {
        let (message, hint) = (message.into(), hint.into());
        cause.context(Self { message, hint, exit: Exit::Failed, waits_for_a_run: false })
    }

    fn ending(exit: Exit, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: hint.into(), exit, waits_for_a_run: false }.into()
    }
}

/// The command was told to stop while it waited.
#[derive(Debug, thiserror::Error)]
#[error("told to stop")]
pub struct ToldToStop;

/// The source of an error, shown unchanged below it: lines with the position in a statement.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Picture(pub Vec<String>);

/// The exit code of the program for an error.
pub fn exit_code(error: &anyhow::Error) -> Exit {
    error.downcast_ref::<Refusal>().map_or(Exit::Failed, |refusal| refusal.exit)
}

/// Whether an error says that another run of Kalends is at work.
pub fn waits_for_a_run(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.waits_for_a_run)
}

/// The lines that tell a person about an error: `error:`, then each `cause:`, then the `hint:`.
///
/// Control characters, which a server's message or an object's name may contain, are escaped, so that an error cannot
/// look like several lines or colour a terminal.
pub fn render(error: &anyhow::Error) -> String {
    let mut lines = String::new();
    for (depth, link) in error.chain().enumerate() {
        let _ = match (depth, link.downcast_ref::<Picture>()) {
            (_, Some(Picture(drawn))) => drawn.iter().try_for_each(|line| write!(lines, "\n{}", one_line(line))),
            (0, None) => write!(lines, "error: {}", one_line(&link.to_string())),
            (_, None) => write!(lines, "\ncause: {}", one_line(&link.to_string())),
        };
    }
    if let Some(hint) = hint(error) {
        let _ = write!(lines, "\n hint: {}", one_line(hint));
    }
    lines
}

/// The same on one line, without hint and picture, for a note.
pub fn in_one_line(error: &anyhow::Error) -> String {
    let links = error.chain().filter(|link| link.downcast_ref::<Picture>().is_none());
    links.map(|link| one_line(&link.to_string())).collect::<Vec<_>>().join(": ")
}

/// The next step after an error, if it has one.
pub fn hint(error: &anyhow::Error) -> Option<&str> {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return Some(&refusal.hint);
    }
    let is_full = |link: &(dyn std::error::Error + 'static)| {
        link.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::StorageFull)
    };
    error.chain().any(is_full).then_some("Free disk space there, then run again: each file is whole, or as it was.")
}

/// The same error with another next step, if it is a refusal.
pub fn hinting(mut error: anyhow::Error, hint: String) -> anyhow::Error {
    if let Some(refusal) = error.downcast_mut::<Refusal>() {
        refusal.hint = hint;
    }
    error
}

/// A text on one line, with control characters escaped.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        // U+202A to U+202E and U+2066 to U+2069 change the direction of the text that follows.
        let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_refusal_keeps_its_exit_code_below_a_context() {
        let error = Err::<(), _>(Refusal::busy("another run is at work", "Try again."))
            .context("could not settle month 2023-03")
            .unwrap_err();
        assert_eq!(exit_code(&error), Exit::Busy);
        assert_eq!(
            render(&error),
            "error: could not settle month 2023-03\ncause: another run is at work\n hint: Try again."
        );
    }

    #[test]
    fn a_full_disk_has_a_next_step() {
        let error =
            Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull)).context("could not write \"x\"").unwrap_err();
        assert!(
            render(&error)
                .ends_with("\n hint: Free disk space there, then run again: each file is whole, or as it was.")
        );
        assert_eq!(hint(&anyhow::anyhow!("else")), None);
    }

    #[test]
    fn control_characters_cannot_fake_a_line() {
        let error = anyhow::anyhow!("table \"a\u{1b}[31m\u{202e}b\" is gone");
        assert_eq!(render(&error), "error: table \"a\\u{1b}[31m\\u{202e}b\" is gone");
    }
}

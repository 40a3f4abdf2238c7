//! Lines as a terminal shows them: important words in colour, long lines folded with a hanging indent. Elsewhere, lines
//! stay as they are.

use std::os::fd::AsFd;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};

/// No line is longer, however wide the terminal is. Also the width of a terminal that does not report one.
const WIDEST: usize = 100;

/// Width of the first column of a result's line.
const VERB: usize = 12;

/// The text as this stream shows it.
pub(super) fn shown(text: &str, stream: &(impl RawStream + AsFd)) -> String {
    let width = columns(stream).map_or(usize::MAX, |columns| columns.min(WIDEST));
    let painted = is_coloured(stream);
    let lines = text.split('\n').flat_map(|line| {
        let (mut folded, style) = (folded(line, width), marked(line).filter(|_| painted));
        if let (Some((length, style)), Some(first)) = (style, folded.first_mut())
            && let Some((word, rest)) = first.split_at_checked(length)
        {
            *first = format!("{style}{word}{style:#}{rest}");
        }
        folded
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a stream is shown in colour: a terminal, unless `NO_COLOR` or a similar variable prevents it.
pub(super) fn is_coloured(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// The width of a terminal; `None` if the stream is no terminal.
pub(super) fn columns(stream: &(impl RawStream + AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let columns = rustix::termios::tcgetwinsize(stream).map_or(0, |size| usize::from(size.ws_col));
    Some(if columns == 0 { WIDEST } else { columns })
}

/// Folds a line at blanks. Further lines are indented. A word that is too long stays whole.
fn folded(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_string()];
    }
    let line = squeezed(line);
    let below = " ".repeat(hanging(&line).min(width / 2));
    // The beginning of a line stays with its first word.
    let (start, text) = line.split_at_checked(VERB).filter(|(verb, _)| is_verb(verb)).unwrap_or(("", &line));
    let folding = textwrap::Options::new(width)
        .initial_indent(start)
        .subsequent_indent(&below)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, folding).into_iter().map(|line| line.trim_end().to_string()).collect()
}

/// A line of a result without the blanks that align its end with other lines.
fn squeezed(line: &str) -> String {
    let Some((verb, text)) = line.split_at_checked(VERB).filter(|(verb, _)| is_verb(verb)) else {
        return line.to_string();
    };
    let parts: Vec<&str> = text.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect();
    format!("{verb}{}", parts.join("  "))
}

/// The indent of a folded line's further lines: below its text.
fn hanging(line: &str) -> usize {
    let blanks = line.len() - line.trim_start().len();
    let begins = |word: &str| line.starts_with(word);
    if ["error: ", "cause: ", " hint: "].into_iter().any(begins) {
        return "error: ".len();
    }
    match line.split_at_checked(VERB) {
        Some((verb, _)) if blanks == 0 && is_verb(verb) => VERB,
        _ if blanks >= VERB => blanks,
        _ => blanks + 4,
    }
}

/// Whether this is a first column: a word or two, followed by blanks.
fn is_verb(text: &str) -> bool {
    text.ends_with("  ") || text.ends_with(' ') && !text.trim_end().contains(' ')
}

/// The length of the beginning of a line that is in colour, and its style.
fn marked(line: &str) -> Option<(usize, Style)> {
    let [red, yellow, green] = [AnsiColor::Red, AnsiColor::Yellow, AnsiColor::Green].map(AnsiColor::on_default);
    let (red, yellow, green) = (red.bold(), yellow.bold(), green.bold());
    let verb = line.split_at_checked(VERB).map_or("", |(verb, _)| if is_verb(verb) { verb.trim_end() } else { "" });
    let style = match verb {
        "problem" | "failed" | "refused" | "not ready" => Some(red),
        "warning" | "held" | "changing" | "due" | "not set" => Some(yellow),
        "ok" | "ready" => Some(green),
        _ => None,
    };
    if let Some(style) = style {
        return Some((verb.len(), style));
    }
    let words = [
        ("error:", red),
        ("cause:", Style::new().bold()),
        (" hint:", green),
        ("note:", yellow),
        ("interrupted:", yellow),
        ("told to stop:", yellow),
        ("equal", green),
        ("nothing to do", green),
        ("nothing to repair", green),
    ];
    let found = words.into_iter().find(|(word, _)| {
        line.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':', ',']))
    });
    found.map(|(word, style)| (word.len(), style)).or_else(|| Some((differences(line)?, red)))
}

/// The length of `3 differences`, if the line begins with that.
fn differences(line: &str) -> Option<usize> {
    let (number, rest) = line.split_once(" difference")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    let plural = usize::from(rest.starts_with('s'));
    is_number.then_some(number.len() + " difference".len() + plural)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_below_their_text() {
        let line = format!("error: {}", ["word"; 30].join(" "));
        let lines = folded(&line, 40);
        assert!(lines.iter().all(|line| line.chars().count() <= 40), "{lines:?}");
        assert!(lines[1..].iter().all(|line| line.starts_with("       word")), "{lines:?}");
        let words = lines.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>();
        assert_eq!(words.join(" "), line);
        assert!(folded("held        2024-01: none of 2 rows is left", 30)[1].starts_with("            "));
        assert_eq!(folded("short", 40), ["short"]);
        let path = format!("{} {}", "x".repeat(60), "y".repeat(60));
        assert_eq!(folded(&path, 40), ["x".repeat(60), format!("    {}", "y".repeat(60))]);
        assert_eq!(folded(&"é".repeat(50), 40), ["é".repeat(50)]);
        assert_eq!(folded(&format!("{} é", "é".repeat(39)), 40), ["é".repeat(39), "    é".to_string()]);
    }

    #[test]
    fn words_that_matter_are_marked_and_others_are_not() {
        let word = |line: &str| marked(line).map(|(length, _)| line[..length].to_string());
        for (line, found) in [
            ("error: no table", Some("error:")),
            (" hint: do", Some(" hint:")),
            ("held        2024-01: none", Some("held")),
            ("not ready   1 problem", Some("not ready")),
            ("equal: production = rows", Some("equal")),
            ("1,204 differences between", Some("1,204 differences")),
            ("nothing to do: equal", Some("nothing to do")),
            ("settled     1 day", None),
            ("held = true", None),
            ("equality", None),
        ] {
            assert_eq!(word(line).as_deref(), found, "{line}");
        }
    }
}

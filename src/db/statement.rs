//! Statements as they stand in `sql/`, and the only things that may be written into one.
//!
//! Values travel as parameters. Where a name must vary the file says `:"name"`, as psql would, and only an [`Ident`]
//! can fill it; where a statement takes no parameters (`COPY`, `SET`) it says `:'name'`, and only types that print
//! nothing but digits, dates and places can. So a file can still be run by hand, with `psql -v name=…`.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use anyhow::Context as _;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::calendar::Day;
use crate::error::{Refusal, Result};

/// Names longer than this are cut by the server without a word, and may then be another object's.
const IDENT_BYTES: usize = 63;

/// One statement, one file: its path in the repository and its text.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// Path from the repository's root, for messages.
    pub path: &'static str,
    /// The whole file.
    pub text: &'static str,
}

/// The statement of a file below `sql/`, as a constant.
#[macro_export]
macro_rules! statement {
    ($path:literal) => {
        $crate::db::Statement {
            path: concat!("sql/", $path),
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $path)),
        }
    };
}

/// A statement whose names are filled in: what is sent to a server.
#[derive(Debug, Clone)]
pub struct Sql {
    pub(super) path: &'static str,
    pub(super) text: Cow<'static, str>,
}

impl From<Statement> for Sql {
    fn from(statement: Statement) -> Self {
        Self { path: statement.path, text: Cow::Owned(with_bare_comments(statement.text)) }
    }
}

/// The text with comments in which no name is filled: a name may hold a line break, and what follows it there would be
/// no comment any more. Lines keep their numbers.
fn with_bare_comments(text: &str) -> String {
    let bare = |line: &str| match line.trim_start().starts_with("--") {
        true => line.replace(":\"", "\"").replace(":'", "'").replace("{{", "{"),
        false => line.to_string(),
    };
    text.split_inclusive('\n').map(bare).collect()
}

impl Statement {
    /// Fills the statement's names. A name that is not filled stays, and the server refuses it.
    #[must_use]
    pub fn with(self, names: &[(&str, &dyn Filling)]) -> Sql {
        Sql::from(self).with(names)
    }

    /// The statement for an entity: its `{% … %}` and `{{ … }}` rendered.
    ///
    /// # Errors
    /// When the file says something that the shape does not have: a mistake of ours.
    pub fn of(self, shape: &Shape) -> Result<Sql> {
        let text = PARTS
            .as_ref()
            .map_err(|error| anyhow::anyhow!("{error:#}"))?
            .render_str(&with_bare_comments(self.text), &shape.0)
            .with_context(|| self.path)?;
        Ok(Sql { path: self.path, text: Cow::Owned(text) })
    }
}

/// Parts that several statements have in common, read once.
static PARTS: LazyLock<Result<minijinja::Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = minijinja::Environment::new();
    templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    templates.set_syntax(minijinja::syntax::SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    templates.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    for (name, text) in [
        ("day.jinja", include_str!("../../sql/accounts/day.jinja")),
        ("within.jinja", include_str!("../../sql/accounts/within.jinja")),
        ("source.jinja", include_str!("../../sql/accounts/source.jinja")),
        ("theirs.jinja", include_str!("../../sql/accounts/theirs.jinja")),
        ("period.jinja", include_str!("../../sql/accounts/period.jinja")),
        ("hashes.jinja", include_str!("../../sql/accounts/hashes.jinja")),
        ("statistics.jinja", include_str!("../../sql/accounts/statistics.jinja")),
        ("means.jinja", include_str!("../../sql/accounts/means.jinja")),
        ("details.jinja", include_str!("../../sql/accounts/details.jinja")),
        ("write_made.jinja", include_str!("../../sql/accounts/write_made.jinja")),
        ("printed.jinja", include_str!("../../sql/diff/printed.jinja")),
        ("differing.jinja", include_str!("../../sql/checks/differing.jinja")),
    ] {
        templates.add_template(name, text)?;
    }
    Ok(templates)
});

/// What an entity's statements are rendered from: quoted names, quoted texts and words of ours.
#[derive(Debug, Clone)]
pub struct Shape(minijinja::Value);

impl Shape {
    /// Of a structure in which all that came from outside is an [`Ident`] or a [`Literal`].
    pub fn new(fields: &impl Serialize) -> Self {
        Self(minijinja::Value::from(minijinja::value::Serde(fields)))
    }
}

/// A text as a quoted literal.
#[derive(Debug, Clone)]
pub struct Literal(String);

impl Literal {
    /// Of any text without a NUL.
    ///
    /// # Errors
    /// Refuses (usage) a NUL, which PostgreSQL cannot keep.
    pub fn new(text: &str) -> Result<Self> {
        if text.contains('\0') {
            return Err(Refusal::usage(
                format!("\"{}\" contains a NUL character", text.escape_debug()),
                "Leave it out.",
            ));
        }
        // The form with E reads the same whatever standard_conforming_strings says.
        let quoted = text.replace('\\', "\\\\").replace('\'', "''");
        Ok(Self(if text.contains('\\') { format!("E'{quoted}'") } else { format!("'{quoted}'") }))
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// As it is sent, for looking at.
impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Sql {
    /// Fills the names that are still open.
    #[must_use]
    pub fn with(self, names: &[(&str, &dyn Filling)]) -> Sql {
        let mut text = self.text.into_owned();
        for (name, filling) in names {
            text = match filling.filled() {
                Filled::Name(quoted) => text.replace(&format!(":\"{name}\""), &quoted),
                Filled::Literal(quoted) => text.replace(&format!(":'{name}'"), &quoted),
            };
        }
        Sql { path: self.path, text: Cow::Owned(text) }
    }

    /// Several filled statements as one message to the server, named by the last.
    #[must_use]
    pub fn joined(statements: &[Sql]) -> Self {
        let path = statements.last().map_or("", |last| last.path);
        let text = statements.iter().map(|sql| sql.text.as_ref()).collect::<Vec<_>>().join("\n");
        Self { path, text: Cow::Owned(text) }
    }
}

/// What may stand in the place of a name; this module alone says what does.
pub trait Filling {
    /// The quoted text, and which kind of place it fits.
    fn filled(&self) -> Filled;
}

/// Quoted text for one kind of place.
pub enum Filled {
    /// For `:"name"`.
    Name(String),
    /// For `:'name'`.
    Literal(String),
}

/// The name of a schema, table or column; prints quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident(String);

impl Ident {
    /// A name of 1 to 63 bytes, without a NUL.
    ///
    /// # Errors
    /// Refuses (usage) any other.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || name.len() > IDENT_BYTES || name.contains('\0') {
            return Err(Refusal::usage(
                format!("\"{name}\" is not a name that PostgreSQL accepts"),
                format!("Use 1 to {IDENT_BYTES} bytes."),
            ));
        }
        Ok(Self(name))
    }

    /// A name made from others: where it is too long, its start and a digest of the whole, so that two stay two.
    ///
    /// # Errors
    /// Refuses (usage) what PostgreSQL cannot keep.
    pub fn cut(name: &str) -> Result<Self> {
        if name.len() <= IDENT_BYTES {
            return Self::new(name);
        }
        let digest: String = Sha256::digest(name).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let end = (0..=IDENT_BYTES - 9).rev().find(|&at| name.is_char_boundary(at)).unwrap_or_default();
        Self::new(format!("{}~{digest}", &name[..end]))
    }

    /// The name as it is, for comparing and as a parameter.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The name as a statement has it, for one that somebody is to type.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl Filling for Ident {
    fn filled(&self) -> Filled {
        Filled::Name(self.quoted())
    }
}

/// Quoted: what is serialised goes into statements. The quotes come off again when it is read.
impl Serialize for Ident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.quoted())
    }
}

impl<'de> Deserialize<'de> for Ident {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quoted = String::deserialize(deserializer)?;
        let name = quoted.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(&quoted);
        Self::new(name.replace("\"\"", "\"")).map_err(serde::de::Error::custom)
    }
}

/// Whole milliseconds, for a time limit.
#[derive(Debug, Clone, Copy)]
pub struct Milliseconds(pub u64);

impl Filling for Milliseconds {
    fn filled(&self) -> Filled {
        Filled::Literal(format!("'{}ms'", self.0))
    }
}

impl Filling for bool {
    fn filled(&self) -> Filled {
        Filled::Literal(format!("'{self}'"))
    }
}

impl Filling for Day {
    fn filled(&self) -> Filled {
        Filled::Literal(format!("'{}'", date(*self)))
    }
}

/// The start of a day as a timestamp. The day after the last one that a timestamp can be in starts at `infinity`.
#[derive(Debug, Clone, Copy)]
pub struct Bound(pub Day);

impl Filling for Bound {
    fn filled(&self) -> Filled {
        let past_all = matches!(self.0.year_month_day(), (294_277.., ..));
        let bound = if past_all { "infinity".to_string() } else { date(self.0) };
        Filled::Literal(format!("'{bound}'"))
    }
}

impl Filling for [Day] {
    fn filled(&self) -> Filled {
        let days: Vec<String> = self.iter().map(|&day| format!("\"{}\"", date(day))).collect();
        Filled::Literal(format!("'{{{}}}'", days.join(",")))
    }
}

impl<T: Filling + ?Sized> Filling for &T {
    fn filled(&self) -> Filled {
        (**self).filled()
    }
}

/// A row's place in a table (`ctid`): block and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    block: u32,
    line: u16,
}

impl Place {
    /// Reads a place as the server prints it: `(block,line)`.
    pub fn parse(text: &str) -> Option<Self> {
        let (block, line) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
        Some(Self { block: block.parse().ok()?, line: line.parse().ok()? })
    }
}

impl Filling for Place {
    fn filled(&self) -> Filled {
        Filled::Literal(format!("'({},{})'", self.block, self.line))
    }
}

/// A day as PostgreSQL reads it under `DateStyle` ISO.
fn date(day: Day) -> String {
    let (year, month, date) = day.year_month_day();
    let era = if year < 0 { " BC" } else { "" };
    format!("{:04}-{month:02}-{date:02}{era}", year.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Statement = Statement { path: "sql/probe.sql", text: "COPY :\"table\" TO :'from' :'until'" };

    #[test]
    fn a_name_is_quoted_and_cannot_end_its_quotes() {
        let name = Ident::new("a\"; DROP TABLE b; --").unwrap();
        assert_eq!(PROBE.with(&[("table", &name)]).text, "COPY \"a\"\"; DROP TABLE b; --\" TO :'from' :'until'");
    }

    #[test]
    fn a_name_with_a_line_break_does_not_end_a_comment() {
        let probe = Statement { path: "sql/probe.sql", text: "-- Reads: :\"table\"\nCOPY :\"table\"" };
        let name = Ident::new("a\n; DROP TABLE b; --").unwrap();
        assert_eq!(probe.with(&[("table", &name)]).text, "-- Reads: \"table\"\nCOPY \"a\n; DROP TABLE b; --\"");
        let shape = Shape::new(&std::collections::BTreeMap::from([("x", 1)]));
        let sql = probe.of(&shape).unwrap().with(&[("table", &name)]);
        assert_eq!(sql.text, "-- Reads: \"table\"\nCOPY \"a\n; DROP TABLE b; --\"");
    }

    #[test]
    fn a_name_over_63_bytes_is_refused() {
        assert!(Ident::new("ä".repeat(31)).is_ok());
        assert!(Ident::new("ä".repeat(32)).is_err());
        assert!(Ident::new("").is_err());
    }

    #[test]
    fn days_are_literals_of_digits_in_every_era() {
        let filled =
            PROBE.with(&[("from", &Day::new(-44, 3, 15).unwrap()), ("until", &Day::new(12024, 1, 1).unwrap())]);
        assert_eq!(filled.text, "COPY :\"table\" TO '0044-03-15 BC' '12024-01-01'");
    }

    #[test]
    fn places_are_read_as_the_server_prints_them() {
        assert_eq!(Place::parse("(12,7)"), Some(Place { block: 12, line: 7 }));
        assert_eq!(Place::parse("(12,7); DROP"), None);
    }
}

//! Statements as they are in `sql/`, and the only things that may be filled into one. Pure: no socket.
//!
//! Values are sent as parameters. A file in which names or words vary is a template. It can be filled only with what
//! quotes itself: an [`Ident`], a [`Literal`], and types that print only digits, dates and ctids, for statements
//! without parameters (`COPY`, `SET`). A plain text is refused before anything is rendered, so no file can forget the
//! quotes. `cargo run --example statement FILE` prints one for psql.

mod names;
mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::Context as _;
use minijinja::value::{Serde, ValueKind, merge_maps};
use minijinja::{Template, Value};
use serde::{Serialize, Serializer};

pub use names::{Ident, Literal};
pub use values::{Bound, Ctid, Milliseconds};

use crate::error::Result;

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
        $crate::sql::Statement {
            path: concat!("sql/", $path),
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $path)),
        }
    };
}

/// What is sent to a server.
#[derive(Debug, Clone)]
pub struct Sql {
    path: &'static str,
    text: Cow<'static, str>,
}

/// A statement without placeholders, as it is in its file.
impl From<Statement> for Sql {
    fn from(statement: Statement) -> Self {
        Self { path: statement.path, text: Cow::Borrowed(statement.text) }
    }
}

impl Statement {
    /// The statement for an entity, or for any other shape.
    ///
    /// # Errors
    /// If the file uses something that the shape does not have, which is a bug.
    pub fn of(self, shape: &Shape) -> Result<Sql> {
        let text = self.template()?.render(&shape.0).with_context(|| self.path)?;
        Ok(Sql { path: self.path, text: Cow::Owned(text) })
    }

    /// The file as a template. Each is taken apart once, which takes longer than filling it.
    fn template(self) -> Result<Template<'static, 'static>> {
        static READ: Mutex<BTreeMap<&str, Template<'static, 'static>>> = Mutex::new(BTreeMap::new());
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = read.get(self.text) {
            return Ok(template.clone());
        }
        let templates = TEMPLATES.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
        let template = templates.template_from_str(self.text).with_context(|| self.path)?;
        read.insert(self.text, template.clone());
        Ok(template)
    }

    /// The statement with only these names.
    ///
    /// # Errors
    /// As [`Statement::of`].
    pub fn with(self, names: &[(&str, &dyn Filling)]) -> Result<Sql> {
        self.of(&Shape(filled(names)))
    }
}

/// Renders statements. The parts that several statements share are read once.
static TEMPLATES: LazyLock<Result<minijinja::Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = minijinja::Environment::new();
    templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    templates.set_syntax(minijinja::syntax::SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    templates.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    for (name, text) in [
        ("day.jinja", include_str!("../sql/accounts/day.jinja")),
        ("stretch.jinja", include_str!("../sql/accounts/stretch.jinja")),
        ("within.jinja", include_str!("../sql/accounts/within.jinja")),
        ("source.jinja", include_str!("../sql/accounts/source.jinja")),
        ("theirs.jinja", include_str!("../sql/accounts/theirs.jinja")),
        ("period.jinja", include_str!("../sql/accounts/period.jinja")),
        ("hashes.jinja", include_str!("../sql/accounts/hashes.jinja")),
        ("statistics.jinja", include_str!("../sql/accounts/statistics.jinja")),
        ("means.jinja", include_str!("../sql/accounts/means.jinja")),
        ("details.jinja", include_str!("../sql/accounts/details.jinja")),
        ("write_made.jinja", include_str!("../sql/accounts/write_made.jinja")),
        ("printed.jinja", include_str!("../sql/diff/printed.jinja")),
        ("closed.jinja", include_str!("../sql/warehouse/closed.jinja")),
        ("differing.jinja", include_str!("../sql/checks/differing.jinja")),
    ] {
        templates.add_template(name, text)?;
    }
    Ok(templates)
});

/// What statements are rendered from: quoted names, quoted texts and fixed words.
#[derive(Debug, Clone)]
pub struct Shape(Value);

impl Shape {
    /// From a structure in which all texts have types of this module.
    ///
    /// # Errors
    /// If one has another type, which is a bug. It must not get into a statement.
    pub fn new(fields: &impl Serialize) -> Result<Self> {
        let value = Value::from(Serde(fields));
        is_quoted(&value).with_context(|| format!("not quoted: {value}"))?;
        Ok(Self(value))
    }

    /// The same with more names.
    #[must_use]
    pub fn with(&self, names: &[(&str, &dyn Filling)]) -> Self {
        Self(merge_maps([filled(names), self.0.clone()]))
    }
}

fn filled(names: &[(&str, &dyn Filling)]) -> Value {
    let filled = names.iter().map(|(name, filling)| (*name, Value::from_safe_string(filling.filled())));
    Value::from(filled.collect::<BTreeMap<_, _>>())
}

/// Whether each text in a value came from a type that quotes itself; `None` if one did not.
fn is_quoted(value: &Value) -> Option<()> {
    match value.kind() {
        ValueKind::String => value.is_safe().then_some(()),
        ValueKind::Seq | ValueKind::Iterable => value.try_iter().ok()?.try_for_each(|each| is_quoted(&each)),
        ValueKind::Map => value.try_iter().ok()?.try_for_each(|key| is_quoted(&value.get_item(&key).ok()?)),
        ValueKind::Undefined | ValueKind::None | ValueKind::Bool | ValueKind::Number => Some(()),
        _ => None,
    }
}

/// Something that quotes itself, for a statement. Only this module implements it.
pub trait Filling {
    /// The quoted text.
    fn filled(&self) -> String;
}

impl<T: Filling + ?Sized> Filling for &T {
    fn filled(&self) -> String {
        (**self).filled()
    }
}

/// Quoted text, if it is for a shape; otherwise plain text.
fn serialize_filled<S: Serializer>(filling: &impl Filling, serializer: S) -> Result<S::Ok, S::Error> {
    Value::from_safe_string(filling.filled()).serialize(serializer)
}

/// A fixed word: a keyword, a type, a function, a choice between branches of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(pub &'static str);

impl Filling for Word {
    fn filled(&self) -> String {
        self.0.to_string()
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_filled(self, serializer)
    }
}

/// As it is sent, for people to read.
impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Sql {
    /// The path of the file, for messages.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// As it is sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Several statements as one message to the server, with the path of the last.
    #[must_use]
    pub fn joined(statements: &[Sql]) -> Self {
        let path = statements.last().map_or("", |last| last.path);
        let text = statements.iter().map(|sql| sql.text.as_ref()).collect::<Vec<_>>().join("\n");
        Self { path, text: Cow::Owned(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Day;

    const PROBE: Statement = Statement { path: "sql/probe.sql", text: "COPY {{ table }} TO {{ from }} {{ until }}" };

    #[test]
    fn a_name_is_quoted_and_cannot_end_its_quotes() {
        let name = Ident::new("a\"; DROP TABLE b; --").unwrap();
        let sql =
            Statement { path: "sql/probe.sql", text: "DROP TABLE {{ table }}" }.with(&[("table", &name)]).unwrap();
        assert_eq!(sql.text, "DROP TABLE \"a\"\"; DROP TABLE b; --\"");
    }

    #[test]
    fn a_name_that_is_not_filled_is_an_error() {
        assert!(PROBE.with(&[("table", &Ident::new("a").unwrap())]).is_err());
    }

    #[test]
    fn days_are_literals_of_digits_in_every_era() {
        let (table, from, until) =
            (Ident::new("a").unwrap(), Day::new(-44, 3, 15).unwrap(), Day::new(12024, 1, 1).unwrap());
        let filled = PROBE.with(&[("table", &table), ("from", &from), ("until", &until)]).unwrap();
        assert_eq!(filled.text, "COPY \"a\" TO '0044-03-15 BC' '12024-01-01'");
    }

    #[test]
    fn a_text_that_does_not_quote_itself_gets_into_no_shape() {
        #[derive(Serialize)]
        struct Inner<T>(Vec<Option<T>>);
        assert!(Shape::new(&[("name", Inner(vec![Some(Word("sum"))]))].map(|(_, inner)| inner)).is_ok());
        assert!(Shape::new(&[("name", Inner(vec![Some("sum")]))].map(|(_, inner)| inner)).is_err());
    }
}

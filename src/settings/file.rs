//! The settings file, as `kalends.example.toml` shows it.

use std::io::ErrorKind;
use std::num::NonZeroU64;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use toml::Spanned;

use super::duration::Written;
use super::guard::Guard;
use super::limits::Limits;
use super::misspelt;
use crate::calendar::Level;
use crate::entity::{Lines, Statistic};
use crate::error::{Refusal, Result};
use crate::files;

/// All that the file may say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) production_url: Option<String>,
    pub(super) warehouse_url: Option<String>,
    pub(super) exports: PathBuf,
    pub(super) local: PathBuf,
    pub(super) limits: Limits,
    pub(super) production: Production,
    pub(super) guard: Guard,
    pub(super) entity: Vec<TypedEntity>,
}

/// A table that is accounted for, as the file has it.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypedEntity {
    pub(super) name: String,
    pub(super) table: Spanned<String>,
    pub(super) time: Spanned<String>,
    pub(super) time_zone: Option<Spanned<String>>,
    pub(super) measures: Vec<Spanned<String>>,
    pub(super) dimensions: Option<Vec<Spanned<String>>>,
    pub(super) statistics: Option<Vec<Statistic>>,
    pub(super) levels: Option<Vec<Level>>,
    #[serde(skip)]
    pub(super) lines: Lines,
}

impl TypedEntity {
    /// Notes the lines of its names in a file's text.
    fn locate(&mut self, path: &Path, text: &str) {
        let mut lines = Lines::of(path.display().to_string());
        lines.note("table", line_of(text, &self.table));
        lines.note(self.time.get_ref(), line_of(text, &self.time));
        if let Some(zone) = &self.time_zone {
            lines.note("time_zone", line_of(text, zone));
        }
        for column in self.measures.iter().chain(self.dimensions.iter().flatten()) {
            lines.note(column.get_ref(), line_of(text, column));
        }
        self.lines = lines;
    }
}

/// The number of the line that something of a text is in.
fn line_of<T>(text: &str, written: &Spanned<T>) -> usize {
    line_at(text, written.span().start)
}

fn line_at(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|&byte| byte == b'\n').count() + 1
}

/// What production is spared; without a limit of its own those of [`Limits`] hold.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Production {
    pub(super) lock_timeout: Option<Written>,
    pub(super) statement_timeout: Option<Written>,
    pub(super) max_rows_per_second: Option<NonZeroU64>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            production_url: None,
            warehouse_url: None,
            exports: "exports".into(),
            local: ".kalends".into(),
            limits: Limits::default(),
            production: Production::default(),
            guard: Guard::default(),
            entity: Vec::new(),
        }
    }
}

/// Reads a file that was named, so it has to be there.
pub(super) fn read(path: &Path) -> Result<File> {
    let text = match files::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(not_there(path)),
        read => read.with_context(|| format!("could not read the settings file \"{}\"", path.display()))?,
    };
    let file = parse(path, &text)?;
    let holds_url = file.production_url.is_some() || file.warehouse_url.is_some();
    let mode = std::fs::metadata(path)?.permissions().mode();
    if holds_url && mode & 0o004 != 0 {
        return Err(Refusal::refused(
            format!("the settings file \"{}\" holds a URL and everybody may read it", path.display()),
            format!("Run `chmod o-r {}`.", path.display()),
        ));
    }
    Ok(file)
}

fn not_there(path: &Path) -> anyhow::Error {
    Refusal::usage(
        format!("there is no settings file \"{}\"", path.display()),
        "Check --config and KALENDS_CONFIG; `kalends init` writes a settings file.",
    )
}

/// Reads the file of the working directory, if there is one.
pub(super) fn read_if_there(path: &Path) -> Result<File> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(File::default()),
        _ => read(path),
    }
}

fn parse(path: &Path, text: &str) -> Result<File> {
    let mut file: File = toml::from_str(text).map_err(|error| {
        // The library would print the line as well, and the line may hold a password.
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        let (message, hint) = misspelt::explain(error.message().lines().next().unwrap_or_default());
        Refusal::usage(format!("\"{}\", line {line}: {message}", path.display()), hint)
    })?;
    file.entity.iter_mut().for_each(|entity| entity.locate(path, text));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::Entity;

    #[test]
    fn the_example_file_shows_the_defaults() {
        let example = include_str!("../../kalends.example.toml");
        let shown: String =
            example.lines().map(|line| line.strip_prefix("#= ").unwrap_or(line).to_string() + "\n").collect();
        let file = parse("kalends.example.toml".as_ref(), &shown).unwrap();
        let default = File::default();
        assert_eq!(file.exports, default.exports);
        assert_eq!(file.local, default.local);
        assert_eq!(file.limits, default.limits);
        assert_eq!(file.guard, default.guard);
        // The default table is shown, although without any it is used.
        let table = Entity::default_table().unwrap();
        assert_eq!(crate::settings::entities::read(file.entity).unwrap(), [table]);
        // Both URLs are shown, although they have no default.
        assert!(file.production_url.is_some() && file.warehouse_url.is_some());
        // So is what production is spared, with the values that hold without them.
        let Production { lock_timeout, statement_timeout, max_rows_per_second } = file.production;
        let written = |limit: Option<Written>| limit.map(|limit| limit.0);
        assert_eq!(written(lock_timeout), Some(default.limits.lock_timeout.0));
        assert_eq!(written(statement_timeout), Some(default.limits.statement_timeout.0));
        assert!(max_rows_per_second.is_some());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_without_its_text() {
        let error =
            parse("k.toml".as_ref(), "exports = \"x\"\nproduktion_url = \"postgres://a:s3cret@b\"\n").err().unwrap();
        let message = error.to_string();
        assert!(message.starts_with("\"k.toml\", line 2: there is no key \"produktion_url\""), "{message}");
        assert!(!message.contains("s3cret"));
        assert!(parse("k.toml".as_ref(), "[limits]\nlock_timeout = \"0s\"\n").is_err());
        assert!(parse("k.toml".as_ref(), "[limits]\nlock_seconds = 0\n").is_err());
    }
}

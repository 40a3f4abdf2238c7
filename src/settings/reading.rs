//! Reads a settings file, or says what is wrong with it.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::file::{File, line_at};
use super::misspelt;
use crate::error::{Refusal, Result};
use crate::files;

/// Reads a file that was named. It must exist.
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

/// Reads the file of the working directory, if it exists.
pub(super) fn read_if_there(path: &Path) -> Result<File> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(File::default()),
        _ => read(path),
    }
}

fn parse(path: &Path, text: &str) -> Result<File> {
    let mut file: File = toml::from_str(text).map_err(|error| {
        // The library would print the line as well, which may contain a password.
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        let (message, hint) = misspelt::explain(error.message().lines().next().unwrap_or_default());
        Refusal::usage(format!("\"{}\", line {line}: {message}", path.display()), hint)
    })?;
    file.entity.iter_mut().for_each(|entity| entity.locate(path, text));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::super::duration::Written;
    use super::super::file::{Production, Workers};
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
        // The example shows the default table, although it is also used without being written.
        let table = Entity::default_table().unwrap();
        assert_eq!(crate::settings::entities::read(file.entity).unwrap(), [table]);
        // It shows both URLs, although they have no default.
        assert!(file.production_url.is_some() && file.warehouse_url.is_some());
        // It shows how production is spared, with the values that apply without them.
        let Production { lock_timeout, statement_timeout, max_rows_per_second, workers } = file.production;
        let written = |limit: Option<Written>| limit.map(|limit| limit.0);
        assert_eq!(written(lock_timeout), Some(default.limits.lock_timeout.0));
        assert_eq!(written(statement_timeout), Some(default.limits.statement_timeout.0));
        assert!(max_rows_per_second.is_some());
        // PostgreSQL's own default.
        assert_eq!([workers, file.warehouse.workers], [Some(Workers(2)); 2]);
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

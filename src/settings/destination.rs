//! Where files are published: a folder, or a place in an object store, from what was typed.

use std::fmt::{self, Display, Formatter};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::Environment;
use super::store::{Scheme, Store};
use crate::error::{Refusal, Result};

/// Where files are published.
#[derive(Debug, Clone)]
pub enum Destination {
    /// A folder.
    Folder(PathBuf),
    /// A place in an object store.
    Store(Box<Store>),
}

impl Destination {
    /// From a path or a URL. A request to a store connects within `connect`.
    ///
    /// # Errors
    /// Refuses (usage) an empty name and a URL that names no place. No part of a URL but its scheme is shown: somebody
    /// may have put a password into it.
    pub(super) fn of(typed: PathBuf, environment: &Environment, connect: Duration) -> Result<Self> {
        check_name(&typed)?;
        let Some((scheme, rest)) = typed.to_str().and_then(scheme) else { return Ok(Self::Folder(typed)) };
        if scheme == "file" {
            return Ok(Self::Folder(path_of(rest)?));
        }
        let scheme = Scheme::of(&scheme).ok_or_else(|| unknown(&scheme))?;
        let rest = rest.strip_prefix("//").unwrap_or_default();
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        if !is_bucket(bucket) || !is_prefix(prefix) {
            return Err(Refusal::usage(
                format!("the URL of the exports names no place in an object store: {}", scheme.form()),
                "Bucket and prefix are plain names, without spaces, @, ? and #; credentials come from the environment.",
            ));
        }
        let (bucket, prefix) = (bucket.to_string(), prefix.to_string());
        Store::new(scheme, bucket, prefix, environment, connect).map(|store| Self::Store(Box::new(store)))
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::Store(_) => None,
        }
    }

    /// Where a file of it is, as people read it.
    pub fn at(&self, file: &str) -> String {
        match self {
            Self::Folder(path) => path.join(file).display().to_string(),
            Self::Store(store) => format!("{store}/{file}"),
        }
    }
}

impl Display for Destination {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(out, "{}", path.display()),
            Self::Store(store) => write!(out, "{store}"),
        }
    }
}

/// Checks that the name is one that a folder can have.
fn check_name(typed: &Path) -> Result<()> {
    let wrong = match typed.as_os_str().as_bytes() {
        [] => "is empty",
        bytes if bytes.contains(&0) => "holds a NUL character",
        _ => return Ok(()),
    };
    Err(Refusal::usage(
        format!("the name of the export folder {wrong}"),
        "Name a folder in exports of the settings file, in KALENDS_EXPORTS or with --exports; . is the current one.",
    ))
}

/// Scheme and rest of a URL, or of what is meant as one; `None` of a path.
fn scheme(typed: &str) -> Option<(String, &str)> {
    let (scheme, rest) = typed.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let is_known = scheme == "file" || Scheme::of(&scheme).is_some();
    (is_scheme && (rest.starts_with("//") || is_known)).then_some((scheme, rest))
}

/// The path of a file URL, which begins after `file:`.
fn path_of(rest: &str) -> Result<PathBuf> {
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => rest,
    };
    let decoded = percent_decode_str(path).decode_utf8().ok().filter(|path| !path.contains('\0'));
    decoded.filter(|path| path.starts_with('/')).map(|path| PathBuf::from(path.as_ref())).ok_or_else(|| {
        Refusal::usage(
            "the URL of the exports names no folder of this machine",
            "Write file:///absolute/path, or the path alone.",
        )
    })
}

fn unknown(scheme: &str) -> anyhow::Error {
    Refusal::usage(
        format!("the URL of the exports has the scheme \"{scheme}\", which Kalends does not know"),
        "Use a path, or file:, s3:, gs: or az:, such as s3://bucket/prefix.",
    )
}

fn is_bucket(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whether a prefix goes down by plain names. An empty one is the whole bucket.
fn is_prefix(prefix: &str) -> bool {
    let is_plain = |part: &str| {
        let known = |c: char| c.is_alphanumeric() || "-_.=+,:()!'$&".contains(c);
        !part.is_empty() && part != "." && part != ".." && part.chars().all(known)
    };
    prefix.is_empty() || prefix.split('/').all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Exit, exit_code};

    fn of(typed: &str) -> Result<Destination> {
        Destination::of(typed.into(), &Environment::default(), Duration::from_secs(10))
    }

    #[test]
    fn a_path_and_a_file_url_are_folders() {
        for (typed, path) in [
            ("exports", "exports"),
            ("/srv/a:b", "/srv/a:b"),
            ("a:b", "a:b"),
            ("./s3:a", "./s3:a"),
            ("1://x", "1://x"),
            ("file:///srv/my%20files", "/srv/my files"),
            ("file://localhost/srv", "/srv"),
            ("FILE:/srv", "/srv"),
        ] {
            assert_eq!(of(typed).unwrap().folder(), Some(Path::new(path)), "{typed}");
        }
    }

    #[test]
    fn what_names_no_place_is_a_usage_error_that_shows_nothing_of_it() {
        for typed in [
            "http://bucket/s3cret",
            "s3://",
            "s3:///s3cret",
            "s3://key:s3cret@bucket",
            "s3://bucket/a//s3cret",
            "s3://bucket/../s3cret",
            "s3:s3cret",
            "gs:/bucket/s3cret",
            "gs://bucket/a?token=s3cret",
            "az://container/s3cret#",
            "file://host/s3cret",
            "file:s3cret",
            "",
        ] {
            let error = of(typed).unwrap_err();
            assert_eq!(exit_code(&error), Exit::Usage, "{typed}");
            assert!(!crate::error::render(&error).contains("s3cret"), "{typed}: {error}");
        }
        let hint = crate::error::hint(&of("ftp://x").unwrap_err()).unwrap().to_string();
        assert!(["file:", "s3:", "gs:", "az:"].into_iter().all(|scheme| hint.contains(scheme)), "{hint}");
    }

    #[cfg(not(feature = "stores"))]
    #[test]
    fn a_build_without_stores_says_so() {
        let error = of("s3://bucket/a").unwrap_err();
        assert_eq!(exit_code(&error), Exit::Usage);
        assert!(crate::error::render(&error).contains("the feature stores"), "{error}");
    }

    #[cfg(feature = "stores")]
    #[test]
    fn a_place_in_a_store_is_shown_without_a_slash_at_its_end() {
        for (typed, shown) in [
            ("s3://bucket", "s3://bucket"),
            ("S3://bucket/a/year=1/", "s3://bucket/a/year=1"),
            ("gs://my-bucket.eu/a", "gs://my-bucket.eu/a"),
        ] {
            let found = of(typed).unwrap();
            assert_eq!((found.to_string(), found.at("x.csv")), (shown.to_string(), format!("{shown}/x.csv")));
        }
    }
}

//! The process's environment, read once.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::error::{Refusal, Result};

/// The variables as they were when the program started.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<OsString, OsString>,
}

impl Environment {
    /// Of this process.
    pub fn of_process() -> Self {
        Self { variables: std::env::vars_os().collect() }
    }

    /// Of only these variables.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self { variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// A variable's text. An empty one counts as not set.
    ///
    /// # Errors
    /// Refuses (usage) a value that is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let Some(value) = self.variables.get(name.as_ref() as &std::ffi::OsStr).filter(|value| !value.is_empty())
        else {
            return Ok(None);
        };
        let text = value.to_str().map(str::to_string);
        text.map(Some).ok_or_else(|| Refusal::usage(format!("{name} is not UTF-8"), "Set it to plain text."))
    }

    /// All variables whose names begin so, with texts that are not empty.
    ///
    /// # Errors
    /// Refuses (usage) a value that is not UTF-8.
    pub fn beginning(&self, begins: &str) -> Result<Vec<(String, String)>> {
        let names = self.variables.keys().filter_map(|name| name.to_str()).filter(|name| name.starts_with(begins));
        let mut found = Vec::new();
        for name in names {
            found.extend(self.text(name)?.map(|text| (name.to_string(), text)));
        }
        found.sort();
        Ok(found)
    }

    /// A variable's value as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name.as_ref() as &std::ffi::OsStr).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Where to look for programs.
    pub fn search_path(&self) -> Option<OsString> {
        self.path("PATH").map(PathBuf::into_os_string)
    }

    /// The path as an absolute one.
    ///
    /// # Errors
    /// If the working directory is gone.
    pub fn absolute(&self, path: &Path) -> Result<PathBuf> {
        std::path::absolute(path).with_context(|| format!("could not tell where \"{}\" is", path.display()))
    }
}

//! The lines of a settings file that an entity is written in, for messages about a wrong name.

use std::collections::BTreeMap;

/// Lines of a file, by the name or key that is written there. They do not matter when entities are compared.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    file: String,
    lines: BTreeMap<String, usize>,
}

impl PartialEq for Lines {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Lines {}

impl Lines {
    /// Lines of this file, none noted yet.
    pub fn of(file: String) -> Self {
        Self { file, lines: BTreeMap::new() }
    }

    /// Notes the line of a name or key. Of the same ones, the first counts.
    pub fn note(&mut self, name: &str, line: usize) {
        self.lines.entry(name.to_string()).or_insert(line);
    }

    /// ` (kalends.toml:12)`; empty if the line is not known.
    pub fn place(&self, name: &str) -> String {
        self.lines.get(name).map_or(String::new(), |line| format!(" ({}:{line})", self.file))
    }
}

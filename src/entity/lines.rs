//! Where in a settings file an entity is written: what a message says where a name in it is wrong.

use std::collections::BTreeMap;

/// Lines of a file, by the name or key that is written there. It makes no entity another one.
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
    /// In this file.
    pub fn of(file: String) -> Self {
        Self { file, lines: BTreeMap::new() }
    }

    /// Notes the line of a name or key; the first of the same counts.
    pub fn note(&mut self, name: &str, line: usize) {
        self.lines.entry(name.to_string()).or_insert(line);
    }

    /// ` (kalends.toml:12)`; nothing where it is not known.
    pub fn place(&self, name: &str) -> String {
        self.lines.get(name).map_or(String::new(), |line| format!(" ({}:{line})", self.file))
    }
}

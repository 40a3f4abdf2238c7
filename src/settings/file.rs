//! The settings file, as `kalends.example.toml` shows it.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::cluster::Cluster;
use super::duration::Written;
use super::guard::Guard;
use super::limits::Limits;
use crate::calendar::{Layout, Level};
use crate::entity::{Format, Lines, Statistic};

/// Everything that the file may contain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) production_url: Option<String>,
    pub(super) warehouse_url: Option<String>,
    pub(super) exports: PathBuf,
    pub(super) report: Option<bool>,
    pub(super) local: PathBuf,
    pub(super) limits: Limits,
    pub(super) production: Production,
    pub(super) warehouse: Warehouse,
    pub(super) guard: Guard,
    pub(super) entity: Vec<TypedEntity>,
}

/// A table that is accounted for, as in the file.
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
    pub(super) formats: Option<Vec<Format>>,
    pub(super) layout: Option<Layout>,
    pub(super) recent: Option<String>,
    pub(super) prove_all_every: Option<String>,
    #[serde(skip)]
    pub(super) lines: Lines,
}

impl TypedEntity {
    /// Notes on which lines of the file its names are.
    pub(super) fn locate(&mut self, path: &Path, text: &str) {
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

/// The number of the line that a value of a text is on.
fn line_of<T>(text: &str, written: &Spanned<T>) -> usize {
    line_at(text, written.span().start)
}

pub(super) fn line_at(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|&byte| byte == b'\n').count() + 1
}

/// How production is spared. Without a limit of its own, those of [`Limits`] apply.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Production {
    pub(super) lock_timeout: Option<Written>,
    pub(super) statement_timeout: Option<Written>,
    pub(super) max_rows_per_second: Option<NonZeroU64>,
    pub(super) workers: Option<Workers>,
}

/// What the warehouse is.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Warehouse {
    pub(super) cluster: Option<Cluster>,
    pub(super) workers: Option<Workers>,
}

/// How many processes a statement may take beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Workers(pub(super) u16);

/// The most that PostgreSQL takes.
const MOST_WORKERS: u16 = 1024;

impl TryFrom<i64> for Workers {
    type Error = String;

    fn try_from(typed: i64) -> Result<Self, String> {
        let known = u16::try_from(typed).ok().filter(|&workers| workers <= MOST_WORKERS);
        known.map(Self).ok_or_else(|| format!("workers are a whole number from 0 to {MOST_WORKERS}"))
    }
}

impl Default for File {
    fn default() -> Self {
        Self {
            production_url: None,
            warehouse_url: None,
            exports: "exports".into(),
            report: None,
            local: ".kalends".into(),
            limits: Limits::default(),
            production: Production::default(),
            warehouse: Warehouse::default(),
            guard: Guard::default(),
            entity: Vec::new(),
        }
    }
}

//! The settings file, as `kalends.example.toml` shows it.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::duration::{Seconds, Written};
use super::guard::Guard;
use crate::calendar::Level;
use crate::entity::Statistic;

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
    pub(super) table: String,
    pub(super) time: String,
    pub(super) time_zone: Option<String>,
    pub(super) measures: Vec<String>,
    pub(super) dimensions: Option<Vec<String>>,
    pub(super) statistics: Option<Vec<Statistic>>,
    pub(super) levels: Option<Vec<Level>>,
}

/// Limits in whole seconds; none may be 0, which to PostgreSQL would mean no limit.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) connect_seconds: Seconds,
    pub(super) lock_seconds: Seconds,
    pub(super) statement_seconds: Seconds,
    pub(super) idle_seconds: Seconds,
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

impl Default for Limits {
    fn default() -> Self {
        let seconds = |seconds| Seconds(Duration::from_secs(seconds));
        Self {
            connect_seconds: seconds(10),
            lock_seconds: seconds(10),
            statement_seconds: seconds(3600),
            idle_seconds: seconds(3600),
        }
    }
}

//! The file of a plan: its JSON, sealed with a digest, so that a run does what was planned or nothing.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::contents::{KIND, Plan, VERSION};
use super::day::days;
use super::written::Written;
use crate::accounts::{self, Accounts, Changes};
use crate::calendar::Period;
use crate::error::{Refusal, Result};
use crate::files;

/// A plan that a run is held to.
pub struct Expected {
    path: PathBuf,
    plan: Read,
}

/// A plan as read from its file: what a run must do, and the keys of all else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    warehouse: Value,
    warehouse_database: Value,
    generation: Value,
    accept_loss: Option<Vec<String>>,
    entities: Vec<ReadEntity>,
    #[serde(rename = "version")]
    _version: IgnoredAny,
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    #[serde(rename = "nothing_to_do")]
    _nothing_to_do: IgnoredAny,
    #[serde(rename = "files")]
    _files: IgnoredAny,
    #[serde(rename = "publishing_refused")]
    _publishing_refused: IgnoredAny,
}

/// What a run must do with an entity. What a survey counts, and what follows from it, is covered by `survey` and
/// `days`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadEntity {
    entity: String,
    production: Value,
    definition: Value,
    survey: String,
    settled_anew: Vec<String>,
    days: Vec<Value>,
    mended_periods: Vec<String>,
    held: Vec<ReadNote>,
    changing: Vec<ReadNote>,
    #[serde(rename = "production_as_of")]
    _production_as_of: IgnoredAny,
    #[serde(rename = "surveyed_rows")]
    _surveyed_rows: IgnoredAny,
    #[serde(rename = "surveyed_days")]
    _surveyed_days: IgnoredAny,
    #[serde(rename = "older", default)]
    _older: IgnoredAny,
    #[serde(rename = "set_aside")]
    _set_aside: IgnoredAny,
    #[serde(rename = "accounts")]
    _accounts: IgnoredAny,
    #[serde(rename = "combinations")]
    _combinations: IgnoredAny,
    #[serde(rename = "not_looked_into_days")]
    _not_looked_into_days: IgnoredAny,
    #[serde(rename = "accept")]
    _accept: IgnoredAny,
}

/// What is held or changing. Since when, and the wording of the reason, is not compared.
#[derive(PartialEq, Eq, Deserialize)]
struct ReadNote {
    period: String,
    kind: String,
}

fn digest(plan: &Value) -> String {
    Sha256::digest(plan.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a plan, whole or not at all.
///
/// # Errors
/// If the file cannot be written, or something else than a regular file has its name.
pub fn write(path: &Path, plan: &Written) -> Result<()> {
    let failed = || format!("could not write the plan to \"{}\"", path.display());
    // A device or a pipe would be replaced by the plan.
    files::check_place(path).with_context(failed)?;
    let written = files::replace(path, 0o666, |file| {
        serde_json::to_writer_pretty(&mut *file, plan)?;
        writeln!(file)
    });
    written.with_context(failed)
}

impl Expected {
    /// Reads a plan's file.
    ///
    /// # Errors
    /// Refuses one that is not there (usage), damaged, no plan, or of a newer Kalends.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = files::read(path).map_err(|error| {
            let hint = "Make one with `kalends plan --out FILE`.";
            Refusal::usage(format!("could not read the plan \"{shown}\": {error}"), hint)
        })?;
        let damaged = || {
            Refusal::refused(
                format!("\"{shown}\" is not a plan of Kalends, or is damaged"),
                "Make a new one with `kalends plan --out FILE`; nothing was changed.",
            )
        };
        let mut plan: Value = serde_json::from_slice(&text).map_err(|_| damaged())?;
        if plan["kind"] != KIND {
            return Err(damaged());
        }
        if let Some(version) = plan["version"].as_u64().filter(|&version| version > u64::from(VERSION)) {
            return Err(Refusal::refused(
                format!("\"{shown}\" is of version {version}, this Kalends knows {VERSION}"),
                "Use the newer Kalends that made it, or make a new plan; nothing was changed.",
            ));
        }
        let seal = plan.as_object_mut().and_then(|fields| fields.remove("digest"));
        if seal != Some(json!(digest(&plan))) {
            return Err(damaged());
        }
        let plan = serde_json::from_value(plan).map_err(|_| damaged())?;
        Ok(Self { path: path.to_path_buf(), plan })
    }

    /// The losses that the plan accepts.
    pub fn accept_loss(&self) -> Option<Vec<Period>> {
        let periods = self.plan.accept_loss.as_ref()?;
        Some(periods.iter().filter_map(|period| period.parse().ok()).collect())
    }

    /// Refuses if a plan made now differs from this one.
    ///
    /// # Errors
    /// With what has changed since.
    pub fn check(&self, now: &Plan) -> Result<()> {
        let (path, then, now) = (self.path.display(), &self.plan, Read::of(now)?);
        let outdated = |what: String| Err(self.outdated(what));
        let warehouse_changed = || outdated(format!("the warehouse has changed since the plan \"{path}\" was made"));
        if (&then.warehouse_database, &then.warehouse) != (&now.warehouse_database, &now.warehouse) {
            return outdated(format!("the plan \"{path}\" was made for another warehouse"));
        }
        let (was, is) = (then.listed(), now.listed());
        if was != is {
            return outdated(format!("the plan \"{path}\" is for {was}, and the settings have {is}"));
        }
        if then.generation != now.generation {
            return warehouse_changed();
        }
        for (was, is) in then.entities.iter().zip(&now.entities) {
            let entity = json!(is.entity);
            if was.production != is.production {
                return outdated(format!("the plan \"{path}\" was made for another production"));
            }
            if (&was.definition, &was.settled_anew) != (&is.definition, &is.settled_anew) {
                return outdated(format!(
                    "entity {entity} has another definition than when the plan \"{path}\" was made"
                ));
            }
            if was.survey != is.survey {
                return Err(self.moved(&is.entity));
            }
            if (&was.held, &was.changing) != (&is.held, &is.changing) {
                return outdated(format!("the held periods have changed since the plan \"{path}\": entity {entity}"));
            }
            if (&was.days, &was.mended_periods) != (&is.days, &is.mended_periods) {
                return warehouse_changed();
            }
        }
        Ok(())
    }

    /// As [`Expected::check`], for what a run is about to do with one entity.
    pub fn check_one(&self, entity: &str, survey: &Accounts, ledger: &Accounts, changes: &Changes) -> Result<()> {
        let planned = self.plan.entities.iter().find(|one| one.entity == entity);
        let days = serde_json::to_value(days(changes, survey, ledger))?;
        let holds = planned.is_some_and(|one| one.survey == accounts::digest(survey) && json!(one.days) == days);
        if holds { Ok(()) } else { Err(self.moved(entity)) }
    }

    fn moved(&self, entity: &str) -> anyhow::Error {
        let (path, entity) = (self.path.display(), json!(entity));
        self.outdated(format!("production has changed since the plan \"{path}\" was made: entity {entity}"))
    }

    fn outdated(&self, what: String) -> anyhow::Error {
        let path = self.path.display();
        Refusal::refused(what, format!("Make a new plan with `kalends plan --out {path}`; nothing of it was done."))
    }
}

impl Read {
    /// From a plan that was just made.
    fn of(plan: &Plan) -> Result<Self> {
        Ok(serde_json::from_value(serde_json::to_value(plan)?)?)
    }

    /// The entities' names.
    fn listed(&self) -> String {
        self.entities.iter().map(|one| json!(one.entity).to_string()).collect::<Vec<_>>().join(", ")
    }
}

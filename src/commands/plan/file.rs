//! The file of a plan: its JSON, sealed with a digest, so that a run does what was planned or nothing.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::written::Written;
use crate::accounts::{self, Accounts, Changes};
use crate::calendar::Period;
use crate::error::{Refusal, Result};
use crate::files;
use crate::plan;

/// The form of the file.
pub(super) const VERSION: u32 = 1;

/// What the file says it is.
pub(super) const KIND: &str = "plan of Kalends";

/// A plan that a run is held to.
pub(in crate::commands) struct Expected {
    path: PathBuf,
    plan: Value,
}

fn digest(plan: &Value) -> String {
    Sha256::digest(plan.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a plan, whole or not at all: beside its place, flushed, then renamed.
pub(super) fn write(path: &Path, plan: &Written) -> Result<()> {
    let failed = || format!("could not write the plan to \"{}\"", path.display());
    // A device or a pipe would be replaced by the plan.
    files::check_place(path).with_context(failed)?;
    let name = path.file_name().with_context(failed)?.to_string_lossy().into_owned();
    let staged = path.with_file_name(format!(".{name}.{}.staged", std::process::id()));
    let written = (|| -> std::io::Result<()> {
        let mut file = BufWriter::new(std::fs::File::create_new(&staged)?);
        serde_json::to_writer_pretty(&mut file, plan)?;
        writeln!(file)?;
        file.into_inner()?.sync_all()?;
        std::fs::rename(&staged, path)
    })();
    if written.is_err() {
        // The error that is told is the first.
        let _ = std::fs::remove_file(&staged);
    }
    written.with_context(failed)
}

impl Expected {
    /// Reads a plan's file.
    ///
    /// # Errors
    /// Refuses one that is not there (usage), damaged, no plan, or of a newer Kalends.
    pub(in crate::commands) fn read(path: &Path) -> Result<Self> {
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
        Ok(Self { path: path.to_path_buf(), plan })
    }

    /// The losses that the plan accepts.
    pub(super) fn accept_loss(&self) -> Option<Vec<Period>> {
        let periods = self.plan["accept_loss"].as_array()?;
        Some(periods.iter().filter_map(|period| period.as_str()?.parse().ok()).collect())
    }

    /// Refuses where what is planned now is not what was planned then.
    pub(super) fn check(&self, now: &Value) -> Result<()> {
        let path = self.path.display();
        let then = &self.plan;
        if then["warehouse_database"] != now["warehouse_database"] || then["warehouse"] != now["warehouse"] {
            return Err(self.outdated(format!("the plan \"{path}\" was made for another warehouse")));
        }
        let names = |plan: &Value| -> Vec<Value> {
            plan["entities"].as_array().into_iter().flatten().map(|one| one["entity"].clone()).collect()
        };
        let listed = |plan: &Value| names(plan).iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        if names(then) != names(now) {
            let (was, is) = (listed(then), listed(now));
            return Err(self.outdated(format!("the plan \"{path}\" is for {was}, and the settings have {is}")));
        }
        if then["generation"] != now["generation"] {
            return Err(self.outdated(format!("the warehouse has changed since the plan \"{path}\" was made")));
        }
        for (was, is) in pairs(then, now) {
            let entity = &is["entity"];
            if was["production"] != is["production"] {
                return Err(self.outdated(format!("the plan \"{path}\" was made for another production")));
            }
            if was["definition"] != is["definition"] || was["settled_anew"] != is["settled_anew"] {
                let what = format!("entity {entity} has another definition than when the plan \"{path}\" was made");
                return Err(self.outdated(what));
            }
            if was["survey"] != is["survey"] {
                return Err(self.moved(entity));
            }
            if left(was) != left(is) {
                return Err(
                    self.outdated(format!("the held periods have changed since the plan \"{path}\": entity {entity}"))
                );
            }
            if was["days"] != is["days"] || was["mended_periods"] != is["mended_periods"] {
                return Err(self.outdated(format!("the warehouse has changed since the plan \"{path}\" was made")));
            }
        }
        Ok(())
    }

    /// As [`Expected::check`], of what a run is just about to do with one entity.
    pub(in crate::commands) fn check_one(
        &self,
        entity: &str,
        survey: &Accounts,
        kept: &Accounts,
        changes: &Changes,
    ) -> Result<()> {
        let all = self.plan["entities"].as_array().into_iter().flatten();
        let planned = all.into_iter().find(|one| one["entity"] == entity);
        let days = serde_json::to_value(plan::days(changes, survey, kept))?;
        let holds = planned.is_some_and(|one| one["survey"] == accounts::digest(survey) && one["days"] == days);
        if holds { Ok(()) } else { Err(self.moved(&json!(entity))) }
    }

    fn moved(&self, entity: &Value) -> anyhow::Error {
        let path = self.path.display();
        self.outdated(format!("production has changed since the plan \"{path}\" was made: entity {entity}"))
    }

    fn outdated(&self, what: String) -> anyhow::Error {
        let path = self.path.display();
        Refusal::refused(what, format!("Make a new plan with `kalends plan --out {path}`; nothing of it was done."))
    }
}

/// What is held or changing: since when, and by which words, does not matter.
fn left(one: &Value) -> Vec<(&Value, &Value)> {
    let all = ["held", "changing"].into_iter().filter_map(|kind| one[kind].as_array()).flatten();
    all.map(|noted| (&noted["period"], &noted["kind"])).collect()
}

fn pairs<'a>(then: &'a Value, now: &'a Value) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    let of = |plan: &'a Value| plan["entities"].as_array().into_iter().flatten();
    of(then).zip(of(now))
}

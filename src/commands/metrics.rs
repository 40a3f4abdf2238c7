//! `--metrics FILE`: how a command ended and what it found, as OpenMetrics text for a monitoring system.
//!
//! The figures are those of `--json`, under names of their own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde_json::Value;

use super::World;
use crate::error::{Exit, Refusal, Result, exit_code, render};
use crate::files;
use crate::report::{self, Outcome};
use crate::warehouse::{Freshness, Proof, Warehouse};

type Gauges = Family<Vec<(String, String)>, Gauge<f64, std::sync::atomic::AtomicU64>>;

/// Name, help, and where the report has the figure: of each entity, or of the whole. A list counts.
const FIGURES: [(&str, &str, &str); 18] = [
    ("surveyed_rows", "Rows that production's survey counted", "/surveyed_rows"),
    ("surveyed_days", "Days that production has rows of", "/surveyed_days"),
    ("loaded_rows", "Rows that were copied from production", "/loaded_rows"),
    ("settled_months", "Months that were settled", "/settled_months"),
    ("production_lock_seconds", "How long a table of production was locked", "/held_production/longest_lock_seconds"),
    (
        "production_snapshot_seconds",
        "How long a snapshot of production was held",
        "/held_production/longest_snapshot_seconds",
    ),
    ("production_read_rows", "Rows that production read out", "/held_production/rows_read"),
    ("written_files", "Files that were written", "/written_files"),
    ("listed_files", "Files that were right and are listed again", "/listed_files"),
    ("removed_files", "Files that were removed", "/removed_files"),
    ("unchanged_files", "Files that were already right", "/unchanged_files"),
    ("settled_rows", "Rows that the accounts hold", "/settled_rows"),
    ("settled_days", "Days that the accounts hold", "/settled_days"),
    ("due_files", "Files that are due to be written", "/due/write"),
    ("due_listings", "Files that are due to be listed", "/due/list"),
    ("due_removals", "Files that are due to be removed", "/due/remove"),
    ("held_periods", "Periods that are held until somebody accepts their loss", "/held"),
    ("changing_periods", "Periods that are left as they were until they have settled down", "/changing"),
];

/// Refuses a file in a folder that is not there, before anything is done.
///
/// # Errors
/// Usage, with the folder.
pub(super) fn check(file: Option<PathBuf>) -> Result<Option<PathBuf>> {
    let Some(file) = file else { return Ok(None) };
    let folder = folder_of(&file);
    // A device or a pipe would be replaced by the metrics.
    if let Err(error) = files::check_place(&file) {
        return Err(Refusal::usage(
            format!("\"{}\" cannot be used for --metrics: {error}", file.display()),
            "Name a regular file; nothing was done.",
        ));
    }
    if folder.is_dir() && file.file_name().is_some() {
        return Ok(Some(file));
    }
    Err(Refusal::usage(
        format!("\"{}\" cannot be used for --metrics: there is no folder \"{}\"", file.display(), folder.display()),
        "Create the folder, or name a file in another one; nothing was done.",
    ))
}

/// Writes how a command ended, where that was asked for. Where it cannot be written a command that went well ends with
/// 1; the exit code of one that did not stays.
pub(super) async fn written(world: &World<'_>, outcome: Result<Outcome>) -> Result<Outcome> {
    let Some(file) = &world.manner.metrics else { return outcome };
    let exit = outcome.as_ref().map_or_else(exit_code, |outcome| outcome.exit);
    let report = outcome.as_ref().map_or(&Value::Null, |outcome| &outcome.json);
    let fresh = freshness(world).await.unwrap_or_default();
    let entities = world.settings.entities.iter().map(|entity| entity.name.name());
    let proofs: Vec<(&str, Option<&Proof>)> =
        entities.map(|name| (name, fresh.get(name).and_then(|fresh| fresh.proof.as_ref()))).collect();
    let text = text(world.manner.command, exit, report, &proofs);
    match text.and_then(|text| replace(file, &text)) {
        Ok(()) => outcome,
        Err(error) => {
            report::talk(&render(&error));
            outcome.map(|outcome| Outcome { exit: outcome.exit.graver(Exit::Failed), ..outcome })
        }
    }
}

/// As far as it can be known: a command that failed may have failed because the warehouse is away.
async fn freshness(world: &World<'_>) -> Result<BTreeMap<String, Freshness>> {
    let limits = crate::db::Limits { connect: std::time::Duration::from_secs(2), ..world.limits() };
    let Some(address) = &world.warehouse else { return Ok(BTreeMap::new()) };
    let mut warehouse = Warehouse::connect(address, limits).await?;
    warehouse.read().await?.freshness().await
}

fn text(command: &str, exit: Exit, report: &Value, proofs: &[(&str, Option<&Proof>)]) -> Result<String> {
    let mut registry = Registry::with_prefix("kalends");
    let gauge = |registry: &mut Registry, name: &str, help: &str| {
        let gauges = Gauges::default();
        registry.register(name, help, gauges.clone());
        gauges
    };
    let of_command = vec![("command".to_string(), command.to_string())];
    gauge(&mut registry, "exit_code", "How the command ended").get_or_create(&of_command).set(f64::from(exit as u8));
    if proofs.iter().any(|(_, proof)| proof.is_some()) {
        let help =
            "Moment of production's data that the entity was last proven equal to; unlabelled, the earliest of all";
        let gauges = gauge(&mut registry, "proven_timestamp_seconds", help);
        for (entity, proof) in proofs.iter().filter_map(|&(entity, proof)| Some((entity, proof?))) {
            let of_entity = vec![("entity".to_string(), entity.to_string())];
            gauges.get_or_create(&of_entity).set(proof.as_of_seconds);
        }
        let all: Option<Vec<f64>> = proofs.iter().map(|(_, proof)| proof.map(|proof| proof.as_of_seconds)).collect();
        if let Some(oldest) = all.into_iter().flatten().min_by(f64::total_cmp) {
            gauges.get_or_create(&Vec::new()).set(oldest);
        }
    }
    let entities = report.get("entities").and_then(Value::as_array);
    let parts: Vec<&Value> = [report].into_iter().chain(entities.into_iter().flatten()).collect();
    for (name, help, place) in FIGURES {
        let found = parts.iter().filter_map(|part| Some((part.get("entity"), number(part.pointer(place)?)?)));
        let found: Vec<_> = found.collect();
        if found.is_empty() {
            continue;
        }
        let gauges = gauge(&mut registry, name, help);
        for (entity, figure) in found {
            let entity = entity.and_then(Value::as_str).map(|entity| ("entity".to_string(), entity.to_string()));
            gauges.get_or_create(&entity.into_iter().collect()).set(figure);
        }
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// What is no number and no list is no figure.
fn number(found: &Value) -> Option<f64> {
    match found {
        Value::Array(list) => u32::try_from(list.len()).ok().map(f64::from),
        other => other.as_f64(),
    }
}

/// The whole text or what was there before.
fn replace(file: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let doing = || format!("could not write the metrics \"{}\"", file.display());
    // Whoever collects it is somebody else, and does not look at hidden files.
    let readable = std::fs::Permissions::from_mode(0o644);
    let mut beside = tempfile::Builder::new()
        .prefix(".kalends-")
        .permissions(readable)
        .tempfile_in(folder_of(file))
        .with_context(doing)?;
    beside.write_all(text.as_bytes()).with_context(doing)?;
    beside.persist(file).with_context(doing)?;
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

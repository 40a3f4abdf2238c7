//! `--metrics FILE`: how a command ended and what it found, as OpenMetrics text for a monitoring system.
//!
//! The figures are those of [`Outcome::figures`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge as Exposed;
use prometheus_client::registry::Registry;

use super::World;
use crate::error::{Exit, Refusal, Result, exit_code, render};
use crate::files;
use crate::report::{self, Figure, Gauge, Outcome};
use crate::warehouse::{Freshness, Proof, Warehouse};

type Gauges = Family<Vec<(String, String)>, Exposed<f64, std::sync::atomic::AtomicU64>>;

/// Refuses a file in a folder that does not exist, before anything is done.
///
/// # Errors
/// Usage, with the folder.
pub(super) fn check(file: Option<PathBuf>) -> Result<Option<PathBuf>> {
    let Some(file) = file else { return Ok(None) };
    let folder = files::folder_of(&file);
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

/// Writes how a command ended, if `--metrics` was given. If the file cannot be written, a command that succeeded ends
/// with 1; one that failed keeps its exit code.
pub(super) async fn written(world: &World<'_>, file: Option<&Path>, outcome: Result<Outcome>) -> Result<Outcome> {
    let Some(file) = file else { return outcome };
    let exit = outcome.as_ref().map_or_else(exit_code, |outcome| outcome.exit);
    let figures = outcome.as_ref().map_or(&[][..], |outcome| &outcome.figures);
    let fresh = freshness(world).await.unwrap_or_default();
    let entities = world.settings.entities.iter().map(|entity| entity.name.name());
    let entities: Vec<&str> = entities.collect();
    let proofs = |of: fn(&Freshness) -> Option<&Proof>| -> Vec<(&str, Option<&Proof>)> {
        entities.iter().map(|&name| (name, fresh.get(name).and_then(of))).collect()
    };
    let (proven, oldest) = (proofs(|fresh| fresh.proof.as_ref()), proofs(Freshness::oldest));
    let text = text(world.command, exit, figures, (&proven, &oldest));
    match text.and_then(|text| replace(file, &text)) {
        Ok(()) => outcome,
        Err(error) => {
            report::talk(&render(&error));
            outcome.map(|outcome| Outcome { exit: outcome.exit.graver(Exit::Failed), ..outcome })
        }
    }
}

/// The freshness, if it can be read: the command may have failed because the warehouse does not answer.
async fn freshness(world: &World<'_>) -> Result<BTreeMap<String, Freshness>> {
    let limits = crate::db::Limits { connect: std::time::Duration::from_secs(2), ..world.settings.limits };
    let Some(address) = &world.warehouse else { return Ok(BTreeMap::new()) };
    let mut warehouse = Warehouse::connect(address, limits, world.settings.cluster).await?;
    warehouse.read().await?.freshness().await
}

/// The proofs of entities, by name.
type Proofs<'a> = [(&'a str, Option<&'a Proof>)];

fn text(command: &str, exit: Exit, figures: &[Figure], (proven, oldest): (&Proofs<'_>, &Proofs<'_>)) -> Result<String> {
    let mut registry = Registry::with_prefix("kalends");
    let gauge = |registry: &mut Registry, name: &str, help: &str| {
        let gauges = Gauges::default();
        registry.register(name, help, gauges.clone());
        gauges
    };
    let of_command = vec![("command".to_string(), command.to_string())];
    gauge(&mut registry, "exit_code", "How the command ended").get_or_create(&of_command).set(f64::from(exit as u8));
    let of_proofs = [
        (
            "proven_timestamp_seconds",
            "Moment of production's data that the entity, or its recent days, was last proven equal to; unlabelled, \
             the earliest of all",
            proven,
        ),
        (
            "oldest_proof_timestamp_seconds",
            "Moment of production's data that all days of the entity were looked at as of, or later; unlabelled, the \
             earliest of all",
            oldest,
        ),
    ];
    for (name, help, proofs) in of_proofs {
        if !proofs.iter().any(|(_, proof)| proof.is_some()) {
            continue;
        }
        let gauges = gauge(&mut registry, name, help);
        for (entity, proof) in proofs.iter().filter_map(|&(entity, proof)| Some((entity, proof?))) {
            let of_entity = vec![("entity".to_string(), entity.to_string())];
            gauges.get_or_create(&of_entity).set(proof.as_of_seconds);
        }
        let all: Option<Vec<f64>> = proofs.iter().map(|(_, proof)| proof.map(|proof| proof.as_of_seconds)).collect();
        if let Some(first) = all.into_iter().flatten().min_by(f64::total_cmp) {
            gauges.get_or_create(&Vec::new()).set(first);
        }
    }
    let mut by_gauge = BTreeMap::<Gauge, Vec<&Figure>>::new();
    for figure in figures {
        by_gauge.entry(figure.gauge).or_default().push(figure);
    }
    for (of, figures) in by_gauge {
        let (name, help) = of.words();
        let gauges = gauge(&mut registry, name, help);
        for Figure { entity, value, .. } in figures {
            let entity = entity.as_ref().map(|entity| ("entity".to_string(), entity.clone()));
            gauges.get_or_create(&entity.into_iter().collect()).set(*value);
        }
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// Replaces the file as a whole, and makes it readable for the collector, which is another user.
fn replace(file: &Path, text: &str) -> Result<()> {
    files::replace(file, 0o644, |file| file.write_all(text.as_bytes()))
        .with_context(|| format!("could not write the metrics \"{}\"", file.display()))
}

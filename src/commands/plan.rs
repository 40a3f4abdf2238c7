//! `plan`: what a run would do; and the plan that a run is held to. Changes nothing.

mod file;
mod text;

use serde::Serialize;

pub(super) use self::file::Expected;
use super::World;
use crate::db::Identity;
use crate::error::{Exit, Result};
use crate::exports::{self, Claim, Foreseen};
use crate::plan::{self, OfEntity};
use crate::production::Production;
use crate::report::Outcome;
use crate::warehouse::{Reading, Warehouse};

/// What is to be done with a plan.
pub(super) struct Wanted {
    /// End with 3 if there is something to do.
    pub(super) check: bool,
    /// Write it into this file.
    pub(super) out: Option<std::path::PathBuf>,
    /// Whose files may be replaced.
    pub(super) claim: Claim,
}

/// What a run would do; in JSON also the plan's file.
#[derive(Serialize)]
struct Plan {
    /// Of this form; a later one that old readers would misread gets the next number.
    version: u32,
    kind: &'static str,
    nothing_to_do: bool,
    /// Which warehouse; null before anything was prepared in it.
    warehouse: Option<String>,
    warehouse_database: Identity,
    /// How many settlements the warehouse has seen; null before anything was prepared in it.
    generation: Option<i64>,
    entities: Vec<OfEntity>,
    files: Files,
    /// Why the files would not be published, if they would not.
    publishing_refused: Option<String>,
}

#[derive(Default, Serialize)]
struct Files {
    write: Vec<File>,
    remove: Vec<String>,
    unchanged_files: usize,
}

#[derive(Serialize)]
struct File {
    path: String,
    why: &'static str,
}

pub(super) async fn run(world: &World<'_>, wanted: &Wanted) -> Result<Outcome> {
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let plan = look(world, &mut warehouse, &mut production, wanted.claim).await?;
    let json = file::sealed(serde_json::to_value(&plan)?);
    let mut text = text::of(&plan);
    if let Some(path) = &wanted.out {
        file::write(path, &json)?;
        text = format!("{text}\nwritten     {}; `kalends run --plan {0}` does it, or nothing", path.display());
    }
    let exit = if wanted.check && !plan.nothing_to_do { Exit::Differs } else { Exit::Done };
    Ok(Outcome { text, json, exit })
}

/// Surveys all entities and compares, one after the other; then the files, as they would be.
async fn look(world: &World<'_>, warehouse: &mut Warehouse, production: &mut Production, claim: Claim) -> Result<Plan> {
    // The warehouse is read before production's snapshots are taken, as a run does.
    let reading = warehouse.read().await?;
    let (mut plan, foreseen) = survey(world, &reading, production).await?;
    let foresee = async || exports::foresee(&reading, &world.settings.exports, &foreseen, claim).await;
    let (due, refused) = world.manner.patiently(foresee).await?;
    plan.files = Files {
        write: due.write.into_iter().map(|(path, fault)| File { path, why: fault.words() }).collect(),
        remove: due.remove.into_iter().collect(),
        unchanged_files: due.unchanged,
    };
    plan.publishing_refused = refused.map(|refused| refused.to_string());
    plan.nothing_to_do &= plan.files.write.is_empty() && plan.files.remove.is_empty();
    Ok(plan)
}

/// A plan without its files, and what they follow from.
async fn survey(
    world: &World<'_>,
    reading: &Reading<'_>,
    production: &mut Production,
) -> Result<(Plan, Vec<Foreseen>)> {
    let (mut entities, mut foreseen) = (Vec::new(), Vec::new());
    for entity in &world.settings.entities {
        let (source, _) = production.identity(entity).await?;
        reading.check_is_not(&source)?;
        let snapshot = production.snapshot(entity).await?;
        let (of_entity, of_files) = world.watch().over(&snapshot, plan::of_entity(&snapshot, reading)).await?;
        snapshot.release().await;
        entities.push(of_entity);
        foreseen.push(of_files);
    }
    let settles =
        |one: &OfEntity| !(one.days.is_empty() && one.settled_anew.is_empty() && one.mended_periods.is_empty());
    let plan = Plan {
        version: file::VERSION,
        kind: file::KIND,
        nothing_to_do: !entities.iter().any(settles),
        warehouse: reading.name().await?,
        warehouse_database: reading.identity.clone(),
        generation: if reading.prepared { Some(reading.generation().await?) } else { None },
        entities,
        files: Files::default(),
        publishing_refused: None,
    };
    Ok((plan, foreseen))
}

/// Before a run does what was planned: that production and the warehouse are as they were then. Reads only.
///
/// # Errors
/// Refuses where one of them is not.
pub(super) async fn still_holds(
    world: &World<'_>,
    expected: &Expected,
    warehouse: &mut Warehouse,
    production: &mut Production,
) -> Result<()> {
    let reading = warehouse.read().await?;
    let (now, _) = survey(world, &reading, production).await?;
    expected.check(&serde_json::to_value(&now)?)
}

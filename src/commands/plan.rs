//! `plan`: what a run would do; and the plan that a run is held to. Changes nothing.

mod file;
mod text;
mod written;

use serde::Serialize;

pub(super) use self::file::Expected;
use self::written::Written;
use super::{World, prepare};
use crate::calendar::Period;
use crate::db::Identity;
use crate::error::{Exit, Result};
use crate::exports::{self, Claim, Foreseen};
use crate::guard::Accepted;
use crate::plan::{self, OfEntity};
use crate::production::Production;
use crate::report::Outcome;
use crate::warehouse::{Reading, Warehouse};

/// What is to be done with a plan.
pub(super) struct Wanted {
    /// End with 3 if there is something to do.
    pub(super) check: bool,
    /// Print it as JSON.
    pub(super) json: bool,
    /// Write it into this file.
    pub(super) out: Option<std::path::PathBuf>,
    /// Which losses would be accepted.
    pub(super) accept_loss: Option<Vec<Period>>,
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
    /// Which losses are accepted with it: null for none, an empty list for all.
    accept_loss: Option<Vec<Period>>,
    entities: Vec<OfEntity>,
    files: Files,
    /// Why the files would not be published, if they would not.
    publishing_refused: Option<String>,
}

#[derive(Default, Serialize)]
struct Files {
    write: Vec<File>,
    /// Those that are as they should be, and that the manifest does not list, or not so.
    list: Vec<String>,
    remove: Vec<String>,
    unchanged_files: usize,
}

impl Files {
    fn any(&self) -> bool {
        !(self.write.is_empty() && self.list.is_empty() && self.remove.is_empty())
    }
}

#[derive(Serialize)]
struct File {
    path: String,
    why: &'static str,
}

pub(super) async fn run(world: &World<'_>, wanted: &Wanted) -> Result<Outcome> {
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let plan = look(world, &mut warehouse, &mut production, wanted).await?;
    let mut text = text::of(&plan);
    let exit = if wanted.check && !plan.nothing_to_do { Exit::Differs } else { Exit::Done };
    if !wanted.json && wanted.out.is_none() {
        return Ok(Outcome { text, exit, ..Outcome::default() });
    }
    let written = Written::sealed(plan)?;
    if let Some(path) = &wanted.out {
        file::write(path, &written)?;
        text = format!("{text}\nwritten     {}; `kalends run --plan {0}` does it, or nothing", path.display());
    }
    let printed = if wanted.json { Some(serde_json::to_string_pretty(&written)?) } else { None };
    Ok(Outcome { text, exit, printed, ..Outcome::default() })
}

/// Surveys all entities and compares, one after the other; then the files, as they would be.
async fn look(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    wanted: &Wanted,
) -> Result<Plan> {
    // The warehouse is read before production's snapshots are taken, as a run does.
    let reading = warehouse.read().await?;
    let (mut plan, foreseen) =
        survey(world, &reading, production, wanted.accept_loss.clone(), Depth::Combinations).await?;
    let foresee = async || exports::foresee(&reading, &world.settings.exports, &foreseen, wanted.claim).await;
    let (due, refused) = world.manner.patiently(foresee).await?;
    plan.files = Files {
        write: due.rewritten().map(|(path, fault)| File { path: path.clone(), why: fault.words() }).collect(),
        list: due.listed().cloned().collect(),
        remove: due.remove.into_iter().collect(),
        unchanged_files: due.unchanged,
    };
    plan.publishing_refused = refused.map(|refused| refused.to_string());
    plan.nothing_to_do &= !plan.files.any();
    Ok(plan)
}

/// How far a plan looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// As far as a run is held to it.
    Days,
    /// At the combinations of dimensions of the days that change as well.
    Combinations,
}

/// A plan without its files, and what they follow from.
async fn survey(
    world: &World<'_>,
    reading: &Reading<'_>,
    production: &mut Production,
    accept_loss: Option<Vec<Period>>,
    depth: Depth,
) -> Result<(Plan, Vec<Foreseen>)> {
    let accepted = Accepted::of(accept_loss.clone());
    let (mut entities, mut foreseen) = (Vec::new(), Vec::new());
    for entity in &world.settings.entities {
        let (source, model) = production.identity(entity).await?;
        reading.check_is_not(&source)?;
        let known = plan::known(reading, &model).await?;
        let snapshot = production.snapshot(entity).await?;
        model.change_to(snapshot.model())?;
        let planning = async {
            let survey = snapshot.survey().await?;
            let of_warehouse = (&known.ledger, &known.before, known.replaced.as_ref());
            let of_production = (&snapshot, &survey);
            let judged = prepare::guarding::judge(world.settings.guard, &accepted, of_production, of_warehouse).await?;
            let (mut planned, foreseen) = plan::of_entity(&snapshot, reading, known, &survey, judged).await?;
            // Of tables that are made anew there is nothing to compare with.
            if depth == Depth::Combinations && planned.settled_anew.is_empty() {
                (planned.combinations, planned.not_looked_into_days) =
                    plan::moving(&snapshot, reading, &survey, &planned.days).await?;
            }
            Ok((planned, foreseen))
        };
        let (of_entity, of_files) = world.watch().over(&snapshot, planning).await?;
        snapshot.release().await;
        entities.push(of_entity);
        foreseen.extend(of_files);
    }
    let settles = |one: &OfEntity| {
        let is_left = !one.held.is_empty() || !one.changing.is_empty();
        is_left || !(one.days.is_empty() && one.settled_anew.is_empty() && one.mended_periods.is_empty())
    };
    let plan = Plan {
        version: file::VERSION,
        kind: file::KIND,
        nothing_to_do: !entities.iter().any(settles),
        warehouse: reading.name().await?,
        warehouse_database: reading.identity.clone(),
        generation: if reading.prepared { Some(reading.generation().await?) } else { None },
        accept_loss,
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
    let (now, _) = survey(world, &reading, production, expected.accept_loss(), Depth::Days).await?;
    expected.check(&serde_json::to_value(&now)?)
}

/// The losses that a run accepts: those that were typed, or those of the plan that it is held to.
pub(super) fn accepted(typed: Option<Vec<Period>>, planned: Option<&Expected>) -> Accepted {
    Accepted::of(typed.or_else(|| planned.and_then(Expected::accept_loss)))
}

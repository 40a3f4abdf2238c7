//! `verify --repair`: what differs is made again, layer by layer: rows, accounts, files; and then verified once more.

use serde::Serialize;

use super::super::prepare::months::Settling;
use super::super::prepare::{guarding, zones};
use super::super::{World, exchanged, export, left};
use super::Listing;
use crate::accounts::{self, Accounts};
use crate::calendar::Period;
use crate::checks::{self, Difference, Found, Layer};
use crate::entity::Entity;
use crate::error::{self, Exit, Result};
use crate::exports::{Claim, Scope, Which};
use crate::guard::{self, Accepted, Kind, Noted};
use crate::production::Production;
use crate::report::{self, Outcome, counted};
use crate::warehouse::Warehouse;

#[derive(Default, Serialize)]
struct Repaired {
    /// After the repair.
    equal: bool,
    production_as_of: String,
    mended: Mended,
    /// What was found, as without `--repair`.
    found: Vec<Difference>,
    /// What differs still.
    differences: Vec<Difference>,
    /// Of several entities, those that could not be repaired.
    failed: Vec<Failed>,
    /// What is left as it was settled until somebody consents, and the command that does.
    held: Vec<Noted>,
    accept: Option<String>,
    /// What is left as it was settled until it has stayed the same for long enough.
    changing: Vec<Noted>,
    #[serde(skip)]
    rows: i64,
    #[serde(skip)]
    days: usize,
    /// The same for people, of several entities with their names.
    #[serde(skip)]
    left: Vec<String>,
    /// The gravest end of an entity.
    #[serde(skip)]
    exit: Exit,
}

/// An entity that could not be repaired.
#[derive(Serialize)]
struct Failed {
    entity: String,
    error: String,
    exit_code: u8,
}

/// What was made again.
#[derive(Default, Serialize)]
struct Mended {
    /// Days whose rows were loaded again, and how many rows.
    rows_days: usize,
    rows_loaded: u64,
    /// Days and other periods whose accounts were made again.
    accounts: usize,
    written_files: usize,
    listed_files: usize,
    removed_files: usize,
}

pub(super) async fn run(world: &World<'_>, accepted: &Accepted, which: Which, listing: Listing) -> Result<Outcome> {
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let mut repaired = Repaired::default();
    for entity in &world.settings.entities {
        let repairing = async || repair(world, &mut warehouse, &mut production, entity, accepted).await;
        let repairing = world.manner.patiently(repairing);
        let several = world.settings.entities.len() > 1;
        match world.explaining(std::slice::from_ref(entity), repairing).await {
            Ok(one) => repaired.add(entity, several, one),
            Err(error) if several => repaired.add_failed(entity, &error),
            Err(error) => return Err(error),
        }
    }
    repaired.found.extend(checks::files(&warehouse.read().await?, &world.settings.exports, which).await?);
    let published = export::publish(world, &mut warehouse, Scope::Everything, which, Claim::Own).await?;
    repaired.mended.written_files = published.written;
    repaired.mended.listed_files = published.listed;
    repaired.mended.removed_files = published.removed;
    repaired.differences.extend(checks::files(&warehouse.read().await?, &world.settings.exports, which).await?);
    repaired.equal = repaired.is_settled();
    repaired.accept = accepting(&repaired.held);
    let mut exit = repaired.exit;
    if !repaired.held.is_empty() {
        exit = exit.graver(Exit::Refused);
    }
    if !repaired.differences.is_empty() {
        exit = exit.graver(Exit::Differs);
    }
    Ok(Outcome::new(exit, text(&repaired, listing), &repaired))
}

/// What was done for one entity.
struct One {
    production_as_of: String,
    rows: i64,
    days: usize,
    loaded: u64,
    found: Found,
    left: Vec<Difference>,
    /// What is left as it was settled.
    noted: Vec<Noted>,
}

impl Repaired {
    /// Whether nothing that was looked at differs from production.
    fn is_settled(&self) -> bool {
        self.differences.is_empty() && self.held.is_empty() && self.changing.is_empty() && self.failed.is_empty()
    }

    /// One that fails does not keep the others from being repaired; the exit code is the gravest.
    fn add_failed(&mut self, entity: &Entity, error: &anyhow::Error) {
        let failed = error::exit_code(error);
        self.exit = self.exit.graver(failed);
        report::talk(&error::render(error));
        let (entity, error) = (entity.name.name().to_string(), error.to_string());
        self.failed.push(Failed { entity, error, exit_code: failed as u8 });
    }

    fn add(&mut self, entity: &Entity, several: bool, one: One) {
        let named = |mut difference: Difference| {
            difference.entity = several.then(|| entity.name.name().to_string());
            difference
        };
        // Entities are looked at one after the other; the earliest snapshot is said.
        if self.production_as_of.is_empty() {
            self.production_as_of = one.production_as_of;
        }
        self.rows += one.rows;
        self.days += one.days;
        self.mended.rows_days += one.found.rows.len();
        self.mended.rows_loaded += one.loaded;
        self.mended.accounts += one.found.accounts.len() + one.found.unsummed.len();
        self.found.extend(one.found.differences().into_iter().map(named));
        self.differences.extend(one.left.into_iter().map(named));
        let (changing, held) = one.noted.into_iter().partition::<Vec<_>, _>(|noted| noted.kind == Kind::Changing);
        if let Some(refusal) = guarding::refusal(entity.name.name(), &held, accepting(&held).as_deref()) {
            report::talk(&error::render(&refusal));
        }
        let left = left::lines(&held, &changing, None);
        self.left.extend(if several { report::of_entity(left, entity.name.name()) } else { left });
        self.held.extend(held);
        self.changing.extend(changing);
    }
}

/// Rows and accounts of an entity. Days whose rows are as they should be are not loaded again.
async fn repair(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    entity: &Entity,
    accepted: &Accepted,
) -> Result<One> {
    warehouse.read().await?.check_is_free().await?;
    let (source, model) = production.identity(entity).await?;
    exchanged::check(production, warehouse, entity).await?;
    let mut ledger = warehouse.ledger(&source, &model).await?;
    if ledger.anew.is_some() {
        // Refuses, as without a repair.
        checks::look(&Accounts::new(), &warehouse.read().await?, &model).await?;
    }
    let before = warehouse.before(model.name()).await?;
    let snapshot = production.snapshot(entity).await?;
    // Changed since it was looked at: refused now as it would be the next time.
    model.change_to(snapshot.model())?;
    let repairing = async {
        let survey = snapshot.survey().await?;
        let reading = warehouse.read().await?;
        let mut found = checks::look(&survey.accounts, &reading, &model).await?;
        let kept = kept(&ledger.accounts, &survey.accounts, &found);
        let known = (&ledger, &before, Some(&kept));
        let judged = guarding::judge(world.settings.guard, accepted, (&snapshot, &survey), known).await?;
        if !judged.left.is_empty() {
            found = checks::look(&judged.target, &reading, &model).await?;
        }
        drop(reading);
        let settling =
            Settling { talk: world.talk, snapshot: &snapshot, survey: &survey, judged: &judged, adopting: None };
        if found.rows_of_no_day {
            settling.remove_rows_of_no_day(warehouse, &mut ledger.generation).await?;
        }
        let unsummed: Vec<Period> = found.unsummed.iter().copied().collect();
        let to_repair = (&found.rows, found.accounts.clone(), unsummed.as_slice());
        let loaded = settling.repair(warehouse, &mut ledger.generation, to_repair).await;
        let loaded = zones::explaining(&snapshot, warehouse, (&survey.accounts, &ledger.accounts), loaded).await?;
        Ok((survey, judged, found, loaded))
    };
    let (survey, judged, found, loaded) = world.watch().over(&snapshot, repairing).await?;
    let (production_as_of, as_of_us) = (snapshot.as_of.clone(), snapshot.as_of_us);
    snapshot.release().await;
    guarding::note(warehouse, entity, &before, &judged.noted).await?;
    let mut left = Vec::new();
    if !found.is_equal() {
        let reading = warehouse.read().await?;
        left = checks::look(&judged.target, &reading, &model).await?.differences();
    }
    if left.is_empty() && judged.left.is_empty() {
        // As a run does, before files are published: the manifest says what is closed by then.
        warehouse.confirm(model.name(), ledger.generation, as_of_us).await?;
    }
    let (rows, days) = (accounts::rows(&survey.accounts), survey.accounts.len());
    Ok(One { production_as_of, rows, days, loaded: loaded.rows, found, left, noted: judged.noted })
}

/// The command that repairs what is held as well.
fn accepting(held: &[Noted]) -> Option<String> {
    guard::accepting(held.iter()).map(|run| run.replace("kalends run", "kalends verify --repair"))
}

/// What the guard is to take for settled: where the warehouse's rows are production's, these, whatever the accounts
/// say. An account that somebody changed is no loss.
fn kept(settled: &Accounts, survey: &Accounts, found: &Found) -> Accounts {
    let mut kept = settled.clone();
    for day in found.accounts.keys().filter(|day| !found.rows.contains_key(day)) {
        match survey.get(day) {
            Some(account) => kept.insert(*day, account.clone()),
            None => kept.remove(day),
        };
    }
    kept
}

fn text(repaired: &Repaired, listing: Listing) -> String {
    let Mended { rows_days, rows_loaded, accounts, written_files, listed_files, removed_files } = &repaired.mended;
    if repaired.found.is_empty() && repaired.equal {
        let (rows, days) = (counted(repaired.rows, "row"), counted(repaired.days, "day"));
        let as_of = &repaired.production_as_of;
        return format!("nothing to repair: production = rows = accounts = files, {rows}, {days}, as of {as_of}");
    }
    let mut lines = repaired.left.clone();
    lines.extend(repaired.accept.as_deref().map(left::accepting));
    lines.extend(repaired.failed.iter().map(|one| format!("{}: not repaired: {}", one.entity, one.error)));
    lines.push(format!("{} found", counted(repaired.found.len(), "difference")));
    lines.extend(super::lines(&repaired.found, listing));
    let rows = counted(*rows_loaded, "row");
    if repaired.found.iter().any(|one| one.layer == Layer::Rows) {
        lines.push(format!("repaired    rows: {}, {rows} loaded again", counted(*rows_days, "day")));
    }
    if *accounts > 0 {
        lines.push(format!("repaired    accounts: {}", counted(*accounts, "period")));
    }
    if written_files + listed_files + removed_files > 0 {
        let listed = if *listed_files > 0 { format!(", {listed_files} only listed") } else { String::new() };
        lines.push(format!("repaired    files: {written_files} written, {removed_files} removed{listed}"));
    }
    if repaired.equal {
        lines.push(format!("equal: production = rows = accounts = files, as of {}", repaired.production_as_of));
    } else if !repaired.differences.is_empty() {
        lines.push(format!("{} left", counted(repaired.differences.len(), "difference")));
        lines.extend(super::lines(&repaired.differences, listing));
    }
    lines.join("\n")
}

//! Taking over: days that are equal are copied inside the warehouse, others come from production; then the files.

use std::collections::BTreeSet;
use std::time::Instant;

use serde::Serialize;

use super::super::prepare::months::{Adopting, Settling};
use super::super::prepare::{guarding, zones};
use super::super::{World, exchanged, export};
use crate::accounts;
use crate::adopt::{self, Compared, Named, Tally};
use crate::calendar::Day;
use crate::entity::{Entity, Model};
use crate::error::{Exit, Refusal, Result};
use crate::exports::{self, Claim, Scope, Which};
use crate::guard::{Accepted, Before, Judged, Rules};
use crate::production::{Production, Snapshot, Survey};
use crate::report::{self, Outcome, counted};
use crate::warehouse::{Ledger, Warehouse};

#[derive(Serialize)]
struct Adopted {
    entity: String,
    from: String,
    production_as_of: String,
    /// Rows and days that were taken over inside the warehouse.
    taken: Tally,
    /// Rows and days that came from production.
    loaded: Tally,
    /// How the other table compared with production.
    missed: Compared,
    /// Files that were there as they should be, and were left as they are: those that are listed anew, and the others.
    taken_files: usize,
    #[serde(flatten)]
    files: export::Files,
    #[serde(skip)]
    took_seconds: f64,
}

pub(super) async fn run(world: &World<'_>, entity: &Entity, named: &Named) -> Result<Outcome> {
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let taking = async || take(world, &mut warehouse, &mut production, entity, named).await;
    let (model, mut adopted) = world.manner.patiently(taking).await?;
    let started = Instant::now();
    let published = export::publish(world, &mut warehouse, Scope::Everything, Which::All, Claim::Adopt).await?;
    adopted.taken_files = published.listed + published.unchanged;
    adopted.files = export::Files::of(&published);
    let locked = warehouse.lock_for_notes().await?;
    adopt::end(&locked, &model).await?;
    locked.commit().await?;
    let line = export::line(world, &published, started.elapsed().as_secs_f64());
    Ok(Outcome::new(Exit::Done, text(&adopted, named, &line), &adopted))
}

/// Rows and accounts.
async fn take(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    entity: &Entity,
    named: &Named,
) -> Result<(Model, Adopted)> {
    warehouse.read().await?.check_is_free().await?;
    let (source, model) = production.identity(entity).await?;
    exchanged::check(production, warehouse, entity).await?;
    let reading = warehouse.read().await?;
    reading.check_is_not(&source)?;
    adopt::look(&reading, &model, named).await?;
    drop(reading);
    let mut ledger = warehouse.ledger(&source, &model).await?;
    let begun = check_not_settled(warehouse, &model, &ledger, named).await?;
    let before = warehouse.before(model.name()).await?;
    let snapshot = production.snapshot(entity).await?;
    // Changed since it was looked at: refused now as it would be the next time.
    model.change_to(snapshot.model())?;
    let taking = async {
        let survey = snapshot.survey().await?;
        let judged = judge(world, &snapshot, &survey, (&ledger, &before)).await?;
        let reading = warehouse.read().await?;
        let theirs = adopt::look(&reading, &model, named).await?;
        let holds = adopt::holds(&reading, &model, named, &theirs).await?;
        drop(reading);
        let started = Instant::now();
        if !begun {
            let locked = warehouse.lock(ledger.generation).await?;
            adopt::begin(&locked, &model, named).await?;
            locked.commit().await?;
            ledger.generation += 1;
        }
        let changes = accounts::compare(&judged.target, &ledger.accounts);
        let changed_days = changes.len();
        let is_equal =
            |day: &&Day| survey.accounts.get(day).is_some_and(|account| holds.accounts.get(day) == Some(account));
        let equal: BTreeSet<Day> = changes.keys().filter(is_equal).copied().collect();
        let adopting = Some(Adopting { theirs: &theirs, equal: &equal });
        let settling = Settling { talk: world.talk, snapshot: &snapshot, survey: &survey, judged: &judged, adopting };
        let settled = settling.catch_up(warehouse, &mut ledger, changes).await;
        let settled = zones::explaining(&snapshot, warehouse, (&survey.accounts, &ledger.accounts), settled).await?;
        Ok((survey, holds, settled, changed_days, started.elapsed()))
    };
    let (survey, holds, settled, changed_days, took) = world.watch().over(&snapshot, taking).await?;
    let (production_as_of, as_of_us) = (snapshot.as_of.clone(), snapshot.as_of_us);
    snapshot.release().await;
    if settled.months == 0 {
        warehouse.confirm(model.name(), ledger.generation, as_of_us).await?;
    }
    let tally = |rows: u64, days| Tally { rows: i64::try_from(rows).unwrap_or(i64::MAX), days };
    let adopted = Adopted {
        entity: entity.name.name().to_string(),
        from: format!("{}.{}", named.schema.name(), named.table.name()),
        production_as_of,
        taken: tally(settled.loaded.taken, settled.loaded.taken_days),
        loaded: tally(settled.loaded.rows, changed_days - settled.loaded.taken_days),
        missed: adopt::compare(&survey.accounts, survey.set_aside, &holds),
        taken_files: 0,
        files: export::Files::of(&exports::Published::default()),
        took_seconds: took.as_secs_f64(),
    };
    Ok((model, adopted))
}

/// What the guard lets through: all of it. What an adoption that was killed has settled may have been lost since.
///
/// # Errors
/// Refuses where anything is held.
async fn judge(
    world: &World<'_>,
    snapshot: &Snapshot<'_>,
    survey: &Survey,
    (ledger, before): (&Ledger, &Before),
) -> Result<Judged> {
    let rules = Rules { settle_after: None, ..world.settings.guard };
    let judged = guarding::judge(rules, &Accepted::Nothing, (snapshot, survey), (ledger, before, None)).await?;
    match judged.noted.first() {
        None => Ok(judged),
        Some(held) => Err(Refusal::refused(
            format!("{} is held since the adoption began: {}", held.unit, held.reason),
            "`kalends run` says more; what it accepts with --accept-loss, an adoption goes on with.",
        )),
    }
}

/// Whether an adoption has begun and not ended.
///
/// # Errors
/// Refuses an entity that is settled otherwise.
async fn check_not_settled(warehouse: &mut Warehouse, model: &Model, ledger: &Ledger, named: &Named) -> Result<bool> {
    let begun = adopt::is_begun(&warehouse.read().await?, model).await?;
    if ledger.anew.is_none() && (ledger.accounts.is_empty() || begun) {
        return Ok(begun);
    }
    let name = model.name();
    Err(Refusal::refused(
        format!("entity \"{name}\" is settled already"),
        format!("`kalends run` keeps it so; to take {named} over instead, `kalends forget {name} --yes` first."),
    ))
}

fn text(adopted: &Adopted, named: &Named, published: &str) -> String {
    let tally = |tally: Tally| format!("{} of {}", counted(tally.rows, "row"), counted(tally.days, "day"));
    let mut lines =
        vec![report::line("adopted", &format!("{} from {named}", tally(adopted.taken)), adopted.took_seconds)];
    if adopted.missed.is_equal() {
        lines.push(format!("missed      nothing: {named} has production's counts and checksums on every day"));
    } else {
        lines.push(format!("missed      {named} {}", super::summary(&adopted.missed)));
    }
    if adopted.loaded.days > 0 {
        lines.push(format!("loaded      {} from production", tally(adopted.loaded)));
    }
    lines.push(format!("unchanged   {} that were already right", counted(adopted.taken_files, "file")));
    lines.push(published.to_string());
    lines.join("\n")
}

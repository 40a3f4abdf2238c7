//! `prepare`: the warehouse's rows and accounts equal to one snapshot of production.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::Serialize;
use tokio_postgres::error::SqlState;

use super::World;
use crate::accounts::{self, Cause, Month, SetAside};
use crate::calendar::Period;
use crate::db::sql_state;
use crate::entity::{Entity, Model};
use crate::error::{self, Exit, Refusal, Result};
use crate::load::{self, Loaded};
use crate::production::{Places, Production, Snapshot};
use crate::progress::Progress;
use crate::report::{self, Outcome, count, counted};
use crate::settle::{self, Proof, Run};
use crate::warehouse::{Ledger, Locked, Warehouse};

/// Conflicts with other sessions of the warehouse are tried again, so many times in all.
const TRIES: usize = 3;

/// What a preparation found and did.
#[derive(Debug, Serialize)]
pub(super) struct Prepared {
    pub(super) entity: String,
    pub(super) production_as_of: String,
    pub(super) surveyed_rows: i64,
    pub(super) surveyed_days: usize,
    pub(super) set_aside: SetAside,
    pub(super) settled_days: BTreeMap<Cause, usize>,
    pub(super) settled_months: usize,
    pub(super) loaded_rows: u64,
    /// Months and years whose accounts somebody had changed, summed again.
    pub(super) mended_periods: Vec<Period>,
    took_seconds: Took,
}

/// How long the parts took, in seconds.
#[derive(Debug, Serialize)]
struct Took {
    /// Production's survey.
    survey: f64,
    /// Rows on their way from one server to the other.
    copy: f64,
    /// Loading and settling as a whole, copying included.
    settle: f64,
}

pub(super) async fn run(world: &World<'_>) -> Result<Outcome> {
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let all = all(world, &mut warehouse, &mut production).await?;
    Ok(Outcome::new(all.exit, all.text(), &all))
}

/// What became of all entities.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Entities {
    /// The only one.
    One(Prepared),
    /// Of several, each by itself.
    Several { entities: Vec<Each> },
}

/// What became of one of several entities.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Each {
    Prepared(Prepared),
    Failed { entity: String, error: String, exit_code: u8 },
}

/// What became of all entities, and how that ends.
#[derive(Debug, Serialize)]
pub(super) struct All {
    #[serde(flatten)]
    entities: Entities,
    #[serde(skip)]
    pub(super) exit: Exit,
}

/// Prepares each entity on the same two connections. Of several, one that fails does not keep the others from being
/// settled; the exit code is the gravest.
pub(super) async fn all(world: &World<'_>, warehouse: &mut Warehouse, production: &mut Production) -> Result<All> {
    if let [entity] = world.settings.entities.as_slice() {
        let prepared = prepare(world, warehouse, production, entity).await?;
        return Ok(All { entities: Entities::One(prepared), exit: Exit::Done });
    }
    let (mut entities, mut exit) = (Vec::new(), Exit::Done);
    for entity in &world.settings.entities {
        entities.push(match prepare(world, warehouse, production, entity).await {
            Ok(prepared) => Each::Prepared(prepared),
            Err(error) => {
                let failed = error::exit_code(&error);
                exit = exit.graver(failed);
                report::talk(&error::render(&error));
                Each::Failed {
                    entity: entity.name.name().to_string(),
                    error: error.to_string(),
                    exit_code: failed as u8,
                }
            }
        });
    }
    Ok(All { entities: Entities::Several { entities }, exit })
}

/// Survey, compare, then load and settle month by month, each in a transaction of its own.
async fn prepare(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    entity: &Entity,
) -> Result<Prepared> {
    let (source, model) = production.identity(entity).await?;
    // What is kept is read before production's snapshot is taken: whoever settles in between is noticed by generation.
    let mut ledger = warehouse.ledger(&source, &model).await?;
    let snapshot = production.snapshot(entity).await?;
    if *snapshot.model() != model {
        return Err(Refusal::busy(format!("table {entity} was changed while it was looked at"), "Try again."));
    }
    let survey = snapshot.survey().await?;
    let changes = accounts::compare(&survey.accounts, &ledger.accounts);

    let started = Instant::now();
    let settled_days = accounts::tally(&changes);
    let months = accounts::months(changes, &survey.accounts);
    let settled_months = months.len();
    let loaded = catch_up(world, &snapshot, warehouse, &mut ledger.generation, months, &survey.places).await?;
    sum_again(warehouse, &model, &mut ledger).await?;
    Ok(Prepared {
        entity: entity.name.name().to_string(),
        production_as_of: snapshot.as_of,
        surveyed_rows: accounts::rows(&survey.accounts),
        surveyed_days: survey.accounts.len(),
        set_aside: survey.set_aside,
        settled_days,
        settled_months,
        loaded_rows: loaded.rows,
        mended_periods: ledger.unsummed,
        took_seconds: Took {
            survey: survey.took.as_secs_f64(),
            copy: loaded.copying.as_secs_f64(),
            settle: started.elapsed().as_secs_f64(),
        },
    })
}

/// Loads and settles the months one after the other, and gives what was loaded in all.
async fn catch_up(
    world: &World<'_>,
    snapshot: &Snapshot<'_>,
    warehouse: &mut Warehouse,
    generation: &mut i64,
    months: Vec<Month>,
    places: &Places,
) -> Result<Loaded> {
    let progress = Progress::rows(months.iter().map(Month::changed_rows).sum(), world.talk);
    let (mut run, mut all) = (None, Loaded::default());
    for mut month in months {
        let mut tries = 1..;
        let (settled, loaded) = loop {
            let locked = match run {
                None => warehouse.lock(*generation).await,
                Some(_) => warehouse.lock_next(*generation).await,
            };
            match settle_month(snapshot, locked?, &mut month, places, &progress, run.clone()).await {
                Err(error) if is_conflict(&error) && tries.next() < Some(TRIES) => continue,
                settled => break settled.with_context(|| format!("could not settle month {}", month.period))?,
            }
        };
        *generation += 1;
        run = Some(settled);
        all = Loaded { rows: all.rows + loaded.rows, copying: all.copying + loaded.copying };
    }
    Ok(all)
}

/// Sums the months and years that somebody changed, whose days are as they should be. Nothing is written where none is.
async fn sum_again(warehouse: &mut Warehouse, model: &Model, ledger: &mut Ledger) -> Result<()> {
    // Months come first: a year is summed from them.
    for &period in &ledger.unsummed {
        let locked = warehouse.lock(ledger.generation).await?;
        settle::sum(&locked, model, period).await?;
        settle::sum(&locked, model, period.first().year()).await?;
        locked.commit().await?;
        ledger.generation += 1;
    }
    Ok(())
}

/// Loads and settles a month in one transaction, or leaves it as it was.
async fn settle_month(
    snapshot: &Snapshot<'_>,
    locked: Locked<'_>,
    month: &mut Month,
    places: &Places,
    progress: &Progress,
    run: Option<Run>,
) -> Result<(Run, Loaded)> {
    let mut run = match run {
        Some(run) => run,
        None => settle::begin_run(&locked, &snapshot.as_of).await?,
    };
    let passing = |rows| progress.add(rows);
    let mut loaded = load::reload(snapshot, &locked, month, places, &passing).await?;
    let proven = match settle::prove(&locked, snapshot.model(), month).await? {
        Proof::Equal(proven) => proven,
        Proof::Differing(tampered) => {
            // Days that no survey could tell of: somebody changed the warehouse's rows. They are loaded again as well.
            tracing::warn!(month = %month.period, days = tampered.len(), "the warehouse's rows were tampered with");
            month.changes.extend(tampered);
            loaded = load::reload(snapshot, &locked, month, places, &passing).await?;
            match settle::prove(&locked, snapshot.model(), month).await? {
                Proof::Equal(proven) => proven,
                Proof::Differing(days) => {
                    bail!("the warehouse does not keep {} days as production sent them", days.len())
                }
            }
        }
    };
    settle::settle(&locked, snapshot.model(), &mut run, month, loaded.rows, proven).await?;
    locked.commit().await?;
    Ok((run, loaded))
}

/// Another session of the warehouse was in the way, and may not be the next time.
fn is_conflict(error: &anyhow::Error) -> bool {
    matches!(sql_state(error), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

impl All {
    /// Whether no entity held anything new, and none failed.
    pub(super) fn nothing_to_do(&self) -> bool {
        match &self.entities {
            Entities::One(prepared) => prepared.nothing_to_do(),
            Entities::Several { entities } => {
                entities.iter().all(|each| matches!(each, Each::Prepared(prepared) if prepared.nothing_to_do()))
            }
        }
    }

    /// For people: of several entities, lines for each.
    pub(super) fn text(&self) -> String {
        self.told(
            |prepared| {
                if prepared.nothing_to_do() { prepared.nothing_to_do_text() } else { prepared.lines().join("\n") }
            },
        )
    }

    /// The same where files were published: the steps, and not that there was nothing to do.
    pub(super) fn done_text(&self) -> String {
        self.told(|prepared| prepared.lines().join("\n"))
    }

    fn told(&self, of_one: impl Fn(&Prepared) -> String) -> String {
        match &self.entities {
            Entities::One(prepared) => of_one(prepared),
            Entities::Several { entities } => report::list_lines(entities.iter().map(|each| match each {
                Each::Prepared(prepared) => format!("{}: {}", prepared.entity, of_one(prepared)),
                Each::Failed { entity, error, .. } => format!("{entity}: failed: {error}"),
            })),
        }
    }
}

impl Prepared {
    /// Whether production held nothing new.
    fn nothing_to_do(&self) -> bool {
        self.settled_days.is_empty() && self.mended_periods.is_empty()
    }

    /// The line for a run that found the warehouse equal.
    fn nothing_to_do_text(&self) -> String {
        let mut lines = vec![format!("nothing to do: equal to production as of {}", seconds(&self.production_as_of))];
        lines.extend(report::set_aside(self.set_aside));
        lines.join("\n")
    }

    /// What was done, a line a step.
    fn lines(&self) -> Vec<String> {
        let days = counted(self.surveyed_days, "day");
        let surveyed = format!("{} rows of {}, {days}", count(self.surveyed_rows), self.entity);
        let mut lines = vec![report::line("surveyed", &surveyed, self.took_seconds.survey)];
        lines.extend(report::set_aside(self.set_aside));
        if !self.mended_periods.is_empty() {
            lines.push(format!("mended      {}", report::list(self.mended_periods.iter())));
        }
        if self.settled_days.is_empty() {
            return lines;
        }
        let days = counted(self.settled_days.values().sum(), "day");
        let months = counted(self.settled_months, "month");
        let settled = format!("{days} ({}), {months}", report::tally(&self.settled_days));
        lines.push(report::line("settled", &settled, self.took_seconds.settle));
        lines
    }
}

/// A moment without its microseconds.
fn seconds(as_of: &str) -> String {
    match as_of.split_once('.') {
        Some((seconds, _)) => format!("{seconds} UTC"),
        None => as_of.to_string(),
    }
}

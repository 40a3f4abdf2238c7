//! `prepare`: the warehouse's rows and accounts equal to one snapshot of production.

mod months;

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use self::months::Settling;
use super::World;
use crate::accounts::{self, Cause, SetAside};
use crate::calendar::Period;
use crate::entity::Entity;
use crate::error::{self, Exit, Result};
use crate::production::Production;
use crate::report::{self, Outcome, count, counted};
use crate::warehouse::Warehouse;

/// What a preparation found and did.
#[derive(Debug, Serialize)]
pub(super) struct Prepared {
    pub(super) entity: String,
    pub(super) production_as_of: String,
    pub(super) surveyed_rows: i64,
    pub(super) surveyed_days: usize,
    pub(super) set_aside: SetAside,
    /// Where the settings ask for other things than were settled before: what was added and taken away.
    pub(super) settled_anew: Vec<String>,
    pub(super) settled_days: BTreeMap<Cause, usize>,
    pub(super) settled_months: usize,
    pub(super) loaded_rows: u64,
    /// Periods whose accounts somebody had changed, made again.
    pub(super) mended_periods: Vec<Period>,
    took_seconds: Took,
    held_production: HeldProduction,
    /// The moment of the snapshot, in microseconds since 1970 UTC.
    #[serde(skip)]
    as_of_us: i64,
}

/// What production had to bear.
#[derive(Debug, Serialize)]
struct HeldProduction {
    /// From the lock of the table, that of any SELECT, until it was let go.
    longest_lock_seconds: f64,
    /// From the snapshot until it was let go.
    longest_snapshot_seconds: f64,
    /// Those that the survey counted, and those that were copied.
    rows_read: i64,
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
        let prepared = patiently(world, warehouse, production, entity).await?;
        warehouse.note_proven(prepared.as_of_us).await?;
        return Ok(All { entities: Entities::One(prepared), exit: Exit::Done });
    }
    let (mut entities, mut exit) = (Vec::new(), Exit::Done);
    for entity in &world.settings.entities {
        let preparing = patiently(world, warehouse, production, entity);
        entities.push(match world.explaining(std::slice::from_ref(entity), preparing).await {
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
    if let Some(as_of_us) = proven_as_of(&entities) {
        warehouse.note_proven(as_of_us).await?;
    }
    Ok(All { entities: Entities::Several { entities }, exit })
}

/// Since when all entities are known to be equal to production: the earliest of their snapshots. `None` where one is not.
fn proven_as_of(entities: &[Each]) -> Option<i64> {
    let moments = entities.iter().map(|each| match each {
        Each::Prepared(prepared) => Some(prepared.as_of_us),
        Each::Failed { .. } => None,
    });
    moments.collect::<Option<Vec<i64>>>()?.into_iter().min()
}

/// Prepares an entity, after another run where somebody waits for it.
async fn patiently(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    entity: &Entity,
) -> Result<Prepared> {
    world.manner.patiently(async || prepare(world, warehouse, production, entity).await).await
}

/// Survey, compare, then load and settle month by month, each in a transaction of its own.
async fn prepare(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    entity: &Entity,
) -> Result<Prepared> {
    warehouse.read().await?.check_is_free().await?;
    let (source, model) = production.identity(entity).await?;
    // What is kept is read before production's snapshot is taken: whoever settles in between is noticed by generation.
    let mut ledger = warehouse.ledger(&source, &model).await?;
    let snapshot = production.snapshot(entity).await?;
    // Changed since it was looked at: refused now as it would be the next time.
    model.change_to(snapshot.model())?;
    let settling = async {
        let survey = snapshot.survey().await?;
        let changes = accounts::compare(&survey.accounts, &ledger.accounts);
        let started = Instant::now();
        let settling = Settling { talk: world.talk, snapshot: &snapshot, survey: &survey };
        let settled = match &ledger.anew {
            None => settling.catch_up(warehouse, &mut ledger.generation, changes).await?,
            Some(anew) => settling.anew(warehouse, ledger.generation, changes, anew).await?,
        };
        Ok((survey, settled, started.elapsed()))
    };
    let (survey, settled, settle_took) = world.watch().over(&snapshot, settling).await?;
    let (production_as_of, as_of_us) = (snapshot.as_of.clone(), snapshot.as_of_us);
    let held = snapshot.release().await;
    months::mend(warehouse, &model, &survey.accounts, &mut ledger).await?;
    Ok(Prepared {
        entity: entity.name.name().to_string(),
        production_as_of,
        surveyed_rows: accounts::rows(&survey.accounts),
        surveyed_days: survey.accounts.len(),
        set_aside: survey.set_aside,
        settled_anew: ledger.anew.map(|anew| anew.what).unwrap_or_default(),
        settled_days: settled.days,
        settled_months: settled.months,
        loaded_rows: settled.loaded.rows,
        mended_periods: ledger.unsummed,
        took_seconds: Took {
            survey: survey.took.as_secs_f64(),
            copy: settled.loaded.copying.as_secs_f64(),
            settle: settle_took.as_secs_f64(),
        },
        held_production: HeldProduction {
            longest_lock_seconds: held.lock.as_secs_f64(),
            longest_snapshot_seconds: held.snapshot.as_secs_f64(),
            rows_read: accounts::rows(&survey.accounts) + survey.set_aside.rows() + settled.loaded.rows.cast_signed(),
        },
        as_of_us,
    })
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
        self.settled_days.is_empty() && self.settled_anew.is_empty() && self.mended_periods.is_empty()
    }

    /// The line for a run that found the warehouse equal.
    fn nothing_to_do_text(&self) -> String {
        let mut lines =
            vec![format!("nothing to do: equal to production as of {}", report::seconds(&self.production_as_of))];
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
        if !self.settled_anew.is_empty() {
            lines.push(format!("anew        {}", self.settled_anew.join(", ")));
        }
        if self.settled_days.is_empty() {
            lines.push(self.held_production.line());
            return lines;
        }
        let days = counted(self.settled_days.values().sum(), "day");
        let months = counted(self.settled_months, "month");
        let settled = format!("{days} ({}), {months}", report::tally(&self.settled_days));
        lines.push(report::line("settled", &settled, self.took_seconds.settle));
        lines.push(self.held_production.line());
        lines
    }
}

impl HeldProduction {
    fn line(&self) -> String {
        let Self { longest_lock_seconds: lock, longest_snapshot_seconds: snapshot, rows_read } = self;
        format!("production  {} rows read, lock {lock:.2} s, snapshot {snapshot:.2} s", count(*rows_read))
    }
}

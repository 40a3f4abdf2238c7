//! `prepare`: the warehouse's rows and accounts equal to one snapshot of production.

pub(super) mod guarding;
pub(super) mod months;
pub(super) mod zones;

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use self::months::{Settled, Settling};
use super::failures::{Ended, failure};
use super::{World, exchanged, left, plan};
use crate::accounts::{self, Cause, SetAside};
use crate::calendar::Period;
use crate::entity::Entity;
use crate::error::{self, Exit, Result};
use crate::guard::{self, Accepted, Kind, Noted};
use crate::load::Loaded;
use crate::production::{self, Production, Survey};
use crate::report::{self, Outcome, counted};
use crate::warehouse::Warehouse;
use crate::warehouse::notes::Failure;

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
    /// Days whose checksums were of another Kalends' form, and are the same otherwise.
    pub(super) renewed_checksums: usize,
    /// Periods whose accounts somebody had changed, made again.
    pub(super) mended_periods: Vec<Period>,
    /// What is left as it was settled until somebody consents.
    pub(super) held: Vec<Noted>,
    /// The command that consents to it.
    pub(super) accept: Option<String>,
    /// What is left as it was settled until it has stayed the same for long enough.
    pub(super) changing: Vec<Noted>,
    took_seconds: Took,
    held_production: HeldProduction,
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

pub(super) async fn run(world: &World<'_>, accepted: &Accepted) -> Ended {
    let (mut warehouse, mut production) = tokio::try_join!(world.warehouse(), world.production())?;
    let all = all(world, &mut warehouse, &mut production, accepted).await?;
    Ok((Outcome::new(all.exit, all.text(), &all), all.failures))
}

/// What became of all entities.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Entities {
    /// The only one.
    One(Box<Prepared>),
    /// Of several, each by itself.
    Several { entities: Vec<Each> },
}

/// What became of one of several entities.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Each {
    Prepared(Box<Prepared>),
    Failed { entity: String, error: String, exit_code: u8 },
}

/// What became of all entities, and how that ends.
#[derive(Debug, Serialize)]
pub(super) struct All {
    #[serde(flatten)]
    entities: Entities,
    #[serde(skip)]
    pub(super) exit: Exit,
    /// What is to be noted of it.
    #[serde(skip)]
    pub(super) failures: Vec<Failure>,
}

/// Prepares each entity on the same two connections. Of several, one that fails does not keep the others from being
/// settled; the exit code is the gravest.
pub(super) async fn all(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    accepted: &Accepted,
) -> Result<All> {
    if let Some(planned) = &world.planned {
        plan::still_holds(world, planned, warehouse, production).await?;
    }
    let (mut entities, mut exit, mut failures) = (Vec::new(), Exit::Done, Vec::new());
    for entity in &world.settings.entities {
        let name = entity.name.name();
        let preparing = patiently(world, warehouse, production, entity, accepted);
        let (each, error) = match world.explaining(std::slice::from_ref(entity), preparing).await {
            Ok(prepared) => {
                let refusal = guarding::refusal(name, &prepared.held, prepared.accept.as_deref());
                (Each::Prepared(Box::new(prepared)), refusal)
            }
            Err(error) if world.settings.entities.len() == 1 => return Err(error),
            // It would be in the way of the others as well, and has settled part of what would be published.
            Err(error) if entities.is_empty() && error::waits_for_a_run(&error) => return Err(error),
            Err(error) => {
                let (entity, exit_code) = (name.to_string(), error::exit_code(&error) as u8);
                (Each::Failed { entity, error: error.to_string(), exit_code }, Some(error))
            }
        };
        if let Some(error) = error {
            let failed = error::exit_code(&error);
            exit = exit.graver(failed);
            failures.push(failure(Some(name), failed, error::in_one_line(&error)));
            report::talk(&error::render(&error));
        }
        entities.push(each);
    }
    let entities = match entities.pop() {
        Some(Each::Prepared(only)) if entities.is_empty() => Entities::One(only),
        last => Entities::Several { entities: entities.into_iter().chain(last).collect() },
    };
    Ok(All { entities, exit, failures })
}

/// Prepares an entity, after another run where somebody waits for it.
async fn patiently(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    entity: &Entity,
    accepted: &Accepted,
) -> Result<Prepared> {
    world.manner.patiently(async || prepare(world, warehouse, production, entity, accepted).await).await
}

/// Survey, compare, then load and settle month by month, each in a transaction of its own.
async fn prepare(
    world: &World<'_>,
    warehouse: &mut Warehouse,
    production: &mut Production,
    entity: &Entity,
    accepted: &Accepted,
) -> Result<Prepared> {
    warehouse.read().await?.check_is_free().await?;
    let (source, model) = production.identity(entity).await?;
    exchanged::check(production, warehouse, entity).await?;
    // What is kept is read before production's snapshot is taken: whoever settles in between is noticed by generation.
    let mut ledger = warehouse.ledger(&source, &model).await?;
    let before = warehouse.before(model.name()).await?;
    let replaced = guarding::replaced(warehouse, &ledger).await?;
    let snapshot = production.snapshot(entity).await?;
    // Changed since it was looked at: refused now as it would be the next time.
    model.change_to(snapshot.model())?;
    let settling = async {
        let survey = snapshot.survey().await?;
        let known = (&ledger, &before, replaced.as_ref());
        let judged = guarding::judge(world.settings.guard, accepted, (&snapshot, &survey), known).await?;
        let changes = accounts::compare(&judged.target, &ledger.accounts);
        if let Some(planned) = &world.planned {
            planned.check_one(entity.name.name(), &survey.accounts, &ledger.accounts, &changes)?;
        }
        let started = Instant::now();
        let settling =
            Settling { talk: world.talk, snapshot: &snapshot, survey: &survey, judged: &judged, adopting: None };
        let settled = match &ledger.anew {
            None => settling.catch_up(warehouse, &mut ledger, changes).await,
            Some(anew) if judged.left.is_empty() => settling.anew(warehouse, ledger.generation, changes, anew).await,
            Some(_) => Ok(Settled::default()),
        };
        let settled = zones::explaining(&snapshot, warehouse, (&survey.accounts, &ledger.accounts), settled).await?;
        Ok((survey, judged, settled, started.elapsed()))
    };
    let (survey, judged, settled, settle_took) = world.watch().over(&snapshot, settling).await?;
    let (production_as_of, as_of_us) = (snapshot.as_of.clone(), snapshot.as_of_us);
    let held_production = snapshot.release().await;
    guarding::note(warehouse, entity, &before, &judged.noted).await?;
    if settled.months == 0 && ledger.unsummed.is_empty() && judged.left.is_empty() {
        warehouse.confirm(entity.name.name(), ledger.generation, as_of_us).await?;
    }
    let (changing, held) = judged.noted.into_iter().partition::<Vec<_>, _>(|noted| noted.kind == Kind::Changing);
    Ok(Prepared {
        entity: entity.name.name().to_string(),
        production_as_of,
        surveyed_rows: accounts::rows(&survey.accounts),
        surveyed_days: survey.accounts.len(),
        set_aside: survey.set_aside,
        settled_anew: ledger.anew.filter(|_| held.is_empty()).map(|anew| anew.what).unwrap_or_default(),
        settled_days: settled.days,
        settled_months: settled.months,
        loaded_rows: settled.loaded.rows,
        renewed_checksums: settled.renewed_days,
        mended_periods: ledger.unsummed,
        accept: guard::accepting(held.iter()),
        held,
        changing,
        took_seconds: Took {
            survey: survey.took.as_secs_f64(),
            copy: settled.loaded.copying.as_secs_f64(),
            settle: settle_took.as_secs_f64(),
        },
        held_production: HeldProduction::of(held_production, &survey, settled.loaded),
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
            Entities::Several { entities } => report::list_lines(entities.iter().flat_map(|each| match each {
                Each::Prepared(prepared) => {
                    report::of_entity(of_one(prepared).lines().map(str::to_string), &prepared.entity)
                }
                Each::Failed { entity, error, .. } => vec![format!("failed      {entity}: {error}")],
            })),
        }
    }
}

impl Prepared {
    /// Whether production held nothing new.
    fn nothing_to_do(&self) -> bool {
        let is_left = !self.held.is_empty() || !self.changing.is_empty();
        let is_settled = self.settled_days.is_empty() && self.settled_anew.is_empty() && self.renewed_checksums == 0;
        is_settled && self.mended_periods.is_empty() && !is_left
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
        let surveyed = format!("{} of {}, {days}", counted(self.surveyed_rows, "row"), self.entity);
        let mut lines = vec![report::line("surveyed", &surveyed, self.took_seconds.survey)];
        lines.extend(report::set_aside(self.set_aside));
        if !self.mended_periods.is_empty() {
            lines.push(format!("repaired    {}", report::list(self.mended_periods.iter())));
        }
        lines.extend(left::lines(&self.held, &self.changing, self.accept.as_deref()));
        if !self.settled_anew.is_empty() {
            lines.push(format!("rebuilt     {}", self.settled_anew.join(", ")));
        }
        if self.renewed_checksums > 0 {
            let days = counted(self.renewed_checksums, "day");
            lines.push(format!("checksums   {days} renewed in the form of this version; figures stay"));
        }
        if self.settled_days.is_empty() {
            lines.push(self.held_production.line());
            return lines;
        }
        let days = counted(self.settled_days.values().sum::<usize>(), "day");
        let months = counted(self.settled_months, "month");
        let settled = format!("{days} ({}), {months}", report::tally(&self.settled_days));
        lines.push(report::line("settled", &settled, self.took_seconds.settle));
        lines.push(self.held_production.line());
        lines
    }
}

impl HeldProduction {
    fn of(held: production::Held, survey: &Survey, loaded: Loaded) -> Self {
        Self {
            longest_lock_seconds: held.lock.as_secs_f64(),
            longest_snapshot_seconds: held.snapshot.as_secs_f64(),
            rows_read: accounts::rows(&survey.accounts) + survey.set_aside.rows() + loaded.rows.cast_signed(),
        }
    }

    fn line(&self) -> String {
        let Self { longest_lock_seconds: lock, longest_snapshot_seconds: snapshot, rows_read } = self;
        format!("production  {} read, lock {lock:.2} s, snapshot {snapshot:.2} s", counted(*rows_read, "row"))
    }
}

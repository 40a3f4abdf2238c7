//! The first step: makes the warehouse's rows and accounts equal to production, entity by entity.

use std::collections::BTreeMap;

use serde::Serialize;

use super::held;
use super::older::Older;
use crate::accounts::{Cause, SetAside};
use crate::calendar::Period;
use crate::entity::Entity;
use crate::error::Result;
use crate::guard::{self, Accepted, Noted};
use crate::production::Durations;
use crate::report::{self, Figure, Gauge, counted};
use crate::sync::plan::{self, Expected, Planned};
use crate::sync::{self, Connections, Terms};
use crate::world::{Each, Failed, World};

/// Prepares each entity over the same two connections. With a plan, it refuses if the plan is outdated.
///
/// # Errors
/// If the only entity fails, or the plan is outdated. If one of several fails, the others are still settled, and the
/// exit code is the most serious one.
pub async fn prepare(
    world: &World<'_>,
    connections: &mut Connections,
    (accepted, all): (&Accepted, bool),
    planned: Option<&Expected>,
) -> Result<Each<Prepared>> {
    let (entities, rules) = (world.settings.entities.as_slice(), world.settings.guard);
    let look = |entity: &Entity| world.settings.look(entity);
    if let Some(planned) = planned {
        plan::check_still_holds(connections, planned, &Planned { entities, rules, look: &look, accept_loss: None })
            .await?;
    }
    let preparing = async |entity: &Entity| {
        let terms = Terms { rules, accepted, look: look(entity), all };
        let done = world.patiently(async || sync::prepare(connections, entity, &terms, planned).await).await?;
        let prepared = Prepared::of(entity, done);
        let refused = held::refusal(&prepared.entity, &prepared.held, prepared.accept.as_deref());
        Ok((prepared, refused))
    };
    world.each(preparing).await
}

/// What was found and done for an entity.
#[derive(Debug, Serialize)]
pub struct Prepared {
    entity: String,
    production_as_of: String,
    surveyed_rows: i64,
    surveyed_days: usize,
    set_aside: SetAside,
    /// If the settings changed what is settled: what was added and removed.
    settled_anew: Vec<String>,
    settled_days: BTreeMap<Cause, usize>,
    settled_months: usize,
    loaded_rows: u64,
    /// Days whose checksums were written again in today's form. Nothing else of them changed.
    renewed_checksums: usize,
    /// Periods whose accounts somebody had edited, and which were rebuilt.
    mended_periods: Vec<Period>,
    /// What is held until somebody accepts the loss.
    held: Vec<Noted>,
    /// The command that accepts it.
    accept: Option<String>,
    /// What is changing: left as it was settled until it has stayed the same for `settle_after`.
    changing: Vec<Noted>,
    /// What was looked at of the older days; null if all days were looked at together.
    older: Option<Older>,
    took_seconds: Took,
    held_production: HeldProduction,
}

/// What the run cost production.
#[derive(Debug, Serialize)]
struct HeldProduction {
    /// How long the table was locked, as by any SELECT.
    longest_lock_seconds: f64,
    /// How long the snapshot was open.
    longest_snapshot_seconds: f64,
    /// Rows that the survey counted, and rows that were copied.
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

impl Each<Prepared> {
    /// The only entity's name; `None` where there are several.
    pub fn only(&self) -> Option<&str> {
        match self.all.as_slice() {
            [Ok(only)] => Some(&only.entity),
            _ => None,
        }
    }

    /// For monitoring.
    pub fn figures(&self) -> Vec<Figure> {
        self.all.iter().flatten().flat_map(Prepared::figures).collect()
    }

    /// Whether nothing was to do for any entity, and none failed.
    pub fn nothing_to_do(&self) -> bool {
        self.all.iter().all(|one| one.as_ref().is_ok_and(Prepared::nothing_to_do))
    }

    /// For people: with several entities, lines for each.
    pub fn text(&self) -> String {
        self.told(
            |prepared| {
                if prepared.nothing_to_do() { prepared.nothing_to_do_text() } else { prepared.lines().join("\n") }
            },
        )
    }

    /// The same if files were published: the steps, without the line that there was nothing to do.
    pub fn done_text(&self) -> String {
        self.told(|prepared| prepared.lines().join("\n"))
    }

    fn told(&self, of_one: impl Fn(&Prepared) -> String) -> String {
        if let [Ok(only)] = self.all.as_slice() {
            return of_one(only);
        }
        report::list_lines(self.all.iter().flat_map(|one| match one {
            Ok(prepared) => report::of_entity(of_one(prepared).lines().map(str::to_string), &prepared.entity),
            Err(Failed { entity, error, .. }) => vec![format!("failed      {entity}: {error}")],
        }))
    }
}

impl Prepared {
    fn of(entity: &Entity, done: sync::Prepared) -> Self {
        let sync::Prepared { survey, settled, held, .. } = done;
        let older = done.older.map(Older::of);
        let rows = survey.looked_at().map(|(_, account)| account.rows).sum();
        Self {
            entity: entity.name.name().to_string(),
            production_as_of: done.production_as_of,
            surveyed_rows: rows,
            surveyed_days: survey.looked_at().count(),
            set_aside: survey.set_aside,
            settled_anew: done.rebuilt,
            settled_months: settled.months,
            loaded_rows: settled.loaded.rows,
            renewed_checksums: settled.renewed_days,
            mended_periods: done.repaired_periods,
            accept: guard::accepting(held.iter()),
            held,
            changing: done.changing,
            took_seconds: Took {
                survey: survey.took.as_secs_f64(),
                copy: settled.loaded.copying.as_secs_f64(),
                settle: done.took.as_secs_f64(),
            },
            held_production: HeldProduction::of(
                done.snapshot,
                rows + survey.set_aside.rows()
                    + older.as_ref().map_or(0, |older| older.rows)
                    + settled.loaded.rows.cast_signed(),
            ),
            older,
            settled_days: settled.days,
        }
    }

    fn figures(&self) -> Vec<Figure> {
        let HeldProduction { longest_lock_seconds, longest_snapshot_seconds, rows_read } = self.held_production;
        let entity = Some(self.entity.as_str());
        vec![
            Figure::count(Gauge::SurveyedRows, entity, self.surveyed_rows),
            Figure::count(Gauge::SurveyedDays, entity, self.surveyed_days),
            Figure::count(Gauge::LoadedRows, entity, self.loaded_rows),
            Figure::count(Gauge::SettledMonths, entity, self.settled_months),
            Figure::new(Gauge::ProductionLockSeconds, entity, longest_lock_seconds),
            Figure::new(Gauge::ProductionSnapshotSeconds, entity, longest_snapshot_seconds),
            Figure::count(Gauge::ProductionReadRows, entity, rows_read),
            Figure::count(Gauge::OlderRows, entity, self.older.as_ref().map_or(0, |older| older.rows)),
            Figure::count(Gauge::HeldPeriods, entity, self.held.len()),
            Figure::count(Gauge::ChangingPeriods, entity, self.changing.len()),
        ]
    }

    /// Whether there was nothing to do.
    fn nothing_to_do(&self) -> bool {
        let is_left = !self.held.is_empty() || !self.changing.is_empty();
        let is_settled = self.settled_days.is_empty() && self.settled_anew.is_empty() && self.renewed_checksums == 0;
        is_settled && self.mended_periods.is_empty() && !is_left
    }

    /// The line of a run that found the warehouse equal.
    fn nothing_to_do_text(&self) -> String {
        let as_of = report::seconds(&self.production_as_of);
        let days = self.older.as_ref().map(Older::equal).unwrap_or_default();
        let mut lines = vec![format!("nothing to do: equal to production as of {as_of}{days}")];
        lines.extend(report::set_aside(self.set_aside));
        lines.extend(self.older.iter().flat_map(Older::lines));
        lines.join("\n")
    }

    /// What was done, one line for each step.
    fn lines(&self) -> Vec<String> {
        let days = counted(self.surveyed_days, "day");
        let recent = self.older.as_ref().map(Older::recent).unwrap_or_default();
        let surveyed = format!("{} of {}, {days}{recent}", counted(self.surveyed_rows, "row"), self.entity);
        let mut lines = vec![report::line("surveyed", &surveyed, self.took_seconds.survey)];
        lines.extend(report::set_aside(self.set_aside));
        lines.extend(self.older.iter().flat_map(Older::lines));
        if !self.mended_periods.is_empty() {
            lines.push(format!("repaired    {}", report::list(self.mended_periods.iter())));
        }
        lines.extend(held::lines(&self.held, &self.changing, self.accept.as_deref()));
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
    fn of(held: Durations, rows_read: i64) -> Self {
        Self {
            longest_lock_seconds: held.lock.as_secs_f64(),
            longest_snapshot_seconds: held.snapshot.as_secs_f64(),
            rows_read,
        }
    }

    fn line(&self) -> String {
        let Self { longest_lock_seconds: lock, longest_snapshot_seconds: snapshot, rows_read } = self;
        format!("production  {} read, lock {lock:.2} s, snapshot {snapshot:.2} s", counted(*rows_read, "row"))
    }
}

//! `status`: the last run that changed something, and what is due. Looks at warehouse and files only.

mod guarded;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use self::guarded::Guarded;
use super::World;
use crate::accounts;
use crate::calendar::Day;
use crate::entity::Model;
use crate::error::{Exit, Result};
use crate::exports::{self, Scope, Which};
use crate::report::{self, Outcome, counted};
use crate::warehouse::LastRun;

#[derive(Serialize)]
struct Status {
    /// The moment of production's snapshot that all entities were proven equal to last, UTC.
    proven_as_of: Option<String>,
    /// How long ago that was, by the warehouse's clock.
    age_seconds: Option<f64>,
    /// The final closed day of each entity.
    complete_through: BTreeMap<String, Day>,
    last_run: Option<LastRun>,
    settled_rows: i64,
    settled_days: usize,
    /// Entities that were settled and are not in the settings any more: kept, and not brought up to date.
    not_in_settings: Vec<String>,
    due: Due,
    #[serde(flatten)]
    guarded: Guarded,
}

#[derive(Serialize)]
struct Due {
    write: Vec<String>,
    remove: Vec<String>,
    unchanged_files: usize,
    /// Files of open periods, where those are not meant.
    open_files: usize,
    /// Whether the manifest is behind in what is closed.
    manifest: bool,
}

pub(super) async fn run(world: &World<'_>, which: Which, max_age: Option<Duration>) -> Result<Outcome> {
    let mut warehouse = world.warehouse().await?;
    let reading = warehouse.read().await?;
    let entities = reading.entities().await?;
    let (mut settled_rows, mut settled_days) = (0, 0);
    for model in &entities {
        let kept = reading.accounts(model).await?;
        settled_rows += accounts::rows(&kept);
        settled_days += kept.len();
    }
    let is_set = |model: &Model| world.settings.entities.iter().any(|entity| entity.name == model.entity.name);
    let not_in_settings = entities.iter().filter(|model| !is_set(model)).map(|model| model.name().to_string());
    let look = async || exports::due(&reading, &world.settings.exports, Scope::Everything, which).await;
    let due = world.manner.patiently(look).await?;
    let fresh = reading.freshness().await?;
    let status = Status {
        age_seconds: fresh.as_ref().map(|fresh| fresh.age_seconds),
        proven_as_of: fresh.map(|fresh| fresh.proven_as_of),
        complete_through: reading.complete_through().await?,
        last_run: reading.last_run().await?,
        settled_rows,
        settled_days,
        not_in_settings: not_in_settings.collect(),
        due: Due {
            write: due.write.into_keys().collect(),
            remove: due.remove.into_iter().collect(),
            unchanged_files: due.unchanged,
            open_files: due.open.len(),
            manifest: due.relist,
        },
        guarded: Guarded::read(&reading).await?,
    };
    let is_due = !status.due.write.is_empty() || !status.due.remove.is_empty() || status.due.manifest;
    let is_old =
        max_age.is_some_and(|most| status.age_seconds.is_none_or(|age| age.is_nan() || age > most.as_secs_f64()));
    let exit = if is_due || is_old { Exit::Differs } else { Exit::Done };
    Ok(Outcome::new(exit, text(&status, is_old.then_some(max_age).flatten()), &status))
}

fn text(status: &Status, exceeded: Option<Duration>) -> String {
    let last = match &status.last_run {
        None => "last run    none has settled anything yet".to_string(),
        Some(run) => format!(
            "last run    {} settled {} and {}, as of {}",
            run.settled_at,
            counted(run.days, "day"),
            counted(run.rows, "row"),
            run.production_as_of
        ),
    };
    let settled =
        format!("settled     {}, {}", counted(status.settled_rows, "row"), counted(status.settled_days, "day"));
    let due = &status.due;
    let files = match (due.write.len(), due.remove.len()) {
        (0, 0) if due.manifest => {
            format!(
                "due         the manifest: {} as they should be; `kalends export` does it",
                counted(due.unchanged_files, "file")
            )
        }
        (0, 0) => format!("published   {}, nothing is due", counted(due.unchanged_files, "file")),
        (write, remove) => {
            format!("due         {} to write, {remove} to remove; `kalends export` does it", counted(write, "file"))
        }
    };
    let kept = (!status.not_in_settings.is_empty()).then(|| {
        format!(
            "kept        {}: not in the settings any more; `kalends forget NAME` removes it",
            report::list(status.not_in_settings.iter())
        )
    });
    report::list_lines(
        [fresh(status, exceeded)]
            .into_iter()
            .chain(complete(status))
            .chain([last, settled, files])
            .chain(kept)
            .chain(status.guarded.lines()),
    )
}

/// Whole seconds; of an age that no duration can be, as of a clock that somebody set back, the nearest.
fn seconds(age: f64) -> Duration {
    let most = if age > 0.0 { Duration::from_secs(u64::MAX) } else { Duration::ZERO };
    Duration::try_from_secs_f64(age.round()).unwrap_or(most)
}

fn fresh(status: &Status, exceeded: Option<Duration>) -> String {
    let old = exceeded.map_or_else(String::new, |most| format!("; older than {}", humantime::format_duration(most)));
    match (&status.proven_as_of, status.age_seconds) {
        (Some(as_of), Some(age)) => {
            let ago = humantime::format_duration(seconds(age));
            format!("proven      equal to production as of {}, {ago} ago{old}", report::seconds(as_of))
        }
        _ => format!("proven      never{old}"),
    }
}

/// Of several entities one that has come less far is worth a word.
fn complete(status: &Status) -> Option<String> {
    let days: BTreeSet<&Day> = status.complete_through.values().collect();
    let through = match days.len() {
        0 => return None,
        1 => report::list(days.into_iter()),
        _ => report::list(status.complete_through.iter().map(|(entity, day)| format!("{day} ({entity})"))),
    };
    Some(format!("complete    through {through}"))
}

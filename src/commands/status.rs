//! `status`: the last run that changed something, and what is due. Looks at warehouse and files only.

use serde::Serialize;

use super::World;
use crate::accounts;
use crate::entity::Model;
use crate::error::{Exit, Result};
use crate::exports::{self, Scope};
use crate::report::{self, Outcome, count, counted};
use crate::warehouse::LastRun;

#[derive(Serialize)]
struct Status {
    last_run: Option<LastRun>,
    settled_rows: i64,
    settled_days: usize,
    /// Entities that were settled and are not in the settings any more: kept, and not brought up to date.
    not_in_settings: Vec<String>,
    due: Due,
}

#[derive(Serialize)]
struct Due {
    write: Vec<String>,
    remove: Vec<String>,
    unchanged_files: usize,
}

pub(super) async fn run(world: &World<'_>) -> Result<Outcome> {
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
    let look = async || exports::due(&reading, &world.settings.exports, Scope::Everything).await;
    let due = world.manner.patiently(look).await?;
    let status = Status {
        last_run: reading.last_run().await?,
        settled_rows,
        settled_days,
        not_in_settings: not_in_settings.collect(),
        due: Due {
            write: due.write.into_keys().collect(),
            remove: due.remove.into_iter().collect(),
            unchanged_files: due.unchanged,
        },
    };
    let is_due = !status.due.write.is_empty() || !status.due.remove.is_empty();
    let exit = if is_due { Exit::Differs } else { Exit::Done };
    Ok(Outcome::new(exit, text(&status), &status))
}

fn text(status: &Status) -> String {
    let last = match &status.last_run {
        None => "last run    none has settled anything yet".to_string(),
        Some(run) => format!(
            "last run    {} settled {} and {} rows, as of {}",
            run.settled_at,
            counted(usize::try_from(run.days).unwrap_or_default(), "day"),
            count(run.rows),
            run.production_as_of
        ),
    };
    let settled = format!("settled     {} rows, {}", count(status.settled_rows), counted(status.settled_days, "day"));
    let due = &status.due;
    let files = match (due.write.len(), due.remove.len()) {
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
    report::list_lines([last, settled, files].into_iter().chain(kept))
}

//! `verify`: production = rows = accounts = files, or a list of what differs.

use serde::Serialize;

use super::World;
use crate::accounts::{self, SetAside};
use crate::checks::{self, Difference, Layer};
use crate::error::{Exit, Result};
use crate::report::{self, Outcome, count, counted};

#[derive(Default, Serialize)]
struct Verified {
    equal: bool,
    production_as_of: String,
    rows: i64,
    days: usize,
    set_aside: SetAside,
    differences: Vec<Difference>,
}

pub(super) async fn run(world: &World<'_>) -> Result<Outcome> {
    let mut production = world.production().await?;
    let mut warehouse = world.warehouse().await?;
    let mut verified = Verified::default();
    for entity in &world.settings.entities {
        // The warehouse is read after production is held still: a run that settles in between is not half seen.
        let snapshot = production.snapshot(entity).await?;
        let reading = warehouse.read().await?;
        reading.check_is_not(&snapshot.identity)?;
        let survey = snapshot.survey().await?;
        verified.differences.extend(checks::differences(&survey.accounts, &reading, snapshot.model()).await?);
        verified.production_as_of = snapshot.as_of;
        verified.rows += accounts::rows(&survey.accounts);
        verified.days += survey.accounts.len();
        verified.set_aside = verified.set_aside.and(survey.set_aside);
    }
    let reading = warehouse.read().await?;
    verified.differences.extend(checks::files(&reading, &world.settings.exports).await?);
    verified.equal = verified.differences.is_empty();
    let exit = if verified.equal { Exit::Done } else { Exit::Differs };
    Ok(Outcome::new(exit, text(&verified), &verified))
}

fn text(verified: &Verified) -> String {
    let head = if verified.equal {
        let (rows, days) = (count(verified.rows), counted(verified.days, "day"));
        format!("equal: production = rows = accounts = files, {rows} rows, {days}, as of {}", verified.production_as_of)
    } else {
        format!(
            "{} between production and what was settled and published",
            counted(verified.differences.len(), "difference")
        )
    };
    let differences = verified
        .differences
        .iter()
        .map(|difference| format!("{:<11} {} {}", layer(difference.layer), difference.what, difference.how));
    report::list_lines([head].into_iter().chain(differences).chain(report::set_aside(verified.set_aside)))
}

fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Rows => "rows",
        Layer::Accounts => "accounts",
        Layer::Files => "files",
    }
}

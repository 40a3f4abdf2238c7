//! `verify --repair`: rebuilds what differs, layer by layer: rows, accounts, files. Then verifies once more.

use serde::Serialize;

use super::listing::{Listing, lines as listed};
use crate::checks::{self, Difference, Layer};
use crate::entity::Entity;
use crate::error::{Exit, Result};
use crate::exports::{Claim, Scope, Which};
use crate::guard::{self, Accepted, Kind, Noted};
use crate::report::{self, Outcome, counted};
use crate::steps::{self, held};
use crate::sync::{self, Terms};
use crate::world::{Failed, World};

#[derive(Default, Serialize)]
struct Repaired {
    /// Whether all is equal after the repair.
    equal: bool,
    production_as_of: String,
    mended: Mended,
    /// What was found, as without `--repair`.
    found: Vec<Difference>,
    /// What still differs.
    differences: Vec<Difference>,
    /// With several entities, those that could not be repaired.
    failed: Vec<Failed>,
    /// What is held until somebody consents, and the command for that.
    held: Vec<Noted>,
    accept: Option<String>,
    /// What is left as it was settled, until it has stayed the same for long enough.
    changing: Vec<Noted>,
    /// The same for people; with several entities, with their names.
    #[serde(skip)]
    told: Vec<String>,
    #[serde(skip)]
    rows: i64,
    #[serde(skip)]
    days: usize,
}

/// What was rebuilt.
#[derive(Default, Serialize)]
struct Mended {
    /// Days whose rows were loaded again, and how many rows.
    rows_days: usize,
    rows_loaded: u64,
    /// Days and other periods whose accounts were rebuilt.
    accounts: usize,
    written_files: usize,
    listed_files: usize,
    removed_files: usize,
}

pub(super) async fn run(world: &World<'_>, accepted: &Accepted, which: Which, listing: Listing) -> Result<Outcome> {
    let mut connections = world.connect().await?;
    let terms = Terms { rules: world.settings.guard, accepted, look: None, all: true };
    let repairing = async |entity: &Entity| {
        let one = world.patiently(async || sync::repair(&mut connections, entity, &terms).await).await?;
        let held: Vec<Noted> = one.noted.iter().filter(|noted| noted.kind != Kind::Changing).cloned().collect();
        let name = entity.name.name().to_string();
        let refused = held::refusal(&name, &held, accepting(&held).as_deref());
        Ok(((name, one), refused))
    };
    let each = world.each(repairing).await?;
    let (warehouse, several, mut exit) = (&mut connections.warehouse, each.all.len() > 1, each.exit);
    let mut repaired = Repaired::default();
    each.all.into_iter().for_each(|one| repaired.add(one, several));
    repaired
        .found
        .extend(checks::files(&warehouse.read().await?, &world.settings.exports, which, &world.pages()).await?);
    let published = steps::publish(world, warehouse, Scope::Everything, which, Claim::Own).await?;
    repaired.mended.written_files = published.written;
    repaired.mended.listed_files = published.listed;
    repaired.mended.removed_files = published.removed;
    repaired
        .differences
        .extend(checks::files(&warehouse.read().await?, &world.settings.exports, which, &world.pages()).await?);
    repaired.equal = repaired.is_settled();
    repaired.accept = accepting(&repaired.held);
    if !repaired.differences.is_empty() {
        exit = exit.graver(Exit::Differs);
    }
    Ok(Outcome::new(exit, text(&repaired, listing), &repaired))
}

impl Repaired {
    /// Whether nothing that was compared differs from production.
    fn is_settled(&self) -> bool {
        self.differences.is_empty() && self.held.is_empty() && self.changing.is_empty() && self.failed.is_empty()
    }

    /// Adds the result of an entity.
    fn add(&mut self, one: Result<(String, sync::Repaired), Failed>, several: bool) {
        let (name, one) = match one {
            Ok(one) => one,
            Err(failed) => return self.failed.push(failed),
        };
        let named = |mut difference: Difference| {
            difference.entity = several.then(|| name.clone());
            difference
        };
        // Entities are compared one after the other. The earliest snapshot is reported.
        if self.production_as_of.is_empty() {
            self.production_as_of = one.production_as_of;
        }
        self.rows += one.rows;
        self.days += one.days;
        self.mended.rows_days += one.found.rows.len();
        self.mended.rows_loaded += one.loaded;
        self.mended.accounts += one.found.accounts.len() + one.found.inconsistent.len();
        self.found.extend(one.found.differences().into_iter().map(named));
        self.differences.extend(one.left.into_iter().map(named));
        let (changing, held) = one.noted.into_iter().partition::<Vec<_>, _>(|noted| noted.kind == Kind::Changing);
        let told = held::lines(&held, &changing, None);
        self.told.extend(if several { report::of_entity(told, &name) } else { told });
        self.held.extend(held);
        self.changing.extend(changing);
    }
}

/// The command that also repairs what is held.
fn accepting(held: &[Noted]) -> Option<String> {
    guard::accepting(held.iter()).map(|run| run.replace("kalends run", "kalends verify --repair"))
}

fn text(repaired: &Repaired, listing: Listing) -> String {
    let Mended { rows_days, rows_loaded, accounts, written_files, listed_files, removed_files } = &repaired.mended;
    if repaired.found.is_empty() && repaired.equal {
        let (rows, days) = (counted(repaired.rows, "row"), counted(repaired.days, "day"));
        let as_of = &repaired.production_as_of;
        return format!("nothing to repair: production = rows = accounts = files, {rows}, {days}, as of {as_of}");
    }
    let mut lines = repaired.told.clone();
    lines.extend(repaired.accept.as_deref().map(held::accepting));
    lines.extend(repaired.failed.iter().map(|one| format!("{}: not repaired: {}", one.entity, one.error)));
    lines.push(format!("{} found", counted(repaired.found.len(), "difference")));
    lines.extend(listed(&repaired.found, listing));
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
        lines.extend(listed(&repaired.differences, listing));
    }
    lines.join("\n")
}

//! `verify`: proves production = rows = accounts = files, or lists what differs. Compares the accounts of all rows or
//! of a sample, or the rows themselves. Repairs if asked to.

mod listing;
mod repair;

use serde::Serialize;

use self::listing::{Listing, lines};
use crate::accounts::{self, SetAside};
use crate::checks::{self, Difference, Found};
use crate::db::both;
use crate::diff;
use crate::entity::Entity;
use crate::error::{Exit, Result};
use crate::exports::Which;
use crate::flags::{AcceptLoss, Closed, Measured, Waiting};
use crate::guard::Accepted;
use crate::production::{Snapshot, Survey};
use crate::report::{self, Outcome, counted};
use crate::sync;
use crate::warehouse::Reading;
use crate::world::{Failed, Invocation, World};

/// Prove that production, rows, accounts and files are equal; list what differs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: kalends verify --json | jq '.differences[].what'",
    mut_arg("accept_loss", |flag| flag.requires("repair"))
)]
pub(crate) struct Args {
    /// Load, settle and publish what differs
    #[arg(long, conflicts_with = "sample")]
    repair: bool,
    #[command(flatten)]
    losses: AcceptLoss,
    /// Compare only this share of the rows, the same on both servers
    #[arg(long, value_name = "SHARE%", value_parser = share)]
    sample: Option<u32>,
    /// Also compare the rows themselves: a proof that does not depend on checksums
    #[arg(long, conflicts_with_all = ["sample", "repair"])]
    exact: bool,
    /// List each difference, also where many days or files differ in the same way
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    closed: Closed,
}

#[derive(Default, Serialize)]
struct Verified {
    equal: bool,
    /// Whether rows were compared with rows, not only accounts with accounts.
    exact: bool,
    /// The share of the rows that was compared; null: all.
    sample: Option<String>,
    /// With several entities, the earliest moment: everything that was committed by then was compared.
    production_as_of: Option<String>,
    rows: i64,
    days: usize,
    set_aside: SetAside,
    differences: Vec<Difference>,
    /// With several entities, what was found of each. Empty, and left out, if there is only one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entities: Vec<Each>,
    #[serde(skip)]
    exit: Exit,
    #[serde(skip)]
    listing: Listing,
}

/// What was found of one of several entities.
#[derive(Serialize)]
#[serde(untagged)]
enum Each {
    Looked { entity: String, production_as_of: String, rows: i64, days: usize, set_aside: SetAside },
    Failed(Failed),
}

/// Which rows are compared, and how.
#[derive(Debug, Clone, Copy)]
enum Look {
    Accounts,
    Exact,
    Sample(u32),
}

pub(crate) fn run(args: Args, invocation: &Invocation) -> Result<Outcome> {
    let ready = invocation.ready(args.waiting, Measured::default())?;
    let (which, accepted) = (args.closed.which(), Accepted::of(args.losses.accept_loss));
    let listing = if args.list { Listing::All } else { Listing::SummedUp };
    let look = match args.sample {
        Some(of_a_million) => Look::Sample(of_a_million),
        None if args.exact => Look::Exact,
        None => Look::Accounts,
    };
    ready.work(async |world| {
        if args.repair {
            return repair::run(world, &accepted, which, listing).await;
        }
        verify(world, look, which, listing).await
    })
}

async fn verify(world: &World<'_>, look: Look, which: Which, listing: Listing) -> Result<Outcome> {
    let mut connections = world.connect().await?;
    let mut verified = Verified { exact: matches!(look, Look::Exact), listing, ..Verified::default() };
    if let Look::Sample(of_a_million) = look {
        verified.sample = Some(percent(of_a_million));
    }
    let looking = async |entity: &Entity| {
        let looking = async |snapshot: &Snapshot<'_>, reading: &Reading<'_>| look.at(snapshot, reading).await;
        let (production_as_of, (survey, found)) = sync::compare(&mut connections, entity, looking).await?;
        let entity = entity.name.name().to_string();
        Ok((One { entity, production_as_of, survey, differences: found.differences() }, None))
    };
    let each = world.each(looking).await?;
    verified.exit = each.exit;
    let several = each.all.len() > 1;
    each.all.into_iter().for_each(|one| verified.add(one, several));
    let reading = connections.warehouse.read().await?;
    let look_at_files = async || checks::files(&reading, &world.settings.exports, which, &world.pages()).await;
    verified.differences.extend(world.patiently(look_at_files).await?);
    if !verified.differences.is_empty() {
        verified.exit = verified.exit.graver(Exit::Differs);
    }
    verified.equal = verified.exit == Exit::Done;
    Ok(Outcome::new(verified.exit, verified.text(), &verified))
}

impl Look {
    /// How an entity differs from production.
    async fn at(self, snapshot: &Snapshot<'_>, reading: &Reading<'_>) -> Result<(Survey, Found)> {
        let model = snapshot.model();
        let (survey, holds) = match self {
            Self::Sample(of_a_million) => {
                let holds = checks::holds_of_sample(reading, model, of_a_million);
                both(snapshot.survey_sample(of_a_million), holds).await?
            }
            Self::Accounts | Self::Exact => both(snapshot.survey(), checks::holds(reading, model)).await?,
        };
        let mut found = holds.compared_with(&survey.accounts);
        if let Self::Exact = self {
            // Accounts say how a day differs; the rows say which days differ, whatever accounts say.
            diff::of_all(snapshot, reading).await?.into_iter().for_each(|(day, cause)| {
                found.rows.entry(day).or_insert(cause);
            });
        }
        Ok((survey, found))
    }
}

/// What was found of an entity.
struct One {
    entity: String,
    production_as_of: String,
    survey: Survey,
    differences: Vec<Difference>,
}

impl Verified {
    /// Adds what was found of an entity. With several entities, it is also listed by itself.
    fn add(&mut self, one: Result<One, Failed>, several: bool) {
        let One { entity, production_as_of, survey, mut differences } = match one {
            Ok(one) => one,
            Err(failed) => return self.entities.push(Each::Failed(failed)),
        };
        let (rows, days, set_aside) = (accounts::rows(&survey.accounts), survey.accounts.len(), survey.set_aside);
        // Entities are compared one after the other.
        self.production_as_of.get_or_insert_with(|| production_as_of.clone());
        self.rows += rows;
        self.days += days;
        self.set_aside = self.set_aside.and(set_aside);
        if several {
            differences.iter_mut().for_each(|difference| difference.entity = Some(entity.clone()));
            self.entities.push(Each::Looked { entity, production_as_of, rows, days, set_aside });
        }
        self.differences.extend(differences);
    }

    fn text(&self) -> String {
        let (rows, days) = (counted(self.rows, "row"), counted(self.days, "day"));
        let as_of = self.production_as_of.as_deref().unwrap_or_default();
        let differences = counted(self.differences.len(), "difference");
        let head = match (&self.sample, self.equal) {
            (None, true) if self.exact => format!(
                "equal, row by row: production = rows = accounts = files, {rows}, {days}, as of {as_of}; each row was \
                 compared, not only checksums"
            ),
            (None, true) => format!("equal: production = rows = accounts = files, {rows}, {days}, as of {as_of}"),
            (None, false) => format!("{differences} between production and what was settled and published"),
            (Some(share), true) => format!(
                "equal in a sample of {share}: {rows} of {days} were looked at in production and in the warehouse, \
                 as of {as_of}"
            ),
            (Some(share), false) => format!(
                "{differences} between production and what was settled and published, in a sample of {share}: \
                 {rows} of {days} were looked at"
            ),
        };
        let failed = self.entities.iter().filter_map(|each| match each {
            Each::Looked { .. } => None,
            Each::Failed(Failed { entity, error, .. }) => Some(format!("{entity}: not verified: {error}")),
        });
        let differences = lines(&self.differences, self.listing);
        report::list_lines([head].into_iter().chain(failed).chain(differences).chain(report::set_aside(self.set_aside)))
    }
}

/// A share in millionths, as percentage.
fn percent(of_a_million: u32) -> String {
    let (whole, part) = (of_a_million / 10_000, format!("{:04}", of_a_million % 10_000));
    match part.trim_end_matches('0') {
        "" => format!("{whole}%"),
        part => format!("{whole}.{part}%"),
    }
}

/// A percentage, in millionths.
fn share(text: &str) -> Result<u32, String> {
    const FORM: &str = "a percentage is written 5% or 0.1%, from 0.0001% to 100%";
    let number = text.strip_suffix('%').ok_or(FORM)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return Err(FORM.to_string());
    }
    let of_a_million: u32 = format!("{whole}{part:0<4}").parse().map_err(|_| FORM)?;
    if (1..=1_000_000).contains(&of_a_million) { Ok(of_a_million) } else { Err(FORM.to_string()) }
}

//! `verify`: production = rows = accounts = files, or a list of what differs; by the accounts of all rows or of a
//! sample, by the rows themselves, and mended on demand.

mod repair;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::World;
use crate::accounts::{self, SetAside};
use crate::checks::{self, Difference, Layer};
use crate::diff;
use crate::entity::Entity;
use crate::error::{self, Exit, Result};
use crate::exports::Which;
use crate::guard::Accepted;
use crate::production::Production;
use crate::report::{self, Outcome, counted};
use crate::warehouse::Warehouse;

/// How it is verified.
#[derive(Debug)]
pub(super) enum How {
    /// All rows, and nothing is changed.
    Whole,
    /// All rows, each with each as well, and nothing is changed.
    Exact,
    /// So many rows of a million, and nothing is changed.
    Sample(u32),
    /// All rows, and what differs is mended, losses as far as they were accepted.
    Repair(Accepted),
}

impl How {
    /// Of what was typed.
    pub(super) fn new(repair: bool, accepted: Accepted, exact: bool, sample: Option<u32>) -> Self {
        match sample {
            None if exact => Self::Exact,
            Some(of_a_million) => Self::Sample(of_a_million),
            None if repair => Self::Repair(accepted),
            None => Self::Whole,
        }
    }
}

/// How differences are told to people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Listing {
    /// Many that differ in the same way in one line.
    #[default]
    SummedUp,
    /// A line for each.
    All,
}

#[derive(Serialize)]
struct Verified {
    equal: bool,
    /// Whether rows were compared with rows, and not only their accounts.
    exact: bool,
    /// Which share of the rows was looked at; null: all.
    sample: Option<String>,
    /// Of several entities the earliest: all that was committed by then was looked at.
    production_as_of: Option<String>,
    rows: i64,
    days: usize,
    set_aside: SetAside,
    differences: Vec<Difference>,
    /// Of several, what was found of each. Empty, and left out, where there is only one.
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
    Failed { entity: String, error: String, exit_code: u8 },
}

/// What was found of one entity.
struct One {
    production_as_of: String,
    rows: i64,
    days: usize,
    set_aside: SetAside,
    differences: Vec<Difference>,
}

/// What is looked at of the rows.
#[derive(Debug, Clone, Copy)]
enum Look {
    Accounts,
    Exact,
    Sample(u32),
}

pub(super) async fn run(world: &World<'_>, how: How, which: Which, listing: Listing) -> Result<Outcome> {
    let look = match how {
        How::Repair(accepted) => return repair::run(world, &accepted, which, listing).await,
        How::Sample(of_a_million) => Look::Sample(of_a_million),
        How::Exact => Look::Exact,
        How::Whole => Look::Accounts,
    };
    let mut production = world.production().await?;
    let mut warehouse = world.warehouse().await?;
    let mut verified = Verified { exact: matches!(look, Look::Exact), listing, ..Verified::default() };
    if let Look::Sample(of_a_million) = look {
        verified.sample = Some(percent(of_a_million));
    }
    if let [entity] = world.settings.entities.as_slice() {
        verified.add(verify(world, &mut production, &mut warehouse, entity, look).await?);
    } else {
        for entity in &world.settings.entities {
            let verifying = verify(world, &mut production, &mut warehouse, entity, look);
            let found = world.explaining(std::slice::from_ref(entity), verifying).await;
            verified.add_one_of_several(entity.name.name(), found);
        }
    }
    let reading = warehouse.read().await?;
    let look_at_files = async || checks::files(&reading, &world.settings.exports, which).await;
    verified.differences.extend(world.manner.patiently(look_at_files).await?);
    if !verified.differences.is_empty() {
        verified.exit = verified.exit.graver(Exit::Differs);
    }
    verified.equal = verified.exit == Exit::Done;
    Ok(Outcome::new(verified.exit, verified.text(), &verified))
}

async fn verify(
    world: &World<'_>,
    production: &mut Production,
    warehouse: &mut Warehouse,
    entity: &Entity,
    look: Look,
) -> Result<One> {
    // The warehouse is read after production is held still: a run that settles in between is not half seen.
    let snapshot = production.snapshot(entity).await?;
    let reading = warehouse.read().await?;
    reading.check_is_not(&snapshot.identity)?;
    let looking = async {
        let model = snapshot.model();
        Ok(match look {
            Look::Accounts | Look::Exact => {
                let survey = snapshot.survey().await?;
                let mut found = checks::look(&survey.accounts, &reading, model).await?;
                if let Look::Exact = look {
                    // Accounts say how a day differs; the rows say which days do, whatever accounts say.
                    diff::of_all(&snapshot, &reading).await?.into_iter().for_each(|(day, cause)| {
                        found.rows.entry(day).or_insert(cause);
                    });
                }
                (survey, found)
            }
            Look::Sample(of_a_million) => {
                let survey = snapshot.survey_sample(of_a_million).await?;
                let found = checks::look_at_sample(&survey.accounts, &reading, model, of_a_million).await?;
                (survey, found)
            }
        })
    };
    let (survey, found) = world.watch().over(&snapshot, looking).await?;
    let differences = found.differences();
    let production_as_of = snapshot.as_of.clone();
    snapshot.release().await;
    Ok(One {
        production_as_of,
        rows: accounts::rows(&survey.accounts),
        days: survey.accounts.len(),
        set_aside: survey.set_aside,
        differences,
    })
}

impl Default for Verified {
    fn default() -> Self {
        Self {
            equal: false,
            exact: false,
            sample: None,
            production_as_of: None,
            rows: 0,
            days: 0,
            set_aside: SetAside::default(),
            differences: Vec::new(),
            entities: Vec::new(),
            exit: Exit::Done,
            listing: Listing::SummedUp,
        }
    }
}

impl Verified {
    fn add(&mut self, found: One) {
        // Entities are looked at one after the other.
        self.production_as_of.get_or_insert(found.production_as_of);
        self.rows += found.rows;
        self.days += found.days;
        self.set_aside = self.set_aside.and(found.set_aside);
        self.differences.extend(found.differences);
    }

    /// One that fails does not keep the others from being looked at; the exit code is the gravest.
    fn add_one_of_several(&mut self, name: &str, found: Result<One>) {
        let entity = name.to_string();
        match found {
            Ok(mut found) => {
                for difference in &mut found.differences {
                    difference.entity = Some(entity.clone());
                }
                let One { ref production_as_of, rows, days, set_aside, .. } = found;
                let production_as_of = production_as_of.clone();
                self.entities.push(Each::Looked { entity, production_as_of, rows, days, set_aside });
                self.add(found);
            }
            Err(error) => {
                let failed = error::exit_code(&error);
                self.exit = self.exit.graver(failed);
                report::talk(&error::render(&error));
                self.entities.push(Each::Failed { entity, error: error.to_string(), exit_code: failed as u8 });
            }
        }
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
            Each::Failed { entity, error, .. } => Some(format!("{entity}: not verified: {error}")),
        });
        let differences = lines(&self.differences, self.listing);
        report::list_lines([head].into_iter().chain(failed).chain(differences).chain(report::set_aside(self.set_aside)))
    }
}

/// A share of a million, as it was typed.
fn percent(of_a_million: u32) -> String {
    let (whole, part) = (of_a_million / 10_000, format!("{:04}", of_a_million % 10_000));
    match part.trim_end_matches('0') {
        "" => format!("{whole}%"),
        part => format!("{whole}.{part}%"),
    }
}

/// More differences of a kind than these are told in one line.
const LISTED: usize = 10;

/// A line for each difference; of many that differ in the same way, one for all.
fn lines(differences: &[Difference], listing: Listing) -> Vec<String> {
    let kind = |one: &Difference| (word(one.layer), one.how, one.entity.clone());
    let mut kinds: BTreeMap<_, (usize, &Difference)> = BTreeMap::new();
    for one in differences {
        let (number, last) = kinds.entry(kind(one)).or_insert((0, one));
        (*number, *last) = (*number + 1, one);
    }
    let mut told = BTreeSet::new();
    let lines = differences.iter().filter_map(|one| match kinds.get(&kind(one)) {
        Some(&(number, last)) if number > LISTED && listing == Listing::SummedUp => {
            told.insert(kind(one)).then(|| summed_up(one, last, number))
        }
        _ => Some(line(one)),
    });
    lines.collect()
}

fn summed_up(first: &Difference, last: &Difference, number: usize) -> String {
    let noun = match first.layer {
        Layer::Rows => "day",
        Layer::Accounts => "period",
        Layer::Files => "file",
    };
    let entity = first.entity.as_ref().map_or(String::new(), |entity| format!("{entity} "));
    let (number, how) = (counted(number, noun), first.how);
    format!("{:<11} {entity}{number} {how}, {} to {}; --list shows all", word(first.layer), first.what, last.what)
}

fn word(layer: Layer) -> &'static str {
    match layer {
        Layer::Rows => "rows",
        Layer::Accounts => "accounts",
        Layer::Files => "files",
    }
}

fn line(difference: &Difference) -> String {
    let layer = word(difference.layer);
    let entity = difference.entity.as_ref().map_or(String::new(), |entity| format!("{entity} "));
    format!("{layer:<11} {entity}{} {}", difference.what, difference.how)
}

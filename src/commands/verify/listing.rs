//! Differences, for people.

use std::collections::{BTreeMap, BTreeSet};

use crate::checks::{Difference, Layer};
use crate::report::counted;

/// How differences are listed for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Listing {
    /// Many equal differences on one line.
    #[default]
    SummedUp,
    /// A line for each.
    All,
}

/// More differences of a kind than this are summed up on one line.
const LISTED: usize = 10;

/// A line for each difference, or one for many that differ in the same way.
pub(super) fn lines(differences: &[Difference], listing: Listing) -> Vec<String> {
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

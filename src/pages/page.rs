//! The pages themselves: what their templates are filled with.

use serde::Serialize;

use super::assets::{EARLY, SCRIPTS, STYLE, policy, rendered};
use super::dimensions::{Packed, Ranked, ranked};
use super::draw;
use super::facts::Facts;
use super::figures;
use super::moved::Moved;
use super::series::{Calendar, Headline, Series, trust};
use super::tables::Table;
use super::verdict::Verdict;
use crate::calendar::Level;
use crate::entity::Split;
use crate::error::Result;
use crate::exports::pages::BEGINS;
use crate::report::{count, list, seconds};
use crate::sql::Filling as _;

const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// The page of an entity.
#[derive(Serialize)]
struct EntityPage<'a> {
    begins: &'static str,
    program: &'static str,
    policy: String,
    style: &'a str,
    early: &'static str,
    script: &'a str,
    title: String,
    name: &'a str,
    verdict: Verdict,
    series: Vec<Series>,
    moved: Moved,
    trust: Vec<Calendar>,
    dimensions: Vec<Ranked>,
    tables: Vec<Table>,
    packed: Packed,
    /// The view or table of the warehouse that has all combinations.
    packed_view: String,
    /// Names and values.
    proof: Vec<(&'static str, String)>,
    proof_sql: &'a str,
    digest: &'a str,
}

/// An entity on the first page.
#[derive(Serialize)]
pub(super) struct Card {
    name: String,
    path: String,
    verdict: Verdict,
    /// What the first figure is.
    label: String,
    headlines: Vec<Headline>,
    line: String,
}

#[derive(Serialize)]
struct FirstPage<'a> {
    begins: &'static str,
    program: &'static str,
    policy: String,
    style: &'a str,
    title: &'static str,
    cards: &'a [Card],
}

/// Renders the page of an entity.
pub(super) fn entity_page(facts: &Facts) -> Result<Vec<u8>> {
    let figures = figures::of(&facts.model);
    let combinations = match facts.model.entity.levels.contains(&Level::Day) {
        true => facts.model.stats_view(Level::Day)?,
        false => facts.model.accounts(Level::Day, Split::Combinations)?,
    };
    let verdict = Verdict::of(facts);
    let page = EntityPage {
        begins: BEGINS,
        program: PROGRAM,
        policy: policy(&[EARLY, &SCRIPTS], &STYLE),
        style: &STYLE,
        early: EARLY,
        script: &SCRIPTS,
        title: format!("{}: {}", facts.model.name(), verdict.headline),
        name: facts.model.name(),
        verdict,
        series: figures.iter().map(|figure| Series::of(facts, figure)).collect(),
        moved: Moved::of(facts, &figures),
        trust: trust(facts),
        dimensions: ranked(facts, &figures),
        tables: Table::all(facts, &figures)?,
        packed: Packed::of(facts)?,
        packed_view: format!("kalends_stats.{}", combinations.filled()),
        proof: proof(facts),
        proof_sql: &facts.proof.sql,
        digest: &facts.proof.digest,
    };
    rendered("page.html", &page)
}

/// Renders the page that leads to all others.
pub(super) fn first_page(cards: &[Card]) -> Result<Vec<u8>> {
    let policy = policy(&[], &STYLE);
    rendered(
        "index.html",
        &FirstPage { begins: BEGINS, program: PROGRAM, policy, style: &STYLE, title: "Figures", cards },
    )
}

impl Card {
    pub(super) fn of(facts: &Facts, path: &str) -> Self {
        let figures = figures::of(&facts.model);
        let first = figures.first();
        let months = facts.of(Level::Month);
        let last = &months[months.len().saturating_sub(24)..];
        let numbers: Vec<Option<f64>> =
            last.iter().map(|shown| first.and_then(|figure| figure.number(&shown.said))).collect();
        let label = first.map_or(String::new(), |figure| figure.label.clone());
        Self {
            name: facts.model.name().to_string(),
            // A name in files is percent-encoded, and is to be read as such.
            path: path.replace('%', "%25"),
            verdict: Verdict::of(facts),
            headlines: first.map_or_else(Vec::new, |figure| Series::of(facts, figure).headlines),
            line: draw::line(&numbers, None, (220.0, 36.0), &format!("{label} by month")),
            label,
        }
    }
}

/// What was proven, and what the figures mean.
fn proof(facts: &Facts) -> Vec<(&'static str, String)> {
    let (entity, proof) = (&facts.model.entity, &facts.proof);
    let settled = facts.fresh.as_ref().and_then(|fresh| fresh.settled_as_of.as_deref());
    let days = match (proof.first, proof.last) {
        (Some(first), Some(last)) => format!("{} with rows, from {first} to {last}", count(proof.days)),
        _ => "none".to_string(),
    };
    let names = |columns: &[crate::sql::Ident]| list(columns.iter().map(|column| column.name().to_string()));
    let mut told = vec![
        ("Snapshot settled last", settled.map_or_else(|| "none".to_string(), seconds)),
        ("Rows", count(proof.rows)),
        ("Days", days),
        ("Days begin and end in", facts.model.zone().to_string()),
        ("Table", format!("{}.{}", entity.schema.name(), entity.table.name())),
        ("Time column", entity.time.name().to_string()),
        ("Measures", names(&entity.measures)),
    ];
    if !entity.dimensions.is_empty() {
        told.push(("Dimensions", names(&entity.dimensions)));
    }
    told.push(("Digest", proof.digest.clone()));
    told
}

//! What is shown of each figure by itself: its headline and its pictures.

use std::collections::BTreeMap;

use serde::Serialize;

use super::draw::{self, Bar, month_name};
use super::facts::Facts;
use super::figures::{Change, Figure, change, shown, title};
use crate::accounts::Said;
use crate::calendar::{Day, Level, Period};
use crate::entity::Statistic;

/// Months in the picture of months.
const MONTHS: usize = 36;

/// Colours of values, the smallest first.
const FIFTHS: [&str; 5] = ["v1", "v2", "v3", "v4", "v5"];

/// A figure with its headline and its pictures.
#[derive(Serialize)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) headlines: Vec<Headline>,
    years: String,
    months: String,
    /// The days of each year by their values, the newest year first; only for one figure of each measure.
    calendars: Vec<Calendar>,
}

/// A period's figure, beside those that it is compared with.
#[derive(Serialize)]
pub(super) struct Headline {
    pub(super) period: String,
    pub(super) value: String,
    pub(super) is_open: bool,
    pub(super) versus: Vec<Versus>,
}

#[derive(Serialize)]
pub(super) struct Versus {
    period: String,
    change: Change,
}

/// The picture of a year's days.
#[derive(Serialize)]
pub(super) struct Calendar {
    year: String,
    svg: String,
}

impl Series {
    pub(super) fn of(facts: &Facts, figure: &Figure) -> Self {
        let months = by_period(facts, Level::Month);
        let first = figure.measure_first(facts);
        Self {
            name: figure.name.clone(),
            label: figure.label.clone(),
            headlines: headlines(facts, figure, &months),
            years: years(facts, figure),
            months: of_months(facts, figure, &months),
            calendars: if first { calendars(facts, figure) } else { Vec::new() },
        }
    }
}

impl Figure {
    /// Whether it is its measure's first figure: the sum, if there is one.
    fn measure_first(&self, facts: &Facts) -> bool {
        let statistics = &facts.model.entity.statistics;
        let first = statistics.iter().find(|one| **one == Statistic::Sum).or(statistics.first());
        first == Some(&self.statistic)
    }
}

fn by_period(facts: &Facts, level: Level) -> BTreeMap<Period, &Said> {
    facts.of(level).iter().map(|shown| (shown.period, &shown.said)).collect()
}

/// The month that contains the same day of the year before.
fn year_before(month: Period) -> Period {
    let (year, number, _) = month.first().year_month_day();
    // There is no year 0.
    let year = if year == 1 { -1 } else { year - 1 };
    Day::new(year, number, 1).map_or(month, Day::month)
}

fn before(month: Period) -> Period {
    month.first().plus(-1).month()
}

/// The last closed month beside the one before and the year before, and then the open ones.
fn headlines(facts: &Facts, figure: &Figure, months: &BTreeMap<Period, &Said>) -> Vec<Headline> {
    let closed = months.keys().rev().find(|&&month| facts.is_closed(month));
    let open = months.keys().filter(|&&month| !facts.is_closed(month)).take(2);
    let text = |month: &Period| months.get(month).and_then(|said| figure.text(said));
    let of = |month: &Period| {
        // Nothing is before the first month that there is.
        let earlier = [before(*month), year_before(*month)].into_iter().filter(|other| other < month);
        let versus = earlier.map(|other| Versus {
            period: title(other),
            change: match months.contains_key(&other) {
                true => change(text(&other), text(month)),
                false => Change { before: "no rows".to_string(), ..change(None, None) },
            },
        });
        let (is_open, value) = (!facts.is_closed(*month), shown(text(month)));
        // What is open is not compared with a whole month.
        let versus = if is_open { Vec::new() } else { versus.collect() };
        Headline { period: title(*month), value, is_open, versus }
    };
    closed.into_iter().chain(open).map(of).collect()
}

fn years(facts: &Facts, figure: &Figure) -> String {
    let bars: Vec<Bar> = every(facts, Level::Year)
        .map(|(year, said)| Bar { label: year.to_string(), ..bar(facts, figure, year, said) })
        .collect();
    draw::bars(&bars, &format!("{} by year", figure.label))
}

/// Every period of a level from the first to the last, with its account. Of very many, the last.
fn every(facts: &Facts, level: Level) -> impl Iterator<Item = (Period, Option<&Said>)> {
    const MOST: usize = 60;
    let known = by_period(facts, level);
    let last = known.keys().next_back().copied();
    let first = known.keys().next().copied();
    let before = |period: &Period| Some(period.first().plus(-1).period(period.level()));
    let mut all: Vec<Period> = std::iter::successors(last, before)
        .take_while(|period| first.is_some_and(|first| *period >= first))
        .take(MOST)
        .collect();
    all.reverse();
    all.into_iter().map(move |period| (period, known.get(&period).copied()))
}

fn bar(facts: &Facts, figure: &Figure, period: Period, said: Option<&Said>) -> Bar {
    let is_open = said.is_some() && !facts.is_closed(period);
    let mut told = match said {
        Some(said) => format!("{}: {}", title(period), shown(figure.text(said))),
        None => format!("{}: no rows", title(period)),
    };
    let times: i64 = facts.restated.range(period.span().from..period.span().until).map(|(_, times)| times).sum();
    if is_open {
        told.push_str(", open");
    }
    if times > 0 {
        told.push_str(&format!(", {} of its days restated", crate::report::count(times)));
    }
    let value = said.and_then(|said| figure.number(said));
    Bar { label: String::new(), title: told, value, ghost: None, is_open, is_restated: times > 0 }
}

/// The last months, each before the same month of the year before.
fn of_months(facts: &Facts, figure: &Figure, months: &BTreeMap<Period, &Said>) -> String {
    let all: Vec<(Period, Option<&Said>)> = every(facts, Level::Month).collect();
    let bars: Vec<Bar> = all[all.len().saturating_sub(MONTHS)..]
        .iter()
        .map(|&(month, said)| {
            let (year, number, _) = month.first().year_month_day();
            let label = match number {
                1 => year.to_string(),
                number => month_name(number, 3).to_string(),
            };
            let earlier = year_before(month);
            let ghost = months.get(&earlier).map(|said| (figure.number(said), shown(figure.text(said))));
            let mut bar = Bar { label, ..bar(facts, figure, month, said) };
            if let Some((number, text)) = ghost {
                bar.ghost = number;
                bar.title.push_str(&format!("; {}: {text}", title(earlier)));
            }
            bar
        })
        .collect();
    draw::bars(&bars, &format!("{} by month, before the same month of the year before", figure.label))
}

fn calendars(facts: &Facts, figure: &Figure) -> Vec<Calendar> {
    let values: BTreeMap<Day, Option<f64>> =
        facts.of(Level::Day).iter().map(|shown| (shown.period.first(), figure.number(&shown.said))).collect();
    let mut sorted: Vec<f64> = values.values().copied().flatten().collect();
    sorted.sort_by(f64::total_cmp);
    let fifth = |value: f64| {
        let below = sorted.partition_point(|other| *other < value);
        FIFTHS[(below * FIFTHS.len() / sorted.len().max(1)).min(FIFTHS.len() - 1)]
    };
    let class = |day: Day| match values.get(&day) {
        None => "missing",
        Some(None) => "none",
        Some(Some(value)) => fifth(*value),
    };
    of_years(facts, &format!("{} by day", figure.label), class)
}

/// The days of each year by how far they can be trusted, the newest year first.
pub(super) fn trust(facts: &Facts) -> Vec<Calendar> {
    let days: BTreeMap<Day, Period> =
        facts.of(Level::Day).iter().map(|shown| (shown.period.first(), shown.period)).collect();
    let is_left = |day: Day| facts.left.iter().any(|noted| noted.unit.span().contains(day));
    let class = |day: Day| match days.get(&day) {
        _ if is_left(day) => "held",
        None => "missing",
        Some(period) if !facts.is_closed(*period) => "unclosed",
        Some(_) if facts.restated.contains_key(&day) => "again",
        Some(_) => "closed",
    };
    of_years(facts, "days by how far they can be trusted", class)
}

fn of_years(facts: &Facts, what: &str, class: impl Fn(Day) -> &'static str) -> Vec<Calendar> {
    let years = facts.of(Level::Year).iter().rev().map(|shown| shown.period);
    // A calendar of 60 years is enough for anybody who looks; the table has all days.
    let calendars = years.take(60).map(|year| {
        let svg = draw::calendar(year, &format!("{what}, {year}"), &class);
        Calendar { year: year.to_string(), svg }
    });
    calendars.collect()
}

//! Figures as people read them, and which figures an entity has.

use serde::Serialize;

use super::draw::month_name;
use crate::accounts::{Said, difference};
use crate::calendar::{Level, Period};
use crate::entity::{Model, Statistic};
use crate::report::{grouped, number, percent};

/// A statistic of a measure.
pub(super) struct Figure {
    /// As in the files.
    pub(super) name: String,
    /// For people.
    pub(super) label: String,
    pub(super) statistic: Statistic,
}

/// How a figure differs from another one.
#[derive(Serialize)]
pub(super) struct Change {
    /// What it was, or what it is compared with.
    pub(super) before: String,
    /// With its sign; empty if one of the two is not a number.
    pub(super) difference: String,
    pub(super) percent: String,
    /// `up`, `down` or `same`, or empty if that is not known.
    pub(super) way: &'static str,
}

/// The figures of an entity, in the order of the files.
pub(super) fn of(model: &Model) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (column, label) in model.measure_labels() {
        for &statistic in &model.entity.statistics {
            let name = format!("{}_{label}", statistic.word());
            let label = format!("{} of {column}", words(statistic));
            figures.push(Figure { name, label, statistic });
        }
    }
    figures
}

fn words(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Sum => "sum",
        Statistic::Min => "minimum",
        Statistic::Max => "maximum",
        Statistic::Mean => "mean",
        Statistic::Count => "count",
        Statistic::Stddev => "standard deviation",
    }
}

impl Figure {
    /// Its exact text; `None`: there is no value.
    pub(super) fn text<'a>(&self, said: &'a Said) -> Option<&'a str> {
        said.statistics.get(&self.name).and_then(Option::as_deref)
    }

    /// As a number, for a picture.
    pub(super) fn number(&self, said: &Said) -> Option<f64> {
        number(self.text(said))
    }
}

/// A figure as it is shown.
pub(super) fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_string(), grouped)
}

/// A value of a dimension as people read it. One that would read as nothing or as NULL is in quotes.
pub(super) fn named(value: Option<&str>) -> String {
    match value {
        None => "NULL".to_string(),
        Some(text) if text.is_empty() || text == "NULL" || text.trim() != text => format!("\"{text}\""),
        Some(text) => text.to_string(),
    }
}

/// How a figure differs from an earlier one.
pub(super) fn change(before: Option<&str>, after: Option<&str>) -> Change {
    let exact = difference(before, after);
    let way = match exact.as_deref() {
        Some(exact) if exact.bytes().all(|byte| b"+-0.".contains(&byte)) => "same",
        Some(exact) if exact.starts_with('-') => "down",
        Some(_) => "up",
        None => "",
    };
    let percent = percent(before, after).unwrap_or_default();
    Change { before: shown(before), difference: exact.as_deref().map_or(String::new(), grouped), percent, way }
}

/// A period as people name it.
pub(super) fn title(period: Period) -> String {
    let (year, month, _) = period.first().year_month_day();
    match period.level() {
        Level::Month => format!("{} {year}", month_name(month, 9)),
        Level::Quarter => format!("quarter {} of {year}", month.div_ceil(3)),
        _ => period.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Day;

    #[test]
    fn a_change_is_exact_and_says_its_way() {
        let of = |before, after| {
            let Change { before, difference, percent, way } = change(before, after);
            (before, difference, percent, way)
        };
        let text = |text: &str| text.to_string();
        assert_eq!(of(Some("1200.50"), Some("600.25")), (text("1,200.50"), text("-600.25"), text("-50.0%"), "down"));
        assert_eq!(of(Some("0.0"), Some("0")), (text("0.0"), text("+0.0"), text(""), "same"));
        assert_eq!(of(None, Some("3")), (text("none"), text(""), text(""), ""));
        assert_eq!(of(Some("NaN"), Some("3")).3, "");
    }

    #[test]
    fn a_value_reads_as_no_other() {
        let values = [None, Some("NULL"), Some(""), Some(" a"), Some("a b")].map(named);
        assert_eq!(values, ["NULL", "\"NULL\"", "\"\"", "\" a\"", "a b"]);
    }

    #[test]
    fn periods_have_names() {
        let day = Day::new(2024, 3, 5).unwrap();
        let titles = [Level::Day, Level::Month, Level::Quarter, Level::Year].map(|level| title(day.period(level)));
        assert_eq!(titles, ["2024-03-05", "March 2024", "quarter 1 of 2024", "2024"]);
    }
}

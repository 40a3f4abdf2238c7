//! Pictures as SVG. They are for looking: places are rounded to tenths of a unit. Each figure is in a table as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::calendar::{Day, Level, Period};

/// Units: a picture is as high as this, with room for labels below.
const HEIGHT: f64 = 180.0;
const ABOVE: f64 = 14.0;
const BELOW: f64 = 22.0;
const LEFT: f64 = 52.0;

/// A period as a bar.
pub(super) struct Bar {
    /// Below the bar, if there is room.
    pub(super) label: String,
    /// All that is to be said of it.
    pub(super) title: String,
    /// `None`: a gap.
    pub(super) value: Option<f64>,
    /// What it is compared with, drawn behind it.
    pub(super) ghost: Option<f64>,
    pub(super) is_open: bool,
    pub(super) is_restated: bool,
}

/// Bars beside each other, from a line at zero.
pub(super) fn bars(bars: &[Bar], what: &str) -> String {
    let count = bars.len().max(1) as f64;
    let step = (668.0 / count).clamp(12.0, 84.0);
    let width = LEFT + step * count;
    let all = || bars.iter().flat_map(|bar| [bar.value, bar.ghost]).flatten();
    let (low, high) = (all().fold(0.0, f64::min), all().fold(0.0, f64::max));
    let room = HEIGHT - ABOVE - BELOW;
    let y = |value: f64| ABOVE + if high > low { depth(value, low, high) * room } else { room };
    let mut svg = format!(
        "<svg class=\"bars\" viewBox=\"0 0 {width:.0} {HEIGHT:.0}\" width=\"{width:.0}\" role=\"img\" \
         aria-label=\"{}\">",
        escaped(what)
    );
    for value in [high, low].into_iter().filter(|value| *value != 0.0) {
        let at = y(value) + 4.0;
        let _ = write!(svg, "<text class=\"y\" x=\"{:.0}\" y=\"{at:.1}\">{}</text>", LEFT - 6.0, compact(value));
    }
    let zero = y(0.0);
    let _ = write!(svg, "<path class=\"zero\" d=\"M{LEFT:.0} {zero:.1}H{width:.1}\"/>");
    // Labels that would run into each other are left out.
    let widest = bars.iter().map(|bar| bar.label.chars().count()).max().unwrap_or_default() as f64 * 7.0 + 8.0;
    let mut free = 0.0;
    for (bar, at) in bars.iter().zip(0_u32..) {
        let left = LEFT + step * f64::from(at);
        let middle = left + step / 2.0;
        let _ = write!(svg, "<g><title>{}</title>", escaped(&bar.title));
        let _ = write!(svg, "<rect class=\"hit\" x=\"{left:.1}\" y=\"0\" width=\"{step:.1}\" height=\"{HEIGHT:.0}\"/>");
        let mut draw = |value: f64, class: &str, wide: f64| {
            let (top, height) = (y(value.max(0.0)), (y(value) - zero).abs().max(1.0));
            let (x, width) = (middle - step * wide / 2.0, step * wide);
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            );
        };
        if let Some(ghost) = bar.ghost {
            draw(ghost, "ghost", 0.92);
        }
        if let Some(value) = bar.value {
            draw(value, if bar.is_open { "bar open" } else { "bar" }, 0.64);
        }
        if let (true, Some(value)) = (bar.is_restated, bar.value) {
            let at = y(value.max(0.0)) - 5.0;
            let _ = write!(svg, "<circle class=\"restated\" cx=\"{middle:.1}\" cy=\"{at:.1}\" r=\"3\"/>");
        }
        if !bar.label.is_empty() && left >= free {
            free = left + widest;
            let below = HEIGHT - 6.0;
            let _ = write!(svg, "<text class=\"x\" x=\"{middle:.1}\" y=\"{below:.0}\">{}</text>", escaped(&bar.label));
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

/// The days of a year as squares, weeks beside each other, Monday above. Days of a class have its colour.
pub(super) fn calendar(year: Period, what: &str, class: impl Fn(Day) -> &'static str) -> String {
    const SIDE: i32 = 13;
    let first_week = year.first().period(Level::Week).first();
    let mut squares: BTreeMap<&str, String> = BTreeMap::new();
    let (mut day, mut months) = (year.first(), String::new());
    while day < year.span().until {
        let since = day.to_postgres() - first_week.to_postgres();
        let (x, y) = (since / 7 * SIDE + 2, since % 7 * SIDE + 18);
        let _ = write!(squares.entry(class(day)).or_default(), "M{x} {y}h11v11h-11z");
        if day == day.month().first() {
            let (_, month, _) = day.year_month_day();
            let _ = write!(months, "<text class=\"m\" x=\"{x}\" y=\"11\">{}</text>", month_name(month, 3));
        }
        day = day.next();
    }
    let mut svg = format!(
        "<svg class=\"calendar\" viewBox=\"0 0 706 112\" width=\"706\" role=\"img\" aria-label=\"{}\" \
         data-week=\"{first_week}\">{months}",
        escaped(what)
    );
    for (class, path) in squares {
        let _ = write!(svg, "<path class=\"{class}\" d=\"{path}\"/>");
    }
    svg.push_str("</svg>");
    svg
}

/// A line of numbers, broken where one is missing, between the least and the most of them, or of those given.
pub(super) fn line(numbers: &[Option<f64>], most: Option<f64>, (width, height): (f64, f64), what: &str) -> String {
    let known = || numbers.iter().flatten().copied();
    let low = known().fold(0.0, f64::min);
    let high = most.unwrap_or_else(|| known().fold(0.0, f64::max));
    let step = width / (numbers.len().max(2) - 1) as f64;
    let (mut path, mut is_down) = (String::new(), false);
    for (number, at) in numbers.iter().zip(0_u32..) {
        let Some(number) = number else {
            is_down = false;
            continue;
        };
        let share = if high > low { depth(*number, low, high) } else { 0.5 };
        let (x, y) = (2.0 + step * f64::from(at), 2.0 + share * height);
        let _ = write!(path, "{}{x:.1} {y:.1}", if is_down { "L" } else { "M" });
        // One by itself is a dot.
        if !is_down && numbers.get(at as usize + 1).is_none_or(Option::is_none) {
            path.push_str("h0");
        }
        is_down = true;
    }
    format!(
        "<svg class=\"line\" viewBox=\"0 0 {:.0} {:.0}\" width=\"{:.0}\" role=\"img\" aria-label=\"{}\">\
         <path d=\"{path}\"/></svg>",
        width + 4.0,
        height + 4.0,
        width + 4.0,
        escaped(what)
    )
}

/// How far a number is below the highest one, as a share of the whole way down. Numbers whose distance is too large to
/// be one are halved.
fn depth(number: f64, low: f64, high: f64) -> f64 {
    let part = if (high - low).is_finite() { 1.0 } else { 0.5 };
    (high * part - number * part) / (high * part - low * part)
}

/// The first letters of a month's name.
pub(super) fn month_name(month: u8, letters: usize) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let name = NAMES[usize::from(month.clamp(1, 12)) - 1];
    &name[..letters.min(name.len())]
}

/// A number in few characters: `1.2M`.
fn compact(number: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
    let size = number.abs();
    if !(1e-3..1e15).contains(&size) {
        return format!("{number:.1e}");
    }
    let (unit, letter) = units.into_iter().find(|(unit, _)| size >= *unit).unwrap_or((1.0, ""));
    let decimals = if size / unit >= 100.0 { 0 } else { 2 };
    let text = format!("{:.decimals$}", number / unit);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{letter}")
}

/// A text that cannot end what it is in.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(value: Option<f64>) -> Bar {
        let (label, title) = ("a".to_string(), "<b>".to_string());
        Bar { label, title, value, ghost: None, is_open: false, is_restated: false }
    }

    #[test]
    fn a_gap_is_no_bar_and_a_zero_is_one() {
        let drawn = |values: &[Option<f64>]| {
            let all: Vec<Bar> = values.iter().map(|&value| bar(value)).collect();
            bars(&all, "x").matches("class=\"bar\"").count()
        };
        assert_eq!([drawn(&[Some(1.0), None, Some(0.0)]), drawn(&[None]), drawn(&[])], [2, 0, 0]);
        assert!(bars(&[bar(None)], "\"").contains("<title>&lt;b&gt;</title>"));
    }

    fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
        element.split_once(&format!(" {name}=\"")).unwrap().1.split_once('"').unwrap().0
    }

    #[test]
    fn bars_are_as_high_as_their_numbers_from_the_line_at_zero() {
        let ghost = Bar { ghost: Some(1.0), ..bar(Some(2.0)) };
        let svg = bars(&[bar(Some(4.0)), ghost, bar(Some(-4.0))], "x");
        let drawn = |class: &str| -> Vec<[&str; 2]> {
            let begin = format!("<rect class=\"{class}\"");
            let bars = svg.match_indices(&begin).map(|(at, _)| &svg[at..]);
            bars.map(|bar| ["y", "height"].map(|key| attribute(bar, key))).collect()
        };
        assert!(svg.contains("<path class=\"zero\" d=\"M52 86.0H"), "{svg}");
        assert_eq!(drawn("bar"), [["14.0", "72.0"], ["50.0", "36.0"], ["86.0", "72.0"]]);
        assert_eq!(drawn("ghost"), [["68.0", "18.0"]]);
    }

    #[test]
    fn numbers_of_any_size_have_a_place() {
        for most in [f64::MAX, 5e-324] {
            let svg = bars(&[bar(Some(most)), bar(Some(-most))], "x")
                + &line(&[Some(most), Some(-most)], None, (9.0, 9.0), "x");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn each_day_of_a_year_is_one_square() {
        for (year, days) in [(2023, 365), (2024, 366)] {
            let year = Day::new(year, 1, 1).unwrap().year();
            let svg = calendar(year, "x", |day| if day == day.month().first() { "first" } else { "other" });
            assert_eq!(svg.matches("h11v11h-11z").count(), days);
            let first = svg.split("class=\"first\" d=\"").nth(1).unwrap().split('"').next().unwrap();
            assert_eq!(first.matches('M').count(), 12);
        }
    }

    #[test]
    fn numbers_are_said_in_few_characters() {
        let said = [0.0001, 1.0, 12.5, 1234.0, -2_500_000.0, 7e18].map(compact);
        assert_eq!(said, ["1.0e-4", "1", "12.5", "1.23k", "-2.5M", "7.0e18"]);
    }

    #[test]
    fn a_line_is_broken_at_gaps() {
        let svg = line(&[Some(1.0), Some(2.0), None, Some(1.0)], None, (30.0, 10.0), "x");
        assert!(svg.contains("d=\"M2.0 7.0L12.0 2.0M32.0 7.0h0\""), "{svg}");
    }
}

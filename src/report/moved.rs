//! Figures that changed, as a table: before, after, difference and percentage.

use super::{WIDTH, count, wrapped};
use crate::accounts::Decimal;

/// A figure before and after, as texts of exact numbers.
#[derive(Debug, Clone)]
pub struct MovedFigure {
    /// As in the files' columns.
    pub name: String,
    /// What it was; `None`: there was no value.
    pub before: Option<String>,
    /// What it is; `None`: there is no value.
    pub after: Option<String>,
    /// By how much it changed, with a sign; `None` if one of the two is not a number.
    pub difference: Option<String>,
}

/// A wider cell does not widen its column. Its line is broken instead.
const WIDE: usize = 22;

/// A percentage of a larger power of ten is printed with an exponent.
const LARGEST_EXPONENT: i64 = 14;

/// Shown if no figure changed.
const NOTHING: &str = "no figure of it moved";

/// A line for each figure, after the head of its group, which is printed once.
pub fn table(groups: &[(String, Vec<MovedFigure>)], indent: usize) -> Vec<String> {
    let heads = widest(groups.iter().map(|(head, _)| head.as_str()));
    let cells: Vec<[String; 5]> = groups.iter().flat_map(|(_, figures)| figures.iter().map(cells)).collect();
    let widths: [usize; 5] = std::array::from_fn(|at| widest(cells.iter().map(|row| row[at].as_str())));
    let (mut lines, mut rows) = (Vec::new(), cells.iter());
    for (head, figures) in groups {
        let mut head = head.as_str();
        if figures.is_empty() {
            lines.push(format!("{:indent$}{head:<heads$}  {NOTHING}", ""));
        }
        for cells in rows.by_ref().take(figures.len()) {
            lines.extend(line(&format!("{:indent$}{head:<heads$}  ", ""), cells, widths));
            head = "";
        }
    }
    lines
}

fn line(head: &str, cells: &[String; 5], widths: [usize; 5]) -> Vec<String> {
    let [name, before, after, difference, percent] = cells;
    let [names, befores, afters, differences, percents] = widths;
    let moved = format!("{before:>befores$} -> {after:>afters$}");
    let line = format!("{head}{name:<names$}  {moved}  {difference:>differences$}  {percent:>percents$}");
    let line = line.trim_end().to_string();
    if line.chars().count() <= WIDTH {
        return vec![line];
    }
    let how = [difference, percent].into_iter().filter(|cell| !cell.is_empty());
    let how = how.cloned().collect::<Vec<_>>().join(", ");
    let how = if how.is_empty() { how } else { format!("({how})") };
    let parts = [name.clone(), format!("{before} ->"), after.clone(), how];
    wrapped(head, parts.into_iter().filter(|part| !part.is_empty()), "")
}

/// Name, before, after, difference and percent.
fn cells(figure: &MovedFigure) -> [String; 5] {
    let MovedFigure { name, before, after, difference } = figure;
    let value = |value: &Option<String>| value.as_deref().map_or("none".to_string(), grouped);
    let difference = difference.as_deref().map_or(String::new(), grouped);
    let percent = percent(before.as_deref(), after.as_deref()).unwrap_or_default();
    [name.clone(), value(before), value(after), difference, percent]
}

/// A number with grouped digits: `-1,234.50`. Other texts stay as they are.
pub fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix(['-', '+']) {
        Some(digits) => (&number[..1], digits),
        None => ("", number),
    };
    let (whole, decimals) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_string();
    }
    let whole = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
    format!("{sign}{whole}{decimals}")
}

/// `+12.5%`, `+3.4e+20%`; `None` if it was zero, stayed the same, or one of the two is not a number.
pub fn percent(before: Option<&str>, after: Option<&str>) -> Option<String> {
    let (before, after) = (Decimal::parse(before?)?, Decimal::parse(after?)?);
    let moved = after.minus(&before);
    if before.is_zero() || moved.is_zero() {
        return None;
    }
    // The two may be larger and smaller than a double can be.
    let ((part, part_exponent), (whole, whole_exponent)) = (moved.nearly(), before.nearly());
    let (share, exponent) = (part / whole.abs(), part_exponent - whole_exponent + 2);
    if exponent > LARGEST_EXPONENT {
        let text = format!("{share:+.1e}");
        let (digits, more) = text.split_once('e')?;
        return Some(format!("{digits}e+{}%", exponent + more.parse::<i64>().ok()?));
    }
    let percent = share * 10_f64.powi(exponent.try_into().unwrap_or(i32::MIN));
    #[expect(clippy::cast_possible_truncation, reason = "below 10^16")]
    let whole = percent.round() as i64;
    let sign = if percent > 0.0 { "+" } else { "" };
    Some(match percent.abs() {
        ..1.0 => format!("{percent:+.2}%"),
        1.0..1000.0 => format!("{percent:+.1}%"),
        _ => format!("{sign}{}%", count(whole)),
    })
}

fn widest<'a>(cells: impl Iterator<Item = &'a str>) -> usize {
    cells.map(|cell| cell.chars().count()).filter(|&width| width <= WIDE).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, before: &str, after: &str, difference: &str) -> MovedFigure {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_string());
        MovedFigure { name: name.to_string(), before: text(before), after: text(after), difference: text(difference) }
    }

    #[test]
    fn figures_stand_below_each_other() {
        let january = vec![figure("rows", "1", "1200", "+1199"), figure("sum_amount", "5", "12.50", "+7.50")];
        let year = vec![figure("rows", "", "3", "")];
        let lines = table(&[("2024-01".to_string(), january), ("2024".to_string(), year)], 2);
        assert_eq!(
            lines,
            [
                "  2024-01  rows           1 -> 1,200  +1,199  +119,900%",
                "           sum_amount     5 -> 12.50   +7.50    +150.0%",
                "  2024     rows        none ->     3",
            ]
        );
    }

    #[test]
    fn a_line_that_would_be_too_long_is_broken() {
        let long = "9".repeat(60);
        let name = "n".repeat(63);
        let one = vec![figure("sum_a", "1", "2", "+1"), figure(&name, &long, &long, "+1")];
        let lines = table(&[("2024-01".to_string(), one)], 2);
        assert!(lines.iter().all(|line| line.chars().count() <= 100), "{lines:#?}");
        assert_eq!(lines[0], "  2024-01  sum_a  1 -> 2  +1  +100.0%");
    }

    #[test]
    fn percentages_are_rounded() {
        let of = |before, after| percent(Some(before), Some(after));
        assert_eq!(of("3", "53").as_deref(), Some("+1,667%"));
        assert_eq!(of("3", "-53").as_deref(), Some("-1,867%"));
        assert_eq!([of("0", "5"), of("5", "5"), of("1", "NaN")], [None, None, None]);
        assert_eq!([of("800", "801"), of("800", "900")].map(Option::unwrap), ["+0.12%", "+12.5%"]);
    }

    #[test]
    fn percentages_of_numbers_beyond_a_double_are_told() {
        fn of(before: &str, after: &str) -> String {
            percent(Some(before), Some(after)).unwrap()
        }
        assert_eq!([of("1e+300", "3e+300"), of("2e-320", "1e-320")], ["+200.0%", "-50.0%"]);
        assert_eq!([of("1.7e+308", "-1.7e+308"), of("-1.7e+308", "1.7e+308")], ["-200.0%", "+200.0%"]);
        assert_eq!([of("5e-324", "1e+300"), of("1e+300", "5e-324")], ["+2.0e+625%", "-100.0%"]);
        assert_eq!(of(&"3".repeat(400), &"6".repeat(400)), "+100.0%");
        assert_eq!([of("1", "2000000000001"), of("1", "-20000000000000")], ["+200,000,000,000,000%", "-2.0e+15%"]);
    }

    #[test]
    fn numbers_are_grouped_and_other_texts_are_not() {
        for (number, found) in [
            ("1234567.891", "1,234,567.891"),
            ("-1000", "-1,000"),
            ("+999", "+999"),
            ("NaN", "NaN"),
            ("-Infinity", "-Infinity"),
            ("1e20", "1e20"),
            ("", ""),
        ] {
            assert_eq!(grouped(number), found);
        }
    }
}

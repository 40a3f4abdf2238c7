//! Numbers as bars and as a line of small columns. Only for looking: widths are rounded.

const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A number as a finite one; `None` for anything else.
pub fn number(text: Option<&str>) -> Option<f64> {
    text?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A bar of up to so many columns, of which a number of the size `most` takes all. Below zero it is drawn lighter.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most as wide as a line")]
pub fn bar(number: Option<f64>, most: f64, columns: usize) -> String {
    let Some(number) = number.filter(|_| most > 0.0) else { return String::new() };
    let eighths = ((number.abs() / most).min(1.0) * (columns * 8) as f64).round() as usize;
    if number < 0.0 {
        return "░".repeat(eighths.div_ceil(8));
    }
    let rest = (eighths % 8).checked_sub(1).map(|at| EIGHTHS[at]);
    "█".repeat(eighths / 8).chars().chain(rest).collect()
}

/// Numbers as columns next to each other, from the smallest to the largest; a blank where there is none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index from 0 to 7")]
pub fn sparkline(numbers: &[Option<f64>]) -> String {
    let known = || numbers.iter().flatten().copied();
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let height = |number: f64| {
        let share = if most > least { (number - least) / (most - least) } else { 0.5 };
        HEIGHTS[(share * 7.0).round() as usize]
    };
    numbers.iter().map(|number| number.map_or(' ', height)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_number_is_large() {
        let of = |number| bar(Some(number), 16.0, 2);
        assert_eq!(["", "▏", "▌", "█", "█▏", "██", "██"], [0.0, 1.0, 4.0, 8.0, 9.0, 16.0, 99.0].map(of));
        assert_eq!((of(-9.0), bar(None, 16.0, 2), bar(Some(1.0), 0.0, 2)), ("░░".into(), String::new(), String::new()));
    }

    #[test]
    fn a_sparkline_shows_the_smallest_the_largest_and_gaps() {
        assert_eq!(sparkline(&[Some(1.0), None, Some(8.0), Some(4.5)]), "▁ █▅");
        assert_eq!((sparkline(&[Some(3.0), Some(3.0)]).as_str(), sparkline(&[None]).as_str()), ("▅▅", " "));
        assert_eq!([number(Some("-1.5")), number(Some("NaN")), number(None)], [Some(-1.5), None, None]);
    }
}

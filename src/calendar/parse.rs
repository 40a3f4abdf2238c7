//! Periods as people type them.

use std::fmt;
use std::str::FromStr;

use super::{Day, Period};

/// A text that names no period.
#[derive(Debug, PartialEq, Eq)]
pub struct NoPeriod(&'static str);

impl fmt::Display for NoPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoPeriod {}

/// Reads what `Display` writes: `2024`, `2024-03`, `2024-03-05`, and `-0044-03-15` for 44 BC.
impl FromStr for Period {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        const FORM: NoPeriod = NoPeriod("a period is written 2024, 2024-03 or 2024-03-05");
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let number = |part: &str, width: usize| {
            let right = part.len() >= width && part.bytes().all(|byte| byte.is_ascii_digit());
            right.then(|| part.parse::<i32>().ok()).flatten()
        };
        let parts: Vec<i32> = digits
            .split('-')
            .zip([4, 2, 2, 2])
            .map(|(part, width)| number(part, width).ok_or(FORM))
            .collect::<Result<_, _>>()?;
        let small = |number: i32| u8::try_from(number).unwrap_or(0);
        let (day, what) = match *parts.as_slice() {
            [year] => (Day::new(sign * year, 1, 1).map(Day::year), NoPeriod("there is no such year")),
            [year, month] => {
                (Day::new(sign * year, small(month), 1).map(Day::month), NoPeriod("there is no such month"))
            }
            [year, month, day] => {
                let day = Day::new(sign * year, small(month), small(day));
                (day.and_then(|day| Self::new(super::Level::Day, day)), NoPeriod("there is no such day"))
            }
            _ => return Err(FORM),
        };
        day.ok_or(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_as_it_is_written() {
        for text in ["2024", "2024-03", "2024-03-05", "12024-12", "-0044-03-15", "0001"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["", "24", "2024-3", "2024-03-05-01", "2024-", "march", "2024-03-05T00", "+2024", "--2024"] {
            assert!(text.parse::<Period>().unwrap_err().to_string().starts_with("a period is written"), "{text}");
        }
        for text in ["0000", "2024-13", "2023-02-29", "2024-00", "9999999999", "2024-300"] {
            let refused = text.parse::<Period>().unwrap_err().to_string();
            assert!(refused.starts_with("there is no such") || text.len() > 9, "{text}: {refused}");
        }
    }
}

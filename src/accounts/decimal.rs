//! Exact decimals of any length, read from texts as the server prints them.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

/// No type of the server prints a larger exponent.
const LARGEST_EXPONENT: i64 = 400;

/// From here on, and below the ten thousandth, the server prints a double with an exponent.
const PRINTED_WITH_EXPONENT: i64 = 15;

/// An exact decimal: whole units, times ten to the power of an exponent.
#[derive(Debug, Clone, Default)]
pub struct Decimal {
    units: BigInt,
    exponent: i64,
    /// Whether it was written with an exponent.
    is_short: bool,
}

impl Decimal {
    /// From `-12.50` or `1.5e-07`; `None` if it is no such number.
    pub fn parse(text: &str) -> Option<Self> {
        let size = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, raised) = match size.split_once('e') {
            Some((mantissa, raised)) => (mantissa, Some(raised.parse::<i64>().ok()?)),
            None => (size, None),
        };
        let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_number = !whole.is_empty() && whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit());
        let raised_by = raised.unwrap_or(0);
        if !is_number || raised_by.abs() > LARGEST_EXPONENT {
            return None;
        }
        let units: BigInt = format!("{whole}{decimals}").parse().ok()?;
        let units = if size == text { units } else { -units };
        Some(Self { units, exponent: raised_by - i64::try_from(decimals.len()).ok()?, is_short: raised.is_some() })
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.units == BigInt::ZERO
    }

    /// The exact difference, with as many decimals as the one of the two that has more.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let units = |one: &Self| match u32::try_from(one.exponent - exponent) {
            Ok(zeros) => &one.units * BigInt::from(10).pow(zeros),
            Err(_) => one.units.clone(),
        };
        Self { units: units(self) - units(other), exponent, is_short: self.is_short || other.is_short }
    }

    /// How far it is from 0.
    #[must_use]
    pub fn size(&self) -> Self {
        Self { units: self.units.magnitude().clone().into(), ..*self }
    }

    /// It is about this number, from 1 to 10 or from -10 to -1, times ten to the power of this exponent; 0 is 0.
    pub fn nearly(&self) -> (f64, i64) {
        let digits = self.units.magnitude().to_string();
        let (first, rest) = digits.split_at(1);
        let size: f64 = format!("{first}.{rest:.20}").parse().unwrap_or_default();
        let exponent = self.exponent + i64::try_from(rest.len()).unwrap_or(i64::MAX);
        (if self.units.sign() == Sign::Minus { -size } else { size }, exponent)
    }

    /// Exactly, and with its sign: `+0.50`. It has an exponent, such as `+2e+300`, if the server would print one of a
    /// double of its size, and if one of the numbers that it was computed from has one.
    pub fn signed(&self) -> String {
        let sign = if self.units.sign() == Sign::Minus { '-' } else { '+' };
        let digits = self.units.magnitude().to_string();
        if self.is_short && !self.is_zero() {
            let (_, largest) = self.nearly();
            if !(-4..PRINTED_WITH_EXPONENT).contains(&largest) {
                let (first, rest) = digits.trim_end_matches('0').split_at(1);
                let point = if rest.is_empty() { "" } else { "." };
                let minus = if largest < 0 { '-' } else { '+' };
                return format!("{sign}{first}{point}{rest}e{minus}{:02}", largest.unsigned_abs());
            }
        }
        let zeros = if self.is_zero() { 0 } else { usize::try_from(self.exponent).unwrap_or(0) };
        let scale = usize::try_from(-self.exponent).unwrap_or(0);
        let digits = format!("{:0>1$}", digits + &"0".repeat(zeros), scale + 1);
        let (whole, decimals) = digits.split_at(digits.len() - scale);
        let decimals = if self.is_short { decimals.trim_end_matches('0') } else { decimals };
        if decimals.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{decimals}") }
    }
}

/// By what it is, and not by how it was written: `0.5` is `0.50`.
impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.minus(other).units.cmp(&BigInt::ZERO)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Decimal {}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

/// By how much a number changed, with its sign: `+2`, `-0.50`. Exact; `None` if one of the two is not a number.
pub fn difference(before: Option<&str>, after: Option<&str>) -> Option<String> {
    let (before, after) = (Decimal::parse(before?)?, Decimal::parse(after?)?);
    Some(after.minus(&before).signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: &str, after: &str) -> Option<String> {
        difference(Some(before), Some(after))
    }

    fn are_exact(all: &[(&str, &str, &str)]) {
        for &(before, after, exact) in all {
            assert_eq!(of(before, after).as_deref(), Some(exact), "{before} {after}");
        }
    }

    #[test]
    fn a_difference_is_exact_or_none() {
        are_exact(&[
            ("5", "7", "+2"),
            ("5", "5", "+0"),
            ("-5", "-5", "+0"),
            ("7", "5.25", "-1.75"),
            ("-0.1", "0.2", "+0.3"),
            ("0.2", "-0.1", "-0.3"),
            ("-7", "-5", "+2"),
            ("-5", "-7", "-2"),
            ("1000", "999", "-1"),
            ("999.5", "-0.5", "-1000.0"),
            ("9223372036854775807", "-9223372036854775808", "-18446744073709551615"),
            ("0.000001", "0.000002", "+0.000001"),
            ("5.000000", "5.500000", "+0.500000"),
        ]);
        for (before, after) in [("NaN", "1"), ("1", "Infinity"), ("1", ""), ("1", "e5"), ("1", ".5"), ("1e401", "1")] {
            assert_eq!(of(before, after), None, "{before} {after}");
        }
        assert_eq!(difference(None, Some("1")), None);
    }

    #[test]
    fn a_difference_of_numbers_of_any_length_is_exact() {
        let (nines, one) = ("9".repeat(400), format!("-1{}", "0".repeat(400)));
        assert_eq!(of(&nines, "0").unwrap(), format!("-{nines}"));
        assert_eq!(of(&one, &nines).unwrap(), format!("+1{}", nines));
        assert_eq!(of(&nines, &format!("{nines}.5")).unwrap(), "+0.5");
    }

    #[test]
    fn a_difference_of_a_number_with_an_exponent_is_exact_and_printed_like_one() {
        are_exact(&[
            ("1e+300", "3e+300", "+2e+300"),
            ("1e+300", "-2.5e+300", "-3.5e+300"),
            ("1e+300", "1e+300", "+0"),
            ("5e-324", "1e-323", "+5e-324"),
            ("0", "1e-05", "+1e-05"),
            ("1e-05", "0.5", "+0.49999"),
            ("1e+15", "1000000000000005", "+5"),
            ("1e+15", "0.25", "-999999999999999.75"),
            ("7", "1e+15", "+999999999999993"),
            ("7", "1e+16", "+9.999999999999993e+15"),
        ]);
        let nines = "9".repeat(299);
        assert_eq!(of("1", "1e+300").unwrap(), format!("+9.{nines}e+299"));
    }

    #[test]
    fn a_number_is_nearly_one_of_one_digit_times_a_power_of_ten() {
        let nearly = |text| Decimal::parse(text).unwrap().nearly();
        assert_eq!([nearly("0"), nearly("0.00")].map(|(size, _)| size), [0.0, 0.0]);
        assert_eq!(nearly("-0.0125"), (-1.25, -2));
        assert_eq!(nearly("1.5e+300"), (1.5, 300));
        assert_eq!(nearly("1200.50"), (1.2005, 3));
    }

    #[test]
    fn numbers_of_any_size_are_in_order() {
        let long = |last| format!("{}{last}", "9".repeat(400));
        let texts = [&format!("-{}", long(8)), "-0.5", "0", "5e-324", "0.49", "1e+300", &long(1), &long(2)];
        let numbers: Vec<_> = texts.iter().map(|text| Decimal::parse(text).unwrap()).collect();
        assert!(numbers.is_sorted_by(|one, other| one < other));
        assert_eq!(Decimal::parse("-5e-01").unwrap().size(), Decimal::parse("0.50").unwrap());
        assert_eq!(Decimal::default(), Decimal::parse("0.0").unwrap());
    }
}

//! Exact decimals of any length, read from texts as the server prints them.

/// No type of the server prints a larger exponent.
const LARGEST_EXPONENT: i64 = 400;

/// From here on, and below the ten thousandth, the server prints a double with an exponent.
const PRINTED_WITH_EXPONENT: i64 = 15;

/// An exact decimal: its digits, times ten to the power of an exponent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    is_negative: bool,
    /// From the first to the last, 0 to 9. There may be zeros before the first one that counts, and after the last one.
    digits: Vec<u8>,
    exponent: i64,
    /// Whether it was written with an exponent.
    is_short: bool,
}

impl Decimal {
    /// From `-12.50` or `1.5e-07`; `None` if it is no such number.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, size) = text.strip_prefix('-').map_or((false, text), |size| (true, size));
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
        let digits = whole.bytes().chain(decimals.bytes()).map(|byte| byte - b'0').collect();
        let exponent = raised_by - i64::try_from(decimals.len()).ok()?;
        Some(Self { is_negative, digits, exponent, is_short: raised.is_some() })
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.digits.iter().all(|&digit| digit == 0)
    }

    /// The exact difference, with as many decimals as the one of the two that has more.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let (mut one, mut two) = (self.down_to(exponent), other.down_to(exponent));
        // One digit more than the longer of the two has, for what is carried.
        let length = one.len().max(two.len()) + 1;
        for digits in [&mut one, &mut two] {
            digits.splice(0..0, std::iter::repeat_n(0, length - digits.len()));
        }
        let (is_negative, digits) = match (self.is_negative, other.is_negative) {
            (sign, against) if sign != against => (sign, added(&one, &two)),
            (sign, _) if one < two => (!sign, subtracted(&two, &one)),
            (sign, _) => (sign, subtracted(&one, &two)),
        };
        Self { is_negative, digits, exponent, is_short: self.is_short || other.is_short }
    }

    /// The digits, with zeros behind them as far as a smaller exponent.
    fn down_to(&self, exponent: i64) -> Vec<u8> {
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or(0);
        self.digits.iter().copied().chain(std::iter::repeat_n(0, zeros)).collect()
    }

    /// It is about this number, from 1 to 10 or from -10 to -1, times ten to the power of this exponent; 0 is 0.
    pub fn nearly(&self) -> (f64, i64) {
        let first = self.digits.iter().position(|&digit| digit > 0).unwrap_or(0);
        let counting = self.digits[first..].iter().take(20).map(|&digit| char::from(b'0' + digit));
        let mut text: String = counting.collect();
        text.insert(1.min(text.len()), '.');
        let size: f64 = text.parse().unwrap_or_default();
        let exponent = self.exponent + i64::try_from(self.digits.len() - first).unwrap_or(i64::MAX) - 1;
        (if self.is_negative { -size } else { size }, exponent)
    }

    /// Exactly, and with its sign: `+0.50`. It has an exponent, such as `+2e+300`, if the server would print one of a
    /// double of its size, and if one of the numbers that it was computed from has one.
    pub fn signed(&self) -> String {
        let sign = if self.is_negative && !self.is_zero() { '-' } else { '+' };
        let mut digits: String = self.digits.iter().map(|&digit| char::from(b'0' + digit)).collect();
        if self.is_short {
            let (_, largest) = self.nearly();
            let counting = digits.trim_matches('0');
            if !counting.is_empty() && !(-4..PRINTED_WITH_EXPONENT).contains(&largest) {
                let (first, rest) = counting.split_at(1);
                let point = if rest.is_empty() { "" } else { "." };
                let minus = if largest < 0 { '-' } else { '+' };
                return format!("{sign}{first}{point}{rest}e{minus}{:02}", largest.unsigned_abs());
            }
        }
        digits.extend(std::iter::repeat_n('0', usize::try_from(self.exponent).unwrap_or(0)));
        let scale = usize::try_from(-self.exponent).unwrap_or(0);
        let digits = format!("{digits:0>0$}", scale + 1);
        let (whole, decimals) = digits.split_at(digits.len() - scale);
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let decimals = if self.is_short { decimals.trim_end_matches('0') } else { decimals };
        if decimals.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{decimals}") }
    }
}

/// The sum of two numbers of equally many digits, the first of which is 0.
fn added(one: &[u8], two: &[u8]) -> Vec<u8> {
    let (mut sum, mut carry) = (vec![0; one.len()], 0);
    for at in (0..one.len()).rev() {
        let digit = one[at] + two[at] + carry;
        (sum[at], carry) = (digit % 10, digit / 10);
    }
    sum
}

/// The difference of two numbers of equally many digits, the second of which is not the larger one.
fn subtracted(one: &[u8], two: &[u8]) -> Vec<u8> {
    let (mut difference, mut borrowed) = (vec![0; one.len()], 0);
    for at in (0..one.len()).rev() {
        let digit = 10 + one[at] - two[at] - borrowed;
        (difference[at], borrowed) = (digit % 10, u8::from(digit < 10));
    }
    difference
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

    #[test]
    fn a_difference_is_exact_or_none() {
        for (before, after, exact) in [
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
        ] {
            assert_eq!(of(before, after).as_deref(), Some(exact), "{before} {after}");
        }
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
        for (before, after, exact) in [
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
        ] {
            assert_eq!(of(before, after).as_deref(), Some(exact), "{before} {after}");
        }
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
}

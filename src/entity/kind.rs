//! What the fields of a file's column hold, as far as the entity's definition tells: the types of formats that have
//! any follow from it, and never from values. So all files of a level have the same.

use super::Model;
use super::columns::Column;
use super::declared::Declared;
use super::number::Number;

/// The most digits that a decimal of a format can have.
pub const MOST_DIGITS: u8 = 38;

/// The decimals of means and standard deviations.
const MEAN_DECIMALS: u8 = 6;

/// What a column holds. All numbers are exact texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number of the calendar, never NULL.
    Calendar,
    /// A dimension's value.
    Text {
        /// Whether it is a number, so that no spreadsheet takes it for a formula.
        number: bool,
    },
    /// A whole number of 4 bytes.
    Integer,
    /// A whole number of 8 bytes.
    Bigint,
    /// A binary number of 4 bytes.
    Real,
    /// A binary number of 8 bytes.
    Double,
    /// A number with at most so many decimals. With them, it has no more than [`MOST_DIGITS`] digits, unless so many
    /// rows were summed that it has more; and it may be NaN.
    Decimal(u8),
    /// A number of any size.
    Number,
}

impl Model {
    /// What a column of its files holds.
    pub fn kind(&self, column: &Column) -> Kind {
        let number = || self.measures[column.at];
        let declared = self.declared.get(column.at).copied().flatten();
        match column.what.0 {
            "period" => Kind::Calendar,
            "dimension" => Kind::Text { number: self.dimensions[column.at].number },
            "count" => Kind::Bigint,
            "min" | "max" => match number() {
                Number::Smallint | Number::Integer => Kind::Integer,
                Number::Bigint => Kind::Bigint,
                Number::Real => Kind::Real,
                Number::Double => Kind::Double,
                Number::Numeric => declared.map_or(Kind::Number, |declared| decimal(declared, 0, declared.scale)),
            },
            what => match number() {
                // Sums of as many integers of 8 bytes as can be counted have 38 digits.
                Number::Smallint | Number::Integer | Number::Bigint if what == "sum" => Kind::Decimal(0),
                Number::Smallint | Number::Integer | Number::Bigint => Kind::Decimal(MEAN_DECIMALS),
                Number::Real | Number::Double => Kind::Number,
                Number::Numeric => declared.map_or(Kind::Number, |declared| match what {
                    "sum" => decimal(declared, 0, declared.scale),
                    "mean" => decimal(declared, 0, MEAN_DECIMALS.into()),
                    // That of two values is up to 1.5 times as large as either.
                    _ => decimal(declared, 1, MEAN_DECIMALS.into()),
                }),
            },
        }
    }
}

/// A decimal that has as many digits before the point as the column, some more, and these decimals.
fn decimal(declared: Declared, more: i32, decimals: i32) -> Kind {
    let decimals = decimals.max(0);
    let digits = (declared.precision - declared.scale + more).max(0) + decimals;
    let fits = digits <= i32::from(MOST_DIGITS);
    u8::try_from(decimals).ok().filter(|_| fits).map_or(Kind::Number, Kind::Decimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_room_for_what_the_column_can_hold() {
        let of = |precision, scale, more, decimals| decimal(Declared { precision, scale }, more, decimals);
        assert_eq!(of(12, 2, 0, 2), Kind::Decimal(2));
        assert_eq!(of(38, 10, 0, 10), Kind::Decimal(10));
        assert_eq!(of(39, 10, 0, 10), Kind::Number);
        assert_eq!(of(32, 0, 0, 6), Kind::Decimal(6));
        assert_eq!(of(32, 0, 1, 6), Kind::Number);
        assert_eq!(of(3, -2, 0, -2), Kind::Decimal(0));
        assert_eq!(of(2, 38, 0, 38), Kind::Decimal(38));
        assert_eq!(of(2, 39, 0, 39), Kind::Number);
    }
}

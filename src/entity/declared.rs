//! What a numeric column declares.

use serde::{Deserialize, Serialize};

/// The digits that a numeric column declares: `numeric(12, 2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// All digits.
    pub(super) precision: i32,
    /// Those after the point; of a negative one, so many before it are zeros.
    pub(super) scale: i32,
}

impl Declared {
    /// From `pg_attribute.atttypmod` of a numeric column; `None` if it declares nothing.
    pub(super) fn of(modifier: i32) -> Option<Self> {
        let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
        // The scale has 11 bits, the first of which is its sign.
        Some(Self { precision: packed >> 16, scale: ((packed & 0x7ff) ^ 0x400) - 0x400 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_numeric_column_declares_is_unpacked() {
        for (precision, scale) in [(12, 2), (1, 0), (1000, 1000), (3, -2), (5, -1000), (2, 5)] {
            // As PostgreSQL packs them.
            let modifier = ((precision << 16) | (scale & 0x7ff)) + 4;
            assert_eq!(Declared::of(modifier), Some(Declared { precision, scale }));
        }
        assert_eq!(Declared::of(-1), None);
    }
}

//! The guard's rules: what may be lost without consent, how long data must stay the same, and what was accepted.

use std::str::FromStr;
use std::time::Duration;

use crate::calendar::{Day, Period};

/// All of a month's rows, in millionths.
const ALL: u32 = 1_000_000;

/// The rules in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How much of a month may be lost.
    pub loss: Loss,
    /// How long a unit must stay the same before it is settled; `None`: no time at all.
    pub settle_after: Option<Duration>,
}

/// The share of a month's rows that may be lost without consent, in millionths. With all of them, no month is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss(u32);

/// What was accepted on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Nothing.
    Nothing,
    /// Every loss.
    Everything,
    /// The losses in these periods.
    Periods(Vec<Period>),
}

impl Loss {
    /// Whether a month with `before` rows that would have `now` loses more than it may: more than the share, or all
    /// rows.
    pub fn is_exceeded(self, before: i64, now: i64) -> bool {
        let kept_share = i128::from(ALL - self.0);
        let too_few = i128::from(now) * i128::from(ALL) < i128::from(before) * kept_share;
        self.0 < ALL && before > 0 && (now == 0 || too_few)
    }
}

/// A share as people write it: `50%`, `0%`, `12.5%`, with up to four decimals.
impl FromStr for Loss {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = text.strip_suffix('%').ok_or(())?.trim_end();
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 4 {
            return Err(());
        }
        let whole: u32 = whole.parse().map_err(|_| ())?;
        let decimals: u32 = format!("{decimals:0<4}").parse().map_err(|_| ())?;
        let millionths = whole.checked_mul(ALL / 100).and_then(|whole| whole.checked_add(decimals)).ok_or(())?;
        (millionths <= ALL).then_some(Self(millionths)).ok_or(())
    }
}

impl Accepted {
    /// From the flag: absent, alone, or with periods.
    pub fn of(typed: Option<Vec<Period>>) -> Self {
        match typed {
            None => Self::Nothing,
            Some(periods) if periods.is_empty() => Self::Everything,
            Some(periods) => Self::Periods(periods),
        }
    }

    /// Whether a loss on this day was accepted.
    pub fn covers(&self, day: Day) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Periods(periods) => periods.iter().any(|period| period.span().contains(day)),
        }
    }
}

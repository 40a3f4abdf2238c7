//! Values for statements without parameters. They print only digits, dates and ctids.

use super::Filling;
use crate::calendar::Day;

/// Whole milliseconds, for a time limit.
#[derive(Debug, Clone, Copy)]
pub struct Milliseconds(pub u64);

impl Filling for Milliseconds {
    fn filled(&self) -> String {
        format!("'{}ms'", self.0)
    }
}

impl Filling for bool {
    fn filled(&self) -> String {
        format!("'{self}'")
    }
}

impl Filling for u16 {
    fn filled(&self) -> String {
        format!("'{self}'")
    }
}

impl Filling for Day {
    fn filled(&self) -> String {
        format!("'{}'", date(*self))
    }
}

/// The start of a day as a timestamp. The day after the last one with timestamps starts at `infinity`.
#[derive(Debug, Clone, Copy)]
pub struct Bound(pub Day);

impl Filling for Bound {
    fn filled(&self) -> String {
        let past_all = matches!(self.0.year_month_day(), (294_277.., ..));
        let bound = if past_all { "infinity".to_string() } else { date(self.0) };
        format!("'{bound}'")
    }
}

impl Filling for [Day] {
    fn filled(&self) -> String {
        let days: Vec<String> = self.iter().map(|&day| format!("\"{}\"", date(day))).collect();
        format!("'{{{}}}'", days.join(","))
    }
}

/// A row's `ctid`: block and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ctid {
    block: u32,
    line: u16,
}

impl Ctid {
    /// Reads a ctid as the server prints it: `(block,line)`.
    pub fn parse(text: &str) -> Option<Self> {
        let (block, line) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
        Some(Self { block: block.parse().ok()?, line: line.parse().ok()? })
    }
}

impl Filling for Ctid {
    fn filled(&self) -> String {
        format!("'({},{})'", self.block, self.line)
    }
}

/// A day as PostgreSQL reads it under `DateStyle` ISO.
fn date(day: Day) -> String {
    let (year, month, date) = day.year_month_day();
    let era = if year < 0 { " BC" } else { "" };
    format!("{:04}-{month:02}-{date:02}{era}", year.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_the_server_prints_them() {
        assert_eq!(Ctid::parse("(12,7)"), Some(Ctid { block: 12, line: 7 }));
        assert_eq!(Ctid::parse("(12,7); DROP"), None);
    }
}

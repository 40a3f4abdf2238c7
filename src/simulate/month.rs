//! The rows that the pretend production system writes for one month, in the order in which the original draws them.
//!
//! Pure: no clock, no server. The caller writes the rows, and decides how to report a refusal.

use thiserror::Error;
use time::{Date, Month};

use super::python::PythonRandom;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// A row of the table `entity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// `created_at`, in seconds since the first of the month, 00:00:00. It never decreases from row to row, and may
    /// repeat.
    pub seconds: i64,
    /// `value`, 1 to 80000.
    pub value: i32,
}

/// The rows of one month, always the same ones for the same year, month and controller.
#[derive(Debug)]
pub struct MonthRows {
    random: PythonRandom,
    /// Days from a Monday to the first of the month.
    first_weekday: i64,
    /// The smallest value from Monday to Friday.
    smallest_value: i64,
    /// Seconds from one row to the next: the smallest and the largest gap, both included.
    smallest_gap: i64,
    largest_gap: i64,
    /// Of the next row, since the first of the month. Rows end before `until`.
    seconds: i64,
    until: i64,
}

/// Why such rows cannot exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// Python's `datetime` does not have the year.
    #[error("year {0} is not one of 1 to 9999")]
    Year(i32),
    /// There is no such month.
    #[error("month {0} is not one of 1 to 12")]
    Month(u8),
    /// Every gap would be infinite.
    #[error("controller 0 is not a positive integer")]
    ControllerZero,
    /// Every gap would be 0, and time would never advance.
    #[error("controller {controller} is above {largest}, the largest for month {month}")]
    ControllerTooLarge {
        /// The refused controller.
        controller: u64,
        /// The month, 1 to 12.
        month: u8,
        /// The largest controller that the month allows.
        largest: u32,
    },
}

impl MonthRows {
    /// The rows of a year (1 to 9999) and month (1 to 12). The controller scales them: more rows, larger values.
    ///
    /// # Errors
    ///
    /// [`Refused`], for the first of year, month and controller with which the original would fail or never end.
    pub fn new(year: i32, month: u8, controller: u64) -> Result<Self, Refused> {
        let first = first_of_month(year, month)?;
        let peak = peak(month);
        if controller == 0 {
            return Err(Refused::ControllerZero);
        }
        // A controller divides the gap of controller 1, in seconds. Up to the largest controller, a second of it is
        // left. A test below shows that rounding does not change this for any of the six peaks.
        let (_, largest) = gaps(peak, 1);
        let too_large = Refused::ControllerTooLarge { controller, month, largest };
        let controller = u32::try_from(controller).map_err(|_| too_large)?;
        let (smallest_gap, largest_gap) = gaps(peak, controller);
        if largest_gap == 0 {
            return Err(too_large);
        }
        Ok(Self {
            random: PythonRandom::seeded(u64::from(year.unsigned_abs()) + u64::from(month)),
            first_weekday: first.weekday().number_days_from_monday().into(),
            smallest_value: i64::from(controller) * i64::from(peak),
            smallest_gap: smallest_gap.into(),
            largest_gap: largest_gap.into(),
            seconds: 0,
            until: i64::from(first.month().length(year)) * SECONDS_PER_DAY,
        })
    }
}

impl Iterator for MonthRows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.seconds >= self.until {
            return None;
        }
        let seconds = self.seconds;
        let weekday = (self.first_weekday + seconds / SECONDS_PER_DAY) % 7;
        let smallest = if weekday < 5 { self.smallest_value } else { 2 * self.smallest_value };
        // The value before the gap: the order of the draws determines every number after them.
        let value = self.random.between(smallest, 2 * smallest);
        self.seconds += self.random.between(self.smallest_gap, self.largest_gap);
        // The largest value is 4 * controller * peak, and with a controller above 20000 / peak there is no gap.
        let value = i32::try_from(value).expect("no value is above 80000");
        Some(Row { seconds, value })
    }
}

fn first_of_month(year: i32, month: u8) -> Result<Date, Refused> {
    if !(1..=9999).contains(&year) {
        return Err(Refused::Year(year));
    }
    let named = Month::try_from(month).map_err(|_| Refused::Month(month))?;
    Date::from_calendar_date(year, named, 1).map_err(|_| Refused::Year(year))
}

/// How near a month (1 to 12) is to the middle of the year: 1 in January and December, 6 in June and July.
fn peak(month: u8) -> u8 {
    month.min(13 - month)
}

/// The smallest and the largest gap in seconds: Python's `int(1 / p * 10000 / c)` and `int(1 / p * 10000 / c * 2)`, in
/// double precision and in its order, as there.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "truncated as by int; 0 to 20000")]
fn gaps(peak: u8, controller: u32) -> (u32, u32) {
    let seconds = 1.0 / f64::from(peak) * 10000.0 / f64::from(controller);
    (seconds as u32, (seconds * 2.0) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Count of rows, sum, smallest and largest value.
    fn figures(months: impl IntoIterator<Item = u8>, controller: u64) -> (usize, i64, i32, i32) {
        let rows = months.into_iter().flat_map(|month| MonthRows::new(2023, month, controller).unwrap());
        rows.fold((0, 0, i32::MAX, i32::MIN), |(rows, sum, min, max), Row { value, .. }| {
            (rows + 1, sum + i64::from(value), min.min(value), max.max(value))
        })
    }

    fn refused(year: i32, month: u8, controller: u64) -> String {
        MonthRows::new(year, month, controller).unwrap_err().to_string()
    }

    // Here and below: what CPython's own `random` returns.
    #[test]
    fn months_and_years_have_the_figures_of_the_original() {
        assert_eq!(figures([1], 1), (176, 339, 1, 4));
        assert_eq!(figures([6], 1), (1034, 11_764, 6, 24));
        assert_eq!(figures(1..=12, 1), (7379, 61_629, 1, 24));
        assert_eq!(figures([1], 100), (17_860, 3_452_878, 100, 400));
        assert_eq!(figures([6], 100), (105_825, 120_686_862, 600, 2400));
        assert_eq!(figures([12], 100), (17_879, 3_536_487, 100, 400));
        assert_eq!(figures(1..=12, 100), (742_784, 623_260_080, 100, 2400));
    }

    #[test]
    fn the_first_and_the_last_rows_are_those_of_the_original() {
        let rows: Vec<_> = MonthRows::new(2023, 1, 100).unwrap().map(|row| (row.seconds, row.value)).collect();
        assert_eq!(rows[..3], [(0, 320), (2 * 60 + 3, 386), (4 * 60 + 57, 277)]);
        assert_eq!(rows.last(), Some(&(30 * SECONDS_PER_DAY + (23 * 60 + 57) * 60 + 44, 160)));
    }

    #[test]
    fn a_gap_that_meets_the_next_month_exactly_ends_the_rows_for_good() {
        // In this month, the last gap ends exactly at the end: 2504547 + 1053 are 29 days.
        let mut rows = MonthRows::new(1908, 2, 5).unwrap();
        assert_eq!(rows.by_ref().map(|row| row.seconds).skip(1678).collect::<Vec<_>>(), [2_504_547]);
        assert_eq!(rows.next(), None);
    }

    #[test]
    fn what_the_original_cannot_run_with_is_refused() {
        assert_eq!(refused(0, 1, 100), "year 0 is not one of 1 to 9999");
        assert_eq!(refused(10_000, 1, 100), "year 10000 is not one of 1 to 9999");
        assert_eq!(refused(i32::MIN, 1, 100), "year -2147483648 is not one of 1 to 9999");
        assert_eq!(refused(2023, 0, 100), "month 0 is not one of 1 to 12");
        assert_eq!(refused(2023, 13, 100), "month 13 is not one of 1 to 12");
        assert_eq!(refused(2023, 1, 0), "controller 0 is not a positive integer");
        assert_eq!(refused(2023, 7, 3334), "controller 3334 is above 3333, the largest for month 7");
        assert_eq!(
            refused(2023, 1, u64::from(u32::MAX)),
            "controller 4294967295 is above 20000, the largest for month 1"
        );
    }

    #[test]
    fn the_largest_controller_named_is_accepted_and_the_one_above_is_not() {
        for (month, largest) in [(1, 20_000), (11, 10_000), (3, 6666), (9, 5000), (5, 4000), (7, 3333)] {
            assert!(MonthRows::new(2023, month, u64::from(largest)).is_ok());
            let controller = u64::from(largest) + 1;
            let expected = Refused::ControllerTooLarge { controller, month, largest };
            assert_eq!(MonthRows::new(2023, month, controller).unwrap_err(), expected);
        }
    }
}

//! The calendar, by Python's: the ends of months, and the weeks around New Year.

use std::collections::BTreeMap;

use serde_json::json;

use super::asked::{Asked, files_by};
use crate::faults::sweeping;
use crate::kit::World;

const VALUE: [(&str, &str); 1] = [("value", "integer")];
const LEVELS: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];
/// A `date` has no hours.
const LEVELS_OF_DATES: [&str; 5] = ["day", "week", "month", "quarter", "year"];

/// After four hundred years days of the week and leap days come again. A sweep takes all of them, any other run some.
fn years(some: &[u16]) -> Vec<u16> {
    if sweeping() { (1900..2300).collect() } else { some.to_vec() }
}

fn are_files_of_the_calendar(world: &World, asked: &Asked<'_>, years: &[u16], rows: &str) {
    asked.has_production_s_rows(world);
    let question = json!({"name": asked.name, "years": years, "rows": rows, "levels": asked.levels});
    let Some(expected) = files_by("months.py", &question) else {
        return eprintln!("not tried: the files, since there is no python3");
    };
    let found = asked.files(world);
    assert!(found == expected, "{}: {:?}", asked.name, first_difference(&found, &expected));
}

/// Thousands of files are too many to print.
fn first_difference<'a>(
    found: &'a BTreeMap<String, String>,
    expected: &'a BTreeMap<String, String>,
) -> Option<(&'a String, Option<&'a String>, Option<&'a String>)> {
    let paths = found.keys().chain(expected.keys());
    paths.map(|path| (path, found.get(path), expected.get(path))).find(|(_, found, expected)| found != expected)
}

/// Rows in the final microsecond of each month and in the first of the next. A `date` has no microseconds: its rows are
/// those of the same days.
#[test]
fn every_month_ends_where_the_calendar_says() {
    // With leap days and without: every hundred years but not every four hundred.
    let years = years(&[1900, 2000, 2023, 2100]);
    let world = World::new();
    world.production_sql(&format!(
        "CREATE TABLE ends AS
         SELECT t AS at, t AT TIME ZONE 'UTC' AS moment, t::date AS on_day, v AS value
         FROM unnest(ARRAY{years:?}) AS y, generate_series(1, 12) AS m,
              LATERAL (SELECT make_timestamp(y, m, 1, 0, 0, 0) + interval '1 month') AS next (first),
              LATERAL (VALUES (first - interval '1 microsecond', 12 * y + m), (first, -(12 * y + m))) AS r (t, v)"
    ));
    let of = |name, zone, levels| Asked {
        name,
        table: "ends",
        time: name,
        zone,
        measures: &VALUE,
        levels,
        ..Asked::default()
    };
    let asked = [of("at", None, &LEVELS[..]), of("moment", Some("UTC"), &LEVELS), of("on_day", None, &LEVELS_OF_DATES)];
    world.settings(asked.iter().map(Asked::settings).collect::<String>());
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    for asked in &asked {
        are_files_of_the_calendar(&world, asked, &years, "ends");
    }
}

#[test]
fn the_weeks_around_every_new_year_are_those_of_the_calendar() {
    // New Year on each day of the week, after leap days and before them.
    let mut some: Vec<u16> = (2000..2029).collect();
    some.extend([1901, 2101]);
    let years = years(&some);
    let world = World::new();
    world.production_sql(&format!(
        "CREATE TABLE turns AS
         SELECT (make_date(y, 1, 1) - 7 + n) + time '12:00' AS at, y AS value FROM unnest(ARRAY{years:?}) AS y, generate_series(0, 14) AS n"
    ));
    let asked =
        Asked { name: "turns", table: "turns", measures: &VALUE, levels: &["week", "quarter"], ..Asked::default() };
    world.settings(asked.settings());
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    are_files_of_the_calendar(&world, &asked, &years, "new years");
    assert!(asked.files(&world).len() >= 4 * years.len());
}

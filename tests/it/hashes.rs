//! Equal accounts only if equal rows: for every type, alone and in twos, all multisets of up to three rows over values
//! that are easily taken for one another. An account's hashes are sums over its rows, so the hash of each single row is
//! asked of a real server, by the real statement, and the sums of all multisets are compared here.

mod unseen;
mod upgrade;

use std::fmt::Write as _;

use kalends::calendar::Level;
use kalends::entity::{Entity, Found, FoundType, Model};
use kalends::sql::{Ident, Statement};
use postgres::{Client, NoTls, SimpleQueryMessage};

use crate::kit::{self, World};

const DAYS: Statement = Statement { path: "sql/accounts/days.sql", text: include_str!("../../sql/accounts/days.sql") };
const DAYS_OF_0_1_0: Statement =
    Statement { path: "tests/it/hashes/days_of_0_1_0.sql", text: include_str!("hashes/days_of_0_1_0.sql") };

/// A type with values that are all different, the most awkward first: in twos only some of them are tried.
struct Kind {
    name: &'static str,
    values: Vec<String>,
}

fn kind(name: &'static str, values: &[&str]) -> Kind {
    Kind { name, values: values.iter().map(ToString::to_string).collect() }
}

/// Two pairs of whole numbers: the first and the second fold alike, as do the third and the fourth; the first and the
/// third are one as doubles, as are the second and the fourth. So neither the fold nor the double tells the first with
/// the fourth from the second with the third.
fn crossed(high: i64, as_double: fn(i64) -> f64) -> [i64; 4] {
    let of = |low: i64| {
        [high << 32 | low, (high ^ 2) << 32 | (low ^ 2), high << 32 | (low + 1), (high ^ 2) << 32 | ((low + 1) ^ 2)]
    };
    let is_crossed = |[a, b, c, d]: &[i64; 4]| {
        let same = |one: i64, other: i64| as_double(one).to_bits() == as_double(other).to_bits();
        same(*a, *c) && same(*b, *d)
    };
    (0..1000).map(|step| of(4 * step)).find(is_crossed).unwrap()
}

#[allow(clippy::cast_precision_loss)]
fn bigints() -> Vec<String> {
    let near = crossed(1 << 30, |value| value as f64).map(|value| value.to_string());
    let others = ["NULL", "0", "-1", "1", "9007199254740992", "9007199254740993", "21474836487", "17179869190"];
    let ends = ["9223372036854775807", "-9223372036854775808", "-9223372036854775807", "10000"];
    near.into_iter().chain(others.into_iter().chain(ends).map(String::from)).collect()
}

/// Times in microseconds since 2000, as an expression.
fn time(micros: i64) -> String {
    let day = 86_400_000_000;
    let (days, rest) = (micros.div_euclid(day), micros.rem_euclid(day));
    format!("timestamp '2000-01-01' + {days} * interval '1 day' + {rest} * interval '1 microsecond'")
}

#[allow(clippy::cast_precision_loss)]
fn times() -> Vec<String> {
    let noon = (8825 * 24 + 12) * 3_600_000_000_i64;
    // The years 2680 and 12016.
    let [one, other] = [5_000_000, 73_600_000].map(|high| crossed(high, |micros| micros as f64 / 1e6));
    let near = [0, noon, noon ^ (1 << 32 | 1), noon + 1, -noon, -746_000 * 86_400_000_000, -1, 1];
    near.into_iter().chain(one).chain(other).map(time).collect()
}

fn measures() -> Vec<Kind> {
    let floats = |ends: [&'static str; 4]| {
        let others =
            ["0", "100", "-100", "NULL", "'NaN'", "'Infinity'", "'-Infinity'", "1", "-1", "0.1", "2.5", "10000"];
        others.into_iter().chain(ends).map(String::from).collect()
    };
    vec![
        kind("smallint", &["NULL", "0", "1", "-1", "32767", "-32768", "256", "255"]),
        kind("integer", &["NULL", "0", "1", "-1", "2147483647", "-2147483648", "65536", "16777216", "10000"]),
        Kind { name: "bigint", values: bigints() },
        kind(
            "numeric",
            &[
                "100",
                "-100",
                "'NaN'",
                "'Infinity'",
                "'-Infinity'",
                "0",
                "NULL",
                "1",
                "10000",
                "100000000",
                "1e-4",
                "1e-8",
                "-1",
                "-10000",
                "1e100",
                "-1e100",
                "1e-100",
                "12345678.9",
                "-12345678.9",
            ],
        ),
        Kind { name: "real", values: floats(["3.4e38", "1e-45", "16777216", "-16777216"]) },
        Kind {
            name: "double precision",
            values: floats(["1.7976931348623157e308", "5e-324", "9007199254740992", "9007199254740994"]),
        },
    ]
}

/// With what the warehouse has each type as.
fn dimensions() -> Vec<(Kind, &'static str)> {
    vec![
        (kind("text", &["NULL", "''", "'a'", "'ab'", "'b'", "'A'", "'a '", "E'\\n'", "'0'", "'NULL'"]), "text"),
        (kind("character varying(3)", &["NULL", "''", "'a'", "'ab'", "'a '"]), "varchar"),
        (kind("character(3)", &["NULL", "''", "'a'", "'ab'", "'b'"]), "bpchar"),
        (kind("integer", &["NULL", "0", "1", "-1", "2147483647", "-2147483648"]), "int4"),
        (kind("smallint", &["NULL", "0", "1", "-1", "32767"]), "int2"),
        (Kind { name: "bigint", values: bigints() }, "int8"),
        (
            kind("numeric", &["NULL", "1.0", "1.00", "-1", "'NaN'", "0", "'Infinity'", "'-Infinity'", "10000"]),
            "numeric",
        ),
        (kind("double precision", &["NULL", "0", "'-0'", "'NaN'", "100", "-100", "0.1"]), "float8"),
        (kind("interval", &["NULL", "'1 day'", "'24:00'", "'30 days'", "'1 mon'", "'0'"]), "interval"),
        (kind("boolean", &["NULL", "true", "false"]), "bool"),
        (kind("bytea", &["NULL", "''", "'\\x00'", "'\\x0000'", "'\\x01'"]), "bytea"),
        (kind("integer[]", &["NULL", "'{}'", "'{1}'", "'{1,NULL}'", "'{NULL,1}'", "'[0:0]={1}'"]), "_int4"),
        (
            kind("timestamp with time zone", &["NULL", "'2024-01-01Z'", "'2024-01-01 00:00:00.000001Z'", "'infinity'"]),
            "timestamptz",
        ),
        (kind("jsonb", &["NULL", "'null'", "'\"\"'", "'1.0'", "'1.00'", "'{}'"]), "jsonb"),
    ]
}

/// A table: the type of its time, columns with their values, and whether they are dimensions.
struct Case<'a> {
    time: &'static str,
    times: Vec<String>,
    hours: bool,
    columns: Vec<(&'a str, &'a [String], Option<&'static str>)>,
}

const TIMES: [&str; 3] = ["timestamp without time zone", "timestamp with time zone", "date"];

impl Case<'_> {
    fn model(&self) -> Model {
        let named = |dimension: bool| {
            let columns = self.columns.iter().enumerate().filter(move |(_, column)| column.2.is_some() == dimension);
            columns.map(|(at, _)| Ident::new(format!("c{at}")).unwrap()).collect::<Vec<_>>()
        };
        let mut entity = Entity { measures: named(false), dimensions: named(true), ..Entity::default_table().unwrap() };
        if self.time == TIMES[1] {
            entity.time_zone = Some("Europe/Paris".to_string());
        }
        if self.hours {
            entity.levels = Level::ALL.to_vec();
        }
        let measures = self.columns.iter().filter(|column| column.2.is_none()).map(|column| Some(column.0.to_string()));
        let dimensions = self.columns.iter().filter_map(|column| {
            let stored_as = Some(column.2?.to_string());
            Some(Some(FoundType { written: column.0.to_string(), stored_as, number: false, unfit: None }))
        });
        let (time, measures) = (Some(self.time.to_string()), measures.collect());
        let found = Found { time, measures, dimensions: dimensions.collect(), ..Found::default() };
        Model::new(&entity, &found).unwrap()
    }

    /// All rows that can be made, as SQL.
    fn rows(&self) -> Vec<String> {
        let first: Vec<String> = self.times.iter().map(|time| format!("({time})::{}", self.time)).collect();
        self.columns.iter().fold(first, |rows, (kind, values, _)| {
            let more =
                |row: &String| values.iter().map(|value| format!("{row}, ({value})::{kind}")).collect::<Vec<_>>();
            rows.iter().flat_map(more).collect()
        })
    }

    /// Multisets of up to three rows that are different and have the same hash, of each of the two hashes one.
    fn alike(&self, client: &mut Client, statement: Statement) -> Vec<String> {
        let rows = self.rows();
        assert!(rows.len() < 256);
        let columns = self.columns.iter().enumerate().map(|(at, (kind, ..))| format!(", c{at} {kind}"));
        let numbered = rows.iter().enumerate().map(|(number, row)| format!("({number}, {row})"));
        let fill = format!(
            "SET TimeZone = 'UTC'; DROP TABLE IF EXISTS pg_temp.t; CREATE TEMP TABLE t (id integer, created_at {}{});
             INSERT INTO t VALUES {}",
            self.time,
            columns.collect::<String>(),
            numbered.collect::<Vec<_>>().join(", ")
        );
        client.batch_execute(&fill).unwrap_or_else(|error| panic!("{fill}: {error:?}"));
        let hashes = self.hashes(client, statement, rows.len());
        let mut found = Vec::new();
        for which in [0, 1] {
            for size in 1..=3 {
                found.extend(first_alike(&hashes, which, size).map(|alike| {
                    let sets = alike.map(|set| set[..size].iter().map(|&row| rows[row].as_str()).collect::<Vec<_>>());
                    format!("hash_{} of {:?} and {:?}", ["a", "b"][which], sets[0], sets[1])
                }));
            }
        }
        found
    }

    /// The two hashes of each row, by the statement that makes accounts of them.
    fn hashes(&self, client: &mut Client, statement: Statement, rows: usize) -> Vec<[i64; 2]> {
        let sql = kit::of_table(statement, &self.model(), "pg_temp", "t");
        let (hashed, _) = sql.split_once("\n)\n\n").unwrap();
        // The rows come as they lie in the table, which is as they were numbered.
        let sql = format!("{hashed}) SELECT hash_a, hash_b FROM hashed ORDER BY row_ctid");
        let answer = client.simple_query(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let hashes = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some([0, 1].map(|at| row.get(at).unwrap().parse().unwrap())),
            _ => None,
        });
        let hashes: Vec<[i64; 2]> = hashes.collect();
        assert_eq!(hashes.len(), rows);
        hashes
    }
}

/// Two different multisets of as many rows with the same sum of a hash.
#[allow(clippy::cast_possible_truncation)]
fn first_alike(hashes: &[[i64; 2]], which: usize, size: usize) -> Option<[[usize; 3]; 2]> {
    let last = hashes.len();
    let hash = |row: usize, at: usize| if at < size { i128::from(hashes[row][which]) } else { 0 };
    let mut sums = Vec::new();
    for one in 0..last {
        for two in one..if size > 1 { last } else { one + 1 } {
            for three in two..if size > 2 { last } else { two + 1 } {
                sums.push((hash(one, 0) + hash(two, 1) + hash(three, 2), [one as u8, two as u8, three as u8]));
            }
        }
    }
    sums.sort_unstable();
    let alike = sums.windows(2).find(|pair| pair[0].0 == pair[1].0)?;
    Some([alike[0].1, alike[1].1].map(|set| set.map(usize::from)))
}

/// Of each type alone, and of each two.
fn every_table(mut tried: impl FnMut(&str, &Case<'_>)) {
    let (measures, dimensions, times) = (measures(), dimensions(), times());
    let columns: Vec<(&str, &[String], Option<&'static str>)> = measures
        .iter()
        .map(|kind| (kind.name, kind.values.as_slice(), None))
        .chain(dimensions.iter().map(|(kind, kept)| (kind.name, kind.values.as_slice(), Some(*kept))))
        .collect();
    let dates = ["'2000-01-01'", "'1999-12-31'", "'2024-02-29'", "'0044-03-15 BC'", "'294276-12-31'"].map(String::from);
    let of = |kind: usize, number: usize| match TIMES[kind] {
        "date" => dates.iter().take(number).cloned().collect(),
        _ => times.iter().take(number).cloned().collect::<Vec<String>>(),
    };
    let small = ["NULL", "0", "1"].map(String::from);
    for (kind, time) in TIMES.into_iter().enumerate() {
        for hours in if kind == 1 { vec![false, true] } else { vec![false] } {
            let columns = vec![("integer", &small[..], None)];
            tried(&format!("{time} alone"), &Case { time, times: of(kind, 99), hours, columns });
        }
    }
    for (at, &(name, values, kept)) in columns.iter().enumerate() {
        let (kind, all) = (at % 3, [(name, values, kept)]);
        if kept.is_some() {
            // A table has a measure at least.
            let number = ("integer", &small[..1], None);
            tried(
                name,
                &Case { time: TIMES[kind], times: of(kind, 2), hours: kind == 1, columns: vec![number, all[0]] },
            );
        } else {
            for (kind, &time) in TIMES.iter().enumerate() {
                tried(name, &Case { time, times: of(kind, 2), hours: kind == 1, columns: all.to_vec() });
            }
        }
        for (other_at, &(other, others, other_kept)) in columns.iter().enumerate().skip(at) {
            let kind = (at + other_at) % 3;
            let mut two =
                vec![(name, &values[..values.len().min(4)], kept), (other, &others[..others.len().min(3)], other_kept)];
            if kept.is_some() && other_kept.is_some() {
                two.insert(0, ("integer", &small[..1], None));
            }
            let hours = kind == 1 && at % 2 == 0;
            tried(&format!("{name} and {other}"), &Case { time: TIMES[kind], times: of(kind, 2), hours, columns: two });
        }
    }
}

#[test]
fn rows_that_are_different_have_different_accounts() {
    let world = World::new();
    let mut client = Client::connect(&world.production_url, NoTls).unwrap();
    let (mut tables, mut found) = (0, String::new());
    every_table(|name, case| {
        tables += 1;
        for alike in case.alike(&mut client, DAYS) {
            writeln!(found, "{name}, {}: {alike}", case.time).unwrap();
        }
    });
    assert_eq!(found, "", "of {tables} tables");
    assert!(tables > 200, "{tables}");
}

#[test]
fn the_statement_of_0_1_0_takes_different_rows_for_the_same() {
    let world = World::new();
    let mut client = Client::connect(&world.production_url, NoTls).unwrap();
    // A float's zero is the seed of what comes behind it, which takes two columns.
    let twice = ["real and real", "double precision and double precision"];
    let alone = ["bigint", "numeric", "timestamp without time zone alone"];
    let mut blind = Vec::new();
    every_table(|name, case| {
        let measures = case.columns.iter().all(|column| column.2.is_none());
        let alone = alone.contains(&name) && case.time == TIMES[0];
        if measures && (alone || twice.contains(&name)) {
            let found = case.alike(&mut client, DAYS_OF_0_1_0);
            let both = ["hash_a", "hash_b"].iter().all(|hash| found.iter().any(|alike| alike.starts_with(hash)));
            blind.push((name.to_string(), both));
        }
    });
    blind.sort();
    let mut expected: Vec<_> = alone.iter().chain(&twice).map(|name| (name.to_string(), true)).collect();
    expected.sort();
    assert_eq!(blind, expected);
}

#[test]
fn what_is_equal_has_equal_accounts() {
    let world = World::new();
    let mut client = Client::connect(&world.production_url, NoTls).unwrap();
    for (name, one, other) in [
        ("numeric", "5.0", "5.00"),
        ("numeric", "0", "-0.000"),
        ("real", "0", "'-0'"),
        ("double precision", "0", "'-0'"),
    ] {
        let values = [one, other].map(String::from);
        let times = vec!["'2024-02-29 12:00'".to_string()];
        let case = Case { time: TIMES[0], times, hours: false, columns: vec![(name, &values, None)] };
        assert_eq!(case.alike(&mut client, DAYS).len(), 6, "{name}: {one} and {other}");
    }
}

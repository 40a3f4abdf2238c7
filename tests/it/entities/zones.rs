//! Days on which clocks change: how long they are, what belongs to them, and times at the ends of what PostgreSQL
//! knows.

use super::asked::{Asked, settles, settles_by};
use crate::kit::World;

const AMOUNT: [(&str, &str); 1] = [("amount", "integer")];

/// Year, month, day, and the quarters of an hour that it had.
type Long = ((u16, u8, u8), usize);

/// A zone and some of its days: one as any other has 96 quarters of an hour.
const DAYS: [(&str, &[Long]); 9] = [
    ("Europe/Paris", &[((2024, 3, 31), 92), ((2024, 4, 1), 96), ((2024, 10, 27), 100)]),
    ("America/New_York", &[((2024, 3, 10), 92), ((2024, 11, 3), 100), ((2024, 11, 4), 96)]),
    // Half an hour.
    ("Australia/Lord_Howe", &[((2024, 4, 7), 98), ((2024, 10, 6), 94)]),
    // At midnight: a day that begins at one o'clock, and one whose last hour comes twice.
    ("America/Sao_Paulo", &[((2018, 11, 4), 92), ((2018, 2, 17), 100), ((2018, 2, 18), 96)]),
    ("Africa/Cairo", &[((2023, 4, 28), 92), ((2023, 10, 26), 100), ((2023, 10, 27), 96)]),
    // A minute past midnight, so that a day comes back after the next one has begun, but for its minute of midnight.
    ("America/St_Johns", &[((2006, 4, 2), 92), ((2006, 10, 28), 99), ((2006, 10, 29), 97)]),
    // A quarter of an hour, once and for all.
    ("Asia/Kathmandu", &[((1985, 12, 31), 96), ((1986, 1, 1), 95), ((1986, 1, 2), 96)]),
    // Days that never were.
    ("Pacific/Apia", &[((2011, 12, 29), 96), ((2011, 12, 30), 0), ((2011, 12, 31), 96)]),
    ("Pacific/Kiritimati", &[((1994, 12, 30), 96), ((1994, 12, 31), 0), ((1995, 1, 1), 96)]),
];

#[test]
fn the_days_on_which_clocks_change_have_the_hours_that_they_had() {
    let world = World::new();
    let names: Vec<String> = DAYS.iter().map(|(zone, _)| zone.to_lowercase().replace('/', "_")).collect();
    let asked = DAYS.iter().zip(&names).map(|((zone, _), name)| Asked {
        name,
        table: name,
        zone: Some(zone),
        measures: &AMOUNT,
        levels: &["hour", "day", "week", "month", "year"],
        ..Asked::default()
    });
    let asked: Vec<Asked<'_>> = asked.collect();
    for (name, (_, days)) in names.iter().zip(DAYS) {
        let days: Vec<String> = days.iter().map(|((y, m, d), _)| format!("'{y}-{m}-{d} 00:00+00'")).collect();
        // From the day before each to the day after in any zone, every quarter of an hour, once.
        world.production_sql(&format!(
            "CREATE TABLE {name} AS
             SELECT DISTINCT t AS at, (extract(epoch FROM t)::bigint / 900 % 1000)::integer AS amount
             FROM unnest(ARRAY[{}]::timestamptz[]) AS day,
                  generate_series(day - interval '1 day', day + interval '2 days', interval '15 minutes') AS t",
            days.join(", ")
        ));
    }
    world.settings(asked.iter().map(Asked::settings).collect::<String>());
    settles(&world);
    for (asked, (zone, days)) in asked.iter().zip(DAYS) {
        asked.is_exact(&world);
        for ((year, month, day), quarters) in days {
            let counted = format!(
                "SELECT count_amount FROM kalends_stats.{}_stats_daily WHERE (year, month, day) = ({year}, {month}, {day})",
                asked.name
            );
            let expected: Vec<String> = [quarters.to_string()].into_iter().filter(|count| count != "0").collect();
            assert_eq!(world.ask_warehouse(&counted), expected, "{zone}, {year}-{month}-{day}");
        }
    }
    // Rows that move by a quarter of an hour over each of these midnights.
    for name in &names {
        world.production_sql(&format!("UPDATE {name} SET at = at + interval '15 minutes' WHERE amount % 4 = 3"));
    }
    settles(&world);
    asked.iter().for_each(|asked| asked.is_exact(&world));
}

#[test]
fn a_day_is_one_of_its_time_zone() {
    // Half an hour of summer time; summer time that ends and begins at midnight, also of a month's first day, and one
    // minute past it, so that a day comes back after the next had begun; and no summer time at all.
    for (zone, moments) in [
        ("Australia/Lord_Howe", ["2024-04-06 14:59+00", "2024-04-06 15:29+00", "2024-10-05 13:29+00"]),
        ("America/Havana", ["2020-11-01 03:59+00", "2020-11-01 04:30+00", "2020-11-01 05:30+00"]),
        ("America/St_Johns", ["2006-10-29 02:30+00", "2006-10-29 02:31+00", "2006-10-29 03:30+00"]),
        ("America/Sao_Paulo", ["2018-11-04 02:59+00", "2018-11-04 03:00+00", "2018-02-18 02:30+00"]),
        ("Europe/Paris", ["2024-03-30 23:00+00", "2024-03-31 21:59+00", "2024-10-27 22:59+00"]),
        ("Asia/Kolkata", ["2024-02-29 18:29+00", "2024-02-29 18:30+00", "1969-12-31 18:30+00"]),
    ] {
        let world = World::new();
        world.production_sql("CREATE SCHEMA shop; CREATE TABLE shop.purchase (bought_at timestamptz, amount numeric)");
        world.grant_table("shop", "purchase");
        let measures = [("amount", "numeric")];
        let asked = Asked {
            name: "orders",
            table: "shop.purchase",
            time: "bought_at",
            zone: Some(zone),
            measures: &measures,
            ..Asked::default()
        };
        world.settings(asked.settings());
        for (index, moment) in moments.iter().enumerate() {
            for minutes in [-1440, -61, -1, 0, 1, 30, 59, 60, 90, 1440, 44640] {
                world.production_sql(&format!(
                    "INSERT INTO shop.purchase SELECT timestamptz '{moment}' + {minutes} * interval '1 minute', {index} + 0.5"
                ));
            }
        }
        settles(&world);
        asked.is_exact(&world);
        // A row from one side of a midnight to the other.
        world.production_sql(&format!(
            "UPDATE shop.purchase SET bought_at = bought_at - interval '1 minute' WHERE bought_at = '{}'",
            moments[1]
        ));
        settles(&world);
        asked.is_exact(&world);
    }
}

/// Paths and contents of the daily files of an entity: `year=2024/month=1/day=2` and its line.
fn days(asked: &Asked<'_>, world: &World) -> Vec<(String, String)> {
    let files = asked.files(world).into_iter().filter(|(path, _)| path.contains("_daily_"));
    let short = |path: &str| path.rsplit_once('/').unwrap().0.to_string();
    files.map(|(path, text)| (short(&path), text.lines().nth(1).unwrap().to_string())).collect()
}

#[test]
fn times_of_any_age_have_their_day_whatever_type_they_are_of() {
    let world = World::new();
    world.production_sql(
        "SET TimeZone = 'UTC';
         CREATE TABLE aged (at timestamptz, on_day date, amount integer);
         INSERT INTO aged VALUES
         ('4713-01-01 12:00:00 BC', '4713-01-01 BC', 1), ('0044-03-15 00:30:00 BC', '0044-03-15 BC', 2),
         ('0001-12-31 23:00:00 BC', '0001-12-31 BC', 3), ('0001-01-01 00:00:00', '0001-01-01', 4),
         ('0004-02-29 23:59:59.999999', '0004-02-29', 5), ('1969-12-31 23:59:59.999999', '1969-12-31', 6),
         ('9999-12-31 23:59:59.999999', '9999-12-31', 7), ('10000-01-01 00:00:00', '10000-01-01', 8),
         ('12024-02-29 12:00:00', '12024-02-29', 9), ('294276-12-30 23:59:59.999999', '294276-12-31', 10),
         ('294276-11-30 12:00:00', '294277-01-01', 11), ('2024-02-29', '999998-12-31', 12)",
    );
    let asked = [("moment", "at", Some("UTC")), ("paris", "at", Some("Europe/Paris")), ("booked", "on_day", None)]
        .map(|(name, time, zone)| Asked { name, table: "aged", time, zone, measures: &AMOUNT, ..Asked::default() });
    world.settings(asked.iter().map(Asked::settings).collect::<String>());
    settles(&world);
    let line = |year: i32, month: u8, day: u8, amount: u8| {
        let path = format!("year={year}/month={month}/day={day}");
        (path, format!("{year},{month},{day},{amount},{amount},{amount},{amount}.000000,1"))
    };
    let sorted = |mut days: Vec<(String, String)>| {
        days.sort();
        days
    };
    let common = [line(-4713, 1, 1, 1), line(-44, 3, 15, 2), line(12024, 2, 29, 9)];
    let utc = [
        line(-1, 12, 31, 3),
        line(1, 1, 1, 4),
        line(4, 2, 29, 5),
        line(1969, 12, 31, 6),
        line(9999, 12, 31, 7),
        line(10000, 1, 1, 8),
    ];
    let moments = [line(294_276, 12, 30, 10), line(294_276, 11, 30, 11), line(2024, 2, 29, 12)];
    assert_eq!(days(&asked[0], &world), sorted([&common[..], &utc, &moments].concat()));
    // Before 1911 Paris was 9 minutes and 21 seconds ahead, in winter it is an hour now.
    let paris = [
        line(-1, 12, 31, 3),
        line(1, 1, 1, 4),
        line(4, 3, 1, 5),
        line(1970, 1, 1, 6),
        line(294_276, 12, 31, 10),
        line(294_276, 11, 30, 11),
        line(2024, 2, 29, 12),
    ];
    let new_year = ("year=10000/month=1/day=1".to_string(), "10000,1,1,15,7,8,7.500000,2".to_string());
    assert_eq!(days(&asked[1], &world), sorted([&common[..], &paris, &[new_year]].concat()));
    let dates = [line(294_276, 12, 31, 10), line(294_277, 1, 1, 11), line(999_998, 12, 31, 12)];
    assert_eq!(days(&asked[2], &world), sorted([&common[..], &utc, &dates].concat()));

    // Each of them may change, and only its own day is another.
    world.production_sql("UPDATE aged SET amount = amount + 100");
    world.kalends("verify").fails_with(3);
    settles(&world);
    world.production_sql("DELETE FROM aged WHERE amount <> 104");
    settles_by(&world, "run --accept-loss");
    let gone = [("year=1/month=1/day=1".to_string(), "1,1,1,104,104,104,104.000000,1".to_string())];
    asked.iter().for_each(|asked| assert_eq!(days(asked, &world), gone));

    // No period of theirs would have an end.
    world.production_sql("INSERT INTO aged SELECT '0001-01-01', day, 1 FROM unnest('{999999-01-01, 999999-12-31, 5874897-12-31}'::date[]) AS day");
    let said = "set aside   booked: 0 rows without a time, 3 at infinity, before 4713 BC or after 999998";
    world.kalends("run").succeeds().says(said);
    assert_eq!(days(&asked[2], &world), gone);
}

#[test]
fn a_moment_that_has_no_day_in_its_zone_stops_the_run_before_anything_is_written() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE aged (at timestamptz, amount integer); INSERT INTO aged VALUES ('2024-01-02 12:00+00', 1)",
    );
    let asked = Asked {
        name: "aged",
        table: "aged",
        time: "at",
        zone: Some("Pacific/Kiritimati"),
        measures: &AMOUNT,
        ..Asked::default()
    };
    world.settings(asked.settings());
    settles(&world);
    let before = (world.tuples(), world.tree());
    // There it is the year 294277 already, of which PostgreSQL has no timestamp.
    world.production_sql("INSERT INTO aged VALUES ('2024-01-03 12:00+00', 1), ('294276-12-31 12:00+00', 1)");
    world.kalends("run").fails_with(1).says("could not survey production").says("timestamp out of range");
    assert_eq!((world.tuples(), world.tree()), before);
    world.production_sql("DELETE FROM aged WHERE at > '10000-01-01'");
    settles(&world);
    asked.is_exact(&world);
}

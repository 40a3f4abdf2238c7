//! The views that set a period's sums beside those of others, compared with what this file computes from production's
//! rows: it finds periods by the calendar of crate `time`, and adds up integers.

use std::collections::BTreeMap;

use time::{Date, Duration, Month, PrimitiveDateTime as Moment};

use super::asked::Asked;
use crate::kit::World;
use crate::kit::random::{Random, seed};

const LEVELS: [(&str, &str); 6] = [
    ("hour", "hourly"),
    ("day", "daily"),
    ("week", "weekly"),
    ("month", "monthly"),
    ("quarter", "quarterly"),
    ("year", "yearly"),
];

fn midnight(year: i32, month: u8, day: u8) -> Option<Moment> {
    Some(Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?.midnight())
}

/// The first moment of the period that holds a moment.
fn period(level: &str, at: Moment) -> Moment {
    let month = u8::from(at.month());
    match level {
        "hour" => at.replace_minute(0).unwrap(),
        "day" => at.date().midnight(),
        "week" => (at.date() - Duration::days(i64::from(at.weekday().number_days_from_monday()))).midnight(),
        "month" => midnight(at.year(), month, 1).unwrap(),
        "quarter" => midnight(at.year(), (month - 1) / 3 * 3 + 1, 1).unwrap(),
        _ => midnight(at.year(), 1, 1).unwrap(),
    }
}

/// The period before, and the same one of the year before, if that has it.
fn compared(level: &str, at: Moment) -> [Option<Moment>; 2] {
    let before = period(level, at - Duration::minutes(1));
    let before = if level == "hour" { at - Duration::hours(1) } else { before };
    let year_before = match level {
        "week" => Some(at - Duration::weeks(52)),
        _ => midnight(at.year() - 1, u8::from(at.month()), at.day()).map(|day| day.replace_time(at.time())),
    };
    [Some(before), year_before]
}

/// The year that a period's running sum is of: for weeks, that of its Thursday.
fn year(level: &str, at: Moment) -> i32 {
    if level == "week" { (at + Duration::days(3)).year() } else { at.year() }
}

/// `numerator / denominator` with so many decimals, rounded half away from zero.
fn rounded(numerator: i128, denominator: i128, decimals: u32) -> String {
    let scale = 10_i128.pow(decimals);
    let (top, bottom) = (2 * numerator.abs() * scale + denominator, 2 * denominator);
    let (whole, rest) = (top / bottom / scale, top / bottom % scale);
    let sign = if numerator < 0 && (whole, rest) != (0, 0) { "-" } else { "" };
    format!("{sign}{whole}.{rest:0width$}", width = decimals as usize)
}

/// Sum and number of values by dimension and period.
type Sums = BTreeMap<(Option<String>, Moment), (i128, i128)>;

fn line(level: &str, sums: &Sums, key: &(Option<String>, Moment)) -> String {
    let (group, at) = key;
    let (sum, _) = sums[key];
    let text = |number: Option<i128>| number.map_or(String::new(), |number| number.to_string());
    let mut fields =
        vec![format!("{} {:02}:00:00", at.date(), at.hour()), group.clone().unwrap_or("-".into()), sum.to_string()];
    for (number, other) in compared(level, *at).into_iter().enumerate() {
        if number == 1 && level == "year" {
            break;
        }
        let other = other.and_then(|other| sums.get(&(group.clone(), other))).map(|(sum, _)| *sum);
        let percent = other.filter(|other| *other != 0);
        fields.push(text(other));
        fields.push(text(other.map(|other| sum - other)));
        fields.push(percent.map_or(String::new(), |other| rounded(100 * (sum - other), other.abs(), 2)));
    }
    let among = |wanted: &dyn Fn(Moment) -> bool| {
        let of = sums.iter().filter(|((other, then), _)| other == group && wanted(*then)).map(|(_, sums)| *sums);
        of.fold((0, 0), |(sum, count), (sums, counts)| (sum + sums, count + counts))
    };
    if level != "year" {
        fields.push(among(&|then| then <= *at && year(level, then) == year(level, *at)).0.to_string());
    }
    if level == "day" {
        let (sum, count) = among(&|then| then <= *at && then > *at - Duration::days(7));
        fields.extend([sum.to_string(), rounded(sum, count, 6)]);
    }
    fields.join("|")
}

/// What the view of a level has, in the same form.
fn found(world: &World, level: &str, adverb: &str) -> Vec<String> {
    let mut columns = vec!["sum_before_n", "change_n", "change_percent_n"];
    if level != "year" {
        columns.extend(["sum_year_before_n", "year_change_n", "year_change_percent_n", "running_sum_n"]);
    }
    if level == "day" {
        columns.extend(["sum_7_days_n", "mean_7_days_n"]);
    }
    world.ask_warehouse(&format!(
        "SET DateStyle = 'ISO'; SELECT period_start::timestamp, coalesce(d, '-'), sum_n, {}
         FROM kalends_stats.t_trend_{adverb} ORDER BY coalesce(d, '-') COLLATE \"C\", period_start",
        columns.join(", ")
    ))
}

fn agrees(world: &World, level: (&str, &str), rows: &[(Moment, i128, Option<String>)]) {
    let mut sums = Sums::new();
    for (at, value, group) in rows {
        let of = sums.entry((group.clone(), period(level.0, *at))).or_default();
        *of = (of.0 + value, of.1 + 1);
    }
    let mut expected: Vec<_> = sums.keys().collect();
    expected.sort_by_key(|(group, at)| (group.clone().unwrap_or("-".into()), *at));
    let expected: Vec<String> = expected.into_iter().map(|key| line(level.0, &sums, key)).collect();
    assert_eq!(found(world, level.0, level.1), expected, "{}", level.0);
}

#[test]
fn sums_stand_beside_those_of_the_periods_that_the_calendar_says() {
    let mut random = Random::new(seed("trends"));
    let begin = midnight(2022, 12, 20).unwrap();
    let mut rows = Vec::new();
    // Days in a row, gaps of hours to weeks, a leap day, the turn of ISO years, sums of zero.
    for day in (0..480_i64).filter(|day| day % 97 < 80 && day % 11 != 3) {
        for _ in 0..random.below(4) {
            let at = begin + Duration::days(day) + Duration::minutes(i64::try_from(random.below(1440)).unwrap());
            let value = i128::from(random.below(7)) - 3;
            let group = [None, Some("a".to_string()), Some("b".to_string())][random.index(3)].clone();
            rows.push((at, value, group));
        }
    }
    for (month, day) in [(2, 28), (2, 29), (3, 1)] {
        rows.push((midnight(2024, month, day).unwrap(), 5, Some("a".to_string())));
        rows.extend(midnight(2023, month, day).map(|at| (at, 4, Some("a".to_string()))));
    }
    let values: Vec<String> = rows
        .iter()
        .map(|(at, value, group)| {
            let group = group.as_ref().map_or("NULL".to_string(), |group| format!("'{group}'"));
            format!("('{at}', {value}, {group})")
        })
        .collect();
    let world = World::new();
    world.production_sql("CREATE TABLE t (at timestamp, n integer, d text)");
    world.production_sql(&format!("INSERT INTO t VALUES {}", values.join(", ")));
    let levels = LEVELS.map(|(level, _)| level);
    let asked = Asked { measures: &[("n", "integer")], levels: &levels, ..Asked::default() };
    world.settings(Asked { dimensions: &[("d", "text")], ..asked }.settings());
    world.kalends("prepare").succeeds();
    for level in LEVELS {
        agrees(&world, level, &rows);
    }

    // Without dimensions, and after the tables were made anew.
    world.settings(Asked { measures: &[("n", "integer")], levels: &levels, ..Asked::default() }.settings());
    world.kalends("prepare").succeeds();
    for row in &mut rows {
        row.2 = None;
    }
    for (level, adverb) in LEVELS {
        world.warehouse_sql(&format!(
            "ALTER VIEW kalends_stats.t_trend_{adverb} RENAME TO theirs;
             CREATE VIEW kalends_stats.t_trend_{adverb} AS SELECT *, NULL AS d FROM kalends_stats.theirs"
        ));
        agrees(&world, (level, adverb), &rows);
        world.warehouse_sql(&format!(
            "DROP VIEW kalends_stats.t_trend_{adverb}; ALTER VIEW kalends_stats.theirs RENAME TO t_trend_{adverb}"
        ));
    }
    world.kalends("forget t --yes").succeeds();
    let left = "SELECT count(*) FROM pg_views WHERE schemaname = 'kalends_stats' AND viewname <> 'freshness'";
    assert_eq!(world.ask_warehouse(left), ["0"]);
}

#[test]
fn views_say_when_a_period_began_and_whether_it_is_closed_as_the_manifest_does() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE t (at timestamptz, n integer, closed text);
         INSERT INTO t SELECT at, 1, 'x' FROM unnest(ARRAY[
             '2024-01-01', '2024-02-29', date_trunc('year', now()), now() - interval '26 hours', now(),
             now() + interval '40 days'
         ]::timestamptz[]) AS at",
    );
    let levels = LEVELS.map(|(level, _)| level);
    let asked = Asked {
        zone: Some("Asia/Kolkata"),
        measures: &[("n", "integer")],
        dimensions: &[("closed", "text")],
        levels: &levels,
        ..Asked::default()
    };
    world.settings(asked.settings());
    world.kalends("run").succeeds();
    let manifest = std::fs::read_to_string(world.exports.join("_manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    for (level, adverb) in LEVELS {
        let files = manifest["files"].as_object().unwrap().values().filter(|file| file["level"] == level);
        let closed = files.clone().filter(|file| file["closed"] == true).count();
        let expected = [format!("{}|{closed}", files.count())];
        for view in ["stats", "trend"] {
            // A dimension of that name was there first.
            let sql = format!(
                "SELECT count(DISTINCT period_start), count(*) FILTER (WHERE closed_)
                 FROM kalends_stats.t_{view}_{adverb} WHERE closed = 'x'"
            );
            assert_eq!(world.ask_warehouse(&sql), expected, "{view} {level}");
        }
    }
    assert_eq!(
        world.ask_warehouse("SELECT period_start, day FROM kalends_stats.t_stats_daily ORDER BY 1 LIMIT 1"),
        ["2024-01-01|1"]
    );
    // The zone of readers' freshness is the entity's: of these two, one is another day than in UTC at any time.
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        world.kalends("forget t --yes").succeeds();
        world.settings(Asked { zone: Some(zone), ..asked }.settings());
        world.kalends("run").succeeds();
        let status = world.kalends("status --json").json();
        let through = world.ask_warehouse("SELECT complete_through FROM kalends_stats.freshness");
        assert_eq!(status["complete_through"]["t"], through[0], "{zone}");
    }
}

#[test]
fn the_year_before_the_first_is_the_first_before_christ() {
    let world = World::new();
    world.production_sql("CREATE TABLE t (at date, n integer)");
    world.production_sql("INSERT INTO t VALUES ('0001-12-31 BC', 3), ('0001-01-01', 5), ('0001-12-31', 7)");
    let levels: [&str; 5] = std::array::from_fn(|at| LEVELS[at + 1].0);
    world.settings(Asked { measures: &[("n", "integer")], levels: &levels, ..Asked::default() }.settings());
    world.kalends("prepare").succeeds();
    for (adverb, expected) in [
        ("daily", ["3||", "5|3|", "7||3"]),
        ("monthly", ["3||", "5|3|", "7||3"]),
        ("quarterly", ["3||", "5|3|", "7||3"]),
    ] {
        let columns = "sum_n, sum_before_n, sum_year_before_n";
        let sql = format!("SELECT {columns} FROM kalends_stats.t_trend_{adverb} ORDER BY period_start");
        assert_eq!(world.ask_warehouse(&sql), expected, "{adverb}");
    }
    let years = "SELECT sum_n, sum_before_n FROM kalends_stats.t_trend_yearly ORDER BY period_start";
    assert_eq!(world.ask_warehouse(years), ["3|", "12|3"]);
}

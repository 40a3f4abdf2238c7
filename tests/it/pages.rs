//! The report: its pages say what the warehouse holds, and no more than was proven; they are published as any file is.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::kit::{File, World};

const FIRST: &str = "index.html";
const VISITS: &str = "report/visits.html";

const ENTITY: &str = "[[entity]]\nname = \"visits\"\ntable = \"visit\"\ntime = \"at\"\nmeasures = [\"spent\"]\n\
                      dimensions = [\"city\"]\n\
                      levels = [\"hour\", \"day\", \"week\", \"month\", \"quarter\", \"year\"]\n";

/// A year and a half of visits to cities, whose names are attacks.
fn visits(settings: &str) -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE visit (at timestamp, city text, spent numeric);
         INSERT INTO visit
         SELECT day + i * interval '5 h', (ARRAY['Lyon', '<script>alert(1)</script>', NULL])[1 + (n + i) % 3],
                round(n * 1.37 + i * 100, 2)
         FROM generate_series('2023-01-01'::timestamp, '2024-06-20', '3 days') WITH ORDINALITY AS days (day, n),
              generate_series(1, 3) AS i;
         INSERT INTO visit VALUES ('2024-02-29', 'Lyon', NULL)",
    );
    world.grant_table("public", "visit");
    world.settings(format!("{settings}{ENTITY}"));
    world
}

fn page(world: &World, path: &str) -> String {
    fs::read_to_string(world.exports.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest(world: &World) -> Value {
    serde_json::from_str(&page(world, "_manifest.json")).unwrap()
}

/// The rows of a table: period, rows and figures, without the commas between thousands.
fn rows(page: &str, level: &str) -> BTreeMap<String, Vec<String>> {
    let table = page.split(&format!("data-table=\"{level}\"")).nth(1).unwrap_or_else(|| panic!("no table of {level}"));
    let table = table.split("data-table=").next().unwrap();
    let cells = |row: &str| -> Vec<String> {
        row.split("<td>").skip(1).map(|cell| cell.split("</td>").next().unwrap().replace(',', "")).collect()
    };
    let rows = table.split("<tr data-p=\"").skip(1).map(|row| {
        (row.split('"').next().unwrap().to_string(), cells(row.split("</tr>").next().unwrap())[1..].to_vec())
    });
    rows.collect()
}

fn is_page(path: &str) -> bool {
    path.ends_with(".html")
}

fn pages(world: &World) -> BTreeMap<String, File> {
    world.tree().into_iter().filter(|(path, _)| is_page(path)).collect()
}

#[test]
fn every_figure_of_a_page_is_the_warehouses() {
    let world = visits("report = true\n");
    world.kalends("run").succeeds().says("2 pages");
    let text = page(&world, VISITS);
    for (level, period) in [
        ("hour", "to_char(hour, 'YYYY-MM-DD\"T\"HH24')"),
        ("day", "to_char(day, 'YYYY-MM-DD')"),
        ("week", "to_char(week, 'IYYY-\"W\"IW')"),
        ("month", "to_char(month, 'YYYY-MM')"),
        ("quarter", "to_char(quarter, 'YYYY-\"Q\"Q')"),
        ("year", "to_char(year, 'YYYY')"),
    ] {
        let none = |column: &str| format!("coalesce({column}::text, 'none')");
        let [sum, min, max] = ["sum_spent", "min_spent", "max_spent"].map(none);
        let since = "hour >= (SELECT max(day) - 30 FROM kalends_stats.visits_day)";
        let asked = world.ask_warehouse(&format!(
            "SELECT {period}, rows, {sum}, {min}, {max}, coalesce(kalends.mean(sum_spent, count_spent)::text, 'none')
             FROM kalends_stats.visits_{level} WHERE {}",
            if level == "hour" { since } else { "true" }
        ));
        let expected: BTreeMap<String, Vec<String>> = asked
            .iter()
            .map(|line| line.split('|').map(str::to_string).collect::<Vec<_>>())
            .map(|cells| (cells[0].clone(), cells[1..].to_vec()))
            .collect();
        let found: BTreeMap<String, Vec<String>> =
            rows(&text, level).into_iter().map(|(period, cells)| (period, cells[..5].to_vec())).collect();
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "{level}");
    }
    // The dimension's values and all others add up to the month.
    let month = world.ask_warehouse("SELECT sum_spent FROM kalends_stats.visits_month WHERE month = '2024-06-01'");
    let ranked = text.split("<caption>June 2024").nth(1).unwrap().split("</tbody>").next().unwrap();
    let cents = |text: &str| -> i64 { text.replace([',', '.'], "").parse().unwrap() };
    let sum_of = |row: &str| Some(cents(row.split("<td>").nth(1)?.split("</td>").next()?));
    let sums: i64 = ranked.split("<tr>").filter_map(sum_of).sum();
    assert_eq!(sums, cents(&month[0]));
    assert!(ranked.contains("NULL") && ranked.contains("&lt;script&gt;"), "{ranked}");
}

/// Compared each with each, so many values of so many months would take the warehouse more than its limit.
#[test]
fn of_many_values_those_with_the_most_rows_have_a_line_each_and_the_others_one() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE visit (at timestamp, city text, spent numeric);
         INSERT INTO visit SELECT month, nullif(city, 7)::text, city
         FROM generate_series('2023-01-01'::timestamp, '2024-08-01', '1 month') AS month,
              generate_series(1, 5000) AS city;
         INSERT INTO visit SELECT '2024-08-02', nullif(city, 7)::text, 100 FROM generate_series(1, 12) AS city",
    );
    world.grant_table("public", "visit");
    let settings = ENTITY.replace("\"hour\", \"day\", \"week\", \"month\", \"quarter\", \"year\"", "\"month\"");
    world.settings(format!("report = true\n[limits]\nstatement_timeout = \"10s\"\n{settings}"));
    world.kalends("run").succeeds().says("2 pages");
    let text = page(&world, VISITS);
    let ranked = text.split("<caption>August 2024").nth(1).unwrap().split("</tbody>").next().unwrap();
    let lines: Vec<&str> = ranked.split("<tr><td").skip(1).collect();
    assert_eq!(lines.len(), 13, "{ranked}");
    for (line, said) in [(0, [">12<", ">112<"]), (12, ["other (4,988 values)", ">12,502,422<"])] {
        assert!(said.iter().all(|said| lines[line].contains(said)), "{said:?}: {}", lines[line]);
    }
    assert!(lines.iter().any(|line| line.contains("NULL") && line.contains(">107<")), "{ranked}");
}

#[test]
fn pages_are_published_verified_mended_and_taken_away_as_files_are() {
    let world = visits("report = true\n");
    world.kalends("run").succeeds();
    let listed = manifest(&world)["pages"].clone();
    assert_eq!(listed.as_object().unwrap().keys().collect::<Vec<_>>(), [FIRST, VISITS]);
    assert_eq!(listed[VISITS]["bytes"], page(&world, VISITS).len());
    let before = (world.tuples(), world.tree(), world.index());
    world.kalends("run").succeeds().says("nothing to do");
    world.kalends("export").succeeds().says("nothing to do");
    world.kalends("verify").succeeds();
    world.kalends("status").succeeds().says("nothing is due");
    assert_eq!((world.tuples(), world.tree(), world.index()), before);

    // Somebody edits one and removes the other.
    let right = page(&world, VISITS);
    fs::write(world.exports.join(VISITS), right.replace("Proven", "Perhaps")).unwrap();
    fs::remove_file(world.exports.join(FIRST)).unwrap();
    let found = world.kalends("verify --list").fails_with(3).stdout.clone();
    assert!(found.contains(VISITS) && found.contains(FIRST), "{found}");
    world.kalends("status").fails_with(3);
    world.kalends("run").succeeds().says("report      2 pages");
    assert_eq!(page(&world, VISITS), right);
    world.kalends("verify").succeeds();

    // A change of a day is in its page; the files of other days stay.
    world.production_sql("INSERT INTO visit VALUES ('2023-01-01 12:00', 'Lyon', 1000000)");
    world.kalends("run").succeeds();
    assert!(rows(&page(&world, VISITS), "day")["2023-01-01"][1].starts_with("1000"));

    // Without its manifest, the folder is still Kalends'. What moved before is not known any more.
    fs::remove_file(world.exports.join("_manifest.json")).unwrap();
    world.kalends("export").succeeds();
    assert!(page(&world, VISITS).contains("This is the first report."));
    assert_eq!(manifest(&world)["pages"].as_object().unwrap().len(), 2);

    // A stranger's file is not written over, and nothing else is written either.
    fs::remove_file(world.exports.join(VISITS)).unwrap();
    let mut unlisted = manifest(&world);
    unlisted["pages"] = Value::Object(serde_json::Map::new());
    fs::write(world.exports.join("_manifest.json"), unlisted.to_string()).unwrap();
    fs::write(world.exports.join(VISITS), "mine").unwrap();
    let before = world.tree();
    world.kalends("export").fails_with(4).says("report/visits.html\" is in the way, and Kalends did not write it");
    assert_eq!(world.tree(), before);
    fs::remove_file(world.exports.join(VISITS)).unwrap();
    world.kalends("export").succeeds();

    // They go with their entity, and all of them with the setting.
    world.settings(format!("report = false\n{ENTITY}"));
    world.kalends("run").succeeds().says("report      2 pages removed");
    assert!(pages(&world).is_empty() && !world.exports.join("report").exists());
    assert!(manifest(&world)["pages"].is_null());
    world.settings(ENTITY);
    world.kalends("report").succeeds().says("2 pages written");
    // What moved before an entity was forgotten is not known any more.
    world.kalends("forget visits --yes").succeeds();
    world.kalends("run").succeeds();
    assert!(page(&world, VISITS).contains("This is the first report."));
    world.kalends("forget visits --yes").succeeds();
    world.kalends("export").succeeds();
    assert!(pages(&world).is_empty(), "{:?}", pages(&world).keys());
}

#[test]
fn pages_that_were_asked_for_once_are_kept_up_to_date() {
    let world = visits("");
    world.kalends("run").succeeds();
    assert!(pages(&world).is_empty());
    let done = world.kalends("report --json").succeeds().json();
    assert_eq!((&done["pages"], &done["written_files"]), (&2.into(), &0.into()));
    world.kalends("report").succeeds().says("nothing to do: the pages are as they should be");
    world.production_sql("INSERT INTO visit VALUES ('2024-06-21', 'Paris', 5)");
    world.kalends("run").succeeds().says("2 pages").says("2024_6_21");
    assert!(page(&world, VISITS).contains("Paris"));
    let before = world.tree();
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(world.tree(), before);

    // Elsewhere they are written by themselves, over no stranger's file.
    world.kalends("report --out elsewhere").succeeds().says("2 pages written; open elsewhere/index.html");
    let there = fs::read_to_string(world.folder().join("elsewhere").join(VISITS)).unwrap();
    assert_eq!(rows(&there, "day"), rows(&page(&world, VISITS), "day"));
    world.kalends("report --out elsewhere").succeeds().says("nothing to do");
    fs::write(world.folder().join("elsewhere").join(FIRST), "mine").unwrap();
    world.kalends("report --out elsewhere").fails_with(4).says("Kalends did not write it");
    assert_eq!(world.tree(), before);
}

#[test]
fn a_page_says_what_moved_since_the_one_before_and_no_more_than_was_proven() {
    let world = visits("report = true\n");
    world.kalends("run").succeeds();
    let text = page(&world, VISITS);
    assert!(text.contains("This is the first report."), "{text}");
    assert!(text.contains("✓ Proven equal to production, as of 20"));
    assert!(text.contains("Complete through 20"));

    world.production_sql("UPDATE visit SET city = 'Lyon', spent = 7 WHERE at = '2024-01-02 05:00'");
    world.kalends("run").succeeds();
    let text = page(&world, VISITS);
    let moved = text.split("id=\"moved\"").nth(1).unwrap().split("</section>").next().unwrap().to_string();
    for period in ["<strong>2024-01-02</strong>: changed", "<strong>2024-01</strong>", "<strong>2024</strong>"] {
        assert!(moved.contains(period), "{period}: {moved}");
    }
    assert!(moved.contains("city = ") && moved.contains("sum_spent"), "{moved}");
    assert!(rows(&text, "day")["2024-01-02"].last().unwrap().contains("↺ 1"));
    // As long as nothing is settled, that is what moved since the report before.
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(page(&world, VISITS), text);
    world.production_sql("INSERT INTO visit VALUES ('2024-06-22', 'Lyon', 5)");
    world.kalends("run").succeeds();
    let text = page(&world, VISITS);
    assert!(!text.contains("<strong>2024-01-02</strong>") && text.contains("<strong>2024-06</strong>: new days"));

    // What is held is not called equal.
    world.production_sql("DELETE FROM visit WHERE at >= '2023-03-01' AND at < '2023-03-20'");
    world.kalends("run").fails_with(4);
    world.kalends("export").succeeds();
    let text = page(&world, VISITS);
    assert!(text.contains("! Held: 1 period differed from production"), "{}", text.split("<section").nth(1).unwrap());
    assert!(!text.contains("✓ Proven"));
}

#[test]
fn figures_of_floats_are_the_files_and_rows_of_the_future_hide_no_month() {
    let world = visits("report = true\n");
    world.production_sql(
        "TRUNCATE visit;
         ALTER TABLE visit ALTER spent TYPE double precision;
         INSERT INTO visit VALUES ('2024-03-05', 'Lyon', 1e15), ('2024-03-06', NULL, 1e-7), ('2024-03-06', 'NULL', 2),
                                  ('2999-01-01', 'Lyon', 5)",
    );
    world.kalends("run").succeeds();
    let text = page(&world, VISITS);
    let day = &rows(&text, "day")["2024-03-05"];
    assert_eq!(day[..5], ["1", "1000000000000000", "1e+15", "1e+15", "1000000000000000.000000"]);
    // The values are those of the last closed month, and a value that is written as NULL is not it.
    let ranked = text.split("<caption>March 2024").nth(1).unwrap().split("</tbody>").next().unwrap();
    assert!(ranked.contains("<td>1,000,000,000,000,000</td>") && !ranked.contains("no rows"), "{ranked}");
    assert!(ranked.contains(">&quot;NULL&quot;</td>\n<td>2</td>") && ranked.contains(">NULL</td>\n<td>0.0000001</td>"));
}

#[test]
fn no_page_fetches_anything_or_runs_what_is_not_ours() {
    let world = visits("report = true\n");
    world.kalends("run").succeeds();
    for path in [FIRST, VISITS] {
        let text = page(&world, path);
        let plain = text.replace("&#x27;", "'");
        assert!(plain.contains("default-src 'none'; script-src "), "{path}");
        assert!(!text.contains("<script>alert(1)"), "{path}");
        let bare = text.replace("http-equiv", "");
        for outside in [" src=\"", "<link", "@import", "url(http", "fetch(", "XMLHttpRequest"] {
            assert!(!bare.contains(outside), "{path}: {outside}");
        }
    }
    assert!(page(&world, FIRST).replace("&#x2f;", "/").contains("href=\"report/visits.html\""));
}

#[test]
fn a_page_counts_the_runs_that_failed_since_the_proof() {
    let world = visits("report = true\n");
    world.kalends("run").succeeds();
    assert!(!page(&world, VISITS).contains("failed since"));

    world.production_sql("ALTER TABLE visit RENAME TO visitor");
    world.kalends("run").fails_with(4);
    world.kalends("run").fails_with(4);
    world.kalends("export").succeeds();
    let text = page(&world, VISITS);
    let verdict = text.split("<section").nth(1).unwrap().replace("&quot;", "\"");
    assert!(
        verdict.contains("✓ Proven equal to production") && verdict.contains("2 runs failed since; the last one, 20")
    );
    assert!(verdict.contains("production has no table \"public.visit\""), "{verdict}");

    world.production_sql("ALTER TABLE visitor RENAME TO visit");
    // Moments are shown in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    world.kalends("run").succeeds();
    assert!(!page(&world, VISITS).contains("failed since"));
}

#[test]
fn the_statement_on_a_page_computes_the_digest_of_it() {
    let world = visits("report = true\n");
    world.kalends("run").succeeds();
    let text = page(&world, VISITS);
    let digest = text.split(" Digest ").nth(1).unwrap().get(..64).unwrap();
    let statement = text.split("<pre>").last().unwrap().split("</pre>").next().unwrap();
    let plain = [("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let statement = plain.iter().fold(statement.to_string(), |text, (entity, plain)| text.replace(entity, plain));
    assert!(world.ask_warehouse(&statement)[0].contains(digest), "{statement}");
    world.warehouse_sql("UPDATE kalends_stats.visits_day SET hash_a = hash_a + 1 WHERE day = '2024-02-29'");
    assert!(!world.ask_warehouse(&statement)[0].contains(digest));
}

/// The squares of a calendar by their class, each by its place in the year, for a year that begins on a Monday.
fn squares(calendar: &str) -> BTreeMap<String, Vec<u32>> {
    let paths = calendar.split("<path class=\"").skip(1).map(|path| {
        let (class, rest) = path.split_once('"').unwrap();
        let places = rest.split('M').skip(1).map(|square| {
            let (x, rest) = square.split_once(' ').unwrap();
            let (x, y): (u32, u32) = (x.parse().unwrap(), rest.split_once('h').unwrap().0.parse().unwrap());
            (x - 2) / 13 * 7 + (y - 18) / 13
        });
        (class.to_string(), places.collect())
    });
    paths.collect()
}

#[test]
fn a_calendar_says_how_far_each_day_can_be_trusted() {
    let world = visits("report = true\n");
    world.production_sql("INSERT INTO visit VALUES (now() + interval '1 day', 'Lyon', 5)");
    world.kalends("run").succeeds();
    world.production_sql(
        "UPDATE visit SET spent = 7 WHERE at::date = '2024-02-29';
         DELETE FROM visit WHERE at::date BETWEEN '2024-03-01' AND '2024-03-20'",
    );
    world.kalends("run").fails_with(4);
    world.kalends("export").succeeds();

    let days = world.ask_warehouse(
        "SELECT day - '2024-01-01' FROM kalends_stats.visits_day WHERE date_part('year', day) = 2024 ORDER BY 1",
    );
    let days: Vec<u32> = days.iter().map(|day| day.parse().unwrap()).collect();
    let (restated, held) = (59, 60..91);
    let closed = days.iter().copied().filter(|day| *day != restated && !held.contains(day));
    let missing = (0..366).filter(|day| !days.contains(day) && !held.contains(day));
    let expected = [
        ("again", vec![restated]),
        ("closed", closed.collect()),
        ("held", held.clone().collect()),
        ("missing", missing.collect()),
    ];
    let text = page(&world, VISITS);
    let of = |year: &str| text.split(&format!("trusted, {year}\"")).nth(1).unwrap().split("</svg>").next().unwrap();
    assert_eq!(squares(of("2024")), expected.map(|(class, days)| (class.to_string(), days)).into());
    let tomorrow = &world.ask_warehouse("SELECT date_part('year', max(day)) FROM kalends_stats.visits_day")[0];
    assert_eq!(squares(of(tomorrow))["unclosed"].len(), 1);
}

#[test]
fn a_calendar_has_a_colour_for_each_fifth_of_the_days() {
    let world = visits("report = true\n");
    world.kalends("run").succeeds();
    let fifths = world.ask_warehouse(
        "SELECT concat_ws(' ', day - '2024-01-01', 1 + 5 * (rank() OVER (ORDER BY sum_spent) - 1) / count(*) OVER ())
         FROM kalends_stats.visits_day WHERE sum_spent IS NOT NULL ORDER BY day",
    );
    let mut expected = BTreeMap::<String, Vec<u32>>::new();
    for line in fifths {
        let (day, fifth) = line.split_once(' ').unwrap();
        if let Ok(day) = day.parse() {
            expected.entry(format!("v{fifth}")).or_default().push(day);
        }
    }
    // The sums of this world grow from day to day.
    assert_eq!(expected.len(), 2);
    // Of 29 February there is no amount.
    expected.insert("none".to_string(), vec![59]);
    let text = page(&world, VISITS);
    let calendar = text.split("sum of spent by day, 2024\"").nth(1).unwrap().split("</svg>").next().unwrap();
    let mut found = squares(calendar);
    found.remove("missing");
    assert_eq!(found, expected);
}

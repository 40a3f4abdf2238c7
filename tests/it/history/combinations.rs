//! Which combinations of dimensions moved: said by a plan before, and by the history afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::kit::World;
use crate::kit::random::{self, Random};

/// Sales by city, which may be NULL.
fn sales(rows: &str) -> World {
    let world = World::new();
    world.production_sql(&format!(
        "CREATE TABLE sale (at timestamp, city text, price integer); INSERT INTO sale VALUES {rows}"
    ));
    let entity = "[[entity]]\nname = \"sales\"\ntable = \"sale\"\ntime = \"at\"\nmeasures = [\"price\"]\n\
                  dimensions = [\"city\"]\nstatistics = [\"sum\", \"min\", \"max\", \"mean\"]\n";
    world.settings(entity);
    world.kalends("run").succeeds();
    world
}

/// The moved combinations of each day, by city: rows and sum before and after. Figures that did not move are not
/// listed.
fn moved(of: &Value) -> BTreeMap<String, (String, String)> {
    let one = |one: &Value| {
        let sum = one["statistics"].as_array().unwrap().iter().find(|each| each["name"] == "sum_price");
        let side = |side: &str| format!("{} {}", one["rows"][side], sum.map_or(&Value::Null, |sum| &sum[side]));
        for statistic in one["statistics"].as_array().unwrap() {
            assert_ne!(statistic["before"], statistic["after"], "{statistic}");
        }
        (one["values"].to_string(), (side("before"), side("after")))
    };
    of["moved"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn figures_that_change_places_between_two_cities_are_told_city_by_city() {
    let world = sales(
        "('2024-01-02', 'Lyon', 5), ('2024-01-02', 'Paris', 7), ('2024-01-02', 'Nice', 1), ('2024-01-03', NULL, 1)",
    );
    world.production_sql("UPDATE sale SET price = 12 - price WHERE city IN ('Lyon', 'Paris')");
    let lines = |text: &str| {
        assert!(text.lines().all(|line| line.chars().count() < 100), "{text}");
        text.lines().map(|line| line.trim().to_string()).collect::<Vec<_>>()
    };
    let lyon = "city = \"Lyon\": sum_price 5 -> 7 (+2), min_price 5 -> 7 (+2), max_price 5 -> 7 (+2),";
    let mean = "mean_price 5.000000 -> 7.000000 (+2.000000)";
    let paris = "city = \"Paris\": sum_price 7 -> 5 (-2), min_price 7 -> 5 (-2), max_price 7 -> 5 (-2),";
    let planned = lines(&world.kalends("plan").succeeds().stdout);
    let at = planned.iter().position(|line| line == "move        2 combinations of sales on 2024-01-02").unwrap();
    assert_eq!(planned[at + 1..at + 4], [lyon, mean, paris]);
    assert!(!planned.iter().any(|line| line.contains("Nice")), "{planned:?}");
    let planned = world.kalends("plan --json").succeeds().json()["entities"][0]["combinations"].clone();

    world.kalends("run").succeeds();
    let told = lines(&world.kalends("history 2024-01-02").succeeds().stdout);
    assert_eq!(
        told[1..6],
        ["2024-01-02  sales: changed", "no figure of it moved", "2 combinations moved:", lyon, mean]
    );
    let paris = &paris[..paris.rfind(" max").unwrap()];
    assert!(told.iter().any(|line| line == paris) && !told.iter().any(|line| line.contains("Nice")), "{told:?}");
    let history = world.kalends("history 2024-01-02 --json").succeeds().json();
    let told = &history["restatements"][0]["combinations"];
    assert_eq!(told["dimensions"], json!(["city"]));
    assert_eq!(told["not_listed"], 0);
    assert_eq!(
        planned,
        json!([{"day": "2024-01-02", "dimensions": ["city"], "moved": told["moved"], "not_listed": 0}])
    );

    // A city that comes and one that goes.
    world.production_sql("UPDATE sale SET city = 'Brest' WHERE city = 'Nice'");
    world.kalends("run").succeeds();
    let history = world.kalends("history 2024-01-02 --json").succeeds().json();
    let expected = [("[\"Brest\"]", ("0 null", "1 \"1\"")), ("[\"Nice\"]", ("1 \"1\"", "0 null"))];
    let expected = expected.map(|(city, (was, is))| (city.to_string(), (was.to_string(), is.to_string())));
    assert_eq!(moved(&history["restatements"][0]["combinations"]), BTreeMap::from(expected));
    // A run that is held to a plan made before does what it said.
    world.production_sql("UPDATE sale SET price = price + 1");
    world.kalends("plan --out plan.json").succeeds();
    world.kalends("run --plan plan.json").succeeds();
    world.kalends("verify").succeeds();
}

#[test]
fn a_day_between_two_that_changed_has_no_combinations_in_a_plan() {
    let world = sales("('2024-01-02', 'Lyon', 5), ('2024-01-03', 'Nice', 7), ('2024-01-04', NULL, 1)");
    // Its row, which stays the same, lies between theirs.
    for (day, more) in [(2, 1), (3, 0), (4, 1)] {
        world.production_sql(&format!("UPDATE sale SET price = price + {more} WHERE at = '2024-01-0{day}'"));
    }
    let planned = world.kalends("plan --json").succeeds().json()["entities"][0]["combinations"].clone();
    let days: Vec<&Value> = planned.as_array().unwrap().iter().map(|of| &of["day"]).collect();
    assert_eq!(days, ["2024-01-02", "2024-01-04"], "{planned}");
    world.kalends("run").succeeds();
    let restated = world.kalends("history --json").succeeds().json()["restatements"].clone();
    let restated = restated.as_array().unwrap().iter().filter(|one| one["combinations"].is_object());
    let days: BTreeSet<String> = restated.map(|one| one["period"].as_str().unwrap().to_string()).collect();
    assert_eq!(days, ["2024-01-02", "2024-01-04"].map(str::to_string).into());
}

#[test]
fn of_many_combinations_those_that_moved_most_are_listed_and_the_others_counted() {
    let world = sales("('2024-01-02', repeat('x', 300), 0)");
    world.production_sql("INSERT INTO sale SELECT '2024-01-02', 'city ' || n, n FROM generate_series(1, 150) AS n");
    let planned = world.kalends("plan --json").succeeds().json()["entities"][0]["combinations"][0].clone();
    world.kalends("plan").succeeds().says("and 140 more; --json lists the 100 that moved most");
    world.kalends("run").succeeds();
    let told = world.kalends("history 2024-01-02 --json").succeeds().json()["restatements"][0]["combinations"].clone();
    for found in [&planned, &told] {
        let moved = found["moved"].as_array().unwrap();
        assert_eq!((moved.len(), &found["not_listed"]), (100, &json!(50)));
        assert_eq!((&moved[0]["values"], &moved[99]["values"]), (&json!(["city 150"]), &json!(["city 51"])));
    }
    world.production_sql("UPDATE sale SET price = 1 WHERE price = 0");
    world.kalends("run").succeeds();
    let told = world.kalends("history 2024-01-02 --json").succeeds().json()["restatements"][0]["combinations"].clone();
    assert_eq!(told["moved"][0]["values"], json!([format!("{}…", "x".repeat(200))]));
}

/// What the accounts say, by level and first day, and those of cities by day: rows and sum.
fn accounts(world: &World) -> BTreeMap<String, String> {
    let levels = ["day", "month", "year"].map(|level| {
        format!("SELECT '{level} ' || {level} || '=' || rows || ' ' || coalesce(sum_price::text, 'null') FROM kalends_stats.sales_{level}")
    });
    let cities = "SELECT 'city ' || day || ' ' || coalesce(to_json(dimension_city)::text, 'null') || '=' || rows || ' ' || coalesce(sum_price::text, 'null')
                  FROM kalends_stats.sales_by_day";
    let rows = world.ask_warehouse(&[&levels[..], &[cities.to_string()]].concat().join(" UNION ALL "));
    rows.iter().map(|row| row.split_once('=').unwrap()).map(|(key, said)| (key.to_string(), said.to_string())).collect()
}

/// Adds, deletes, changes or moves sales of a day.
fn edit(world: &World, random: &mut Random) {
    let day = random.one_of(&["2024-01-01", "2024-01-31", "2024-02-10", "2025-03-04"]);
    let city = random.one_of(&["'Lyon'", "'Paris'", "NULL", "''"]);
    let price = i64::try_from(random.below(7)).unwrap() - 3;
    world.production_sql(&match random.below(5) {
        4 => "DELETE FROM sale WHERE at < '2025-01-01'".to_string(),
        0 => format!("DELETE FROM sale WHERE at = '{day}'"),
        1 => format!("UPDATE sale SET price = {price} - price WHERE at = '{day}'"),
        2 => format!("UPDATE sale SET city = {city} WHERE at = '{day}' AND price > 0"),
        _ => format!("INSERT INTO sale VALUES ('{day}', {city}, {price})"),
    });
}

#[test]
fn history_tells_every_change_of_what_was_ever_settled_and_plans_tell_it_before() {
    let seed = random::seed("history");
    let mut random = Random::new(seed);
    let world = sales("('2024-01-01', 'Lyon', 1)");
    let mut was = accounts(&world);
    let mut ever: BTreeSet<String> = was.keys().cloned().collect();
    let (mut told, mut returned) = (0, 0);
    for round in 0..if crate::faults::sweeping() { 200 } else { 12 } {
        (0..=random.below(3)).for_each(|_| edit(&world, &mut random));
        let planned = world.kalends("plan --json --accept-loss").succeeds().json()["entities"][0].clone();
        world.kalends("run --accept-loss").succeeds();
        let is = accounts(&world);
        let history = world.kalends("history --json").succeeds().json();
        // A run that settles only what is new restates nothing; one that has nothing to do has no number.
        let run: i64 = world.ask_warehouse("SELECT max(run) FROM kalends.run").remove(0).parse().unwrap();
        let newest = if planned["days"] == json!([]) { Value::Null } else { json!(run) };
        let context = format!("seed {seed}, round {round}");
        let noted = history["restatements"].as_array().unwrap().iter().filter(|one| one["run"] == newest);
        let seen: BTreeSet<String> = noted.map(|one| is_true(one, [&was, &is], &planned, &context)).collect();
        let changed = ever.iter().filter(|key| !key.starts_with("city") && was.get(*key) != is.get(*key));
        let missing: Vec<&String> = changed.filter(|key| !seen.contains(*key)).collect();
        assert!(missing.is_empty(), "{missing:?} changed and the history does not tell it; {context}");
        told += seen.len();
        returned += seen.iter().filter(|key| !was.contains_key(*key)).count();
        ever.extend(is.keys().cloned());
        was = is;
    }
    eprintln!("{told} restatements, {returned} of periods that came back");
    world.kalends("verify").succeeds();
}

/// A restatement says what the accounts said before and say now, and what was planned; gives level and first day.
fn is_true(one: &Value, [was, is]: [&BTreeMap<String, String>; 2], planned: &Value, context: &str) -> String {
    let level = one["level"].as_str().unwrap();
    let rest = BTreeMap::from([("day", ""), ("month", "-01"), ("year", "-01-01")])[level];
    let first = format!("{}{rest}", one["period"].as_str().unwrap());
    let key = format!("{level} {first}");
    let sum = one["statistics"].as_array().unwrap().iter().find(|each| each["name"] == "sum_price").unwrap();
    for (side, accounts) in [("before", was), ("after", is)] {
        let said = format!("{} {}", one["rows"][side], sum[side].as_str().unwrap_or("null"));
        assert_eq!(said, accounts.get(&key).map_or("0 null", String::as_str), "{key} {side}; {context}");
    }
    if !was.contains_key(&key) {
        let what = one["causes"].as_array().unwrap().iter().map(|cause| cause["what"].as_str().unwrap());
        assert!(what.clone().all(|what| what == "returned" || what == "new days"), "{one}");
    } else if level == "day" {
        cities_are_told(&one["combinations"], &first, [was, is], context);
        let of_plan = planned["combinations"].as_array().unwrap().iter().find(|of| of["day"] == *first);
        let of_history = one["combinations"].as_object().map(|_| moved(&one["combinations"]));
        assert_eq!(of_plan.map(moved), of_history, "plan and history; {context}");
    }
    key
}

/// The cities that moved on a day, no more and no less.
fn cities_are_told(found: &Value, day: &str, [was, is]: [&BTreeMap<String, String>; 2], context: &str) {
    let of_day = |accounts: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let prefix = format!("city {day} ");
        let own =
            accounts.iter().filter_map(|(key, said)| Some((key.strip_prefix(&prefix)?.to_string(), said.clone())));
        own.collect()
    };
    let (was, is) = (of_day(was), of_day(is));
    let cities: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let changed: BTreeSet<String> =
        cities.into_iter().filter(|city| was.get(*city) != is.get(*city)).map(|city| format!("[{city}]")).collect();
    let told = found.as_object().map(|_| moved(found)).unwrap_or_default();
    // Rows of other prices with the same sum move a minimum alone.
    let missing: Vec<&String> = changed.iter().filter(|city| !told.contains_key(*city)).collect();
    assert!(missing.is_empty(), "{missing:?} of {day} moved; told: {told:?}; {context}");
}

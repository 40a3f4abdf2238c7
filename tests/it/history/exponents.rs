//! Doubles that the files have with an exponent: a plan, the history and a page print them so, with exact differences.

use serde_json::{Value, json};

use crate::kit::World;

fn readings() -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE reading (at timestamp, city text, level double precision, depth real);
         INSERT INTO reading VALUES
             ('2024-01-02', 'Lyon', 1e300, 2e6), ('2024-01-02', 'Nice', 5e-324, 1), ('2024-01-03', 'Nice', 0.25, 1)",
    );
    world.settings(
        "report = true\n[[entity]]\nname = \"reading\"\ntable = \"reading\"\ntime = \"at\"\ndimensions = [\"city\"]\n\
         measures = [\"level\", \"depth\"]\nstatistics = [\"sum\", \"min\", \"max\"]\nlevels = [\"day\"]\n",
    );
    world.kalends("run").succeeds();
    world
}

/// A change of large, small and short numbers.
fn change(world: &World) {
    world.production_sql(
        "UPDATE reading SET level = 3.5e300, depth = 2.5e6 WHERE city = 'Lyon';
         UPDATE reading SET level = 1.5e-323 WHERE city = 'Nice' AND at = '2024-01-02'",
    );
}

/// Minima and maxima that moved: name, before, after.
fn ends(statistics: &Value) -> Vec<(String, Value, Value)> {
    let all = statistics.as_array().unwrap().iter().filter(|one| one["before"] != one["after"]);
    let named = all.map(|one| (one["name"].as_str().unwrap().to_string(), one["before"].clone(), one["after"].clone()));
    named.filter(|(name, ..)| name.starts_with("min_") || name.starts_with("max_")).collect()
}

fn expected(all: &[(&str, &str, &str)]) -> Vec<(String, Value, Value)> {
    all.iter().map(|&(name, before, after)| (name.to_string(), json!(before), json!(after))).collect()
}

const OF_LYON: [&str; 2] = ["max_depth 2e+06 -> 2.5e+06 (+500,000)", "max_level 1e+300 -> 3.5e+300 (+2.5e+300)"];

#[test]
fn a_number_with_an_exponent_is_told_as_the_files_have_it_with_its_difference_and_percentage() {
    let world = readings();
    change(&world);
    let moved = expected(&[
        ("max_depth", "2e+06", "2.5e+06"),
        ("min_level", "5e-324", "1.5e-323"),
        ("max_level", "1e+300", "3.5e+300"),
    ]);
    let plan = world.kalends("plan --json").succeeds().json()["entities"][0].clone();
    let day = plan["accounts"].as_array().unwrap().iter().find(|one| one["period"] == "2024-01-02").unwrap();
    assert_eq!(ends(&day["statistics"]), moved);
    let lines = [
        "max_depth  2e+06 -> 2.5e+06  +500,000  +25.0%",
        "min_level  5e-324 -> 1.5e-323  +1e-323  +200.0%",
        "max_level  1e+300 -> 3.5e+300  +2.5e+300  +250.0%",
    ];
    let said = |text: &str| {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in lines.into_iter().chain(OF_LYON) {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(&line), "no {line} in {text}");
        }
    };
    said(&world.kalends("plan").succeeds().stdout);

    world.kalends("run").succeeds();
    let history = world.kalends("history --json").succeeds().json();
    let day = history["restatements"].as_array().unwrap().iter().find(|one| one["level"] == "day").unwrap();
    assert_eq!(ends(&day["statistics"]), moved);
    said(&world.kalends("history").succeeds().stdout);
    let page = std::fs::read_to_string(world.exports.join("report/reading.html")).unwrap();
    for cells in [
        ["max_depth", "2e+06", "2.5e+06", "+500,000", "+25.0%"],
        ["min_level", "5e-324", "1.5e-323", "+1e-323", "+200.0%"],
        ["max_level", "1e+300", "3.5e+300", "+2.5e+300", "+250.0%"],
    ] {
        let [name, before, after, difference, percent] = cells;
        let row =
            format!("{name}</td>\n<td>{before}</td><td>{after}</td>\n<td>{difference}</td><td>{percent}</td></tr>");
        assert!(page.contains(&row), "no {row}");
    }
}

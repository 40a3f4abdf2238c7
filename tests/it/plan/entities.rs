//! Plans of other entities than the default table.

use std::collections::BTreeSet;

use super::{agrees, plan};
use crate::kit::World;

const ORDERS: &str = "[[entity]]\nname = \"orders\"\ntable = \"purchase\"\ntime = \"at\"\ntime_zone = \"Europe/Paris\"\n\
                      measures = [\"price\", \"weight\"]\n";

fn purchases() -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE purchase (at timestamptz, price numeric, weight double precision, shop text);
         INSERT INTO purchase
         SELECT timestamptz '2024-03-30 20:00Z' + n * interval '17 min', n * 1.37, CASE WHEN n % 3 > 0 THEN n * 0.1 END,
                CASE WHEN n % 5 > 0 THEN 'shop ' || n % 4 END
         FROM generate_series(1, 200) n",
    );
    world
}

#[test]
fn hours_weeks_quarters_deviations_and_settings_that_grew_agree_as_well() {
    let world = purchases();
    let statistics = "statistics = [\"sum\", \"min\", \"max\", \"mean\", \"stddev\", \"count\"]\n";
    world.settings(format!("{ORDERS}{statistics}levels = [\"hour\", \"day\", \"week\", \"quarter\"]\n"));
    agrees(&world);
    world.production_sql(
        "UPDATE purchase SET price = 5.001 WHERE price = 13.70; DELETE FROM purchase WHERE price = 15.07",
    );
    agrees(&world);
    world.production_sql("UPDATE purchase SET weight = 'NaN' WHERE price = 5.001; UPDATE purchase SET weight = '-Infinity' WHERE price = 27.4");
    agrees(&world);
    world.settings(format!("{ORDERS}levels = [\"month\", \"year\"]\n"));
    let plan = agrees(&world);
    let anew = plan["entities"][0]["settled_anew"].to_string();
    assert!(anew.contains("level month added") && anew.contains("statistic stddev removed"), "{anew}");
    world.settings(format!("{ORDERS}{statistics}").replace("[\"price\", \"weight\"]", "[\"weight\"]"));
    world.production_sql("DELETE FROM purchase WHERE price = 27.4");
    agrees(&world);
}

#[test]
fn with_dimensions_every_file_that_may_change_is_named() {
    let world = purchases();
    world.settings(format!("{ORDERS}dimensions = [\"shop\"]\nlevels = [\"hour\", \"day\", \"month\"]\n"));
    agrees(&world);
    world.production_sql("UPDATE purchase SET shop = 'moved' WHERE price = 137.00");
    let plan = plan(&world);
    let why: BTreeSet<&str> =
        plan["files"]["write"].as_array().unwrap().iter().map(|file| file["why"].as_str().unwrap()).collect();
    assert_eq!(why, BTreeSet::from(["may change"]));
    let named: BTreeSet<String> = plan["files"]["write"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap().to_string())
        .collect();
    let tree = world.tree();
    world.kalends("run").succeeds();
    let now = world.tree();
    let written: Vec<&String> =
        now.iter().filter(|(path, file)| tree.get(*path) != Some(*file)).map(|(path, _)| path).collect();
    assert!(
        written.len() >= 3 && written.iter().all(|path| *path == "_manifest.json" || named.contains(*path)),
        "{written:?}"
    );
    assert_eq!(super::plan(&world)["nothing_to_do"], true);
    // What moved between combinations is not told of accounts that are made anew, with other columns.
    let more = "dimensions = [\"shop\"]\nlevels = [\"hour\", \"day\", \"month\"]\nstatistics = [\"sum\", \"stddev\"]\n";
    world.settings(format!("{ORDERS}{more}"));
    world.production_sql("UPDATE purchase SET shop = 'moved again' WHERE price = 27.40");
    let plan = &super::plan(&world)["entities"][0];
    assert_eq!((plan["days"].as_array().unwrap().len(), &plan["combinations"]), (1, &serde_json::json!([])), "{plan}");
    assert!(plan["settled_anew"].to_string().contains("statistic stddev added"), "{plan}");
}

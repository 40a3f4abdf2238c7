//! Why did January move? What `kalends history` says.

mod combinations;
mod exponents;
mod returned;

use serde_json::{Value, json};

use crate::kit::World;
use crate::messages::golden;
use crate::worked;

fn settled() -> World {
    World::settled(
        "created_at          | value
         2024-01-02 08:00:00 | 5
         2024-01-02 09:00:00 | 7
         2024-01-20 12:00:00 | 4
         2024-01-31 10:00:00 | 10
         2024-02-29 23:59:59 | 8
         2024-03-01 00:00:00 | 1
         2024-03-02 00:00:00 | 2",
    )
}

/// Run, period and causes, as one line each.
fn told(world: &World, arguments: &str) -> Vec<String> {
    let history = world.kalends(&format!("history {arguments} --json")).succeeds().json();
    assert_eq!(history["version"], 1);
    let line = |one: &Value| {
        let causes = one["causes"].as_array().unwrap().iter();
        let causes: Vec<String> =
            causes.map(|cause| format!("{} {}", cause["what"].as_str().unwrap(), cause["days"])).collect();
        let rows = &one["rows"];
        format!(
            "{} {} {} {}>{}: {}",
            one["run"],
            one["level"].as_str().unwrap(),
            one["period"].as_str().unwrap(),
            rows["before"],
            rows["after"],
            causes.join(", ")
        )
    };
    history["restatements"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn the_worked_examples_of_see_come_out_as_they_stand_there() {
    worked::example_holds("docs/guides/plan-and-history.md");
}

#[test]
fn each_cause_is_told_with_what_the_period_said_before_and_after() {
    let world = settled();
    assert_eq!(told(&world, ""), Vec::<String>::new(), "what was settled for the first time is not restated");
    world.production_sql(
        "INSERT INTO entity VALUES ('2024-01-02 10:00', 1), ('2024-01-15', NULL);
         UPDATE entity SET value = 11 WHERE value = 10;
         DELETE FROM entity WHERE value = 8;
         UPDATE entity SET value = value + 1 WHERE created_at >= '2024-03-01'",
    );
    world.settles_by("run --accept-loss");
    world.production_sql("DELETE FROM entity WHERE value = 7");
    world.settles();
    let second = [
        "2 year 2024 7>8: new days null, late rows 1, changed 1, vanished 1, regenerated 2",
        "2 month 2024-01 4>6: new days null, late rows 1, changed 1",
        "2 day 2024-01-02 2>3: late rows 1",
        "2 day 2024-01-31 1>1: changed 1",
        "2 month 2024-02 1>0: vanished 1",
        "2 day 2024-02-29 1>0: vanished 1",
        "2 month 2024-03 2>2: regenerated 2",
        "2 day 2024-03-01 1>1: changed 1",
        "2 day 2024-03-02 1>1: changed 1",
    ];
    let third = ["3 year 2024 8>7: shrunk 1", "3 month 2024-01 6>5: shrunk 1", "3 day 2024-01-02 3>2: shrunk 1"];
    assert_eq!(told(&world, ""), [third.as_slice(), &second].concat());
    assert_eq!(told(&world, "2024"), [third.as_slice(), &second].concat());
    assert_eq!(told(&world, "2024-01"), [&third[1..], &second[1..4]].concat());
    assert_eq!(told(&world, "2024-01-02"), [&third[2..], &second[2..3]].concat());
    assert_eq!(told(&world, "2024-03 --entity entity"), &second[6..]);

    let history = world.kalends("history 2024-02-29 --json").json();
    let kept = world.ask_warehouse("SELECT production_as_of FROM kalends.run WHERE run = 2").remove(0);
    let one = &history["restatements"][0];
    assert_eq!(one["production_as_of"], kept);
    assert_eq!(
        (&one["entity"], &history["period"], &history["entity"]),
        (&json!("entity"), &json!("2024-02-29"), &Value::Null)
    );
    let gone = |name: &str, before: &str| json!({"name": name, "before": before, "after": null});
    assert_eq!(
        one["statistics"],
        json!([
            gone("sum_values", "8"),
            gone("min_values", "8"),
            gone("max_values", "8"),
            gone("mean_values", "8.000000"),
            gone("count_values", "1")
        ])
    );
    // What the files said before and say now.
    let month = &world.kalends("history 2024-01 --json").json()["restatements"][0]["statistics"];
    let moved = |at: usize| {
        (month[at]["before"].as_str().unwrap().to_string(), month[at]["after"].as_str().unwrap().to_string())
    };
    assert_eq!(moved(0), ("28".into(), "21".into()));
    assert_eq!(moved(3), ("5.600000".into(), "5.250000".into()));
    world.file(
        "year=2024/month=1/entity_stats_monthly_2024_1.csv",
        "year,month,sum_values,min_values,max_values,mean_values\n2024,1,21,1,11,5.250000",
    );
}

#[test]
fn people_are_shown_the_figures_that_moved_and_with_all_the_others() {
    let world = settled();
    world.production_sql("INSERT INTO entity VALUES ('2024-01-20 13:00', 4000), ('2024-01-20 13:00', NULL)");
    world.kalends("run").succeeds();
    let below = |arguments: &str| {
        let told = world.kalends(arguments).succeeds().stdout.clone();
        told.lines().skip(2).map(|line| line.trim_end().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        below("history 2024-01-20"),
        [
            "              rows                1 ->            3             +2    +200.0%",
            "              sum_values          4 ->        4,004         +4,000  +100,000%",
            "              max_values          4 ->        4,000         +3,996   +99,900%",
            "              mean_values  4.000000 -> 2,002.000000  +1,998.000000   +49,950%",
        ]
    );
    let all = below("history 2024-01-20 --all");
    assert_eq!(
        [&all[0], &all[2], &all[5]],
        [
            "              rows                 1 ->            3             +2    +200.0%",
            "              min_values           4 ->            4",
            "              count_values         1 ->            2             +1    +100.0%",
        ]
    );
    world.production_sql("UPDATE entity SET created_at = '2024-03-01 05:00' WHERE created_at = '2024-03-01'");
    world.kalends("run").succeeds();
    assert_eq!(below("history 2024-03-01"), ["              no figure of it moved"]);
}

#[test]
fn a_period_of_which_nothing_was_restated_says_so() {
    let world = World::new();
    let said =
        |arguments: &str, text: &str| assert_eq!(world.kalends(arguments).succeeds().stdout, format!("{text}\n"));
    said("history", "nothing was restated");
    assert_eq!(world.tuples(), Vec::<String>::new(), "history makes no schema");
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settles();
    said("history 2024-01", "nothing of 2024-01 was restated");
    said("history -0044-03-15", "nothing of -0044-03-15 was restated");
    let before = (world.tuples(), world.tree());
    assert_eq!(world.kalends("history -q").succeeds().stdout, "");
    assert_eq!((world.tuples(), world.tree()), before);
}

#[test]
fn a_period_or_an_entity_that_there_is_not_is_usage() {
    let world = settled();
    for (arguments, name) in [
        ("history 2024-13", "history_month_13"),
        ("history march", "history_march"),
        ("history --entity orders", "history_of_no_entity"),
    ] {
        let ran = world.kalends(arguments);
        ran.fails_with(2);
        assert_eq!(ran.stdout, "");
        golden(name, &ran.stderr);
    }
}

#[test]
fn several_measures_and_entities_are_told_apart() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE purchase (at timestamptz, price numeric, weight double precision);
         INSERT INTO purchase VALUES ('2024-03-30 23:30Z', 1.5, 0.1), ('2024-04-02 12:00Z', 2, NULL);
         INSERT INTO entity VALUES ('2024-03-31', 1)",
    );
    world.settings(
        "[[entity]]\nname = \"orders\"\ntable = \"purchase\"\ntime = \"at\"\ntime_zone = \"Europe/Paris\"\n\
         measures = [\"price\", \"weight\"]\nstatistics = [\"sum\", \"mean\", \"count\"]\nlevels = [\"month\"]\n\
         [[entity]]\nname = \"visits\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n",
    );
    world.kalends("run").succeeds();
    world.production_sql("UPDATE purchase SET weight = 'NaN' WHERE price = 1.5; UPDATE entity SET value = 2");
    world.kalends("run").succeeds();
    assert_eq!(
        told(&world, "2024-03-31"),
        // Each entity's run has its number; the first two settled all for the first time.
        ["4 day 2024-03-31 1>1: changed 1", "3 day 2024-03-31 1>1: changed 1"]
    );
    let day = world.kalends("history 2024-03-31 --entity orders --json").json();
    let names: Vec<&str> = day["restatements"][0]["statistics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "sum_price",
            "min_price",
            "max_price",
            "mean_price",
            "count_price",
            "sum_weight",
            "min_weight",
            "max_weight",
            "mean_weight",
            "count_weight"
        ]
    );
    assert_eq!(day["restatements"][0]["statistics"][5], json!({"name": "sum_weight", "before": "0.1", "after": "NaN"}));
    assert_eq!(told(&world, "2024 --entity visits").len(), 3);
}

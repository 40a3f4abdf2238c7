//! What would a run do? What `kalends plan` says, and whether the run after it does it.

mod entities;
mod file;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::kit::World;

const ROWS: &str = "created_at          | value
     2024-01-02 08:00:00 | 5
     2024-01-02 09:00:00 | 7
     2024-01-20 12:00:00 | 4
     2024-01-31 10:00:00 | 10
     2024-02-28 23:59:59 | 8
     2024-02-29 23:59:59 | 9
     2024-03-01 00:00:00 | 1
     2024-03-02 00:00:00 | 2";

fn settled() -> World {
    World::settled(ROWS)
}

fn plan(world: &World) -> Value {
    let before = (world.tuples(), world.tree(), on_production(world));
    let plan = world.kalends("plan --json").succeeds().json();
    assert_eq!((world.tuples(), world.tree(), on_production(world)), before, "plan wrote something");
    plan
}

/// Tables of production, and where and by whom each row of ours was written.
fn on_production(world: &World) -> Vec<String> {
    let mut found = world.ask_production(
        "SELECT relname, relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    );
    found.extend(world.ask_production("SELECT ctid, xmin, xmax FROM entity ORDER BY ctid"));
    found
}

/// What the accounts of an entity say: level and period, with rows and what is kept of the measures as texts.
fn accounts(world: &World, entity: &str) -> BTreeMap<(String, String), BTreeMap<String, String>> {
    let mut accounts = BTreeMap::new();
    for level in ["day", "week", "month", "quarter", "year"] {
        let table = format!("kalends_stats.{entity}_{level}");
        if world.ask_warehouse(&format!("SELECT to_regclass('{table}') IS NOT NULL")) != ["t"] {
            continue;
        }
        let said = format!(
            "SELECT jsonb_build_object('period', {level}, 'said', (
                 SELECT jsonb_object_agg(key, coalesce(value, 'none'))
                 FROM jsonb_each_text(to_jsonb(t) - '{{{level},hash_a,hash_b}}'::text[])
                 WHERE key NOT LIKE 'squares%'))
             FROM {table} t"
        );
        for row in world.ask_warehouse(&said) {
            let row: Value = serde_json::from_str(&row).unwrap();
            let first = row["period"].as_str().unwrap();
            let first = first.strip_suffix(" BC").map_or(first.to_string(), |year| format!("-{year}"));
            accounts.insert((level.to_string(), first), serde_json::from_value(row["said"].clone()).unwrap());
        }
    }
    accounts
}

/// The first day of a period as it is written in a plan.
fn first_day(world: &World, level: &str, period: &str) -> String {
    match level {
        "week" => world.ask_warehouse(&format!("SELECT to_date('{period}', 'IYYY\"-W\"IW')")).remove(0),
        "quarter" => {
            let (year, quarter) = period.split_once("-Q").unwrap();
            format!("{year}-{:02}-01", 3 * quarter.parse::<u8>().unwrap() - 2)
        }
        "month" => format!("{period}-01"),
        "year" => format!("{period}-01-01"),
        _ => period.to_string(),
    }
}

/// What the plan says of one side of the accounts that change: `before` or `after`.
fn planned(world: &World, plan: &Value, side: &str) -> BTreeMap<(String, String), BTreeMap<String, String>> {
    let mut accounts = BTreeMap::new();
    for one in plan["accounts"].as_array().unwrap() {
        let level = one["level"].as_str().unwrap();
        let mut said: BTreeMap<String, String> = BTreeMap::new();
        for statistic in one["statistics"].as_array().unwrap() {
            let name = statistic["name"].as_str().unwrap();
            if !name.starts_with("mean_") && !name.starts_with("stddev_") {
                said.insert(name.to_string(), statistic[side].as_str().unwrap_or("none").to_string());
            }
        }
        let rows = one["rows"][side].as_i64().unwrap();
        said.insert("rows".to_string(), rows.to_string());
        if rows > 0 {
            accounts.insert((level.to_string(), first_day(world, level, one["period"].as_str().unwrap())), said);
        }
    }
    accounts
}

/// The plan is what the run after it does, and after the run there is nothing to do. Gives the plan.
#[track_caller]
fn agrees(world: &World) -> Value {
    let plan = plan(world);
    let of_entity = &plan["entities"][0];
    let entity = of_entity["entity"].as_str().unwrap();
    world.kalends("plan --check").fails_with(if plan["nothing_to_do"] == true { 0 } else { 3 });
    let (before, tree) = (accounts(world, entity), world.tree());
    let ran = world.kalends("run --json").succeeds().json();

    let mut causes = BTreeMap::<&str, usize>::new();
    for day in of_entity["days"].as_array().unwrap() {
        *causes.entry(day["cause"].as_str().unwrap()).or_default() += 1;
    }
    if of_entity["settled_anew"] == json!([]) {
        assert_eq!(json!(causes), ran["settled_days"], "days");
    }
    assert_eq!(of_entity["settled_anew"], ran["settled_anew"]);
    assert_eq!(of_entity["mended_periods"], ran["mended_periods"]);

    let after = accounts(world, entity);
    let differing = |one: &BTreeMap<(String, String), BTreeMap<String, String>>, other: &BTreeMap<_, _>| {
        one.iter()
            .filter(|(key, said)| other.get(*key) != Some(*said))
            .map(|(key, said)| (key.clone(), said.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    if of_entity["settled_anew"] == json!([]) {
        assert_eq!(planned(world, of_entity, "before"), differing(&before, &after), "accounts before");
        assert_eq!(planned(world, of_entity, "after"), differing(&after, &before), "accounts after");
    }

    let now = world.tree();
    let is_file = |path: &&String| *path != "_manifest.json";
    let written: BTreeSet<&str> = now
        .iter()
        .filter(|(path, file)| is_file(path) && tree.get(*path) != Some(*file))
        .map(|(path, _)| path.as_str())
        .collect();
    let files = plan["files"]["write"].as_array().unwrap().iter();
    let expected: BTreeSet<&str> = files.map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(expected, written, "files to write");
    let removed: Vec<&String> = tree.keys().filter(is_file).filter(|path| !now.contains_key(*path)).collect();
    assert_eq!(plan["files"]["remove"], json!(removed), "files to remove");
    assert_eq!(plan["files"]["list"].as_array().unwrap().len(), ran["listed_files"], "files to list");
    assert_eq!(plan["files"]["unchanged_files"], ran["unchanged_files"]);

    let again = self::plan(world);
    assert_eq!(again["nothing_to_do"], true, "{again:#}");
    assert_eq!((&again["entities"][0]["days"], &again["entities"][0]["accounts"]), (&json!([]), &json!([])));
    world.kalends("plan --check").succeeds().says("nothing to do: ");
    world.kalends("verify").succeeds();
    plan
}

#[test]
fn plan_and_the_run_after_it_agree_on_days_accounts_and_files() {
    let world = settled();
    let plan = agrees(&world);
    assert_eq!(plan["nothing_to_do"], true);
    for edit in [
        "INSERT INTO entity VALUES ('2024-01-02 10:00', 1)",
        "UPDATE entity SET value = 11 WHERE value = 10",
        "DELETE FROM entity WHERE value = 7",
        "DELETE FROM entity WHERE created_at::date = '2024-01-20'",
        "UPDATE entity SET created_at = created_at + interval '1 microsecond' WHERE value = 9",
        "UPDATE entity SET created_at = '2023-12-31' WHERE value = 8",
        "UPDATE entity SET value = NULL WHERE value = 11",
        "INSERT INTO entity SELECT '2024-03-05', n FROM generate_series(-3, 7) n",
        "INSERT INTO entity VALUES ('0044-03-15 BC', 1), ('12024-01-01', -1), (NULL, 5), ('infinity', 6)",
        "DELETE FROM entity WHERE ctid = (SELECT min(ctid) FROM entity WHERE created_at = '2024-03-05')",
        "UPDATE entity SET value = value",
    ] {
        world.production_sql(edit);
        agrees(&world);
        eprintln!("agreed: {edit}");
    }
}

#[test]
fn a_plan_says_what_changes_from_what_to_what() {
    let world = settled();
    world.production_sql("UPDATE entity SET value = 8 WHERE value = 7");
    let plan = agrees(&world);
    let keys: Vec<&str> = plan.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "accept_loss",
            "digest",
            "entities",
            "files",
            "generation",
            "kind",
            "nothing_to_do",
            "publishing_refused",
            "version",
            "warehouse",
            "warehouse_database"
        ]
    );
    let of_entity = &plan["entities"][0];
    assert_eq!(
        of_entity["days"],
        json!([{"day": "2024-01-02", "cause": "changed", "rows": {"before": 2, "after": 2}}])
    );
    let periods: Vec<&str> =
        of_entity["accounts"].as_array().unwrap().iter().map(|one| one["period"].as_str().unwrap()).collect();
    assert_eq!(periods, ["2024-01-02", "2024-01", "2024"]);
    let moved = |name: &str, before: &str, after: &str| json!({"name": name, "before": before, "after": after});
    assert_eq!(
        of_entity["accounts"][0]["statistics"],
        json!([
            moved("sum_values", "12", "13"),
            moved("min_values", "5", "5"),
            moved("max_values", "7", "8"),
            moved("mean_values", "6.000000", "6.500000"),
            moved("count_values", "2", "2")
        ])
    );
    let changed = |path: &str| json!({"path": path, "why": "changed"});
    assert_eq!(
        plan["files"]["write"],
        json!([
            changed("year=2024/entity_stats_yearly_2024.csv"),
            changed("year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv"),
            changed("year=2024/month=1/entity_stats_monthly_2024_1.csv")
        ])
    );
}

#[test]
fn an_empty_warehouse_is_planned_without_making_anything() {
    let world = World::new();
    let nothing = plan(&world);
    assert_eq!(
        (&nothing["nothing_to_do"], &nothing["warehouse"], &nothing["generation"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    // Nothing was settled or published, and production has no accounts either.
    let said = world.kalends("plan").succeeds().stdout.clone();
    assert!(said.starts_with("nothing to do: entity has production's accounts as of "), "{said}");
    world.production(ROWS);
    let plan = agrees(&world);
    assert_eq!(plan["entities"][0]["surveyed_rows"], 8);
    assert_eq!(plan["files"]["write"].as_array().unwrap().len(), 11);
}

#[test]
fn an_empty_warehouse_without_schemas_stays_empty() {
    let world = World::new();
    world.production(ROWS);
    world
        .kalends("plan --check")
        .fails_with(3)
        .says("settle      7 days (7 new)")
        .says("publish     11 files to write, 0 to remove");
    assert_eq!(world.tuples(), Vec::<String>::new());
    assert!(!world.exports.exists(), "plan made the export folder");
}

#[test]
fn files_that_somebody_edited_or_removed_are_planned_as_well() {
    let world = settled();
    fs::write(world.exports.join("year=2024/entity_stats_yearly_2024.csv"), "mine\n").unwrap();
    fs::remove_file(world.exports.join("year=2024/month=2/entity_stats_monthly_2024_2.csv")).unwrap();
    let plan = agrees(&world);
    assert_eq!(
        plan["files"]["write"],
        json!([
            {"path": "year=2024/entity_stats_yearly_2024.csv", "why": "changed"},
            {"path": "year=2024/month=2/entity_stats_monthly_2024_2.csv", "why": "missing"}
        ])
    );
    assert_eq!(plan["entities"][0]["days"], json!([]));
    fs::remove_file(world.exports.join("_manifest.json")).unwrap();
    let plan = agrees(&world);
    assert_eq!((&plan["files"]["write"], plan["files"]["list"].as_array().unwrap().len()), (&json!([]), 11));
}

#[test]
fn accounts_that_somebody_changed_are_planned_as_well() {
    let world = settled();
    world.warehouse_sql("UPDATE kalends_stats.entity_month SET sum_values = 99 WHERE month = '2024-01-01'");
    let plan = agrees(&world);
    assert_eq!(
        plan["entities"][0]["accounts"][0]["statistics"][0],
        json!({"name": "sum_values", "before": "99", "after": "26"})
    );
    world.warehouse_sql("DELETE FROM kalends_stats.entity_day WHERE day = '2024-02-29'");
    agrees(&world);
}

#[test]
fn publishing_that_would_be_refused_is_said() {
    let world = World::new();
    world.production(ROWS);
    fs::create_dir(&world.exports).unwrap();
    fs::write(world.exports.join("photo.jpg"), "mine").unwrap();
    world.kalends("plan").succeeds().says("refused     publishing: the export folder");
    world.kalends("run").fails_with(4);
}

#[test]
fn what_would_be_held_is_planned_as_held_and_what_is_accepted_as_settled() {
    let world = settled();
    world.production_sql(
        "DELETE FROM entity WHERE created_at >= '2024-02-01' AND created_at < '2024-03-02'; UPDATE entity SET value = 6 WHERE value = 5",
    );
    let plan = plan(&world);
    let of_entity = &plan["entities"][0];
    let held: Vec<&str> =
        of_entity["held"].as_array().unwrap().iter().map(|one| one["period"].as_str().unwrap()).collect();
    assert_eq!((held, &of_entity["accept"]), (vec!["2024-02"], &json!("kalends run --accept-loss 2024-02")));
    let days = |plan: &Value| -> Vec<String> {
        let days = plan["entities"][0]["days"].as_array().unwrap().iter();
        days.map(|day| format!("{} {}", day["day"].as_str().unwrap(), day["cause"].as_str().unwrap())).collect()
    };
    assert_eq!(days(&plan), ["2024-01-02 changed", "2024-03-01 vanished"]);
    world.kalends("plan").succeeds().says("held        2024-02: none of 2 rows is left");
    let accepted = world.kalends("plan --accept-loss 2024-02 --out plan.json --json").succeeds().json();
    assert_eq!(
        days(&accepted),
        ["2024-01-02 changed", "2024-02-28 vanished", "2024-02-29 vanished", "2024-03-01 vanished"]
    );
    assert_eq!((&accepted["entities"][0]["held"], &accepted["accept_loss"]), (&json!([]), &json!(["2024-02"])));

    // The plan before, which held, against the run that holds.
    let tree = world.tree();
    let ran = world.kalends("run --json").fails_with(4).json();
    assert_eq!(ran["settled_days"], json!({"changed": 1, "vanished": 1}));
    let now = world.tree();
    let written: BTreeSet<&String> = now
        .iter()
        .filter(|(path, file)| *path != "_manifest.json" && tree.get(*path) != Some(*file))
        .map(|(path, _)| path)
        .collect();
    let files = plan["files"]["write"].as_array().unwrap();
    assert_eq!(
        files.iter().map(|file| file["path"].as_str().unwrap().to_string()).collect::<BTreeSet<_>>(),
        written.into_iter().cloned().collect()
    );
    // The file of the day that vanished, beside a month that is held.
    let removed: Vec<&String> = tree.keys().filter(|path| !now.contains_key(*path)).collect();
    assert_eq!((&plan["files"]["remove"], removed.is_empty()), (&json!(removed), false));
    let again = self::plan(&world);
    assert_eq!(
        (&again["nothing_to_do"], &again["entities"][0]["days"], &again["files"]["write"]),
        (&json!(false), &json!([]), &json!([]))
    );
    world.kalends("run --plan plan.json").fails_with(4).says("the warehouse has changed");
    world.kalends("plan --accept-loss --out plan.json").succeeds();
    world.kalends("run --plan plan.json").succeeds().says("2 vanished");
    world.is_exact();
    assert_eq!(self::plan(&world)["nothing_to_do"], true);
}

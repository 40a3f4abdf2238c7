//! Closed and open periods: by production's clock, in the entity's time zone.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::prove_as_of;
use crate::kit::World;

fn manifest(world: &World) -> Value {
    serde_json::from_slice(&fs::read(world.exports.join("_manifest.json")).unwrap()).unwrap()
}

/// By path, whether the manifest says that it is closed.
fn listed(world: &World) -> BTreeMap<String, bool> {
    let manifest = manifest(world);
    let files = manifest["files"].as_object().unwrap();
    files.iter().map(|(path, entry)| (path.clone(), entry["closed"].as_bool().unwrap())).collect()
}

/// The paths of a day, its month and its year, and whether each has ended by the clock of production, in UTC.
fn expected(world: &World, days_ago: i32) -> BTreeMap<String, bool> {
    let sql = format!(
        "SELECT format('year=%s/month=%s/day=%s/entity_stats_daily_%1$s_%2$s_%3$s.csv', y, m, d) || ' ' || (day < today)
             || ' ' || format('year=%s/month=%s/entity_stats_monthly_%1$s_%2$s.csv', y, m) || ' ' || (date_trunc('month', day::timestamp) < date_trunc('month', today::timestamp))
             || ' ' || format('year=%s/entity_stats_yearly_%1$s.csv', y) || ' ' || (y < extract(year FROM today))
         FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today, (now() AT TIME ZONE 'UTC')::date - {days_ago} AS day) AS days,
              LATERAL (SELECT extract(year FROM day)::integer AS y, extract(month FROM day)::integer AS m, extract(day FROM day)::integer AS d) AS parts"
    );
    let words = world.ask_production(&sql).remove(0);
    let words: Vec<&str> = words.split(' ').collect();
    words.chunks(2).map(|pair| (pair[0].to_string(), pair[1] == "true")).collect()
}

fn insert(world: &World, days_ago: i32, value: i32) {
    world.production_sql(&format!(
        "INSERT INTO entity SELECT (now() AT TIME ZONE 'UTC')::date - {days_ago} + interval '1 second', {value}"
    ));
}

#[test]
fn periods_that_have_ended_are_closed_and_the_manifest_says_which() {
    let world = World::new();
    let mut all = BTreeMap::new();
    for (value, days_ago) in (1..).zip([0, 1, 40, 400]) {
        insert(&world, days_ago, value);
        all.extend(expected(&world, days_ago));
    }
    // The year of a day 400 days ago has ended, and today has not.
    assert!(all.values().any(|closed| *closed) && all.values().any(|closed| !*closed));
    world.settles();
    assert_eq!(listed(&world), all);
    let yesterday = world.ask_production("SELECT (now() AT TIME ZONE 'UTC')::date - 1").remove(0);
    assert_eq!(manifest(&world)["complete_through"], json!({"entity": yesterday}));
    world.kalends("status").succeeds().says(&format!("complete    through {yesterday}"));
    let views = world.ask_warehouse("SELECT period, closed FROM kalends.entity_daily ORDER BY period DESC LIMIT 2");
    assert!(views[0].ends_with("|f") && views[1].ends_with("|t"), "{views:?}");
}

#[test]
fn the_manifest_is_written_again_when_a_period_closes_and_no_file_with_it() {
    let world = World::new();
    insert(&world, 1, 5);
    insert(&world, 2, 6);
    world.kalends("run").succeeds();
    let whole = world.tree();
    // As it was a day ago: yesterday was open.
    prove_as_of(&world, "proven_at - interval '1 day'");
    // The export of a month says nothing of others.
    world.kalends("export 2020 1").succeeds().says("2020-01 holds no rows");
    assert_eq!(world.tree(), whole);
    world.kalends("status").fails_with(3).says("due         the manifest: ");
    world.kalends("verify").succeeds();
    world.kalends("export").succeeds().says("listed      the manifest was written again; no file was due");
    assert!(listed(&world).values().any(|closed| !closed), "yesterday is open");
    let day_before = manifest(&world)["complete_through"]["entity"].clone();
    world.kalends("export").succeeds().says("nothing to do");

    let tuples = world.tuples();
    world.kalends("run").succeeds().says("nothing to do: equal").says("listed      the manifest was written again");
    assert_eq!(world.tuples(), tuples);
    assert_ne!(manifest(&world)["complete_through"]["entity"], day_before);
    let changed: Vec<String> =
        world.tree().into_iter().filter(|(path, file)| whole[path] != *file).map(|(path, _)| path).collect();
    assert_eq!(changed, ["_manifest.json"]);
    assert_eq!(world.tree()["_manifest.json"].bytes, whole["_manifest.json"].bytes);
    world.settles();
}

#[test]
fn the_last_closed_day_moves_on_where_no_file_closes() {
    let world = World::settled("created_at | value\n 2024-01-02 | 5");
    let through = || manifest(&world)["complete_through"]["entity"].clone();
    let before = through();
    prove_as_of(&world, "proven_at - interval '1 day'");
    world.kalends("status").fails_with(3).says("due         the manifest: ");
    world.kalends("export").succeeds().says("listed      the manifest was written again; no file was due");
    assert!(through().as_str() < before.as_str(), "{before} {}", through());
}

#[test]
fn a_period_in_paris_closes_at_its_own_midnight() {
    let world = World::new();
    world.production_sql("CREATE TABLE sale (at timestamptz, amount integer); INSERT INTO sale VALUES ('2024-07-31 12:00+02', 1), ('2024-08-01 12:00+02', 2)");
    let settings = "[[entity]]\nname = \"sale\"\ntable = \"sale\"\ntime = \"at\"\ntime_zone = \"Europe/Paris\"\nmeasures = [\"amount\"]\n";
    world.settings(settings);
    world.kalends("run").succeeds();
    let at = |moment: &str| {
        prove_as_of(&world, &format!("timestamptz '{moment}'"));
        world.kalends("export").succeeds();
        let day_and_month = "SELECT period, closed FROM kalends.sale_daily UNION ALL SELECT period, closed FROM kalends.sale_monthly ORDER BY 1, 2";
        (
            world.ask_warehouse(day_and_month).join(" "),
            manifest(&world)["complete_through"]["sale"].as_str().unwrap().to_string(),
        )
    };
    let open = "2024-07-01|f 2024-07-31|f 2024-08-01|f 2024-08-01|f";
    let closed = "2024-07-01|t 2024-07-31|t 2024-08-01|f 2024-08-01|f";
    // Midnight in Paris is 22:00 UTC in summer.
    assert_eq!(at("2024-07-31 21:59:59.999999 UTC"), (open.to_string(), "2024-07-30".to_string()));
    assert_eq!(at("2024-07-31 22:00:00 UTC"), (closed.to_string(), "2024-07-31".to_string()));
    assert_eq!(at("2024-08-01 12:00:00 UTC"), (closed.to_string(), "2024-07-31".to_string()));
}

#[test]
fn an_hour_closes_with_its_end() {
    let world = World::new();
    world.production_sql("INSERT INTO entity VALUES ('2024-07-31 21:30', 1), ('2024-07-31 22:30', 2)");
    let settings = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\nlevels = [\"hour\", \"day\"]\n";
    world.settings(settings);
    world.kalends("run").succeeds();
    let at = |moment: &str| {
        prove_as_of(&world, &format!("timestamptz '{moment}'"));
        world.ask_warehouse("SELECT closed FROM kalends.entity_hourly ORDER BY period").join("")
            + &world.ask_warehouse("SELECT closed FROM kalends.entity_daily").join("")
    };
    assert_eq!(at("2024-07-31 21:59:59 UTC"), "fff");
    assert_eq!(at("2024-07-31 22:00:00 UTC"), "tff");
    assert_eq!(at("2024-07-31 23:59:59 UTC"), "ttf");
    assert_eq!(at("2024-08-01 00:00:00 UTC"), "ttt");
}

#[test]
fn a_day_that_ends_twice_is_closed_the_second_time() {
    let world = World::new();
    world.kalends("prepare").succeeds();
    let open_from = |moment: &str| {
        world.ask_warehouse(&format!("SELECT kalends.open_from('{moment}', 'America/St_Johns')")).remove(0)
    };
    // Clocks went from 00:01 back to 23:01 of the day before.
    assert_eq!(open_from("2006-10-28 23:59:59-02:30"), "2006-10-28");
    assert_eq!(open_from("2006-10-29 00:00:30-02:30"), "2006-10-28");
    assert_eq!(open_from("2006-10-28 23:59:59-03:30"), "2006-10-28");
    assert_eq!(open_from("2006-10-29 00:00:00-03:30"), "2006-10-29");
}

#[test]
fn closed_only_publishes_nothing_that_may_still_grow() {
    let world = World::new();
    insert(&world, 0, 5);
    // Where nothing is closed, nothing is due, not even a manifest.
    world.kalends("run --closed-only").succeeds();
    world.kalends("status --closed-only").succeeds();
    assert!(!world.exports.exists());
    insert(&world, 400, 6);
    let today = expected(&world, 0);
    let ended: Vec<String> = expected(&world, 400)
        .into_iter()
        .chain(today.clone())
        .filter(|(_, closed)| *closed)
        .map(|(path, _)| path)
        .collect();
    let report = world.kalends("run --closed-only --json").succeeds().json();
    let mut published: Vec<String> = world.files().into_keys().collect();
    published.sort();
    let mut ended = ended;
    ended.sort();
    ended.dedup();
    assert_eq!(published, ended);
    assert_eq!(report["open_files"], 3);
    world.kalends("status --closed-only").succeeds();
    world.kalends("verify --closed-only").succeeds();
    world.kalends("status").fails_with(3).says("due         3 files to write");
    let tree = world.tree();
    world.kalends("export --closed-only").succeeds().says("nothing to do");
    assert_eq!(world.tree(), tree);

    // What is open and was published is left as it is.
    world.settles();
    let open_files =
        |command: &str| world.kalends(&format!("{command} --closed-only --json")).json()["open_files"].clone();
    assert_eq!(open_files("export"), 3);
    insert(&world, 400, 8);
    assert_eq!(open_files("run"), 3, "beside closed ones that changed");
    let before = world.tree();
    insert(&world, 0, 7);
    world.kalends("run --closed-only").succeeds();
    for path in today.into_iter().filter(|(_, closed)| !closed).map(|(path, _)| path) {
        assert_eq!(world.tree()[&path], before[&path], "{path}");
    }
    world.kalends("verify").fails_with(3);
    world.settles();
}

#[test]
fn where_no_file_is_left_nothing_is_written_as_time_goes_on() {
    let world = World::settled("created_at | value\n 2024-01-02 | 5");
    world.production_sql("DELETE FROM entity");
    world.kalends("run --accept-loss").succeeds();
    let tree = world.tree();
    prove_as_of(&world, "proven_at - interval '1 day'");
    world.kalends("status").succeeds();
    world.kalends("export").succeeds().says("nothing to publish");
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(world.tree(), tree);
}

#[test]
fn a_month_that_is_published_alone_leaves_the_last_closed_day_to_the_next_export() {
    let world = World::settled("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    prove_as_of(&world, "proven_at - interval '1 day'");
    world.warehouse_sql(
        "INSERT INTO kalends.settled (entity, as_of, settlement)
         SELECT name, settled_as_of, settlement FROM kalends.entity",
    );
    let january = "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv";
    std::fs::write(world.exports.join(january), "edited").unwrap();
    world.kalends("export 2024 1").succeeds().says("published   1 file ");
    world.kalends("status").fails_with(3).says("due         the manifest: ");
    world.kalends("export").succeeds().says("listed      the manifest was written again; no file was due");
    world.kalends("status").succeeds();
}

//! How fresh the figures are, which periods are closed, and what monitoring is told.

mod closed;
mod metrics;

use serde_json::json;

use crate::kit::World;

/// The earliest moment that an entity is proven as of, in microseconds since 1970; 0 where one was never proven.
fn proven(world: &World) -> i64 {
    let sql = "SELECT min(coalesce((extract(epoch FROM proven_at) * 1000000)::bigint, 0)) FROM kalends.freshness";
    world.ask_warehouse(sql)[0].parse().unwrap()
}

/// Lets all be proven as of another moment, an expression of SQL, and not since.
fn prove_as_of(world: &World, moment: &str) {
    world.warehouse_sql(&format!(
        "UPDATE kalends.entity AS entity SET settlement = settlement + 1, proven_as_of = moment, settled_as_of = moment
         FROM (SELECT entity AS name, {moment} AS moment FROM kalends.freshness) AS fresh WHERE fresh.name = entity.name"
    ));
}

/// Lets it be so long ago that everything was proven.
fn prove_before(world: &World, interval: &str) {
    prove_as_of(world, &format!("now() - interval '{interval}'"));
}

#[test]
fn a_run_with_nothing_to_do_notes_that_all_is_equal_and_changes_no_tuple() {
    let world = World::with_two_days();
    let (before, tuples, tree) = (proven(&world), world.tuples(), world.tree());
    for command in ["run", "prepare"] {
        let ran = world.kalends(&format!("{command} --json")).succeeds().json();
        let now = proven(&world);
        assert!(now > before, "{command} does not note what it has proven");
        let noted = world.ask_warehouse(
            "SELECT to_char(proven_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC' FROM kalends.freshness",
        );
        assert_eq!(ran["production_as_of"], noted[0].as_str(), "{command}");
        let status = world.kalends("status --json").succeeds().json();
        assert_eq!(status["proven_as_of"], noted[0].as_str());
        assert!((0.0..600.0).contains(&status["age_seconds"].as_f64().unwrap()), "{status}");
    }
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
}

#[test]
fn what_was_not_proven_is_not_noted() {
    let world = World::with_two_days();
    let before = proven(&world);
    for command in ["export", "verify", "status"] {
        world.kalends(command).succeeds();
    }
    // What is held is not as production is.
    world.production_sql("BEGIN; CREATE TABLE kept AS TABLE entity; DELETE FROM entity WHERE value = 8; COMMIT");
    world.kalends("run").fails_with(4).says("held ");
    assert_eq!(proven(&world), before);
    world.production_sql("BEGIN; TRUNCATE entity; INSERT INTO entity TABLE kept; COMMIT");
    world.production_sql("ALTER TABLE entity RENAME value TO amount");
    world.kalends("run").fails_with(4);
    assert_eq!(proven(&world), before);
}

#[test]
fn of_several_entities_all_have_to_be_equal_and_the_earliest_counts() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    let entity = |name: &str, measure: &str| {
        format!(
            "[[entity]]\nname = \"{name}\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"{measure}\"]\n"
        )
    };
    let settings = world.folder().join("kalends.toml");
    std::fs::write(&settings, entity("one", "value") + &entity("two", "amount")).unwrap();
    world.kalends("run").fails_with(4);
    let status = world.kalends("status --json").json();
    assert_eq!(status["proven_as_of"], json!(null), "one of them failed");
    world.kalends("status").says("proven      two: never").says("proven      one: equal to production as of");
    std::fs::write(&settings, entity("one", "value") + &entity("two", "value")).unwrap();
    let ran = world.kalends("run --json").succeeds().json();
    let moments: Vec<&str> = (0..2).map(|at| ran["entities"][at]["production_as_of"].as_str().unwrap()).collect();
    let status = world.kalends("status --json").json();
    assert_eq!(status["proven_as_of"], **moments.iter().min().unwrap());
    assert_eq!(status["complete_through"].as_object().unwrap().len(), 2);
    world.kalends("status").says("proven      equal to production as of ").says(" UTC or later, ");
}

#[test]
fn figures_that_are_too_old_end_with_3() {
    let world = World::new();
    world.kalends("status --max-age 26h").fails_with(3).says("proven      never; older than 1day 2h");
    let status = world.kalends("status --json").succeeds().json();
    assert_eq!(
        (&status["version"], &status["proven_as_of"], &status["age_seconds"]),
        (&json!(1), &json!(null), &json!(null))
    );
    assert_eq!(status["complete_through"], json!({}));
    world.production("created_at | value\n 2024-01-02 | 5");
    world.kalends("run").succeeds();
    world.kalends("status --max-age 26h").succeeds().says("proven      equal to production as of ");
    // So long that no file changes its being closed on the way.
    prove_before(&world, "27 hours");
    world.kalends("export").succeeds();
    world.kalends("status").succeeds();
    world.kalends("status --max-age 28h").succeeds();
    world.kalends("status --max-age 26h").fails_with(3).says(" 1day 3h").says("; older than 1day 2h");
    world.kalends("run").succeeds();
    world.kalends("status --max-age 26h").succeeds();
    world.kalends("status --max-age soon").fails_with(2);
}

#[test]
fn status_says_when_the_newest_row_was() {
    let world = World::new();
    world.production_sql("INSERT INTO entity VALUES (now() - interval '45 days', 1), ('2024-01-02', 2)");
    world.kalends("run").succeeds();
    let days =
        world.ask_warehouse("SELECT max(day), (now() AT TIME ZONE 'UTC')::date - 1 FROM kalends_stats.entity_day");
    let (newest, yesterday) = days[0].split_once('|').unwrap();
    let ran = world.kalends("status");
    ran.succeeds().says(&format!("\ncomplete    through {yesterday}; newest row {newest}, 6 weeks old\n"));
    let status = world.kalends("status --json").json();
    assert_eq!(status["newest_day"], json!({"entity": newest}));
    world.production_sql("INSERT INTO entity VALUES (now() - interval '1 day', 1)");
    world.kalends("run").succeeds();
    world.kalends("status").succeeds().says(&format!("; newest row {yesterday}\n"));
    world.production_sql("INSERT INTO entity VALUES ('12024-01-01', 1)");
    world.kalends("run").succeeds();
    world.kalends("status").succeeds().says("; newest row 12024-01-01\n");
}

/// What is another each time: moments and how long ago they are.
fn masked(text: &str) -> String {
    let mask = |word: &str| -> String {
        let digits = word.chars().next().is_some_and(|first| first.is_ascii_digit());
        match word {
            _ if digits && (word.contains(':') || word.matches('-').count() == 2) => "…".to_string(),
            _ => word.to_string(),
        }
    };
    let lines = text.lines().map(|line| {
        let line = &line.replace(" years old", " old").replace(" 2 old", " 3 old");
        let line = match (line.find(" UTC, "), line.find(" ago")) {
            (Some(from), Some(until)) => format!("{}… {}", &line[..from + 6], &line[until + 1..]),
            _ => line.to_string(),
        };
        line.split(' ').map(mask).collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_page_of_status_shows_what_is_printed() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/monitor.md")).unwrap();
    let example = page.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-03 | 8");
    let mut printed = String::new();
    for command in example.lines().filter_map(|line| line.strip_prefix("$ kalends ")) {
        let ran = world.kalends(command);
        assert_eq!(ran.stderr, "", "{command}");
        printed += &format!("$ kalends {command}\n{}", ran.stdout);
    }
    assert_eq!(masked(&printed), masked(example));
}

//! What looks like a loss is held until somebody consents: the part stays, all else goes on.

mod changing;
mod failures;
mod source;
mod worked;

use serde_json::json;

use crate::kit::World;

/// So many rows on the first days of each month, in order.
fn rows(world: &World, months: &[(&str, usize)]) {
    for (month, rows) in months {
        world.production_sql(&format!(
            "INSERT INTO entity SELECT timestamp '{month}-01' + n * interval '1 day', n FROM generate_series(1, {rows}) AS n"
        ));
    }
}

/// Three months of ten rows, settled and published.
fn settled() -> World {
    let world = World::new();
    rows(&world, &[("2024-01", 10), ("2024-02", 10), ("2024-03", 10)]);
    world.settles();
    world
}

/// Takes the oldest rows out of a month.
fn lose(world: &World, month: &str, rows: usize) {
    world.production_sql(&format!(
        "DELETE FROM entity WHERE created_at IN
             (SELECT created_at FROM entity WHERE to_char(created_at, 'YYYY-MM') = '{month}' ORDER BY 1 LIMIT {rows})"
    ));
}

/// All there is of a month: rows and accounts with their places and writing transactions, files with inode and time.
fn all_of(world: &World, month: &str) -> (Vec<String>, Vec<String>) {
    let number = month[5..].trim_start_matches('0');
    let sql = format!(
        "SELECT ctid::text, xmin::text, * FROM kalends_raw.entity_{0}
         UNION ALL SELECT ctid::text, xmin::text, month, rows::integer FROM kalends_stats.entity_month WHERE month = '{month}-01'
         UNION ALL SELECT ctid::text, xmin::text, day, rows::integer FROM kalends_stats.entity_day
             WHERE to_char(day, 'YYYY-MM') = '{month}' ORDER BY 1, 2, 3",
        month.replace('-', "_")
    );
    let folder = format!("year=2024/month={number}/");
    let files = world.tree().into_iter().filter(|(path, _)| path.starts_with(&folder));
    (world.ask_warehouse(&sql), files.map(|file| format!("{file:?}")).collect())
}

/// Rows of the warehouse by month.
fn kept(world: &World) -> Vec<String> {
    world.ask_warehouse("SELECT to_char(created_at, 'YYYY-MM'), count(*) FROM kalends_raw.entity GROUP BY 1 ORDER BY 1")
}

/// Runs what a report says is to be run.
fn as_told(world: &World) {
    let told = world.kalends("run --json").fails_with(4).json();
    let command = told["accept"].as_str().unwrap().strip_prefix("kalends ").unwrap();
    world.kalends(command).succeeds();
}

#[test]
fn a_month_that_lost_more_than_half_stays_and_the_others_go_on() {
    let world = settled();
    lose(&world, "2024-01", 5);
    lose(&world, "2024-02", 6);
    world.production_sql("INSERT INTO entity VALUES ('2024-03-20', 1)");
    let february = all_of(&world, "2024-02");
    assert_eq!(february.0.len(), 10 + 1 + 10);
    world
        .kalends("run")
        .fails_with(4)
        .says("error: entity \"entity\": 2024-02 is held: 4 of 10 rows are left\n hint: To accept this, run")
        .says(
            "held        2024-02: 4 of 10 rows are left\n            to accept this: kalends run --accept-loss 2024-02",
        )
        .says("settled     6 days (1 new, 5 vanished), 2 months");
    // Half of January is not more than half.
    assert_eq!(kept(&world), ["2024-01|5", "2024-02|10", "2024-03|11"]);
    assert_eq!(all_of(&world, "2024-02"), february);
    world.file(
        "year=2024/month=3/entity_stats_monthly_2024_3.csv",
        "year,month,sum_values,min_values,max_values,mean_values\n2024,3,56,1,10,5.090909",
    );

    let (tuples, tree) = (world.tuples(), world.tree());
    let held = world.kalends("run --json").fails_with(4).json();
    let part = &held["held"][0];
    assert_eq!(part["since"], world.kalends("status --json").succeeds().json()["held"][0]["since"]);
    assert_eq!(
        held["held"],
        json!([{"period": "2024-02", "kind": "loss", "reason": "4 of 10 rows are left", "rows_before": 10,
                "rows_now": 4, "since": part["since"]}])
    );
    assert_eq!((world.tuples(), world.tree()), (tuples, tree), "what is held already is not noted again");
    world.kalends("verify").fails_with(3).says("2024-02-02 vanished");
    world.kalends("status").succeeds().says(
        "held        2024-02: 4 of 10 rows are left\n            to accept this: kalends run --accept-loss 2024-02",
    );

    as_told(&world);
    world.settles();
    assert_eq!(kept(&world), ["2024-01|5", "2024-02|4", "2024-03|11"]);
    assert_eq!(world.kalends("status --json").json()["held"], json!([]));
}

#[test]
fn a_held_month_keeps_the_runs_note_quiet_and_its_error_on_stderr() {
    let world = settled();
    lose(&world, "2024-02", 10);
    let ran = world.kalends("run --quiet");
    assert_eq!(ran.fails_with(4).stdout, "");
    ran.says("2024-02 is held: none of 10 rows is left");
}

#[test]
fn of_two_months_that_vanished_one_may_be_accepted() {
    let world = settled();
    lose(&world, "2024-01", 10);
    lose(&world, "2024-03", 10);
    let (january, march) = (all_of(&world, "2024-01"), all_of(&world, "2024-03"));
    world.kalends("run").fails_with(4).says("kalends run --accept-loss 2024-01 2024-03");
    assert_eq!((all_of(&world, "2024-01"), all_of(&world, "2024-03")), (january, march.clone()));
    world.kalends("run --accept-loss 2024-01").fails_with(4).says("to accept this: kalends run --accept-loss 2024-03");
    assert_eq!(kept(&world), ["2024-02|10", "2024-03|10"]);
    assert_eq!(all_of(&world, "2024-03"), march);
    assert!(!world.exports.join("year=2024/month=1").exists());
    // Neither another period nor one day of it is consent for the month.
    world.kalends("run --accept-loss 2023 2024-02").fails_with(4);
    assert_eq!(all_of(&world, "2024-03"), march);
    world.kalends("run --accept-loss 2024-03-02").fails_with(4);
    assert_eq!(kept(&world), ["2024-02|10", "2024-03|9"]);
    world.settles_by("run --accept-loss 2024");
}

#[test]
fn what_is_accepted_is_what_the_run_finds_and_a_later_loss_is_held_again() {
    let world = settled();
    lose(&world, "2024-02", 6);
    world.kalends("run").fails_with(4).says("4 of 10 rows are left");
    // Between the report and the consent.
    lose(&world, "2024-02", 1);
    world.production_sql("INSERT INTO entity VALUES ('2024-02-25', 77)");
    world.kalends("run --accept-loss 2024-02").succeeds();
    world.is_exact();
    lose(&world, "2024-02", 3);
    world.kalends("run").fails_with(4).says("2024-02: 1 of 4 rows are left");
    assert_eq!(kept(&world), ["2024-01|10", "2024-02|4", "2024-03|10"]);
    as_told(&world);
    world.settles();
}

#[test]
fn what_comes_back_by_itself_is_not_held_any_more() {
    let world = settled();
    lose(&world, "2024-02", 10);
    world.kalends("prepare").fails_with(4);
    rows(&world, &[("2024-02", 10)]);
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.held"), ["0"]);
    world.settles();
}

#[test]
fn an_empty_production_is_held_whatever_may_be_lost() {
    let world = settled();
    world.settings("[guard]\nloss = \"100%\"\n");
    world.production_sql("TRUNCATE entity");
    let before = (all_of(&world, "2024-01"), all_of(&world, "2024-02"), all_of(&world, "2024-03"));
    world.kalends("run").fails_with(4).says(
        "held        3 months from 2024-01 on: production holds no rows\n            to accept this: kalends \
            run --accept-loss\n",
    );
    let held = world.kalends("run --json").fails_with(4).json();
    assert_eq!(held["held"].as_array().unwrap().iter().map(|part| &part["kind"]).collect::<Vec<_>>(), ["empty"; 3]);
    assert_eq!((all_of(&world, "2024-01"), all_of(&world, "2024-02"), all_of(&world, "2024-03")), before);
    as_told(&world);
    world.settles();
    assert!(world.files().is_empty());
}

#[test]
fn how_much_may_be_lost_is_a_setting() {
    let world = settled();
    world.settings("[guard]\nloss = \"0%\"\n");
    lose(&world, "2024-01", 1);
    world.kalends("run").fails_with(4).says("held        2024-01: 9 of 10 rows are left");
    world.settings("[guard]\nloss = \"10%\"\n");
    world.kalends("run").succeeds();
    lose(&world, "2024-01", 1);
    world.kalends("run").fails_with(4).says("held        2024-01: 8 of 9 rows are left");
    lose(&world, "2024-02", 10);
    world.settings("[guard]\nloss = \"100%\"\n");
    world.settles();
    assert_eq!(kept(&world), ["2024-01|8", "2024-03|10"]);
}

const TWO: &str = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n\
                   [[entity]]\nname = \"visits\"\ntable = \"visits\"\ntime = \"at\"\nmeasures = [\"n\"]\n";

#[test]
fn an_entity_that_is_held_does_not_keep_the_others_from_settling() {
    let world = World::new();
    world.settings(TWO);
    rows(&world, &[("2024-01", 10)]);
    world.production_sql("CREATE TABLE visits (at date, n integer); INSERT INTO visits VALUES ('2024-01-01', 1)");
    world.kalends("run").succeeds();
    lose(&world, "2024-01", 9);
    world.production_sql("INSERT INTO visits VALUES ('2024-01-02', 2)");
    let january = all_of(&world, "2024-01").0;
    let ran = world.kalends("run --json");
    let told = ran.fails_with(4).says("error: entity \"entity\": 2024-01 is held").json();
    assert_eq!(told["entities"][0]["held"][0]["period"], "2024-01");
    assert_eq!(told["entities"][1]["settled_days"], json!({"new": 1}));
    assert_eq!(told["entities"][1]["held"], json!([]));
    assert_eq!(all_of(&world, "2024-01").0, january);
    assert_eq!(world.ask_warehouse("SELECT n FROM kalends_raw.visits ORDER BY 1"), ["1", "2"]);
    world.file("year=2024/visits_stats_yearly_2024.csv", "year,sum_n,min_n,max_n,mean_n\n2024,3,1,2,1.500000");
    assert_eq!(world.kalends("status --json").succeeds().json()["held"][0]["entity"], "entity");

    // Nor does one that is held and mended take the other's notes with it.
    let held = "SELECT entity FROM kalends.held ORDER BY 1";
    world.production_sql("DELETE FROM visits WHERE n = 1");
    world.settings("[guard]\nloss = \"10%\"\n".to_string() + TWO);
    world.kalends("run").fails_with(4).says("\"visits\": 2024-01 is held");
    assert_eq!(world.ask_warehouse(held), ["entity", "visits"]);
    world.production_sql("INSERT INTO visits VALUES ('2024-01-01', 1)");
    world.settings("[guard]\nloss = \"10%\"\n[[entity]]".to_string() + TWO.split("[[entity]]").nth(2).unwrap());
    world.kalends("run").succeeds();
    assert_eq!(world.ask_warehouse(held), ["entity"]);

    world.settings(TWO);
    world.kalends("forget entity --yes").succeeds();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.held"), ["0"]);
    assert_eq!(world.ask_warehouse("SELECT entity FROM kalends.source"), ["visits"]);
}

#[test]
fn tables_are_not_made_anew_while_anything_is_held() {
    let world = settled();
    let entity = TWO.split("[[entity]]").nth(1).unwrap();
    for (settings, gone) in [("statistics = [\"sum\"]", 6), ("measures = [\"other\"]", 3)] {
        world.production_sql("ALTER TABLE entity ADD COLUMN IF NOT EXISTS other integer");
        let entity = entity.replace("measures = [\"value\"]\n", "");
        let measures = if settings.starts_with("measures") { "" } else { "measures = [\"value\"]\n" };
        world.settings(format!("[[entity]]{entity}{measures}{settings}\n"));
        lose(&world, "2024-02", gone);
        let before = (world.ask_warehouse("SELECT * FROM kalends_stats.entity_day ORDER BY 1"), world.tree());
        let ran = world.kalends("run").fails_with(4).says("held        2024-02").stdout.clone();
        assert!(!ran.contains("rebuilt"), "{ran}");
        let after = (world.ask_warehouse("SELECT * FROM kalends_stats.entity_day ORDER BY 1"), world.tree());
        assert_eq!(after, before);
        world.kalends("run --accept-loss 2024-02").succeeds().says("rebuilt");
        world.kalends("verify").succeeds();
        world.kalends("run").succeeds().says("nothing to do");
    }
}

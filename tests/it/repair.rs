//! `verify --repair`: every layer, tampered with, and made again; and `verify --sample`.

mod sample;

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use serde_json::{Value, json};

use crate::kit::World;
use crate::worked;

const YEAR: &str = "year=2024/entity_stats_yearly_2024.csv";
const JANUARY_2: &str = "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv";
const FEBRUARY: &str = "year=2024/month=2/entity_stats_monthly_2024_2.csv";

fn settled() -> World {
    World::settled(
        "created_at          | value
         2024-01-02 08:00:00 | 5
         2024-01-02 09:00:00 | 7
         2024-01-31 10:00:00 | 10
         2024-02-29 23:59:59 | 8
         2024-02-29 23:59:59 | 8",
    )
}

/// Verify sees it, a repair mends it and says so, all is exact, and a further repair writes nothing.
#[track_caller]
fn mends(world: &World) -> Value {
    let found = world.kalends("verify --json").fails_with(3).json();
    let repaired = world.kalends("verify --repair --json").succeeds().json();
    assert_eq!((&repaired["version"], &repaired["equal"]), (&json!(1), &json!(true)));
    // Files are listed as they were when rows and accounts were mended.
    let of_warehouse = |found: &Value| -> Vec<Value> {
        found.as_array().unwrap().iter().filter(|one| one["layer"] != "files").cloned().collect()
    };
    assert_eq!(of_warehouse(&repaired["found"]), of_warehouse(&found["differences"]));
    assert_eq!(repaired["differences"], json!([]));
    whole(world);
    repaired["mended"].clone()
}

#[track_caller]
fn whole(world: &World) {
    world.kalends("verify").succeeds();
    let (tuples, tree) = (world.tuples(), world.tree());
    let again = world.kalends("verify --repair");
    again.succeeds().says("nothing to repair: production = rows = accounts = files, ");
    assert_eq!(world.tuples(), tuples, "a repair with nothing to do wrote to the warehouse");
    assert_eq!(world.tree(), tree, "a repair with nothing to do wrote files");
}

fn mended(rows_days: usize, rows_loaded: usize, accounts: usize, written: usize, removed: usize) -> Value {
    json!({
        "rows_days": rows_days, "rows_loaded": rows_loaded, "accounts": accounts,
        "written_files": written, "listed_files": 0, "removed_files": removed
    })
}

#[test]
fn the_worked_examples_of_verify_come_out_as_they_stand_there() {
    worked::example_holds("docs/guides/verify.md");
}

#[test]
fn what_is_equal_is_left_as_it_is() {
    let world = settled();
    let proven = || world.kalends("status --json").json()["proven_as_of"].clone();
    let before = proven();
    whole(&world);
    assert!(proven().as_str() > before.as_str(), "a repair proves as a run does: {before} {}", proven());
}

#[test]
fn rows_that_somebody_changed_are_loaded_again_by_day() {
    for (tamper, days, rows) in [
        ("UPDATE kalends_raw.entity SET value = 6 WHERE value = 7", 1, 2),
        ("DELETE FROM kalends_raw.entity WHERE value = 10", 1, 1),
        (
            "DELETE FROM kalends_raw.entity WHERE value = 8 AND ctid = (SELECT min(ctid) FROM kalends_raw.entity_2024_02)",
            1,
            2,
        ),
        ("INSERT INTO kalends_raw.entity VALUES ('2024-01-09', 1), ('2024-01-10', 2)", 2, 0),
        ("TRUNCATE kalends_raw.entity", 3, 5),
        ("DROP TABLE kalends_raw.entity_2024_01", 2, 3),
    ] {
        let world = settled();
        let history = world.kalends("history --json").json()["restatements"].clone();
        let other = world.ask_warehouse("SELECT ctid, xmin FROM kalends_raw.entity_2024_02");
        let files = world.tree();
        world.warehouse_sql(tamper);
        assert_eq!(mends(&world), mended(days, rows, 0, 0, 0), "{tamper}");
        let run = world.kalends("status --json").succeeds().json()["last_run"].clone();
        assert_eq!((&run["days"], &run["rows"]), (&json!(days), &json!(rows)), "{tamper}");
        world.is_exact();
        assert_eq!(world.tree(), files, "{tamper}: no file was wrong");
        // The accounts were right all the time: nothing is restated.
        assert_eq!(world.kalends("history --json").json()["restatements"], history, "{tamper}");
        if !tamper.contains("entity_2024_02") && !tamper.contains("TRUNCATE") {
            assert_eq!(world.ask_warehouse("SELECT ctid, xmin FROM kalends_raw.entity_2024_02"), other, "{tamper}");
        }
    }
}

#[test]
fn rows_of_no_day_are_taken_out() {
    let world = settled();
    world.warehouse_sql(
        "CREATE TABLE kalends_raw.odd PARTITION OF kalends_raw.entity DEFAULT;
         ALTER TABLE kalends_raw.odd OWNER TO kalends_writer;
         INSERT INTO kalends_raw.entity VALUES ('infinity', 1), ('-infinity', 2)",
    );
    let proven = || world.kalends("status --json").json()["proven_as_of"].clone();
    let before = proven();
    mends(&world);
    world.is_exact();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_raw.odd"), ["0"]);
    assert!(proven().as_str() > before.as_str());
    // Beside a day that is loaded again.
    world.warehouse_sql(
        "INSERT INTO kalends_raw.entity VALUES ('infinity', 1);
         UPDATE kalends_raw.entity SET value = 6 WHERE value = 7",
    );
    mends(&world);
    world.is_exact();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_raw.odd"), ["0"]);
}

#[test]
fn accounts_of_days_months_and_years_are_made_again_without_loading() {
    for (tamper, accounts, written, removed) in [
        ("UPDATE kalends_stats.entity_day SET hash_b = hash_b + 1 WHERE day = '2024-01-02'", 1, 0, 0),
        ("UPDATE kalends_stats.entity_day SET sum_values = sum_values + 1 WHERE day = '2024-01-02'", 2, 0, 0),
        ("DELETE FROM kalends_stats.entity_day WHERE day = '2024-02-29'", 2, 0, 0),
        (
            "INSERT INTO kalends_stats.entity_day SELECT '2024-05-05', rows, count_values, sum_values, min_values, max_values, hash_a, hash_b FROM kalends_stats.entity_day LIMIT 1",
            2,
            0,
            0,
        ),
        ("UPDATE kalends_stats.entity_month SET min_values = 4 WHERE month = '2024-01-01'", 2, 0, 0),
        ("UPDATE kalends_stats.entity_year SET max_values = 11", 1, 0, 0),
        ("DELETE FROM kalends_stats.entity_month; DELETE FROM kalends_stats.entity_year", 2, 0, 0),
        ("INSERT INTO kalends_stats.entity_year VALUES ('2023-01-01', 1, 0)", 1, 0, 0),
    ] {
        let world = settled();
        let (rows, files) = (world.ask_warehouse("SELECT ctid, xmin, * FROM kalends_raw.entity"), world.tree());
        world.warehouse_sql(tamper);
        assert_eq!(mends(&world), mended(0, 0, accounts, written, removed), "{tamper}");
        world.is_exact();
        assert_eq!(
            world.ask_warehouse("SELECT ctid, xmin, * FROM kalends_raw.entity"),
            rows,
            "{tamper}: rows were loaded"
        );
        assert_eq!(world.tree(), files, "{tamper}: what was published was right");
    }
}

#[test]
fn accounts_that_were_published_wrong_are_mended_with_their_files() {
    let world = settled();
    world.warehouse_sql("UPDATE kalends_stats.entity_month SET sum_values = 1000 WHERE month = '2024-02-01'");
    world.kalends("export").succeeds();
    let text = world.kalends("verify --repair");
    text.succeeds()
        .says("3 differences found\n")
        .says("accounts    2024-02 changed\n")
        .says("repaired    accounts: 2 periods\n")
        .says("repaired    files: 1 written, 0 removed\n")
        .says("equal: production = rows = accounts = files, as of ");
    world.is_exact();
    whole(&world);
}

#[test]
fn accounts_of_every_other_level_and_of_combinations_are_made_again() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE sale (at timestamp, shop text, price integer);
         INSERT INTO sale VALUES ('2024-01-02 08:00', 'a', 1), ('2024-01-02 09:00', 'b', 2), ('2024-02-29 10:00', NULL, 3);
         GRANT SELECT ON sale TO PUBLIC",
    );
    world.settings("[[entity]]\nname = \"sale\"\ntable = \"sale\"\ntime = \"at\"\nmeasures = [\"price\"]\ndimensions = [\"shop\"]\n\
         levels = [\"hour\", \"day\", \"week\", \"month\", \"quarter\", \"year\"]\n");
    world.kalends("run").succeeds();
    let files = world.tree();
    let state = |table: &str| world.ask_warehouse(&format!("SELECT * FROM kalends_stats.{table} ORDER BY 1, 2"));
    for level in ["hour", "day", "week", "month", "quarter", "year"] {
        for table in [format!("sale_{level}"), format!("sale_by_{level}")] {
            let before = state(&table);
            for tamper in ["UPDATE {} SET sum_price = sum_price + 1", "DELETE FROM {}"] {
                world.warehouse_sql(&tamper.replace("{}", &format!("kalends_stats.{table}")));
                let repaired = world.kalends("verify --repair --json");
                let repaired = repaired.succeeds().json();
                assert!(repaired["mended"]["accounts"].as_u64().unwrap() > 0, "{table}: {repaired}");
                assert_eq!(repaired["mended"]["rows_days"], 0, "{table}");
                assert_eq!(state(&table), before, "{table} after {tamper}");
            }
        }
    }
    whole(&world);
    assert_eq!(world.tree(), files);
}

#[test]
fn files_that_were_changed_removed_and_added_are_published_again() {
    let world = settled();
    let before = world.tree();
    let path = |path: &str| world.exports.join(path);
    fs::write(path(JANUARY_2), "year,month\n").unwrap();
    fs::remove_file(path(YEAR)).unwrap();
    fs::write(path("year=2024/notes.txt"), "somebody's").unwrap();
    let tuples = world.tuples();
    assert_eq!(mends(&world), mended(0, 0, 0, 2, 0));
    assert_eq!(world.tuples(), tuples, "nothing was wrong in the warehouse");
    let after = world.tree();
    for (path, file) in before.iter().filter(|(path, _)| ![JANUARY_2, YEAR, "_manifest.json"].contains(&path.as_str()))
    {
        assert_eq!(after[path], *file, "{path} was right and was written");
    }
    assert_eq!(fs::read_to_string(path("year=2024/notes.txt")).unwrap(), "somebody's", "it is nobody's to remove");
    fs::remove_file(path("year=2024/notes.txt")).unwrap();
    world.is_exact();
    // A file of ours whose period is gone: it was published, and nobody asks for it any more.
    world.production_sql("DELETE FROM entity WHERE value = 8");
    world.kalends("prepare --accept-loss").succeeds();
    let repaired = world.kalends("verify --repair --json").succeeds().json();
    assert_eq!(repaired["mended"]["removed_files"], 2, "{repaired}");
    assert!(!path(FEBRUARY).exists());
    whole(&world);
}

#[test]
fn what_production_has_since_is_settled_as_well_and_noted_as_restated() {
    let world = settled();
    world.production_sql(
        "INSERT INTO entity VALUES ('2024-01-02 10:00', 1); UPDATE entity SET value = 11 WHERE value = 10",
    );
    world.warehouse_sql("DELETE FROM kalends_raw.entity WHERE value = 8");
    assert_eq!(mends(&world), mended(3, 6, 2, 4, 0));
    world.is_exact();
    let history = world.kalends("history --json").json();
    let days: Vec<&str> = history["restatements"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["level"] == "day")
        .map(|one| one["period"].as_str().unwrap())
        .collect();
    assert_eq!(days, ["2024-01-02", "2024-01-31"], "29 February said all the time what it says");
}

#[test]
fn what_looks_like_a_loss_is_held_and_all_else_is_mended() {
    let world = settled();
    world.production_sql("DELETE FROM entity WHERE value = 8");
    world.warehouse_sql("UPDATE kalends_raw.entity SET value = 6 WHERE value = 7");
    let february = || {
        let rows = world.ask_warehouse("SELECT ctid, xmin, * FROM kalends_raw.entity_2024_02");
        (rows, world.tree()[FEBRUARY].clone())
    };
    let before = february();
    let ran = world.kalends("verify --repair");
    ran.fails_with(4)
        .says("held        2024-02: ")
        .says("to accept this: kalends verify --repair --accept-loss 2024-02");
    assert_eq!(february(), before, "what is held is left as it was");
    assert_eq!(world.ask_warehouse("SELECT value FROM kalends_raw.entity_2024_01 ORDER BY 1"), ["5", "7", "10"]);
    let proof = || world.kalends("status --json").json()["proofs"]["entity"].clone();
    let proven_as_of = proof()["proven_as_of"].clone();
    let again = world.kalends("verify --repair --json").fails_with(4).json();
    assert_eq!(
        (&again["found"], &again["equal"], &again["held"][0]["period"]),
        (&json!([]), &json!(false), &json!("2024-02"))
    );
    assert_eq!(february(), before);
    assert_eq!((&proof()["proven_as_of"], &proof()["whole"]), (&proven_as_of, &json!(false)), "it is not equal");
    world.kalends("verify --repair --accept-loss 2024-02").succeeds();
    world.is_exact();
    whole(&world);
}

#[test]
fn what_differs_after_a_repair_as_well_is_listed() {
    let world = settled();
    // Somebody's trigger: whenever the year is written, February is spoilt.
    world.warehouse_sql(
        "UPDATE kalends_stats.entity_year SET max_values = 11;
         CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
             UPDATE kalends_stats.entity_month SET min_values = 4 WHERE month = '2024-02-01'; RETURN NULL; END $$;
         CREATE TRIGGER spoil AFTER UPDATE ON kalends_stats.entity_year EXECUTE FUNCTION public.spoil()",
    );
    let repaired = world.kalends("verify --repair --json").fails_with(3).json();
    let listed = |period: &str| json!({"layer": "accounts", "what": period, "how": "changed"});
    assert_eq!(repaired["found"][0], listed("2024"));
    assert_eq!((&repaired["equal"], &repaired["differences"][0]), (&json!(false), &listed("2024-02")), "{repaired}");
    world.warehouse_sql("DROP FUNCTION public.spoil() CASCADE");
    world.kalends("verify --repair").succeeds();
    world.is_exact();
    whole(&world);
}

#[test]
fn a_warehouse_of_which_nothing_is_settled_is_settled() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.kalends("verify --repair").succeeds();
    world.is_exact();
    whole(&world);
}

#[test]
fn a_repair_that_is_killed_leaves_whole_months_and_the_next_one_ends_it() {
    let world = settled();
    world.warehouse_sql("UPDATE kalends_raw.entity SET value = value + 1; DELETE FROM kalends_stats.entity_day WHERE day = '2024-02-29'");
    let february = world.ask_warehouse("SELECT ctid, xmin, * FROM kalends_raw.entity_2024_02");
    let mut client = Client::connect(&world.warehouse_url, NoTls).unwrap();
    let mut hold = client.transaction().unwrap();
    hold.batch_execute("LOCK TABLE kalends_raw.entity_2024_02 IN SHARE MODE").unwrap();
    let mut repairing = world.command("verify --repair").spawn().unwrap();
    let begun = Instant::now();
    while world.ask_warehouse("SELECT sum(value) FROM kalends_raw.entity_2024_01") != ["22"] {
        assert!(begun.elapsed() < Duration::from_secs(30), "January was not repaired");
        sleep(Duration::from_millis(20));
    }
    repairing.kill().unwrap();
    repairing.wait().unwrap();
    hold.rollback().unwrap();
    let differences = world.kalends("verify --json").fails_with(3).json()["differences"].clone();
    let of_rows: Vec<&Value> = differences.as_array().unwrap().iter().filter(|one| one["layer"] == "rows").collect();
    assert_eq!(of_rows, [&json!({"layer": "rows", "what": "2024-02-29", "how": "changed"})]);
    assert_eq!(world.ask_warehouse("SELECT ctid, xmin, * FROM kalends_raw.entity_2024_02"), february);
    assert_eq!(mends(&world)["rows_days"], 1);
    world.is_exact();
}

#[test]
fn other_settings_are_a_run_s_to_settle() {
    let world = settled();
    world.settings("[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\nlevels = [\"year\"]\n");
    let before = (world.tuples(), world.tree());
    let refused = world.kalends("verify --repair");
    refused.fails_with(4).says("Run `kalends prepare`, which settles it again");
    assert_eq!((world.tuples(), world.tree()), before);
}

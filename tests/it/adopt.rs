//! Another tool's table in the warehouse: what it missed, and taking over what it has.

mod interrupted;
mod types;

use std::fs;

use serde_json::{Value, json};

use crate::kit::{World, run_sql, servers};
use crate::messages::golden;
use crate::worked;

const COLUMNS: &str = "--from analytics.events --column created_at=created --column value=amount";
const YEAR: &str = "year=2024/entity_stats_yearly_2024.csv";
const JANUARY_2: &str = "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv";
const FEBRUARY: &str = "year=2024/month=2/entity_stats_monthly_2024_2.csv";

/// Production, and a table of another tool with the same rows in columns of other names and types.
fn loaded() -> World {
    let world = World::new();
    world.production(
        "created_at          | value
         2024-01-02 08:00:00 | 5
         2024-01-02 09:00:00 | 7
         2024-01-31 10:00:00 | 10
         2024-02-01 00:00:00 | NULL
         2024-02-29 23:59:59 | 8
         2024-02-29 23:59:59 | 8",
    );
    let rows = world.ask_production("SELECT format('(%L::timestamp, %L::bigint)', created_at, value) FROM entity");
    world.warehouse_sql(&format!(
        "CREATE SCHEMA analytics;
         CREATE TABLE analytics.events (id bigint GENERATED ALWAYS AS IDENTITY, amount bigint, created timestamp);
         INSERT INTO analytics.events (created, amount) VALUES {};
         GRANT USAGE ON SCHEMA analytics TO PUBLIC; GRANT SELECT ON analytics.events TO PUBLIC",
        rows.join(", ")
    ));
    world
}

/// The other table, as it stands on its pages.
fn theirs(world: &World) -> Vec<String> {
    world.ask_warehouse("SELECT ctid, xmin, xmax, * FROM analytics.events ORDER BY ctid")
}

fn check(world: &World, code: i32) -> Value {
    let before = (world.tuples(), theirs(world), world.tree());
    let found = world.kalends(&format!("adopt --check {COLUMNS} --json")).fails_with(code).json();
    assert_eq!((world.tuples(), theirs(world), world.tree()), before, "adopt --check changed something");
    found
}

#[test]
fn the_worked_example_of_adopt_comes_out_as_it_stands_there() {
    worked::example_holds("docs/guides/adopt.md");
}

#[test]
fn a_table_that_holds_what_production_does_is_equal() {
    let world = loaded();
    let found = check(&world, 0);
    assert_eq!(found["version"], 1);
    assert_eq!(
        (&found["equal"], &found["entity"], &found["from"]),
        (&json!(true), &json!("entity"), &json!("analytics.events"))
    );
    assert_eq!((&found["production_rows"], &found["their_rows"], &found["days"]), (&json!(6), &json!(6), &json!(4)));
    assert_eq!(found["differences"], json!([]));
    let text = world.kalends(&format!("adopt --check {COLUMNS}"));
    text.succeeds().says(
        "equal: \"analytics.events\" has production's counts and checksums on every day, 6 rows, 4 \
        days, production as of ",
    );
    // There was no schema of ours before, and there is none now.
    assert_eq!(world.tuples(), Vec::<String>::new());
    assert!(!world.exports.exists());
}

#[test]
fn what_is_missing_extra_and_changed_is_told_by_day() {
    let world = loaded();
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02 10:00', 1), ('2024-03-01', 2), ('2024-03-01', 3)");
    world.warehouse_sql(
        "UPDATE analytics.events SET amount = 11 WHERE amount = 10;
         INSERT INTO analytics.events (created, amount) VALUES ('2024-02-29 12:00', 8), ('2024-04-01', 1)",
    );
    let found = check(&world, 3);
    assert_eq!(found["equal"], false);
    assert_eq!(
        (&found["missing"], &found["extra"], &found["changed"]),
        (&json!({"rows": 3, "days": 2}), &json!({"rows": 2, "days": 2}), &json!({"rows": 1, "days": 1}))
    );
    let day = |day: &str, how: &str, production: i64, theirs: i64| json!({"day": day, "how": how, "production_rows": production, "their_rows": theirs});
    assert_eq!(
        found["differences"],
        json!([
            day("2024-01-02", "missing", 3, 2),
            day("2024-01-31", "changed", 1, 1),
            day("2024-02-29", "extra", 2, 3),
            day("2024-03-01", "missing", 2, 0),
            day("2024-04-01", "extra", 0, 1),
        ])
    );
    let text = world.kalends(&format!("adopt --check {COLUMNS}"));
    text.fails_with(3)
        .says(
            "\"analytics.events\" lacks 3 rows on 2 days, has 2 rows too many on 2 days, has 1 day with other rows \
            at the same count",
        )
        .says("missing     2024-01-02 2 rows, production has 3\n")
        .says("changed     2024-01-31 1 row, but other ones\n")
        .says("extra       2024-04-01 1 row, production has 0\n");
    assert_eq!(text.stdout.lines().count(), 6);
    // A NULL that is a zero there is another value, and a row twice is not once.
    world.warehouse_sql("TRUNCATE analytics.events");
    world.warehouse_sql(
        "INSERT INTO analytics.events (created, amount) VALUES ('2024-02-01', 0), ('2024-02-29 23:59:59', 8)",
    );
    let days = check(&world, 3)["differences"].as_array().unwrap().clone();
    assert!(
        days.contains(&day("2024-02-01", "changed", 1, 1)) && days.contains(&day("2024-02-29", "missing", 2, 1)),
        "{days:?}"
    );
}

#[test]
fn rows_of_no_day_are_compared_by_their_number() {
    let world = loaded();
    world.production_sql("INSERT INTO entity VALUES (NULL, 1)");
    world.warehouse_sql("INSERT INTO analytics.events (created, amount) VALUES (NULL, 1)");
    check(&world, 0);
    world.warehouse_sql("INSERT INTO analytics.events (created, amount) VALUES ('infinity', 1)");
    let found = check(&world, 3);
    assert_eq!(found["their_set_aside"], json!({"without_time": 1, "outside_calendar": 1}));
    world.kalends(&format!("adopt --check {COLUMNS}")).says("has 2 rows of no day where production has 1");
}

#[test]
fn a_check_needs_select_alone_on_both_sides() {
    let world = loaded();
    let role =
        "DO $$ BEGIN CREATE ROLE doubter LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
    let database = world.production_url.rsplit('/').next().unwrap();
    for (port, url, grants) in [
        (5432, &world.production_url, "GRANT USAGE ON SCHEMA public TO doubter; GRANT SELECT ON entity TO doubter"),
        (
            5433,
            &world.warehouse_url,
            "GRANT USAGE ON SCHEMA analytics TO doubter; GRANT SELECT ON analytics.events TO doubter",
        ),
    ] {
        run_sql(url, &format!("{role}; {grants}; GRANT CONNECT ON DATABASE {database} TO doubter"));
        servers().admit(port, "doubter", "trust");
    }
    let [ours, warehouse] = [5432, 5433].map(|port| servers().url(port, "doubter", database));
    let variables = [("KALENDS_PRODUCTION_URL", ours.as_str()), ("KALENDS_WAREHOUSE_URL", warehouse.as_str())];
    let found = world.kalends_with(&format!("adopt --check {COLUMNS} --json"), &variables);
    assert_eq!(found.succeeds().json()["equal"], true);
    assert!(!matches!(world.kalends_with("prepare", &variables).code, Some(0)), "the doubter may write");
    run_sql(&world.warehouse_url, "REVOKE SELECT ON analytics.events FROM doubter, PUBLIC");
    let refused = world.kalends_with(&format!("adopt --check {COLUMNS}"), &variables);
    refused.fails_with(4);
    golden("adopt_select_not_granted", &refused.stderr);
}

#[test]
fn what_cannot_be_meant_is_refused_and_changes_nothing() {
    let world = loaded();
    world.warehouse_sql(
        "CREATE TABLE analytics.odd (created_at text, value bigint); GRANT SELECT ON analytics.odd TO PUBLIC",
    );
    let before = theirs(&world);
    for (arguments, code, name) in [
        ("adopt", 2, "adopt_without_from"),
        ("adopt --from a.b.c", 2, "adopt_from_nowhere"),
        ("adopt --from analytics.events --column amount", 2, "adopt_column_alone"),
        ("adopt --from analytics.events --column price=amount", 2, "adopt_column_unknown"),
        ("adopt --from analytics.events --entity orders", 2, "adopt_entity_unknown"),
        ("adopt --check --from analytics.nothing", 4, "adopt_table_missing"),
        ("adopt --from analytics.nothing", 4, "adopt_table_missing"),
        ("adopt --check --from analytics.events", 4, "adopt_column_missing"),
        ("adopt --check --from analytics.odd", 4, "adopt_type_that_does_not_compare"),
    ] {
        let ran = world.kalends(arguments);
        ran.fails_with(code);
        assert_eq!(ran.stdout, "");
        golden(name, &ran.stderr);
        assert_eq!(
            (theirs(&world), world.tuples(), world.exports.exists()),
            (before.clone(), Vec::new(), false),
            "{name}"
        );
    }
    world.settles();
    let settled = (world.tuples(), world.tree());
    let again = world.kalends(&format!("adopt {COLUMNS}"));
    again.fails_with(4);
    golden("adopt_settled_already", &again.stderr);
    assert_eq!((world.tuples(), world.tree()), settled);
}

/// The warehouse's rows.
fn rows(world: &World) -> Vec<String> {
    world.ask_warehouse("SELECT created_at, value FROM kalends_raw.entity ORDER BY 1, 2")
}

#[test]
fn what_is_equal_is_taken_over_and_the_rest_comes_from_production() {
    let world = loaded();
    // Of January, one day is equal, one is missing, and one differs. Of February, one differs that lies between others.
    world.production_sql("INSERT INTO entity VALUES ('2024-01-03 10:00', 1), ('2024-02-15', 4), ('2024-03-01', 2)");
    world.warehouse_sql(
        "UPDATE analytics.events SET amount = 11 WHERE amount = 10;
         INSERT INTO analytics.events (created, amount) VALUES ('2024-02-15', 5), ('2024-04-01', 1);
         -- It lies in the table after that.
         UPDATE analytics.events SET amount = amount WHERE created = '2024-02-29 23:59:59'",
    );
    let before = theirs(&world);
    let adopted = world.kalends(&format!("adopt {COLUMNS} --json")).succeeds().json();
    assert_eq!(
        (&adopted["taken"], &adopted["loaded"]),
        (&json!({"rows": 5, "days": 3}), &json!({"rows": 4, "days": 4}))
    );
    let run = world.kalends("status --json").succeeds().json()["last_run"].clone();
    assert_eq!((&run["days"], &run["rows"]), (&json!(7), &json!(9)));
    assert_eq!(adopted["missed"]["missing"], json!({"rows": 2, "days": 2}));
    assert_eq!(adopted["missed"]["differences"].as_array().unwrap().len(), 5);
    assert_eq!((&adopted["taken_files"], &adopted["removed_files"]), (&json!(0), &json!(0)));
    world.is_exact();
    assert_eq!(rows(&world), world.ask_production("SELECT created_at, value FROM entity ORDER BY 1, 2"));
    assert_eq!(theirs(&world), before, "the other table is left as it was");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.adoption"), ["0"]);
    world.kalends("verify").succeeds();
    let (tuples, tree) = (world.tuples(), world.tree());
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
    // It is an entity as any other from now on.
    world.production_sql("DELETE FROM entity WHERE value = 5");
    world.heals();
}

#[test]
fn equal_days_are_not_read_from_production_again() {
    let world = loaded();
    let adopted = world.kalends(&format!("adopt {COLUMNS} -vv"));
    adopted.succeeds().says("adopted     6 rows of 4 days from \"analytics.events\"").says("missed      nothing");
    assert!(!adopted.stderr.contains("sql/production/rows.sql"), "{}", adopted.stderr);
    assert!(adopted.stderr.contains("sql/load/take.sql"), "{}", adopted.stderr);
    world.is_exact();
}

#[test]
fn files_that_are_equal_are_taken_over_as_they_are_and_others_are_replaced() {
    let source = loaded();
    source.settles();
    let world = loaded();
    for (path, bytes) in source.files() {
        let place = world.exports.join(&path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }
    fs::write(world.exports.join(JANUARY_2), "year,month,day,sum\n2024,1,2,0\n").unwrap();
    fs::remove_file(world.exports.join(FEBRUARY)).unwrap();
    fs::write(world.exports.join("notes.txt"), "not ours").unwrap();
    let before = world.tree();
    world.kalends("run").fails_with(4).says("holds files that Kalends did not write");
    world.kalends("forget entity --yes").succeeds();

    let adopted = world.kalends(&format!("adopt {COLUMNS} --json")).succeeds().json();
    let total = source.files().len();
    assert_eq!((&adopted["listed_files"], &adopted["unchanged_files"]), (&json!(total - 2), &json!(0)));
    assert_eq!((&adopted["taken_files"], &adopted["written_files"]), (&json!(total - 2), &json!(2)));
    let after = world.tree();
    for (path, file) in &before {
        if path != JANUARY_2 {
            assert_eq!(after[path], *file, "{path} was written anew");
        }
    }
    world.file(JANUARY_2, "year,month,day,sum_values,min_values,max_values,mean_values\n2024,1,2,12,5,7,6.000000");
    assert!(after.contains_key(FEBRUARY) && after.contains_key(YEAR));
    world.kalends("verify").succeeds();
    // Once more, when all of them are listed already: they are left alone as well.
    world.kalends("forget entity --yes").succeeds();
    let again = world.kalends(&format!("adopt {COLUMNS}"));
    again.succeeds().says(&format!("unchanged   {total} files that were already right"));
    fs::remove_file(world.exports.join("notes.txt")).unwrap();
    world.is_exact();
    // From now on they are Kalends' own: gone with their rows.
    world.production_sql("DELETE FROM entity WHERE created_at >= '2024-02-01'");
    world.kalends("run --accept-loss").succeeds();
    assert!(!world.exports.join(FEBRUARY).exists());
    world.settles();
}

#[test]
fn a_table_that_changes_meanwhile_deceives_nobody() {
    let world = loaded();
    world.warehouse_sql(
        "ALTER TABLE analytics.events RENAME TO kept;
         CREATE FUNCTION analytics.look() RETURNS bigint LANGUAGE sql VOLATILE 
             AS 'SELECT count(*) FROM pg_locks WHERE locktype = ''advisory'' AND pid <> pg_backend_pid()
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())';
         CREATE VIEW analytics.events AS
         SELECT created, amount + CASE WHEN amount = 7 THEN analytics.look() ELSE 0 END AS amount FROM analytics.kept;
         GRANT SELECT ON analytics.events TO PUBLIC",
    );
    // The view says 7 to whoever looks, and 8 while a transaction holds the warehouse to take its rows.
    world.kalends(&format!("adopt --check {COLUMNS}")).succeeds();
    let adopted = world.kalends(&format!("adopt {COLUMNS} --json")).succeeds().json();
    // January was not as it had seemed, and came from production.
    assert_eq!(
        (&adopted["taken"], &adopted["loaded"]),
        (&json!({"rows": 3, "days": 2}), &json!({"rows": 3, "days": 2}))
    );
    world.is_exact();
}

#[test]
fn of_several_entities_one_is_named() {
    let world = loaded();
    world.production_sql("CREATE TABLE other (at date, n integer)");
    world.settings(
        "[[entity]]\nname = \"events\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n\
         [[entity]]\nname = \"other\"\ntable = \"other\"\ntime = \"at\"\nmeasures = [\"n\"]\n",
    );
    let which = world.kalends(&format!("adopt --check {COLUMNS}"));
    which.fails_with(2);
    golden("adopt_which_entity", &which.stderr);
    let found = world.kalends(&format!("adopt --check {COLUMNS} --entity events --json")).succeeds().json();
    assert_eq!(found["entity"], "events");
    world.kalends(&format!("adopt {COLUMNS} --entity events")).succeeds();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_raw.events"), ["6"]);
}

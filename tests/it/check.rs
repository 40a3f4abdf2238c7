//! `check`: it says what a run would end with, whatever is wrong, and writes nothing.

use std::fs;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::export::Frozen;
use crate::kit::{Ran, World};
use crate::messages::as_role;

const ENTITY: &str =
    "[[entity]]\nname = \"orders\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";

/// All that could be written to: rows, tables and schemas of both servers, files of the working directory.
fn state(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    let catalogue = "SELECT 'relation', xmin::text, relname, relnamespace::regnamespace::text FROM pg_class WHERE oid > 16383
                     UNION ALL SELECT 'schema', xmin::text, nspname, '' FROM pg_namespace WHERE oid > 16383 ORDER BY 1, 3, 4";
    let rows = "SELECT xmin, xmax, ctid, t::text FROM pg_class, LATERAL (SELECT query_to_xml(format('SELECT ctid, xmin, xmax, t.* FROM %s t', oid::regclass), true, false, '')) AS q (t)
                WHERE oid > 16383 AND relkind = 'r' ORDER BY relname";
    let rows = rows.replace("xmin, xmax, ctid, t::text", "relname, t::text");
    let mut names: Vec<String> =
        fs::read_dir(world.folder()).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    names.sort();
    let production = [world.ask_production(catalogue), world.ask_production(&rows)];
    (production, world.ask_warehouse(catalogue), world.tuples(), world.tree(), names)
}

/// `check` without a trace.
#[track_caller]
fn check(world: &World, arguments: &str, variables: &[(&str, &str)]) -> Ran {
    let before = state(world);
    let ran = world.kalends_with(&format!("check {arguments}"), variables);
    assert_eq!(state(world), before, "check wrote something");
    assert_eq!(ran.stderr, "");
    ran
}

fn problems(report: &Value) -> Vec<&Value> {
    report["findings"].as_array().unwrap().iter().filter(|finding| finding["verdict"] == "problem").collect()
}

/// `check` has problems, all about this, and ends with this code; so does a run, in the words of one of them.
#[track_caller]
fn agrees(world: &World, variables: &[(&str, &str)], code: i32, about: &str) {
    let report = check(world, "--json", variables).fails_with(code).json();
    assert_eq!((&report["ready"], &report["exit_code"]), (&json!(false), &json!(code)), "{report:#}");
    let found = problems(&report);
    assert!(!found.is_empty() && found.iter().all(|problem| problem["about"] == about), "{report:#}");
    let ran = world.kalends_with("run", variables);
    ran.fails_with(code);
    // A chain of causes is told in several lines by the one, in one line by the other.
    let said = ran.stderr.replace("\ncause: ", ": ");
    let told = |problem: &&Value| {
        let (what, next) = (problem["what"].as_str().unwrap(), problem["next"].as_str().unwrap());
        said.contains(what) && (said.contains(next) || !said.contains(" hint: "))
    };
    assert!(found.iter().any(told), "{report:#}\na run says {said}");
}

#[track_caller]
fn is_ready(world: &World, variables: &[(&str, &str)]) {
    let report = check(world, "--json", variables).succeeds().json();
    assert_eq!(report["ready"], json!(true), "{report:#}");
}

#[test]
fn check_says_what_a_run_ends_with_of_production() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settings(ENTITY);
    let zoned = format!("{ENTITY}time_zone = \"Europe/Paris\"\n");
    for (settings, breaks, mends) in [
        (ENTITY, "ALTER TABLE entity RENAME TO other", "ALTER TABLE other RENAME TO entity"),
        (
            ENTITY,
            "ALTER TABLE entity RENAME TO other; CREATE VIEW entity AS SELECT * FROM other",
            "DROP VIEW entity; ALTER TABLE other RENAME TO entity",
        ),
        (
            ENTITY,
            "ALTER TABLE entity RENAME TO other; CREATE MATERIALIZED VIEW entity AS SELECT * FROM other",
            "DROP MATERIALIZED VIEW entity; ALTER TABLE other RENAME TO entity",
        ),
        (ENTITY, "ALTER TABLE entity RENAME value TO amount", "ALTER TABLE entity RENAME amount TO value"),
        (ENTITY, "ALTER TABLE entity RENAME created_at TO made", "ALTER TABLE entity RENAME made TO created_at"),
        (
            ENTITY,
            "ALTER TABLE entity ALTER value TYPE text",
            "ALTER TABLE entity ALTER value TYPE integer USING value::integer",
        ),
        (
            ENTITY,
            "ALTER TABLE entity ALTER created_at TYPE timestamptz",
            "ALTER TABLE entity ALTER created_at TYPE timestamp",
        ),
        (&zoned, "SELECT", "ALTER TABLE entity ALTER created_at TYPE timestamptz"),
        (&zoned.replace("Paris", "Atlantis"), "SELECT", "ALTER TABLE entity ALTER created_at TYPE timestamp"),
    ] {
        world.settings(settings);
        world.production_sql(breaks);
        agrees(&world, &[], 4, "entity orders");
        world.production_sql(mends);
        world.settings(if settings == zoned { &zoned } else { ENTITY });
        is_ready(&world, &[]);
    }
    world.settings(ENTITY);
    world.kalends("run").succeeds();
    world.production_sql("ALTER TABLE entity ALTER value TYPE bigint");
    agrees(&world, &[], 4, "entity orders");
    world.production_sql("ALTER TABLE entity ALTER value TYPE integer");
    is_ready(&world, &[]);
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn check_says_what_a_run_ends_with_of_rights() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settings(ENTITY);
    let url = as_role(&world, "stranger");
    let variables = [("KALENDS_PRODUCTION_URL", url.as_str())];
    agrees(&world, &variables, 4, "entity orders");
    world.production_sql("GRANT SELECT (created_at) ON entity TO stranger");
    agrees(&world, &variables, 4, "entity orders");
    world.production_sql("GRANT SELECT ON entity TO stranger");
    is_ready(&world, &variables);
    world.production_sql("REVOKE USAGE ON SCHEMA public FROM public, stranger");
    agrees(&world, &variables, 4, "entity orders");
    world.production_sql("GRANT USAGE ON SCHEMA public TO stranger");
    world.production_sql(
        "CREATE POLICY large_ones ON entity USING (value > 5); ALTER TABLE entity ENABLE ROW LEVEL SECURITY",
    );
    agrees(&world, &variables, 4, "entity orders");
    world.production_sql("ALTER TABLE entity DISABLE ROW LEVEL SECURITY");
    is_ready(&world, &variables);
    // What no look at the table tells, and planning the survey does.
    let function = "FUNCTION pg_catalog.hashint4extended(integer, bigint)";
    world.production_sql(&format!("REVOKE EXECUTE ON {function} FROM public"));
    agrees(&world, &variables, 4, "entity orders");
    world.production_sql(&format!("GRANT EXECUTE ON {function} TO public"));
    is_ready(&world, &variables);
    world.kalends_with("run", &variables).succeeds();
}

#[test]
fn check_says_what_a_run_ends_with_of_the_warehouse() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settings(ENTITY);
    agrees(&world, &[("KALENDS_WAREHOUSE_URL", &world.production_url)], 4, "warehouse");
    is_ready(&world, &[]);
    world.kalends("run").succeeds();
    is_ready(&world, &[]);
    let version = world.ask_warehouse("SELECT schema_version FROM kalends.state").remove(0);
    world.warehouse_sql("UPDATE kalends.state SET schema_version = 99");
    agrees(&world, &[], 4, "warehouse");
    world.warehouse_sql(&format!("UPDATE kalends.state SET schema_version = {version}"));
    is_ready(&world, &[]);
    // A table of the same name that Kalends did not make.
    world.kalends("forget orders --yes").succeeds();
    world.warehouse_sql(
        "CREATE TABLE kalends_raw.orders (n integer); ALTER TABLE kalends_raw.orders OWNER TO kalends_writer",
    );
    agrees(&world, &[], 4, "entity orders");
    world.warehouse_sql("DROP TABLE kalends_raw.orders");
    is_ready(&world, &[]);
    world.kalends("run").succeeds();
    // A change of what is said of the measures is no hindrance, and yet worth a word.
    world.settings(format!("{ENTITY}statistics = [\"sum\", \"count\"]\n"));
    let report = check(&world, "--json", &[]).succeeds().json();
    let warning = report["findings"].as_array().unwrap().iter().find(|finding| {
        finding["verdict"] == "warning" && finding["what"].as_str().unwrap().starts_with("its settings have changed")
    });
    assert!(warning.is_some(), "{report:#}");
    world.settings(ENTITY);
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn check_says_what_a_run_ends_with_of_the_files() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settings(ENTITY);
    is_ready(&world, &[]);
    assert!(!world.exports.exists());

    let theirs = world.folder().join("photos");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("one.jpg"), "mine").unwrap();
    let photos = theirs.display().to_string();
    agrees(&world, &[("KALENDS_EXPORTS", &photos)], 4, "exports");
    fs::remove_file(theirs.join("one.jpg")).unwrap();
    is_ready(&world, &[("KALENDS_EXPORTS", &photos)]);
    let file = world.folder().join("kalends.toml").display().to_string();
    agrees(&world, &[("KALENDS_EXPORTS", &file)], 1, "exports");

    world.kalends("run").succeeds();
    is_ready(&world, &[]);
    let other = World::new();
    other.production("created_at | value\n 2024-01-02 | 6");
    let exports = world.exports.display().to_string();
    other.settings(ENTITY);
    agrees(&other, &[("KALENDS_EXPORTS", &exports)], 4, "exports");
    agrees(&other, &[("KALENDS_EXPORTS", &exports)], 4, "exports");
    is_ready(&other, &[]);
    other.kalends("run").succeeds();
    let manifest = world.exports.join("_manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    for broken in ["{}", &text.replacen("\"version\": 1", "\"version\": 99", 1)] {
        fs::write(&manifest, broken).unwrap();
        agrees(&world, &[], 4, "exports");
    }
    fs::write(&manifest, text).unwrap();
    is_ready(&world, &[]);

    let fresh = world.folder().join("frozen");
    fs::create_dir(&fresh).unwrap();
    let Some(frozen) = Frozen::new(&fresh) else { return };
    let unsettled = World::new();
    unsettled.production("created_at | value\n 2024-01-02 | 5");
    unsettled.settings(ENTITY);
    for (world, inner) in [
        (&unsettled, "frozen"),
        (&world, "frozen"),
        (&unsettled, "frozen/exports/deep"),
        (&world, "frozen/exports/deep"),
    ] {
        let path = fresh.parent().unwrap().join(inner).display().to_string();
        let variables = [("KALENDS_EXPORTS", path.as_str())];
        let report = check(world, "--json", &variables).fails_with(1).json();
        assert_eq!(problems(&report).len(), 1, "{report:#}");
        assert!(problems(&report)[0]["what"].as_str().unwrap().starts_with("nothing can be written to"));
        world.kalends_with("run", &variables).fails_with(1);
        unsettled.empty_warehouse();
    }
    drop(frozen);
    is_ready(&world, &[("KALENDS_EXPORTS", &fresh.display().to_string())]);
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn all_is_looked_at_whatever_is_found() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE b (at timestamp, n integer); CREATE INDEX ON b (at); CREATE VIEW c AS SELECT * FROM b",
    );
    let entity = |name: &str, time: &str| {
        format!("[[entity]]\nname = {name:?}\ntable = {name:?}\ntime = {time:?}\nmeasures = [\"n\"]\n")
    };
    world.settings([entity("a", "at"), entity("b", "at"), entity("c", "at"), entity("d", "at")].concat());
    let photos = world.folder().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("one.jpg"), "mine").unwrap();
    let photos = photos.display().to_string();
    let variables = [("KALENDS_EXPORTS", photos.as_str())];
    let report = check(&world, "--json", &variables).fails_with(4).json();
    let about: Vec<&str> = problems(&report).iter().map(|problem| problem["about"].as_str().unwrap()).collect();
    assert_eq!(about, ["entity a", "entity c", "entity d", "exports"]);
    let ran = check(&world, "", &variables);
    ran.fails_with(4)
        .says("ok          entity b: column \"at\" has an index")
        .says("\nnot ready   4 problems, 0 warnings");
    ran.says("problem     entity a: production has no table \"public.a\"\n            Check the table in");

    // A server that fails is the gravest, and the other is looked at all the same.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = format!("postgresql://kalends:S3CRET@127.0.0.1:{closed}/database");
    for (setting, about, other) in
        [("KALENDS_PRODUCTION_URL", "production", "warehouse"), ("KALENDS_WAREHOUSE_URL", "warehouse", "production")]
    {
        let variables = [(setting, nowhere.as_str()), variables[0]];
        let report = check(&world, "--json", &variables).fails_with(1).json();
        let found = problems(&report);
        assert_eq!(found[0]["about"], about);
        assert!(found[0]["what"].as_str().unwrap().starts_with("could not connect to "), "{report:#}");
        assert!(!report.to_string().contains("S3CRET"));
        let of_other = |finding: &&Value| finding["about"] == other && finding["verdict"] == "ok";
        assert!(report["findings"].as_array().unwrap().iter().filter(of_other).count() >= 2, "{report:#}");
        let tables = found.iter().filter(|problem| problem["about"].as_str().unwrap().starts_with("entity")).count();
        assert_eq!(tables, if about == "production" { 0 } else { 3 });
    }
}

#[test]
fn a_table_that_somebody_holds_is_busy() {
    let world = World::new();
    world.settings(format!("[limits]\nlock_timeout = \"1s\"\n{ENTITY}"));
    let mut holder = postgres::Client::connect(&world.production_url, postgres::NoTls).unwrap();
    let mut held = holder.transaction().unwrap();
    held.batch_execute("LOCK TABLE entity IN ACCESS EXCLUSIVE MODE").unwrap();
    let ran = world.kalends("check --json");
    let report = ran.fails_with(75).json();
    assert_eq!(problems(&report)[0]["what"], "table \"public.entity\" of production is locked by another session");
    world.kalends("run").fails_with(75);
    held.rollback().unwrap();
    is_ready(&world, &[]);
}

#[test]
fn an_index_is_missed_only_where_it_could_help() {
    let world = World::new();
    world.settings(ENTITY);
    let said = || {
        let report = check(&world, "--json", &[]).succeeds().json();
        let all = report["findings"].as_array().unwrap().clone();
        let found =
            all.into_iter().find(|finding| finding["what"].as_str().unwrap().starts_with("column \"created_at\""));
        let found = found.unwrap();
        (found["verdict"].as_str().unwrap().to_string(), found["what"].as_str().unwrap().to_string())
    };
    assert_eq!(said().0, "warning");
    assert!(said().1.contains("unknown before ANALYZE"));
    let rows = "INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 hour', n FROM generate_series(1, 2000) AS n";
    world.production_sql(&format!("{rows}; ANALYZE entity"));
    assert_eq!(said().0, "ok");
    assert!(said().1.contains("rows lie in order of time (100 %)"));
    world.production_sql(&format!("TRUNCATE entity; {rows} ORDER BY hashint4(n); ANALYZE entity"));
    assert_eq!(said().0, "warning");
    world.production_sql(
        "CREATE INDEX ON entity (value, created_at); CREATE INDEX ON entity (created_at) WHERE value > 5",
    );
    assert_eq!(said().0, "warning", "neither finds all rows of a month");
    world.production_sql("CREATE INDEX ON entity (created_at)");
    assert_eq!(said(), ("ok".to_string(), "column \"created_at\" has an index".to_string()));
}

#[test]
fn check_says_what_a_run_ends_with_of_rights_in_the_warehouse() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settings(ENTITY);
    for (breaks, mends) in [
        ("DROP SCHEMA kalends_raw", "CREATE SCHEMA kalends_raw AUTHORIZATION kalends_writer"),
        ("ALTER SCHEMA kalends OWNER TO kalends", "ALTER SCHEMA kalends OWNER TO kalends_writer"),
        ("CREATE TABLE kalends_stats.theirs ()", "DROP TABLE kalends_stats.theirs"),
    ] {
        world.warehouse_sql(breaks);
        agrees(&world, &[], 4, "warehouse");
        world.warehouse_sql(mends);
        is_ready(&world, &[]);
    }
    world.kalends("run").succeeds();
    for (breaks, mends) in [
        (
            "REVOKE UPDATE ON kalends.state FROM kalends_writer; ALTER TABLE kalends.state OWNER TO kalends",
            "ALTER TABLE kalends.state OWNER TO kalends_writer; GRANT ALL ON kalends.state TO kalends_writer",
        ),
        (
            "REVOKE USAGE ON SCHEMA kalends FROM kalends_writer; ALTER SCHEMA kalends OWNER TO kalends",
            "ALTER SCHEMA kalends OWNER TO kalends_writer; GRANT ALL ON SCHEMA kalends TO kalends_writer",
        ),
        (
            "REVOKE INSERT ON kalends_stats.orders_day FROM kalends_writer",
            "GRANT INSERT ON kalends_stats.orders_day TO kalends_writer",
        ),
        (
            "REVOKE EXECUTE ON FUNCTION kalends.mean FROM public, kalends_writer",
            "GRANT EXECUTE ON FUNCTION kalends.mean TO kalends_writer",
        ),
    ] {
        world.warehouse_sql(breaks);
        // There is something to do: a run that has nothing to do needs less.
        world.production("created_at | value\n 2024-01-02 | 5");
        agrees(&world, &[], 4, "warehouse");
        world.warehouse_sql(mends);
        is_ready(&world, &[]);
        world.kalends("run").succeeds();
    }
}

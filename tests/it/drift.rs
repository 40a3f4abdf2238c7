//! Production's table is not what it was: refused, with the object, and nothing is lost. Between two runs, and within
//! one.

mod parts;
mod within;

use crate::faults::whole::committed;
use crate::kit::{READER, World};

/// What somebody did to the table `entity`, which has rows of January and February, and what is said of it.
struct Drift {
    did: &'static str,
    says: &'static [&'static str],
}

const fn drift(did: &'static str, says: &'static [&'static str]) -> Drift {
    Drift { did, says }
}

/// All that a statement in one transaction can do to it.
const DRIFTS: [Drift; 20] = [
    drift("ALTER TABLE entity DROP COLUMN value", &["\"public.entity\" of production has no column \"value\""]),
    drift("ALTER TABLE entity DROP COLUMN created_at", &["\"public.entity\" of production has no column \"created_at\""]),
    drift("ALTER TABLE entity RENAME COLUMN value TO amount", &["\"public.entity\" of production has no column \"value\""]),
    drift(
        "ALTER TABLE entity ALTER COLUMN value TYPE bigint",
        &["column \"value\" of table \"public.entity\" is of type bigint, and was settled as integer"],
    ),
    drift(
        "ALTER TABLE entity ALTER COLUMN value TYPE numeric",
        &["column \"value\" of table \"public.entity\" is of type numeric, and was settled as integer"],
    ),
    drift(
        "ALTER TABLE entity ALTER COLUMN value TYPE text",
        &["column \"value\" of table \"public.entity\" is of type text, which cannot be summed"],
    ),
    drift(
        "CREATE DOMAIN amount AS integer CHECK (VALUE < 1000); ALTER TABLE entity ALTER COLUMN value TYPE amount",
        &["column \"value\" of table \"public.entity\" is of type public.amount, which cannot be summed"],
    ),
    drift(
        "ALTER TABLE entity ALTER COLUMN created_at TYPE date",
        &["column \"created_at\" of table \"public.entity\" is of type date, and was settled as timestamp"],
    ),
    drift(
        "ALTER TABLE entity ALTER COLUMN created_at TYPE timestamptz",
        &["column \"created_at\" of table \"public.entity\" is of type timestamp with time zone"],
    ),
    drift("ALTER TABLE entity RENAME TO entities", &["production has no table \"public.entity\""]),
    drift("CREATE SCHEMA other; ALTER TABLE entity SET SCHEMA other", &["production has no table \"public.entity\""]),
    drift("DROP TABLE entity", &["production has no table \"public.entity\""]),
    drift(
        "ALTER TABLE entity RENAME TO entities; CREATE VIEW entity AS SELECT * FROM entities",
        &["\"public.entity\" of production is a view"],
    ),
    drift(
        "ALTER TABLE entity RENAME TO entities; CREATE MATERIALIZED VIEW entity AS SELECT * FROM entities",
        &["\"public.entity\" of production is a materialized view"],
    ),
    drift(
        "DROP TABLE entity; CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere;
         CREATE FOREIGN TABLE entity (created_at timestamp, value integer) SERVER elsewhere",
        &["\"public.entity\" of production is a foreign table"],
    ),
    // Another table of that name; the wanted column is only in the first one.
    drift(
        "ALTER TABLE entity RENAME TO entities; CREATE TABLE entity (created_at timestamp, amount integer)",
        &["\"public.entity\" of production has no column \"value\""],
    ),
    drift(
        "ALTER TABLE entity ENABLE ROW LEVEL SECURITY",
        &["row-level security of table \"public.entity\" of production may hide rows from role kalends_reader"],
    ),
    // All rows are shown; but which policy holds when is not ours to judge.
    drift(
        "CREATE POLICY all_of_them ON entity USING (true); ALTER TABLE entity ENABLE ROW LEVEL SECURITY",
        &["row-level security of table \"public.entity\" of production may hide rows from role kalends_reader"],
    ),
    // Its owner is exempt, but for FORCE.
    drift(
        "ALTER TABLE entity OWNER TO kalends_reader; CREATE POLICY large ON entity USING (value > 5);
         ALTER TABLE entity ENABLE ROW LEVEL SECURITY; ALTER TABLE entity FORCE ROW LEVEL SECURITY",
        &["row-level security of table \"public.entity\" of production may hide rows from role kalends_reader"],
    ),
    drift(
        "LOCK TABLE entity; REVOKE SELECT ON entity FROM kalends_reader",
        &["role kalends_reader may not read table \"public.entity\"", "GRANT SELECT ON public.entity TO kalends_reader"],
    ),
];

/// The table as it was when it was settled, whatever has become of it.
fn put_back(world: &World) {
    world.production_sql(
        "DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS other CASCADE; DROP FOREIGN DATA WRAPPER IF EXISTS elsewhere CASCADE;
         CREATE SCHEMA public; CREATE TABLE entity (created_at timestamp, value integer);
         INSERT INTO entity VALUES ('2024-01-02', 5), ('2024-02-29', 8)",
    );
    let reader = format!("reader={READER}");
    // With the schema went the right to read what is made in it.
    world.grants("production", &[&reader, "schema=public", "table=entity", "maker=kalends", "strict=1"]);
}

#[test]
fn what_changed_since_the_last_run_is_refused_and_named_and_nothing_is_lost() {
    let world = World::with_two_days();
    let before = (committed(&world), world.tuples(), world.tree());
    for Drift { did, says } in &DRIFTS {
        world.production_sql(&format!("BEGIN; {did}; COMMIT"));
        for command in ["prepare", "run", "verify"] {
            let ran = world.kalends(command);
            ran.fails_with(4);
            for text in *says {
                ran.says(text);
            }
            assert_eq!(ran.stderr.matches("error:").count(), 1, "{command} after {did}: {}", ran.stderr);
            assert_eq!(ran.stdout, "", "{command} after {did}");
        }
        // Neither asks production.
        world.kalends("status").succeeds();
        world.kalends("export").succeeds().says("nothing to do");
        assert_eq!((committed(&world), world.tuples(), world.tree()), before, "{did}");
        put_back(&world);
        world.kalends("run").succeeds().says("nothing to do: equal to production");
    }
    assert_eq!((committed(&world), world.tuples(), world.tree()), before);
}

#[test]
fn what_changed_without_a_difference_to_us_is_no_drift() {
    let world = World::with_two_days();
    let before = (committed(&world), world.tuples(), world.tree());
    for did in [
        "ALTER TABLE entity ADD COLUMN more text DEFAULT 'x'",
        "ALTER TABLE entity ALTER COLUMN value SET NOT NULL, ALTER COLUMN value SET DEFAULT 1",
        "CREATE POLICY large ON entity USING (value > 5)",
        // The owner reads all of it, without FORCE.
        "ALTER TABLE entity OWNER TO kalends_reader; ALTER TABLE entity ENABLE ROW LEVEL SECURITY",
        "CREATE TABLE anew (LIKE entity); INSERT INTO anew SELECT * FROM entity; DROP TABLE entity;
         ALTER TABLE anew RENAME TO entity",
        "CREATE TABLE anew (created_at timestamp, value integer) PARTITION BY RANGE (created_at);
         ALTER TABLE anew ATTACH PARTITION entity DEFAULT; ALTER TABLE entity RENAME TO part;
         ALTER TABLE anew RENAME TO entity",
    ] {
        world.production_sql(&format!("BEGIN; {did}; COMMIT"));
        world.kalends("run").succeeds().says("nothing to do: equal to production");
        world.kalends("verify").succeeds();
        put_back(&world);
    }
    assert_eq!((committed(&world), world.tuples(), world.tree()), before);
}

#[test]
fn of_several_entities_only_the_one_that_drifted_is_refused() {
    let world = World::with_two_days();
    let entity = |name: &str, table: &str| {
        format!("[[entity]]\nname = {name:?}\ntable = {table:?}\ntime = \"created_at\"\nmeasures = [\"value\"]\n")
    };
    let settings = entity("entity", "entity") + &entity("other", "other") + &entity("third", "third");
    world.settings(settings);
    world.production_sql("CREATE TABLE other AS TABLE entity; CREATE TABLE third AS TABLE entity");
    world.kalends("run").succeeds();
    for (did, says) in [
        ("ALTER TABLE other RENAME COLUMN value TO amount", "\"public.other\" of production has no column \"value\""),
        ("REVOKE SELECT ON other FROM kalends_reader", "may not read table \"public.other\""),
    ] {
        world.production_sql(&format!(
            "{did}; INSERT INTO entity SELECT max(created_at) + interval '1 day', 1 FROM entity;
             INSERT INTO third SELECT max(created_at) + interval '1 day', 1 FROM third"
        ));
        let of_other = |row: &String| row.contains("other");
        let was: Vec<String> = committed(&world).into_iter().filter(of_other).collect();
        let ran = world.kalends("run --json");
        ran.fails_with(4).says(says);
        let json = ran.json();
        let codes: Vec<_> =
            json["entities"].as_array().unwrap().iter().map(|each| each["exit_code"].as_i64()).collect();
        assert_eq!(codes, [None, Some(4), None], "{json}");
        assert_eq!(committed(&world).into_iter().filter(of_other).collect::<Vec<_>>(), was);
        world.kalends("verify").fails_with(4).says("other");
        world.production_sql(
            &format!(
                "ALTER TABLE other RENAME TO gone; CREATE TABLE other AS SELECT * FROM gone; DROP TABLE gone;
             ALTER TABLE other RENAME COLUMN {} TO value; GRANT SELECT ON other TO {READER}",
                if did.contains("amount") { "amount" } else { "value" }
            )
            .replace("ALTER TABLE other RENAME COLUMN value TO value;", ""),
        );
        world.kalends("run").succeeds();
        world.kalends("verify").succeeds();
    }
}

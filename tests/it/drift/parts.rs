//! What a table is made of: partitions, children, foreign tables among them, columns of other kinds; and a table that
//! is replaced while a run looks at it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postgres::{Client, NoTls};

use crate::kit::{READER, World};

const ELSEWHERE: &str = "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere";

#[test]
fn a_foreign_table_among_the_parts_is_refused_by_name() {
    let world = World::new();
    world.production_sql(ELSEWHERE);
    world.production_sql(&format!(
        "DROP TABLE entity;
         CREATE TABLE entity (created_at timestamp, value integer) PARTITION BY RANGE (created_at);
         CREATE TABLE near PARTITION OF entity FOR VALUES FROM (MINVALUE) TO ('2024-02-01');
         CREATE FOREIGN TABLE far PARTITION OF entity FOR VALUES FROM ('2024-02-01') TO (MAXVALUE) SERVER elsewhere;
         GRANT SELECT ON entity TO {READER}; INSERT INTO entity VALUES ('2024-01-02', 5)"
    ));
    let refused = |command: &str, part: &str| {
        let said = format!("foreign table public.{part} is a part of table \"public.entity\" of production");
        world.kalends(command).fails_with(4).says(&said);
    };
    refused("run", "far");
    refused("check", "far");
    world.production_sql("ALTER TABLE entity DETACH PARTITION far");
    world.settles();

    // Far below: a child of a child.
    world.production_sql(&format!(
        "DROP TABLE entity; CREATE TABLE entity (created_at timestamp, value integer); GRANT SELECT ON entity TO {READER};
         CREATE TABLE child () INHERITS (entity); CREATE FOREIGN TABLE farther () INHERITS (child) SERVER elsewhere"
    ));
    refused("verify", "farther");
    refused("run", "farther");
    world.production_sql(
        "ALTER FOREIGN TABLE farther NO INHERIT child;
         INSERT INTO entity VALUES ('2024-01-02', 5), ('2024-01-03', 1); INSERT INTO child VALUES ('2024-01-02', 7), ('2024-03-01', 2)",
    );
    world.settles();
    world.production_sql("DELETE FROM child WHERE value = 7; INSERT INTO child VALUES ('2024-01-03', 1)");
    world.settles();
}

#[test]
fn a_temporary_table_of_the_same_name_is_not_read() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    let mut other = Client::connect(&world.production_url, NoTls).unwrap();
    other.batch_execute("CREATE TEMP TABLE entity AS SELECT timestamp '2020-01-01' AS created_at, 1 AS value").unwrap();
    world.settles();
    let entity =
        "[[entity]]\nname = \"entity\"\ntable = \"pg_temp.entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    world.settings(entity);
    world.kalends("run").fails_with(4).says("production has no table \"pg_temp.entity\"");
    let schema =
        other.query_one("SELECT nspname::text FROM pg_namespace WHERE oid = pg_my_temp_schema()", &[]).unwrap();
    let schema: String = schema.get(0);
    world.settings(entity.replace("pg_temp", &schema));
    world.kalends("run").fails_with(4).says("is a temporary table");
}

#[test]
fn generated_columns_are_columns_like_others_and_domains_are_dimensions_alone() {
    let world = World::new();
    world.production_sql(&format!(
        "DROP TABLE entity;
         CREATE DOMAIN kind AS text CHECK (VALUE <> ''); CREATE DOMAIN amount AS integer; CREATE DOMAIN moment AS timestamp;
         CREATE TABLE entity (
             half integer, note text, created_at timestamp, kind kind, amount amount, moment moment,
             value integer GENERATED ALWAYS AS (half * 2) STORED
         );
         GRANT SELECT ON entity TO {READER};
         INSERT INTO entity VALUES (3, 'a', '2024-01-02', 'x', 1, '2024-01-02'), (4, 'b', '2024-02-02', 'y', 1, '2024-01-02')"
    ));
    world.settles();
    world.production_sql("UPDATE entity SET half = 7 WHERE half = 3");
    world.heals();
    let entity = |time: &str, measure: &str, dimension: &str| {
        format!(
            "[[entity]]\nname = \"by_kind\"\ntable = \"entity\"\ntime = \"{time}\"\nmeasures = [\"{measure}\"]\n\
             dimensions = [\"{dimension}\"]\nlevels = [\"month\"]\n"
        )
    };
    let set = |text: String| world.settings(text);
    set(entity("created_at", "amount", "kind"));
    world.kalends("run").fails_with(4).says("is of type public.amount, which cannot be summed");
    set(entity("moment", "value", "kind"));
    world.kalends("run").fails_with(4).says("public.moment");
    set(entity("created_at", "value", "kind"));
    world.kalends("run").succeeds();
    let file = "year=2024/month=1/by_kind_stats_monthly_2024_1.csv";
    let text = std::fs::read_to_string(world.exports.join(file)).unwrap();
    assert!(text.lines().any(|line| line.contains("x") && line.contains(",14,14,14,")), "{text}");
}

#[test]
fn a_table_that_is_replaced_while_a_run_looks_is_settled_or_busy() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-02 | 6");
    let replace = format!(
        "BEGIN; CREATE TABLE fresh AS TABLE entity; GRANT SELECT ON fresh TO {READER}; DROP TABLE entity;
         ALTER TABLE fresh RENAME TO entity; COMMIT"
    );
    let over = AtomicBool::new(false);
    let codes = thread::scope(|threads| {
        threads.spawn(|| {
            let mut client = Client::connect(&world.production_url, NoTls).unwrap();
            while !over.load(Ordering::Relaxed) {
                client.batch_execute(&replace).unwrap();
            }
        });
        let codes: Vec<Option<i32>> = (0..20).map(|_| world.kalends("run").code).collect();
        over.store(true, Ordering::Relaxed);
        codes
    });
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 4 | 75))), "{codes:?}");
    world.settles();
}

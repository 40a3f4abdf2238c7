//! Somebody's hands in the warehouse's notes and accounts: one value of one column is something that Kalends never
//! writes.

use crate::faults::{sample, sweeping};
use crate::kit::{World, ask, run_sql, servers};

/// Values of a type that nobody expects; `NULL` where it may be.
fn awkward(kind: &str) -> &'static [&'static str] {
    match kind {
        "bigint" => &["9223372036854775807", "-9223372036854775808", "-1", "NULL"],
        "integer" => &["2147483647", "-2147483648", "-1", "NULL"],
        "numeric" => &["'NaN'", "'Infinity'", "1e1000", "-1", "NULL"],
        "date" => &["'infinity'", "'-infinity'", "'4714-12-29 BC'", "'4714-11-24 BC'", "'5874897-12-31'", "NULL"],
        "timestamp with time zone" => &["'infinity'", "'-infinity'", "'4714-11-24 00:00 BC'", "'294276-12-31'", "NULL"],
        "jsonb" => &["'null'", "'[]'", "'{}'", r#"'{"rows": "9223372036854775807"}'"#, r#"'{"rows": -1}'"#, "NULL"],
        "pg_lsn" => &["'FFFFFFFF/FFFFFFFF'", "'0/0'", "NULL"],
        "oid" => &["0", "4294967295", "NULL"],
        "text" => &["''", "E'\\x01\\u202e\\n'", "repeat('x', 100000)", "'../../etc/passwd'", "NULL"],
        _ => &["NULL"],
    }
}

#[test]
fn whatever_hands_have_written_in_the_warehouse_no_command_ends_in_a_panic() {
    let world = World::new();
    let settings = |guard: &str| {
        world.settings(format!(
            "report = true\n[guard]\n{guard}\n[[entity]]\nname = \"entity\"\ntable = \"entity\"\n\
             time = \"created_at\"\nmeasures = [\"value\"]\n\
             levels = [\"day\", \"week\", \"month\", \"quarter\", \"year\"]\n"
        ));
    };
    settings("loss = \"10%\"");
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-03 | 7\n 2024-02-29 | 8\n 4713-01-01 BC | 1");
    world.kalends("run").succeeds();
    world.production_sql("UPDATE entity SET value = 9 WHERE value = 5; DELETE FROM entity WHERE value = 8");
    world.kalends("run").fails_with(4);
    // One month is held, and another is changing.
    settings("loss = \"10%\"\nsettle_after = \"9 days\"");
    world.production_sql("UPDATE entity SET value = 10 WHERE value = 9");
    world.kalends("run");
    world.warehouse_sql("UPDATE kalends.held SET kind = 'loss' WHERE period = '2024-02-01'");
    assert_eq!(world.ask_warehouse("SELECT kind FROM kalends.held ORDER BY period"), ["changing", "loss"]);
    let columns = world.ask_warehouse(
        "SELECT format('%I.%I|%I|%s', nspname, relname, attname, format_type(atttypid, NULL))
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute ON attrelid = c.oid
         WHERE nspname IN ('kalends', 'kalends_stats') AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
         ORDER BY 1",
    );
    let mut cases = Vec::new();
    for column in &columns {
        let [table, column, kind] = column.split('|').collect::<Vec<_>>().try_into().unwrap();
        cases.extend(awkward(kind).iter().map(|value| (table.to_string(), column.to_string(), *value)));
    }
    assert!(cases.len() > 100, "{}", cases.len());
    let maintenance = servers().url(5433, "kalends", "postgres");
    let original = world.warehouse_url.rsplit('/').next().unwrap();
    let copy = format!("{original}_hands");
    for (table, column, value) in sample(cases, 14) {
        run_sql(&maintenance, &format!("CREATE DATABASE {copy} TEMPLATE {original}"));
        let url = world.warehouse_url.replace(original, &copy);
        run_sql(
            &url,
            &format!(
                "DO $$ BEGIN
                     ALTER TABLE {table} ALTER {column} DROP NOT NULL;
                 EXCEPTION WHEN OTHERS THEN NULL; END $$;
                 DO $$ BEGIN
                     UPDATE {table} SET {column} = {value} WHERE ctid = (SELECT min(ctid) FROM {table});
                 EXCEPTION WHEN OTHERS THEN NULL; END $$"
            ),
        );
        let writer = world.writer_url.replace(original, &copy);
        let read = ["status", "status --json", "history", "plan", "report", "show", "verify", "diff 2024-01-02"];
        let write = ["run", "forget entity", "verify --repair"];
        for command in read.iter().chain(if sweeping() { &write[..] } else { &write[..1] }) {
            let ran = world.kalends_with(command, &[("KALENDS_WAREHOUSE_URL", &writer)]);
            let fine = matches!(ran.code, Some(0..=4 | 75)) && !ran.stderr.contains("panicked");
            assert!(fine, "{table}.{column} = {value}, kalends {command}: {:?} {}", ran.code, ran.stderr);
        }
        run_sql(&maintenance, &format!("DROP DATABASE {copy} WITH (FORCE)"));
    }
    assert_eq!(ask(&maintenance, "SELECT 1"), ["1"]);
}

#[test]
fn an_account_of_the_first_week_that_somebody_changed_is_made_again() {
    let world = World::new();
    let settings = "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n\
                    levels = [\"day\", \"week\", \"month\", \"year\"]\n";
    world.settings(settings);
    // The week begins in 4714 BC, which is no day's.
    world.production("created_at | value\n 4713-01-01 BC | 5\n 2024-01-03 | 7");
    world.kalends("run").succeeds();
    let week = "SELECT sum_values FROM kalends_stats.entity_week ORDER BY week LIMIT 1";
    for command in ["run", "verify --repair"] {
        world.warehouse_sql("UPDATE kalends_stats.entity_week SET sum_values = 6 WHERE week < '4000-01-01 BC'");
        world.kalends("verify").fails_with(3).says("-4713-W01");
        world.kalends(command).succeeds();
        assert_eq!(world.ask_warehouse(week), ["5"], "{command}");
        world.kalends("verify").succeeds();
    }
    // A week that begins where none does is nobody's but a person's: it is named, and nothing is guessed.
    world.warehouse_sql("UPDATE kalends_stats.entity_week SET week = '4714-11-24 BC' WHERE week < '4000-01-01 BC'");
    for command in ["run", "verify", "verify --repair"] {
        world.kalends(command).fails_with(1).says("the warehouse has an account of a week that starts");
    }
}

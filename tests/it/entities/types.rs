//! Types of dimensions: built in, not built in, and those that cannot be.

use super::dimensions::{asked, lines, lines_of, world};
use super::{Asked, settles};
use crate::kit::World;

/// Types with values, and the lines that come of them: value, sum, count. The first row counts 1, the next 2, then 4, …
const TYPES: [(&str, &[&str], &[&str]); 18] = [
    ("numeric", &["1.0", "1.00", "-1", "'NaN'", "NULL"], &[",16,1", "-1,4,1", "1.0,1,1", "1.00,2,1", "NaN,8,1"]),
    (
        "double precision",
        &["'-0'", "0", "'NaN'", "1e15", "0.1"],
        &["-0,1,1", "0,2,1", "0.1,16,1", "1e+15,8,1", "NaN,4,1"],
    ),
    (
        "interval",
        &["'1 day'", "'24:00'", "'30 days'", "'1 mon'"],
        &["1 day,1,1", "1 mon,8,1", "24:00:00,2,1", "30 days,4,1"],
    ),
    ("character(3)", &["'a'", "'a  '", "''", "NULL"], &[",8,1", "\"\",4,1", "a,3,2"]),
    ("boolean", &["true", "false", "NULL"], &[",4,1", "false,2,1", "true,1,1"]),
    ("timestamptz", &["'2024-01-01 00:00+01'", "'2023-12-31 23:00Z'"], &["2023-12-31 23:00:00+00,3,2"]),
    (
        "date",
        &["'2024-01-01'", "'infinity'", "'0044-03-15 BC'"],
        &["0044-03-15 BC,4,1", "2024-01-01,1,1", "infinity,2,1"],
    ),
    ("bytea", &["'\\x00ff'", "''", "NULL"], &[",4,1", "\\x,2,1", "\\x00ff,1,1"]),
    ("integer[]", &["'{1,NULL}'", "'{}'", "'[0:0]={1}'"], &["[0:0]={1},4,1", "\"{1,NULL}\",1,1", "{},2,1"]),
    ("int4range", &["'[1,3)'", "'[1,2]'", "'empty'"], &["\"[1,3)\",3,2", "empty,4,1"]),
    ("uuid", &["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"], &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,1,1"]),
    ("inet", &["'10.0.0.1'", "'10.0.0.1/32'", "'10.0.0.1/8'"], &["10.0.0.1/32,3,2", "10.0.0.1/8,4,1"]),
    ("jsonb", &["'{\"a\": 1.0}'", "'{\"a\": 1.00}'"], &["\"{\"\"a\"\": 1.00}\",2,1", "\"{\"\"a\"\": 1.0}\",1,1"]),
    (
        "bigint",
        &["21474836487", "17179869190", "-9223372036854775808"],
        &["-9223372036854775808,4,1", "17179869190,2,1", "21474836487,1,1"],
    ),
    ("varchar(2)", &["'a'", "'a '"], &["a,1,1", "a ,2,1"]),
    ("\"char\"", &["'x'"], &["x,1,1"]),
    ("regtype", &["'integer'"], &["integer,1,1"]),
    ("time", &["'24:00'", "'00:00'"], &["00:00:00,2,1", "24:00:00,1,1"]),
];

#[test]
fn what_a_type_takes_for_equal_and_prints_differently_is_two() {
    let world = World::new();
    let tables: Vec<String> = (0..TYPES.len()).map(|at| format!("t{at}")).collect();
    let dimensions: Vec<[(&str, &str); 1]> = TYPES.iter().map(|(kind, ..)| [("d", *kind)]).collect();
    let all = tables.iter().zip(&dimensions);
    let all: Vec<Asked<'_>> = all.map(|(name, d)| Asked { name, table: name, ..asked(d) }).collect();
    for (table, (kind, values, _)) in tables.iter().zip(TYPES) {
        let rows = values.iter().enumerate().map(|(at, value)| format!("('2024-01-31 05:00', {}, {value})", 1 << at));
        let rows: Vec<String> = rows.collect();
        world.production_sql(&format!(
            "CREATE TABLE {table} (at timestamp, n integer, d {kind}); INSERT INTO {table} VALUES {}",
            rows.join(", ")
        ));
    }
    world.settings(all.iter().map(Asked::settings).collect::<String>());
    settles(&world);
    for (asked, (kind, _, expected)) in all.iter().zip(TYPES) {
        asked.is_exact(&world);
        assert_eq!(lines_of(&world, asked.name), expected, "{kind}");
        let typed = |relation: &str| {
            format!(
                "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = '{relation}'::regclass AND attname = 'd'"
            )
        };
        let found = world.ask_warehouse(&typed(&format!("kalends_stats.{}_stats_daily", asked.name)));
        let same = world.ask_production(&typed(asked.name));
        assert_eq!(found, if kind == "regtype" { vec!["text".to_string()] } else { same }, "{kind}");
    }
    // From each value to another, whatever PostgreSQL takes for equal: the rows of the warehouse follow.
    for round in 0..5 {
        let edits = tables.iter().zip(TYPES).map(|(table, (_, values, _))| {
            format!("UPDATE {table} SET d = {} WHERE n = 1", values[(round + 1) % values.len()])
        });
        world.production_sql(&edits.collect::<Vec<_>>().join(";"));
        world.kalends("run").succeeds();
        all.iter().for_each(|asked| asked.is_exact(&world));
    }
    world.kalends("verify").succeeds();
}

#[test]
fn types_that_are_not_built_in_are_kept_as_text() {
    let world = World::new();
    let icu = world.ask_production("SELECT count(*) FROM pg_collation WHERE collprovider = 'i'")[0] != "0";
    let ignoring_case = if icu {
        world.production_sql(
            "CREATE COLLATION shop (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        );
        "text COLLATE shop"
    } else {
        eprintln!("not tried: a collation that ignores case, since this PostgreSQL is without ICU");
        "text"
    };
    world.production_sql(&format!(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', '=glad'); CREATE DOMAIN grade AS integer CHECK (value < 7); CREATE DOMAIN better AS grade;
         CREATE TYPE pair AS (a integer, b text);
         CREATE TABLE t (at timestamp, n integer, m mood, g better, p pair, ms mood[], c {ignoring_case});
         INSERT INTO t VALUES ('2024-01-31', 1, '=glad', -5, (1, NULL), '{{sad,ok}}', 'Shop'), ('2024-01-31', 2, 'ok', 6, (NULL, NULL), '{{}}', 'shop'),
             ('2024-01-31', 4, NULL, NULL, NULL, NULL, NULL), ('2024-01-31', 8, 'ok', 6, (NULL, NULL), '{{}}', 'shop')"
    ));
    let asked = asked(&[("m", "mood"), ("g", "integer"), ("p", "pair"), ("ms", "mood[]"), ("c", "text")]);
    world.settings(asked.settings());
    settles(&world);
    asked.is_exact(&world);
    assert_eq!(lines(&world), [",,,,,4,1", "'=glad,-5,\"(1,)\",\"{sad,ok}\",Shop,1,1", "ok,6,\"(,)\",{},shop,10,2"]);
    // What the collation takes for equal, a composite of NULLs that becomes NULL, and an enum whose word is changed.
    for sql in [
        "UPDATE t SET c = 'SHOP' WHERE n = 2",
        "UPDATE t SET p = NULL WHERE n = 2",
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
    ] {
        world.production_sql(sql);
        world.kalends("verify").fails_with(3);
        settles(&world);
        asked.is_exact(&world);
    }
    world.production_sql("ALTER TABLE t ALTER m TYPE text");
    world
        .kalends("run")
        .fails_with(4)
        .says("column \"m\" of table \"public.t\" is of type text, and was settled as public.mood");
}

#[test]
fn what_cannot_be_a_dimension_is_refused_before_anything_is_made() {
    let world = World::new();
    world.production_sql("CREATE DOMAIN j AS json; CREATE TYPE pair AS (a integer, b point)");
    for (kind, inside) in [
        ("json", ""),
        ("point", ""),
        ("xml", ""),
        ("bit(3)", ""),
        ("money", ""),
        ("json[]", "because of json in it"),
        ("j", "because of json in it"),
        ("pair", "because of point in it"),
        ("pair[]", "because of point in it"),
    ] {
        world.production_sql(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (at timestamp, n integer, d {kind})"));
        world.settings(asked(&[("d", "")]).settings());
        world
            .kalends("prepare")
            .fails_with(4)
            .says("which cannot be sorted and hashed")
            .says(inside)
            .says("column \"d\" of table \"public.t\"");
    }
    for (dimension, code, said) in [
        ("n", 2, "entity \"t\" names column \"n\" twice"),
        ("at", 2, "entity \"t\" names column \"at\" twice"),
        ("missing", 4, "has no column \"missing\""),
    ] {
        world.settings(asked(&[(dimension, "")]).settings());
        world.kalends("prepare").fails_with(code).says(said);
    }
    let many: Vec<String> = (0..60).map(|at| format!("d{at}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    world.settings(asked(&many).settings());
    world.kalends("prepare").fails_with(2).says("more than 60 measures and dimensions");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM pg_class WHERE relname = 't'"), ["0"]);
}

#[test]
fn databases_that_are_not_in_utf8_are_refused() {
    let world = world("text", &["'a'"]);
    world.settings(asked(&[("d", "text")]).settings());
    let database = world.production_url.rsplit('/').next().unwrap();
    for (url, said) in [
        (&world.production_url, "the database of production is in LATIN1"),
        (&world.warehouse_url, "the database of the warehouse is in LATIN1"),
    ] {
        let latin = format!("{database}_latin");
        let maintenance = url.replace(&format!("/{database}"), "/postgres");
        crate::kit::run_sql(
            &maintenance,
            &format!("CREATE DATABASE {latin} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"),
        );
        let other = url.replace(&format!("/{database}"), &format!("/{latin}"));
        if url == &world.production_url {
            crate::kit::run_sql(&other, "CREATE TABLE t (at timestamp, n integer, d text)");
        }
        let variable = if url == &world.production_url { "KALENDS_PRODUCTION_URL" } else { "KALENDS_WAREHOUSE_URL" };
        world.kalends_with("run", &[(variable, &other)]).fails_with(4).says(said);
    }
    settles(&world);
}

#[test]
fn the_largest_numbers_and_the_final_week_that_there_are_are_settled_and_published() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE t (at date, amount numeric);
         INSERT INTO t VALUES ('999998-12-28', 1), ('2024-01-02', 9e131070), ('2024-01-02', 1), ('2024-02-02', -7.5)",
    );
    world.settings(
        Asked { measures: &[("amount", "numeric")], levels: &["day", "week", "month", "year"], ..Asked::default() }
            .settings(),
    );
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    let file = String::from_utf8(world.files()["year=2024/month=1/day=2/t_stats_daily_2024_1_2.csv"].clone()).unwrap();
    let (header, line) = file.split_once('\n').unwrap();
    let at = header.split(',').position(|column| column == "mean_amount").unwrap();
    let mean = line.trim_end().split(',').nth(at).unwrap();
    // Half of 9e131070 and 1.
    assert_eq!((mean.len(), &mean[..3], &mean[mean.len() - 9..]), (131_071 + 7, "450", "00.500000"));
    assert!(world.files().keys().any(|path| path.starts_with("iso_year=999998/week=53/")));
    world.kalends("plan --check").succeeds();
    world.kalends("history").succeeds();
    world.kalends("run").succeeds().says("nothing to do");
}

#[test]
fn means_are_computed_in_the_statement_that_asks_for_them_of_the_largest_sums_as_well() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-01 | 1");
    world.settles();
    let plan = world.ask_warehouse("EXPLAIN (VERBOSE, COSTS OFF) SELECT fields FROM kalends.entity_daily").join("\n");
    assert!(plan.contains("div(") && !plan.contains("mean("), "a function is called for each row: {plan}");
    let means = "SELECT sum::text, values, kalends.mean(sum, values)::text FROM (VALUES
        (2, 3), (-2, 3), (0.0000005, 1), (-0.0000005, 1), (0.00000049, 1), (7, 2000000), (0, 5), (1, 0), ('NaN', 2),
        ('Infinity', 2), ('-Infinity', 2)) AS asked (sum, values)";
    assert_eq!(
        world.ask_warehouse(means),
        [
            "2|3|0.666667",
            "-2|3|-0.666667",
            "0.0000005|1|0.000001",
            "-0.0000005|1|-0.000001",
            "0.00000049|1|0.000000",
            "7|2000000|0.000004",
            "0|5|0.000000",
            "1|0|",
            "NaN|2|NaN",
            "Infinity|2|Infinity",
            "-Infinity|2|-Infinity",
        ]
    );
    let largest = "SELECT kalends.mean(sign * 2 * ('1e131071'::numeric - 1), 2) = sign * ('1e131071'::numeric - 1)
                   FROM unnest('{1,-1}'::numeric[]) AS sign";
    assert_eq!(world.ask_warehouse(largest), ["t", "t"]);
}

//! Dimensions: a line for each combination, whatever their types and texts.

use super::{Asked, set, settles};
use crate::kit::World;

const LEVELS: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];

/// An entity with one measure and these dimensions.
fn asked<'a>(dimensions: &'a [(&'a str, &'a str)]) -> Asked<'a> {
    Asked {
        measures: &[("n", "integer")],
        dimensions,
        statistics: &["sum", "count"],
        levels: &LEVELS,
        ..Asked::default()
    }
}

/// A table `t` with a dimension `d`, filled one row a value: 1, 2, 4, and so on.
fn world(kind: &str, values: &[&str]) -> World {
    let world = World::new();
    world.production_sql(&format!("CREATE TABLE t (at timestamp, n integer, d {kind})"));
    for (at, value) in values.iter().enumerate() {
        world.production_sql(&format!("INSERT INTO t VALUES ('2024-01-31 05:00', {}, {value})", 1_u64 << at));
    }
    world
}

const DAY: &str = "year=2024/month=1/day=31/t_stats_daily_2024_1_31.csv";

/// The lines of the day's file without the day, and without the header.
fn lines(world: &World) -> Vec<String> {
    lines_of(world, "t")
}

fn lines_of(world: &World, entity: &str) -> Vec<String> {
    let text = String::from_utf8(world.files().remove(&DAY.replace("/t_", &format!("/{entity}_"))).unwrap()).unwrap();
    text.split("\n2024,1,31,").skip(1).map(|line| line.trim_end_matches('\n').to_string()).collect()
}

#[test]
fn combinations_have_a_line_each_in_the_files_of_every_level() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE t (at timestamp, n integer, shop text, open boolean);
         INSERT INTO t VALUES ('2024-01-31 05:00', 1, 'b', true), ('2024-01-31 05:30', 2, 'b', true), ('2024-01-31 06:00', 4, 'b', NULL),
             ('2024-01-30', 8, NULL, true), ('2024-01-31', NULL, 'B', false), ('2024-02-01', 16, 'b', true)",
    );
    let asked = asked(&[("shop", "text"), ("open", "boolean")]);
    set(&world, &asked.settings());
    settles(&world);
    asked.is_exact(&world);
    world.file(
        "year=2024/t_stats_yearly_2024.csv",
        "year,shop,open,sum_n,count_n
         2024,,true,8,1
         2024,B,false,,0
         2024,b,,4,1
         2024,b,true,19,3",
    );
    world.file(
        "year=2024/month=1/day=31/hour=5/t_stats_hourly_2024_1_31_5.csv",
        "year,month,day,hour,shop,open,sum_n,count_n\n2024,1,31,5,b,true,3,2",
    );
    assert_eq!(
        world.ask_warehouse("SELECT * FROM kalends_stats.t_stats_weekly ORDER BY shop COLLATE \"C\" NULLS FIRST, open"),
        ["2024|5||t|8|1", "2024|5|B|f||0", "2024|5|b|t|19|3", "2024|5|b||4|1"]
    );
    let manifest: serde_json::Value = serde_json::from_slice(&world.tree()["_manifest.json"].bytes).unwrap();
    let year = &manifest["files"]["year=2024/t_stats_yearly_2024.csv"];
    assert_eq!((&year["rows"], &year["entity_rows"]), (&4.into(), &6.into()));
}

#[test]
fn texts_are_told_apart_by_their_bytes_and_sorted_by_them() {
    let world = world(
        "text",
        &[
            "NULL",
            "''",
            "'NULL'",
            "' '",
            "'a'",
            "'A'",
            "'a '",
            "U&'\\00e9'",
            "U&'e\\0301'",
            "'a,b'",
            "'a\"b'",
            "E'a\\r\\nb'",
            "E'a\\nb'",
            "'😀'",
            "U&'\\ffff'",
            "'{a,b}'",
            "'\\x00'",
            "'Z'",
            "'ä'",
        ],
    );
    let asked = asked(&[("d", "text")]);
    set(&world, &asked.settings());
    settles(&world);
    asked.is_exact(&world);
    assert_eq!(
        lines(&world),
        [
            ",1,1",
            "\"\",2,1",
            " ,8,1",
            "A,32,1",
            "NULL,4,1",
            "Z,131072,1",
            "\\x00,65536,1",
            "a,16,1",
            "\"a\nb\",4096,1",
            "\"a\r\nb\",2048,1",
            "a ,64,1",
            "\"a\"\"b\",1024,1",
            "\"a,b\",512,1",
            "e\u{301},256,1",
            "\"{a,b}\",32768,1",
            "ä,262144,1",
            "é,128,1",
            "\u{ffff},16384,1",
            "😀,8192,1",
        ]
    );
    // A text of 1 MB, which no index could hold, and one that differs from it in its end.
    world.production_sql(
        "INSERT INTO t SELECT '2024-01-31', 0, repeat('long', 262144) || e FROM unnest('{1,2,2}'::text[]) AS e",
    );
    settles(&world);
    asked.is_exact(&world);
    let long: Vec<String> = lines(&world).into_iter().filter(|line| line.starts_with("long")).collect();
    assert_eq!(long.iter().map(|line| &line[1 << 20..]).collect::<Vec<_>>(), ["1,0,1", "2,0,2"]);
}

#[test]
fn no_formula_starts_in_a_field_or_a_header_and_numbers_stay_numbers() {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE t (at timestamp, n integer, \"=d\" text, i integer, x double precision, v interval);
         INSERT INTO t SELECT '2024-01-31', -1, text, -5, '-Infinity', '-1 day' FROM
             unnest(ARRAY['=1+1', '+1', '-1', '@x', E'\\t=1', E'\\r=1', E'\\n=1', '''=1', '＝1', '＋1', '－1', '＠1', 'a=1', ' =1']) AS text",
    );
    let dimensions = [("=d", "text"), ("i", "integer"), ("x", "double precision"), ("v", "interval")];
    let asked = asked(&dimensions);
    set(&world, &asked.settings());
    settles(&world);
    asked.is_exact(&world);
    let text = String::from_utf8(world.files().remove(DAY).unwrap()).unwrap();
    let end = ",-5,-Infinity,'-1 days,-1,1\n";
    let lines: String = [
        "\"'\t=1\"",
        "\"'\n=1\"",
        "\"'\r=1\"",
        " =1",
        "''=1",
        "'+1",
        "'-1",
        "'=1+1",
        "'@x",
        "a=1",
        "'＋1",
        "'－1",
        "'＝1",
        "'＠1",
    ]
    .iter()
    .map(|text| format!("2024,1,31,{}{end}", text.replace("\"'\t=1\"", "'\t=1")))
    .collect();
    assert_eq!(text, format!("year,month,day,'=d,i,x,v,sum_n,count_n\n{lines}"));
    // In the view they are as they are.
    assert_eq!(
        world.ask_warehouse("SELECT count(*) FROM kalends_stats.t_stats_daily WHERE \"=d\" = '=1+1' AND i = -5"),
        ["1"]
    );
}

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
    set(&world, &all.iter().map(Asked::settings).collect::<String>());
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
    set(&world, &asked.settings());
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
fn a_dimension_that_changes_is_never_unseen_and_only_its_combinations_are_written() {
    let world = world("text", &["'a'", "'b'", "'c'", "NULL"]);
    let asked = asked(&[("d", "text")]);
    set(&world, &asked.settings());
    settles(&world);
    let written = || {
        world.ask_warehouse(
            "SELECT dimension_d || ' ' || xmin FROM kalends_stats.t_by_year WHERE dimension_d <> 'b' ORDER BY 1",
        )
    };
    let before = written();
    // The day's totals stay what they are.
    world.production_sql("UPDATE t SET d = CASE d WHEN 'b' THEN 'd' ELSE d END");
    world.kalends("verify").fails_with(3).says("rows        2024-01-31 changed");
    settles(&world);
    asked.is_exact(&world);
    assert_eq!(written().iter().filter(|row| !row.starts_with('d')).cloned().collect::<Vec<_>>(), before);
    assert_eq!(lines(&world), [",8,1", "a,1,1", "c,4,1", "d,2,1"]);
    // Two rows swap theirs; NULL, nothing and a blank are three.
    for sql in [
        "UPDATE t SET d = CASE d WHEN 'a' THEN 'c' WHEN 'c' THEN 'a' ELSE d END",
        "UPDATE t SET d = '' WHERE d IS NULL",
        "UPDATE t SET d = ' ' WHERE d = ''",
        "UPDATE t SET d = NULL WHERE d = ' '",
    ] {
        world.production_sql(sql);
        world.kalends("verify").fails_with(3);
        settles(&world);
        asked.is_exact(&world);
    }
    world.production_sql("DELETE FROM t");
    settles(&world);
    assert_eq!(world.files().len(), 0);
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_stats.t_by_day"), ["0"]);
}

#[test]
fn accounts_of_combinations_that_somebody_changes_are_found_and_mended() {
    let world = world("text", &["'a'", "'b'", "NULL"]);
    world.production_sql("INSERT INTO t VALUES ('2024-02-01 07:00', 8, 'a')");
    let asked = asked(&[("d", "text")]);
    set(&world, &asked.settings());
    settles(&world);
    for (sql, period) in [
        ("UPDATE kalends_stats.t_by_day SET sum_n = 7 WHERE dimension_d = 'a' AND day = '2024-01-31'", "2024-01-31"),
        ("DELETE FROM kalends_stats.t_by_day WHERE dimension_d IS NULL", "2024-01-31"),
        ("UPDATE kalends_stats.t_by_day SET dimension_d = 'c' WHERE dimension_d = 'b'", "2024-01"),
        ("UPDATE kalends_stats.t_by_hour SET count_n = 3 WHERE dimension_d = 'b'", "2024-01-31"),
        (
            "UPDATE kalends_stats.t_by_hour SET rows = 3 - rows, sum_n = 3 - sum_n WHERE dimension_d IS NOT NULL AND hour < '2024-02-01'",
            "2024-01-31",
        ),
        ("DELETE FROM kalends_stats.t_by_week", "2024-W05"),
        ("UPDATE kalends_stats.t_by_month SET max_n = 9 WHERE dimension_d = 'a' AND month = '2024-02-01'", "2024-02"),
        ("UPDATE kalends_stats.t_by_quarter SET dimension_d = 'x' WHERE dimension_d = 'a'", "2024-Q1"),
        (
            "INSERT INTO kalends_stats.t_by_year SELECT '2023-01-01', combination, dimension_d, rows, count_n, sum_n, min_n, max_n FROM kalends_stats.t_by_year",
            "2023",
        ),
    ] {
        world.warehouse_sql(sql);
        world.kalends("verify").fails_with(3).says(&format!("accounts    {period} changed"));
        world.kalends("run").succeeds().says("mended").says(period);
        world.kalends("verify").succeeds();
        asked.is_exact(&world);
    }
    // Days and months that were changed alike add up again; `verify` looks at the rows.
    for table in ["hour", "day", "week", "month", "quarter", "year"] {
        world
            .warehouse_sql(&format!("UPDATE kalends_stats.t_by_{table} SET dimension_d = 'c' WHERE dimension_d = 'b'"));
    }
    world.kalends("run").succeeds();
    world.kalends("verify").fails_with(3).says("accounts    2024-01-31 changed");
}

#[test]
fn names_that_others_have_already_are_kept_apart() {
    let long = "ü".repeat(31) + "x";
    let names =
        ["day", "dimension_day", "rows", "combination", "sum_n", "iso_year", "hash_a", "measure_0", long.as_str()];
    let world = World::new();
    let columns: Vec<String> = names.iter().map(|name| format!("\"{name}\" text")).collect();
    world.production_sql(&format!("CREATE TABLE t (at timestamp, n integer, {})", columns.join(", ")));
    world.production_sql("INSERT INTO t VALUES ('2024-01-31', 5, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')");
    let dimensions = names.map(|name| (name, "text"));
    set(&world, &asked(&dimensions).settings());
    settles(&world);
    world.file(
        DAY,
        &format!(
            "year,month,day,dimension_dimension_day,dimension_day,rows,combination,dimension_sum_n,dimension_iso_year,hash_a,measure_0,{long},sum_n,count_n
             2024,1,31,a,b,c,d,e,f,g,h,i,5,1"
        ),
    );
    assert_eq!(
        world.ask_warehouse("SELECT dimension_dimension_day, dimension_day, sum_n FROM kalends_stats.t_stats_yearly"),
        ["a|b|5"]
    );
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
        set(&world, &asked(&[("d", "")]).settings());
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
        set(&world, &asked(&[(dimension, "")]).settings());
        world.kalends("prepare").fails_with(code).says(said);
    }
    let many: Vec<String> = (0..60).map(|at| format!("d{at}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    set(&world, &asked(&many).settings());
    world.kalends("prepare").fails_with(2).says("more than 60 measures and dimensions");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM pg_class WHERE relname = 't'"), ["0"]);
}

#[test]
fn sixty_columns_are_told_apart_by_which_of_them_are_null() {
    let world = World::new();
    let names: Vec<String> = (0..59).map(|at| format!("d{at}")).collect();
    let columns: Vec<String> = names.iter().map(|name| format!("{name} text")).collect();
    world.production_sql(&format!("CREATE TABLE t (at timestamp, n integer, {})", columns.join(", ")));
    world.production_sql("INSERT INTO t (at, n, d58) VALUES ('2024-01-31', 1, '')");
    let dimensions: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "text")).collect();
    let asked = Asked { levels: &["day"], ..asked(&dimensions) };
    set(&world, &asked.settings());
    settles(&world);
    asked.is_exact(&world);
    world.production_sql("UPDATE t SET d58 = NULL, d57 = ''");
    world.kalends("verify").fails_with(3);
    settles(&world);
    asked.is_exact(&world);
}

#[test]
fn another_dimension_is_settled_anew_and_so_is_a_deviation_from_the_rows_that_are_there() {
    let world = world("text", &["'a'", "'b'", "'b'"]);
    let plain = Asked { dimensions: &[], ..asked(&[]) };
    set(&world, &plain.settings());
    settles(&world);
    let split = asked(&[("d", "text")]);
    set(&world, &split.settings());
    world.kalends("run").succeeds().says("anew        dimension \"d\" added");
    settles(&world);
    split.is_exact(&world);
    let spread = Asked { statistics: &["sum", "count", "stddev"], ..asked(&[("d", "text")]) };
    set(&world, &spread.settings());
    let ran = world.kalends("prepare --json");
    assert_eq!(
        (ran.json()["settled_anew"].clone(), ran.json()["loaded_rows"].clone()),
        (serde_json::json!(["statistic stddev added"]), 0.into())
    );
    settles(&world);
    spread.is_exact(&world);
    set(&world, &plain.settings());
    world.kalends("run").succeeds().says("dimension \"d\" removed");
    settles(&world);
    plain.is_exact(&world);
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_by\\_%'"), ["0"]);
}

#[test]
fn databases_that_are_not_in_utf8_are_refused() {
    let world = world("text", &["'a'"]);
    set(&world, &asked(&[("d", "text")]).settings());
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

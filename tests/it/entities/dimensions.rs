//! Dimensions: a line for each combination, whatever their types and texts.

use super::{Asked, settles, settles_by};
use crate::kit::World;

const LEVELS: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];

/// An entity with one measure and these dimensions.
pub fn asked<'a>(dimensions: &'a [(&'a str, &'a str)]) -> Asked<'a> {
    Asked {
        measures: &[("n", "integer")],
        dimensions,
        statistics: &["sum", "count"],
        levels: &LEVELS,
        ..Asked::default()
    }
}

/// A table `t` with a dimension `d`, filled one row a value: 1, 2, 4, and so on.
pub fn world(kind: &str, values: &[&str]) -> World {
    let world = World::new();
    world.production_sql(&format!("CREATE TABLE t (at timestamp, n integer, d {kind})"));
    for (at, value) in values.iter().enumerate() {
        world.production_sql(&format!("INSERT INTO t VALUES ('2024-01-31 05:00', {}, {value})", 1_u64 << at));
    }
    world
}

const DAY: &str = "year=2024/month=1/day=31/t_stats_daily_2024_1_31.csv";

/// The lines of the day's file without the day, and without the header.
pub fn lines(world: &World) -> Vec<String> {
    lines_of(world, "t")
}

pub fn lines_of(world: &World, entity: &str) -> Vec<String> {
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
    world.settings(asked.settings());
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
        [
            "2024|5||t|8|1|2024-01-29|t",
            "2024|5|B|f||0|2024-01-29|t",
            "2024|5|b|t|19|3|2024-01-29|t",
            "2024|5|b||4|1|2024-01-29|t"
        ]
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
    world.settings(asked.settings());
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
    world.settings(asked.settings());
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

#[test]
fn a_dimension_that_changes_is_never_unseen_and_only_its_combinations_are_written() {
    let world = world("text", &["'a'", "'b'", "'c'", "NULL"]);
    let asked = asked(&[("d", "text")]);
    world.settings(asked.settings());
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
    settles_by(&world, "run --accept-loss");
    assert_eq!(world.files().len(), 0);
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_stats.t_by_day"), ["0"]);
}

/// The planner takes the accounts of the newest day for one, because it has no statistics of it yet. Compared each with
/// each, they would take minutes.
#[test]
fn many_combinations_of_the_newest_day_are_settled_again_at_once() {
    let world = World::new();
    world.production_sql("CREATE TABLE t (at timestamp, n integer, d integer)");
    let asked = Asked { levels: &["day", "month"], ..asked(&[("d", "integer")]) };
    world.settings("[limits]\nstatement_timeout = \"15s\"\n".to_string() + &asked.settings());
    for day in ["2024-01-31", "2024-02-01"] {
        world.production_sql(&format!("INSERT INTO t SELECT '{day}', d, d FROM generate_series(1, 20000) AS d"));
        settles(&world);
        if day == "2024-01-31" {
            world.warehouse_sql("VACUUM ANALYZE");
        }
    }
    world.production_sql("DELETE FROM t WHERE d = 8; UPDATE t SET n = n + 1 WHERE at = '2024-02-01' AND d = 7");
    settles(&world);
    let sums = "SELECT count(*), sum(sum_n), sum(sum_n) FILTER (WHERE dimension_d = '7')";
    let expected = [format!("{}|{}|15", 2 * 19_999, 20_000 * 20_001 - 2 * 8 + 1)];
    for table in ["t_by_day", "t_by_month"] {
        assert_eq!(world.ask_warehouse(&format!("{sums} FROM kalends_stats.{table}")), expected, "{table}");
    }
}

#[test]
fn accounts_of_combinations_that_somebody_changes_are_found_and_mended() {
    let world = world("text", &["'a'", "'b'", "NULL"]);
    world.production_sql("INSERT INTO t VALUES ('2024-02-01 07:00', 8, 'a')");
    let asked = asked(&[("d", "text")]);
    world.settings(asked.settings());
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
        world.kalends("run").succeeds().says("repaired").says(period);
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
    world.settings(asked(&dimensions).settings());
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
fn sixty_columns_are_told_apart_by_which_of_them_are_null() {
    let world = World::new();
    let names: Vec<String> = (0..59).map(|at| format!("d{at}")).collect();
    let columns: Vec<String> = names.iter().map(|name| format!("{name} text")).collect();
    world.production_sql(&format!("CREATE TABLE t (at timestamp, n integer, {})", columns.join(", ")));
    world.production_sql("INSERT INTO t (at, n, d58) VALUES ('2024-01-31', 1, '')");
    let dimensions: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "text")).collect();
    let asked = Asked { levels: &["day"], ..asked(&dimensions) };
    world.settings(asked.settings());
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
    world.settings(plain.settings());
    settles(&world);
    let split = asked(&[("d", "text")]);
    world.settings(split.settings());
    world.kalends("run").succeeds().says("rebuilt     dimension \"d\" added");
    settles(&world);
    split.is_exact(&world);
    let spread = Asked { statistics: &["sum", "count", "stddev"], ..asked(&[("d", "text")]) };
    world.settings(spread.settings());
    let ran = world.kalends("prepare --json");
    assert_eq!(
        (ran.json()["settled_anew"].clone(), ran.json()["loaded_rows"].clone()),
        (serde_json::json!(["statistic stddev added"]), 0.into())
    );
    settles(&world);
    spread.is_exact(&world);
    world.settings(plain.settings());
    world.kalends("run").succeeds().says("dimension \"d\" removed");
    settles(&world);
    plain.is_exact(&world);
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_by\\_%'"), ["0"]);
}

#[test]
fn memory_does_not_grow_with_the_number_of_files() {
    let world = World::new();
    // 10 files of 4 MB each.
    world.production_sql(
        "CREATE TABLE t (at timestamp, n integer, d text);
         INSERT INTO t SELECT timestamp '2024-01-01' + day * interval '1 day', 1, line || repeat('-', 4000)
         FROM generate_series(1, 10) AS day, generate_series(1, 1000) AS line",
    );
    world.settings(Asked { levels: &["day"], ..asked(&[("d", "text")]) }.settings());
    world.kalends("prepare").succeeds();
    let python = "import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)";
    let peak_mb = |arguments: &str| {
        let command = world.command(arguments);
        let mut python_command = std::process::Command::new("python3");
        python_command.args(["-c", python]).arg(command.get_program()).args(command.get_args());
        python_command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir(world.folder());
        python_command.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = python_command.output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap().trim().parse::<u64>().unwrap() / 1024)
    };
    let Some(at_rest) = peak_mb("history") else {
        return eprintln!("not tried: there is no python3 to tell the memory of a process");
    };
    // 8 MiB of what is about to be written, and one file as it comes, is compared and is read once more.
    let publishing = peak_mb("export").unwrap();
    assert_eq!(world.files().len(), 10);
    eprintln!("{at_rest} MB at rest, {publishing} MB publishing");
    assert!(publishing < at_rest + 8 + 4 * 4 + 6, "{publishing} MB, {at_rest} MB at rest");
    let comparing = peak_mb("verify").unwrap();
    assert!(comparing < at_rest + 4 * 4 + 6, "{comparing} MB, {at_rest} MB at rest");
    world.kalends("export").succeeds().says("nothing to do: 10 files as the accounts have them");
}

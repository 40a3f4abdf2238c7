//! Files in other formats and folders: they say what the CSV files say, and keep the same promises.

mod reading;
mod switched;

use std::collections::BTreeSet;
use std::fs;

use reading::{FORMATS, all_say_the_same, ending};

use super::{MANIFEST, changed};
use crate::kit::World;

const DIMENSIONS: [&str; 2] = ["shop", "tag"];

/// The section of an entity `o` of table `o`, with these lines at its end.
fn section(more: &str) -> String {
    format!(
        "[[entity]]\nname = \"o\"\ntable = \"o\"\ntime = \"at\"\nmeasures = [\"amount\", \"n\", \"f\"]\n\
         dimensions = {DIMENSIONS:?}\nstatistics = [\"sum\", \"min\", \"max\", \"mean\", \"count\", \"stddev\"]\n\
         levels = [\"hour\", \"day\", \"week\", \"month\", \"quarter\", \"year\"]\n{more}\n"
    )
}

/// Orders of two months, with awkward values.
fn orders() -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE o (at timestamp, amount numeric(12, 2), n integer, f double precision, shop text, tag text);
         INSERT INTO o VALUES
             ('2024-01-02 08:00', 10.10, 5, 0.1, 'a', NULL),
             ('2024-01-02 09:30', 0.05, NULL, 0.2, 'a', NULL),
             ('2024-01-02 08:00', -3, 7, 1e130, E'it''s \"b\",\\r\\nc', E'x\\ny'),
             ('2024-01-31 12:00', 1, 1, 'NaN', NULL, ''),
             ('2024-02-29 23:59:59', 9999999999.99, -2147483648, '-Infinity', '=1+1', '''')",
    );
    world
}

/// Settled and published in all formats.
fn published(layout: &str) -> World {
    let world = orders();
    world.settings(section(&format!("formats = {FORMATS:?}\nlayout = {layout:?}")));
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    world
}

#[test]
fn all_formats_say_the_same_and_are_touched_only_where_something_changed() {
    for layout in ["tree", "hive"] {
        let world = published(layout);
        // 4 hours, 3 days, 3 weeks, 2 months, 1 quarter, 1 year.
        assert_eq!(all_say_the_same(&world, &DIMENSIONS), 14);
        let (tuples, before) = (world.tuples(), world.tree());
        for command in ["run", "export", "export 2024 1"] {
            world.kalends(command).succeeds().says("nothing to do");
            assert_eq!((world.tuples(), world.tree()), (tuples.clone(), before.clone()), "{command}");
        }
        world.production_sql("UPDATE o SET amount = 2 WHERE at = '2024-01-31 12:00'");
        world.kalends("run").succeeds().says("published   24 files");
        let touched = changed(&before, &world);
        for format in FORMATS {
            assert_eq!(touched.iter().filter(|path| path.ends_with(&format!(".{format}"))).count(), 6, "{format}");
        }
        assert_eq!(all_say_the_same(&world, &DIMENSIONS), 14);
        // A period that vanishes leaves no file and no folder.
        world.production_sql("DELETE FROM o WHERE at > '2024-02-01'");
        world.kalends("run --accept-loss").succeeds();
        assert_eq!(all_say_the_same(&world, &DIMENSIONS), 10);
        assert!(world.files().keys().all(|path| !path.contains("month=2") && !path.contains("month=02")));
        assert!(!world.exports.join("year=2024/month=2").exists());
        assert!(!world.exports.join("o/csv/daily/year=2024/month=02").exists());
        world.kalends("verify").succeeds();
    }
}

#[test]
fn the_bytes_depend_on_nothing_but_the_lines() {
    let world = published("tree");
    let bytes = |path: &str| fs::read(world.exports.join(path)).unwrap();
    let day = "year=2024/month=1/day=2/o_stats_daily_2024_1_2";
    let of_a = "\"sum_amount\":10.15,\"min_amount\":0.05,\"max_amount\":10.1,\"mean_amount\":5.075000,\
                \"count_amount\":2,\"stddev_amount\":7.106423,\"sum_n\":5,\"min_n\":5,\"max_n\":5,\
                \"mean_n\":5.000000,\"count_n\":1,\"stddev_n\":null,\"sum_f\":0.3,\"min_f\":0.1,\"max_f\":0.2,\
                \"mean_f\":0.150000,\"count_f\":2,\"stddev_f\":0.070711";
    let jsonl = String::from_utf8(bytes(&format!("{day}.jsonl"))).unwrap();
    let first = format!("{{\"year\":2024,\"month\":1,\"day\":2,\"shop\":\"a\",\"tag\":null,{of_a}}}");
    assert_eq!(jsonl.lines().next().unwrap(), first);
    assert!(jsonl.lines().nth(1).unwrap().contains(r#""shop":"it's \"b\",\r\nc","tag":"x\ny","sum_amount":-3,"#));
    // No name and no time: after the magic number and the method, flags and time are 0.
    assert_eq!(bytes(&format!("{day}.csv.gz"))[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);

    let (before, manifest) = (world.files(), bytes(MANIFEST));
    fs::remove_dir_all(&world.exports).unwrap();
    world.kalends("export").succeeds();
    assert_eq!(world.files(), before, "published again, at another time");
    assert_eq!(bytes(MANIFEST), manifest);
}

#[test]
fn a_file_that_somebody_spoilt_is_found_in_each_format_and_published_again() {
    let world = published("hive");
    let (before, right) = (world.tree(), world.files());
    let spoilt: BTreeSet<String> = FORMATS
        .iter()
        .map(|format| format!("o/{format}/daily/year=2024/month=01/o_stats_daily_2024_01_31.{format}"))
        .collect();
    for path in &spoilt {
        let mut bytes = fs::read(world.exports.join(path)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(world.exports.join(path), bytes).unwrap();
    }
    let found = world.kalends("verify --json").fails_with(3).json();
    let found: BTreeSet<String> = found["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", one["layer"], one["how"], one["what"].as_str().unwrap()))
        .collect();
    assert_eq!(found, spoilt.iter().map(|path| format!("\"files\" \"changed\" {path}")).collect());
    world.kalends("run").succeeds().says(&format!("published   {} files", FORMATS.len()));
    assert_eq!(world.files(), right);
    assert_eq!(changed(&before, &world).into_iter().collect::<BTreeSet<_>>(), spoilt);
    world.kalends("verify").succeeds();
}

#[test]
fn the_globs_of_hive_find_one_level() {
    let world = published("hive");
    let files = world.files();
    let daily: Vec<&str> = ending(&files, "csv").into_keys().filter(|path| path.starts_with("o/csv/daily/")).collect();
    let expected = [
        "o/csv/daily/year=2024/month=01/o_stats_daily_2024_01_02",
        "o/csv/daily/year=2024/month=01/o_stats_daily_2024_01_31",
        "o/csv/daily/year=2024/month=02/o_stats_daily_2024_02_29",
    ];
    assert_eq!(daily, expected);
    for (level, name, folders) in [
        ("hourly", "2024_02_29_23", "year=2024/month=02"),
        ("weekly", "2024_01", "iso_year=2024/week=01"),
        ("monthly", "2024_01", "year=2024/month=01"),
        ("quarterly", "2024_1", "year=2024/quarter=1"),
        ("yearly", "2024", "year=2024"),
    ] {
        for format in FORMATS {
            let path = format!("o/{format}/{level}/{folders}/o_stats_{level}_{name}.{format}");
            assert!(files.contains_key(&path), "{path}: {:?}", files.keys());
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn the_types_of_parquet_follow_from_the_definition_and_what_does_not_fit_is_refused() {
    use parquet::record::Field;
    use reading::parquet::{rows, schema};

    let world = published("tree");
    let bytes = |path: &str| fs::read(world.exports.join(path)).unwrap();
    let day = "year=2024/month=1/day=2/o_stats_daily_2024_1_2.parquet";
    let types = schema(&bytes(day));
    for column in [
        "REQUIRED INT32 year;",
        "OPTIONAL BYTE_ARRAY shop (STRING);",
        "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) sum_amount (DECIMAL(38,2));",
        "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) min_amount (DECIMAL(38,2));",
        "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) mean_amount (DECIMAL(38,6));",
        "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) stddev_amount (DECIMAL(38,6));",
        "OPTIONAL INT64 count_amount;",
        "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) sum_n (DECIMAL(38,0));",
        "OPTIONAL INT32 min_n;",
        "OPTIONAL BYTE_ARRAY sum_f (STRING);",
        "OPTIONAL DOUBLE max_f;",
        "REQUIRED INT32 period_start (DATE);",
    ] {
        assert!(types.contains(column), "{column}\n{types}");
    }
    assert_eq!(rows(&bytes(day))[0].last().unwrap().1, Field::Date(19_724));
    let hour = bytes("year=2024/month=1/day=2/hour=9/o_stats_hourly_2024_1_2_9.parquet");
    let nine = (19_724 * 24 + 9) * 3_600_000;
    assert_eq!(rows(&hour)[0].last().unwrap(), &("period_start".to_string(), Field::TimestampMillis(nine)));
    // One schema for a level, whatever is in its files.
    for path in world.files().keys().filter(|path| path.contains("_daily_") && path.ends_with(".parquet")) {
        assert_eq!(schema(&bytes(path)), types, "{path}");
    }

    let (before, manifest) = (world.tree(), bytes(MANIFEST));
    world.production_sql("UPDATE o SET amount = 'NaN' WHERE at = '2024-01-31 12:00'");
    let refused = "sum_amount of 2024-01-31T12 of entity \"o\" is NaN, which DECIMAL(38, 2) of Parquet cannot hold";
    world.kalends("run").fails_with(4).says(refused).says("Remove \"parquet\" from its formats");
    world.kalends("export").fails_with(4).says(refused);
    world.kalends("status").fails_with(4).says(refused);
    assert_eq!((world.tree(), bytes(MANIFEST)), (before, manifest));
    world.settings(section("formats = [\"csv\", \"csv.gz\", \"jsonl\"]"));
    world.kalends("export").succeeds();
    world.kalends("verify").succeeds();
    world.settings(section("formats = [\"csv\", \"csv.gz\", \"jsonl\", \"parquet\"]"));
    world.production_sql("UPDATE o SET amount = 5 WHERE at = '2024-01-31 12:00'");
    world.kalends("run").succeeds();
    assert_eq!(all_say_the_same(&world, &DIMENSIONS), 14);
    // As many digits as a decimal can have, and one more.
    world.production_sql("ALTER TABLE o ALTER amount TYPE numeric(38, 2)");
    world.production_sql("UPDATE o SET amount = repeat('9', 36)::numeric WHERE at = '2024-01-31 12:00'");
    world.kalends("run").succeeds();
    world.production_sql("INSERT INTO o VALUES ('2024-01-31 12:00', repeat('9', 36)::numeric, 1, 1, NULL, '')");
    world.kalends("run").fails_with(4).says("sum_amount of 2024-01-31T12 of entity \"o\" is 1999999999");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_refused_if_it_was_not_built_in() {
    let world = orders();
    world.settings(section("formats = [\"csv\", \"parquet\"]"));
    world
        .kalends("run")
        .fails_with(2)
        .says("entity \"o\" has the format \"parquet\", and this Kalends was built without it");
}

//! The index: where neither accounts nor files have changed, a run renders and reads none of them; and whatever
//! somebody does to a file, an account or the index itself, the next run finds it.

mod drawn;
mod edits;
mod partly;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use super::{FEBRUARY, JANUARY, JANUARY_2, JANUARY_31, MANIFEST, YEAR, changed, manifest, paths, published};
use crate::entities::asked::Asked;
use crate::faults::calls::available;
use crate::kit::{INDEX, Ran, World};
use crate::own_servers::{OwnServers, Side};

const LEVELS: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];

fn asked() -> Asked<'static> {
    Asked { measures: &[("n", "integer")], levels: &LEVELS, ..Asked::default() }
}

/// A row each hour of some days, in files of all levels.
fn with_hours(days: usize) -> World {
    let world = World::new();
    world.production_sql(&format!(
        "CREATE TABLE t (at timestamp, n integer, d text);
         INSERT INTO t
         SELECT timestamp '2024-01-01' + n * interval '1 hour', n, n % 3 FROM generate_series(0, {}) AS n",
        days * 24 - 1
    ));
    world.settings(asked().settings());
    crate::entities::asked::settles(&world);
    world
}

/// The files that a command opens to read them, and those that it puts into their places.
fn touched_by(world: &World, command: &str) -> [BTreeSet<String>; 2] {
    let log = world.folder().join("calls");
    let kalends = world.command(command);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=?open,openat,openat2,?rename,renameat,renameat2", "-o"]).arg(&log);
    strace.arg("--").arg(kalends.get_program()).args(kalends.get_args()).env_clear();
    strace.env("PATH", std::env::var_os("PATH").unwrap()).current_dir(world.folder());
    strace.envs(kalends.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(strace.output().unwrap(), command).succeeds();
    let log = fs::read_to_string(log).unwrap();
    let name = |path: &str| path.rsplit('/').next().unwrap().to_string();
    let (mut read, mut placed) = (BTreeSet::new(), BTreeSet::new());
    for line in log.lines().filter(|line| line.contains(".csv") && !line.contains(" = -1 ")) {
        let quoted: Vec<&str> = line.split('"').collect();
        match line.contains("rename") {
            true => drop(placed.insert(name(quoted[3]))),
            false if line.contains("O_PATH") || line.contains("O_CREAT") => {}
            false => drop(read.insert(name(quoted[1]))),
        }
    }
    [read, placed]
}

#[test]
fn a_run_with_nothing_to_do_opens_no_file_and_a_changed_hour_writes_the_files_that_it_is_in() {
    if !available() {
        return;
    }
    let world = with_hours(40);
    let none = BTreeSet::new();
    assert_eq!(touched_by(&world, "run"), [none.clone(), none.clone()]);
    assert_eq!(touched_by(&world, "export"), [none.clone(), none.clone()]);
    assert_eq!(touched_by(&world, "export 2024 1"), [none.clone(), none.clone()]);
    assert_eq!(touched_by(&world, "verify")[0].len(), paths(&world).len(), "verify reads everything");

    let before = world.tree();
    world.production_sql("UPDATE t SET n = n + 1 WHERE at = '2024-01-17 05:00'");
    let [read, placed] = touched_by(&world, "run");
    let period = ["hourly_2024_1_17_5", "daily_2024_1_17", "weekly_2024_3", "monthly_2024_1", "quarterly_2024_1"];
    let expected = period.iter().chain(&["yearly_2024"]).map(|period| format!("t_stats_{period}.csv"));
    assert_eq!(placed, expected.collect());
    assert_eq!(changed(&before, &world).len(), placed.len());
    // Those of the hours of that day are compared.
    assert!(read.len() <= placed.len() + 23, "{read:?}");
    asked().is_exact(&world);
    crate::entities::asked::settles(&world);
    assert_eq!(touched_by(&world, "run"), [none.clone(), none]);
}

#[test]
fn months_that_are_exported_one_by_one_are_known_afterwards() {
    if !available() {
        return;
    }
    let world = World::new();
    world.production_sql("CREATE TABLE t (at timestamp, n integer, d text)");
    world.settings(asked().settings());
    // With each month another period is the last closed one.
    for month in 1..=3 {
        world.production_sql(&format!(
            "INSERT INTO t SELECT at, 1, 'a' FROM generate_series(timestamp '2024-0{month}-01',
                timestamp '2024-0{month}-01' + interval '1 month - 1 hour', '11 hours') AS at"
        ));
        world.kalends("prepare").succeeds();
        world.kalends(&format!("export 2024 {month}")).succeeds();
    }
    for export in ["export 2024 1", "export 2024 2", "export 2024 3"] {
        let before = fs::metadata(world.exports.join(INDEX)).unwrap().ino();
        world.kalends(export).succeeds().says("nothing to do");
        assert_eq!(fs::metadata(world.exports.join(INDEX)).unwrap().ino(), before, "{export} wrote the index");
        let [read, placed] = touched_by(&world, export);
        // The hours of the day that the last closed hour was of at the time.
        assert!(read.len() < 4, "{export} reads {read:?}");
        assert!(placed.is_empty());
    }
    is_fresh(&world);
}

#[test]
fn what_a_run_with_nothing_to_do_counts_is_what_it_counted_before() {
    let world = with_hours(35);
    let counts = |command: &str| {
        let ran = world.kalends(&format!("{command} --json"));
        let json = ran.succeeds().json();
        ["written_files", "listed_files", "removed_files", "unchanged_files", "open_files"]
            .map(|key| json[key].as_u64().unwrap())
    };
    for command in ["export", "export 2024 1", "export 2024 2", "export 2023 7", "export --closed-only"] {
        let with = counts(command);
        let index = world.index().unwrap();
        fs::remove_file(world.exports.join(INDEX)).unwrap();
        assert_eq!(counts(command), with, "{command}");
        fs::write(world.exports.join(INDEX), index).unwrap();
    }
    world.kalends("export 2023 7").succeeds().says("2023-07 holds no rows");
    world.kalends("export 2024 2").succeeds().says("files as the accounts have them");
}

/// The files of an export of the same warehouse into an empty folder.
fn fresh(world: &World) -> BTreeMap<String, String> {
    let folder = world.folder().join("fresh");
    let _ = fs::remove_dir_all(&folder);
    let name = folder.display().to_string();
    world.kalends_with("export", &[("KALENDS_EXPORTS", &name)]).succeeds();
    crate::faults::worlds::ready::texts(&folder)
}

/// The export folder has what an export into an empty folder makes, and its manifest says so.
fn is_fresh(world: &World) {
    let expected = fresh(world);
    assert_eq!(crate::faults::worlds::ready::texts(&world.exports), expected);
    let listed: BTreeSet<String> = manifest(world)["files"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(listed, expected.into_keys().collect());
    crate::faults::whole::manifest_is_true(&world.exports);
}

#[test]
fn accounts_that_somebody_edits_are_exported_as_they_are_and_mended_by_a_run() {
    let world = published();
    for edit in [
        "UPDATE kalends_stats.entity_month SET sum_values = 1 WHERE month = '2024-01-01'",
        "UPDATE kalends_stats.entity_day SET max_values = 99 WHERE day = '2024-01-31'",
        "DELETE FROM kalends_stats.entity_day WHERE day = '2024-01-02'",
        "INSERT INTO kalends_stats.entity_year
         SELECT '2031-01-01', rows, count_values, sum_values, min_values, max_values
         FROM kalends_stats.entity_year",
    ] {
        let before = world.tree();
        world.warehouse_sql(edit);
        world.kalends("status").fails_with(3);
        world.kalends("export").succeeds();
        assert_ne!(world.tree(), before, "{edit}");
        is_fresh(&world);
        world.heals();
    }
}

#[test]
fn views_and_functions_that_somebody_replaces_are_what_is_published() {
    let world = published();
    let view = world.ask_warehouse("SELECT pg_get_viewdef('kalends.entity_monthly'::regclass)").remove(0);
    let replaced = |definition: &str| format!("CREATE OR REPLACE VIEW kalends.entity_monthly AS {definition}");
    let differs = |what: &str| {
        let before = world.tree();
        world.kalends("export").succeeds();
        assert_ne!(world.tree(), before, "{what}");
        is_fresh(&world);
    };
    world.warehouse_sql(&replaced(&view.replace("sum_values", "max_values")));
    differs("another column");
    world.warehouse_sql(&replaced(&view.replace("sum_values", "min_values")));
    fs::write(world.exports.join(JANUARY), "edited").unwrap();
    differs("another column, and a file that somebody edited");
    // A table that has nothing to do with Kalends decides: each time it is asked.
    world.warehouse_sql("CREATE TABLE public.plus (n integer); INSERT INTO public.plus VALUES (1)");
    world
        .warehouse_sql("GRANT USAGE ON SCHEMA public TO kalends_writer; GRANT SELECT ON public.plus TO kalends_writer");
    world.warehouse_sql(&replaced(&format!(
        "SELECT
             period, rows, closed, fields[:array_length(fields, 1) - 1] || (SELECT n::text FROM public.plus) AS fields
         FROM ({}) AS shown",
        view.trim_end_matches(';')
    )));
    differs("another table");
    world.warehouse_sql("UPDATE public.plus SET n = 2");
    differs("a row of another table");
    world.warehouse_sql("DELETE FROM public.plus");
    differs("no row of another table");
    world.warehouse_sql(&replaced(&view));
    differs("as it was");
    let mean = world.ask_warehouse("SELECT prosrc FROM pg_proc WHERE proname = 'mean'").remove(0);
    let function = |body: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION kalends.mean(sum_values numeric, value_count bigint) RETURNS numeric
             LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $x${body}$x$"
        )
    };
    world.warehouse_sql(&function("SELECT 13.000000"));
    differs("a function");
    world.warehouse_sql(&function(&mean));
    differs("the function as it was");
    world.settles();
}

#[test]
fn notes_of_files_that_somebody_removes_are_noted_again() {
    let world = published();
    let noted = || world.ask_warehouse("SELECT path, sha256 FROM kalends.file ORDER BY path COLLATE \"C\"");
    let before = noted();
    for edit in [
        "DELETE FROM kalends.file WHERE level = 'month'",
        "UPDATE kalends.file SET sha256 = 'x' WHERE level = 'day'",
        "INSERT INTO kalends.file SELECT 'year=1/x.csv', entity, level, period, entity_rows, bytes, sha256
         FROM kalends.file LIMIT 1",
        "TRUNCATE kalends.file",
    ] {
        world.warehouse_sql(edit);
        let tree = world.tree();
        world.kalends("run").succeeds().says("nothing to do");
        assert_eq!(noted(), before, "{edit}");
        assert_eq!(world.tree(), tree, "{edit}");
        world.settles();
    }
}

#[test]
fn versions_of_notes_are_known_after_each_run_and_renewed_once_after_a_change_by_somebody_else() {
    let world = published();
    let is_renewed = || {
        let inode = || fs::metadata(world.exports.join(INDEX)).unwrap().ino();
        let before = inode();
        world.kalends("run").succeeds().says("nothing to do");
        inode() != before
    };
    assert!(!is_renewed());
    for (changes, done) in [
        ("UPDATE entity SET value = 11 WHERE value = 10", "published   3 files"),
        ("INSERT INTO entity VALUES ('2024-01-03', 8), ('2024-03-01', 9)", "published   5 files"),
        ("DELETE FROM entity WHERE created_at = '2024-01-03'", "1 removed"),
    ] {
        world.production_sql(changes);
        world.kalends("run").succeeds().says(done);
        assert!(!is_renewed(), "{changes}");
    }
    for changes in ["VACUUM FULL kalends.file", "UPDATE kalends.file SET bytes = bytes WHERE level = 'year'"] {
        world.warehouse_sql(changes);
        assert!(is_renewed(), "{changes}");
        assert!(!is_renewed(), "{changes}");
    }
}

#[test]
fn an_earlier_or_another_warehouse_is_not_taken_for_the_one_that_published() {
    use crate::faults::worlds::ready::{database, renewed};
    let world = published();
    let copy = format!("{}_copy", database(&world));
    let end = || crate::faults::whole::no_session_is_left(&world);
    end();
    renewed(&world, &copy, &database(&world));
    world.production_sql("UPDATE entity SET value = 11 WHERE value = 10");
    world.settles();
    let tree = world.tree();
    // As it was before: its accounts are older than the files.
    end();
    renewed(&world, &database(&world), &copy);
    world.kalends("export").fails_with(4).says("are as of");
    assert_eq!(world.tree(), tree);
    // What it settles by now is something else, under the same number.
    world.production_sql("UPDATE entity SET value = 12 WHERE value = 11");
    world.settles();
    // Equal files of a copy stay, and are the copy's own from then on.
    end();
    renewed(&world, &copy, &database(&world));
    let tree = world.tree();
    world.kalends("run").succeeds().says("nothing to do");
    let url = world.writer_url.replace(&database(&world), &copy);
    world.kalends_with("export", &[("KALENDS_WAREHOUSE_URL", &url)]).succeeds().says("nothing to do");
    assert_eq!(world.tree(), tree);
    world.settles();
    end();
    crate::faults::worlds::ready::on_server(&world, &format!("DROP DATABASE {copy} WITH (FORCE)"));
}

/// What is written after a backup was put back can have the transactions and places of what was written before.
#[test]
fn a_warehouse_that_was_put_back_repeats_transactions_and_is_not_taken_for_what_published() {
    let own = OwnServers::new();
    let world = own.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-31 | 10");
    world.settles();
    own.stop();
    own.copy_or_put_back(Side::Warehouse);
    own.start_again();
    let digests = "SELECT bit_xor(hash_record_extended(row(xmin, ctid), 0)) FROM kalends_stats.entity_day";
    let changes_to = |value: i32| {
        world.production_sql(&format!("UPDATE entity SET value = {value} WHERE value >= 10"));
        world.kalends("prepare").succeeds();
        world.ask_warehouse(digests)
    };
    let published = changes_to(11);
    world.kalends("export").succeeds().says("published   3 files");
    own.stop();
    own.copy_or_put_back(Side::Warehouse);
    own.start_again();
    assert_eq!(changes_to(12), published, "nothing was tried: the transactions are others");
    world.kalends("export").succeeds().says("published   3 files");
    world.settles();
}

#[test]
fn other_levels_statistics_and_entities_are_published_as_into_an_empty_folder() {
    let world = with_hours(33);
    let set = |asked: &Asked<'_>| {
        world.settings(asked.settings());
        crate::entities::asked::settles(&world);
        is_fresh(&world);
    };
    set(&Asked { levels: &["hour", "month"], ..asked() });
    set(&Asked { levels: &["day", "month"], ..asked() });
    set(&Asked { statistics: &["mean", "sum"], ..asked() });
    set(&Asked { dimensions: &[("d", "text")], levels: &["day", "month"], ..asked() });
    set(&asked());
    world.settings(Asked { name: "other", ..asked() }.settings());
    world.kalends("run").succeeds();
    is_fresh(&world);
    world.kalends("forget t --yes").succeeds();
    world.kalends("run").succeeds();
    is_fresh(&world);
    assert!(paths(&world).iter().all(|path| path.contains("/other_stats_")));
}

/// Copies a folder with times and modes.
fn copied(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

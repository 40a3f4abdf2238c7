//! Drawn sequences of edits of production, of files and of accounts, each with some command after it, and in the end
//! what an export into an empty folder makes.

use std::fs;

use super::super::{manifest, paths};
use super::{asked, is_fresh};
use crate::faults::sweeping;
use crate::kit::World;
use crate::kit::random::{self, Random};

/// Whose rows are of two months of 2024 and one of 2025.
const TIME: &str = "timestamp '2024-01-30' + floor(random() * 400)::integer % 97 * interval '5 hours'
                    + (random() < 0.2)::integer * interval '1 year'";

fn edit_production(random: &mut Random) -> String {
    let seed = format!("SELECT setseed({}::float8 / 1000);", random.below(1000));
    let edit = match random.below(4) {
        0 => format!("INSERT INTO t SELECT {TIME}, n FROM generate_series(1, 3) AS n"),
        1 => "UPDATE t SET n = n + 1 WHERE random() < 0.05".to_string(),
        2 => "DELETE FROM t WHERE random() < 0.05".to_string(),
        _ => format!("UPDATE t SET at = {TIME} WHERE random() < 0.02"),
    };
    format!("{seed} {edit}")
}

fn edit_accounts(random: &mut Random) -> &'static str {
    let edits = [
        "UPDATE kalends_stats.t_hour SET sum_n = sum_n + 1 WHERE hour = (SELECT min(hour) FROM kalends_stats.t_hour)",
        "DELETE FROM kalends_stats.t_hour WHERE hour = (SELECT max(hour) FROM kalends_stats.t_hour)",
        "UPDATE kalends_stats.t_day SET max_n = 7 WHERE day = (SELECT max(day) FROM kalends_stats.t_day)",
        "UPDATE kalends_stats.t_week SET rows = rows + 1",
        "DELETE FROM kalends_stats.t_year",
        "UPDATE kalends.file SET sha256 = '' WHERE level = 'week'",
        "DELETE FROM kalends.file WHERE level = 'hour'",
    ];
    edits[random.index(edits.len())]
}

/// Touches, edits, cuts, removes or exchanges some file.
fn edit_files(world: &World, random: &mut Random) -> String {
    let all = paths(world);
    if all.is_empty() {
        return "no file".to_string();
    }
    let (name, other) = (random.one_of(&all).clone(), random.one_of(&all).clone());
    let path = world.exports.join(&name);
    let what = random.below(6);
    match what {
        0 => fs::write(&path, fs::read(&path).unwrap()).unwrap(),
        1 => fs::write(&path, "year\n1\n").unwrap(),
        2 => fs::remove_file(&path).unwrap(),
        3 => fs::rename(world.exports.join(&other), &path).unwrap(),
        4 => drop(fs::remove_file(world.exports.join(super::INDEX))),
        _ => fs::remove_dir_all(path.parent().unwrap()).unwrap(),
    }
    format!("{what} {name} {other}")
}

#[test]
fn whatever_is_edited_between_runs_the_folder_is_as_one_that_was_empty() {
    let seed = random::seed("untouched");
    let mut random = Random::new(seed);
    for round in 0..if sweeping() { 40 } else { 2 } {
        let world = World::new();
        world.production_sql(&format!(
            "CREATE TABLE t (at timestamp, n integer); SELECT setseed(0.5);
             INSERT INTO t SELECT {TIME}, n FROM generate_series(1, 60) AS n"
        ));
        world.settings(asked().settings());
        world.kalends("run").succeeds();
        let mut did = Vec::new();
        for step in 0..10 {
            for _ in 0..=random.below(2) {
                match random.below(5) {
                    0 | 1 => {
                        let edit = edit_production(&mut random);
                        world.production_sql(&edit);
                        did.push(edit);
                    }
                    2 => {
                        let edit = edit_accounts(&mut random);
                        world.warehouse_sql(edit);
                        did.push(edit.to_string());
                    }
                    _ => did.push(edit_files(&world, &mut random)),
                }
            }
            let commands = [
                "run --accept-loss",
                "export",
                "export 2024 2",
                "export 2025 1",
                "export --closed-only",
                "run --closed-only --accept-loss",
                "prepare --accept-loss",
            ];
            let command = *random.one_of(&commands);
            did.push(command.to_string());
            let code = world.kalends(command).code;
            assert!(matches!(code, Some(0 | 4)), "{round}, {step}: {did:#?}");
            if command == "export" && code == Some(0) {
                is_fresh(&world);
            }
        }
        did.push("in the end".to_string());
        world.kalends("run --accept-loss").succeeds();
        eprintln!("{round}: {did:#?}");
        is_fresh(&world);
        asked().is_exact(&world);
        crate::entities::asked::settles_by(&world, "run --accept-loss");
        assert!(manifest(&world)["pending"].is_null());
    }
}

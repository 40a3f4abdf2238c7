//! `--metrics FILE`: text that a strict reader takes, replaced whole, however the command ended.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::proven;
use crate::faults::held::Hold;
use crate::kit::World;

/// Reads OpenMetrics text of gauges, and panics at anything that the grammar does not have: by sample, with its labels.
fn read(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("it ends with # EOF and a line end");
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
    };
    let (mut samples, mut family, mut families, mut described) =
        (BTreeMap::new(), String::new(), Vec::new(), Vec::new());
    for line in body.lines() {
        if let Some(said) = line.strip_prefix("# ") {
            let mut words = said.splitn(3, ' ');
            let (what, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE", "UNIT"].contains(&what) && is_name(name), "{line}");
            assert!(what != "TYPE" || rest == "gauge", "{line}");
            assert!(what != "UNIT" || name.ends_with(&format!("_{rest}")), "{line}");
            if family != name {
                // A family's lines stand together.
                assert!(!families.contains(&name.to_string()), "{line}");
                families.push(name.to_string());
                family = name.to_string();
            }
            assert!(!described.contains(&(what.to_string(), name.to_string())), "{line}");
            described.push((what.to_string(), name.to_string()));
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = sample.split_once('{').map_or((sample, None), |(name, rest)| (name, Some(rest)));
        assert!(is_name(name) && name == family, "{line} is not of family {family}");
        if let Some(labels) = labels {
            let labels = labels.strip_suffix('}').unwrap();
            for label in labels.split("\",").filter(|label| !label.is_empty()) {
                let (label, text) = label.split_once("=\"").unwrap();
                assert!(is_name(label) && !text.trim_end_matches('"').contains(['"', '\n']), "{line}");
            }
        }
        let value: f64 = value.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(samples.insert(sample.trim_end_matches("{}").to_string(), value).is_none(), "{line} comes twice");
    }
    for family in &families {
        assert!(described.contains(&("TYPE".to_string(), family.clone())), "{family} has no type");
        assert!(described.contains(&("HELP".to_string(), family.clone())), "{family} has no help");
    }
    samples
}

fn of(world: &World, name: &str) -> BTreeMap<String, f64> {
    read(&fs::read_to_string(world.folder().join(name)).unwrap())
}

#[test]
fn figures_are_those_of_the_report() {
    let world = World::with_two_days();
    world.production("created_at | value\n 2024-03-01 | 1\n 2024-03-01 | 2");
    let report = world.kalends("run --json --metrics run.prom").succeeds().json();
    let found = of(&world, "run.prom");
    let expected = [
        ("kalends_exit_code{command=\"run\"}", 0.0),
        ("kalends_surveyed_rows{entity=\"entity\"}", 4.0),
        ("kalends_surveyed_days{entity=\"entity\"}", 3.0),
        ("kalends_loaded_rows{entity=\"entity\"}", 2.0),
        ("kalends_production_read_rows{entity=\"entity\"}", 6.0),
    ];
    for (sample, figure) in expected {
        assert_eq!(found.get(sample), Some(&figure), "{sample} in {found:?}");
    }
    let written = found.iter().find(|(sample, _)| sample.starts_with("kalends_written_files")).unwrap();
    assert_eq!(*written.1, report["written_files"].as_f64().unwrap());
    #[allow(clippy::cast_precision_loss)]
    let as_of = proven(&world) as f64 / 1e6;
    assert!((found["kalends_proven_timestamp_seconds"] - as_of).abs() < 1e-5, "{found:?}");

    world.kalends("prepare --metrics prepare.prom").succeeds();
    assert_eq!(of(&world, "prepare.prom")["kalends_exit_code{command=\"prepare\"}"], 0.0);
    fs::remove_file(world.exports.join("year=2024/entity_stats_yearly_2024.csv")).unwrap();
    world.kalends("status --metrics status.prom").fails_with(3);
    let found = of(&world, "status.prom");
    assert_eq!(
        (found["kalends_exit_code{command=\"status\"}"], found["kalends_due_files"], found["kalends_settled_rows"]),
        (3.0, 1.0, 4.0)
    );
    let mode = fs::metadata(world.folder().join("status.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o044, 0o044 & mode, "whoever collects it may read it");
    assert_ne!(mode & 0o004, 0);
    assert!(
        fs::read_dir(world.folder()).unwrap().all(|entry| !entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".kalends."))
    );
}

#[test]
fn a_run_that_ends_badly_says_so_and_keeps_its_exit_code() {
    let world = World::with_two_days();
    world.kalends("run --metrics run.prom").succeeds();
    let fresh = of(&world, "run.prom")["kalends_proven_timestamp_seconds"];
    world.production_sql("INSERT INTO entity VALUES ('2024-03-03', 3)");
    let hold = Hold::by(&world.warehouse_url, "SELECT pg_advisory_xact_lock(1262570565, 1)");
    world.kalends("run --metrics run.prom").fails_with(75);
    let found = of(&world, "run.prom");
    assert_eq!(found["kalends_exit_code{command=\"run\"}"], 75.0);
    assert!((found["kalends_proven_timestamp_seconds"] - fresh).abs() < 1e-5, "it is as fresh as it was");
    // A file that cannot be written changes nothing about that.
    if cfg!(target_os = "linux") {
        world
            .kalends("run --metrics /proc/kalends.prom")
            .fails_with(75)
            .says("could not write the metrics \"/proc/kalends.prom\"");
    }
    drop(hold);
    let nowhere = world.warehouse_url.replace(":5433/", ":5999/");
    world.kalends_with("run --metrics run.prom", &[("KALENDS_WAREHOUSE_URL", &nowhere)]).fails_with(1);
    let found = of(&world, "run.prom");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("kalends_exit_code{command=\"run\"}".to_string(), 1.0)]);
}

#[test]
fn a_folder_that_is_not_there_is_refused_before_anything_is_done() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    for command in ["run", "prepare", "status"] {
        world
            .kalends(&format!("{command} --metrics none/run.prom"))
            .fails_with(2)
            .says("\"none/run.prom\" cannot be used for --metrics: there is no folder \"none\"");
    }
    assert_eq!(world.ask_warehouse("SELECT to_regclass('kalends.state') IS NULL"), ["t"]);
    assert!(!world.exports.exists());
}

#[test]
fn a_run_that_went_well_and_cannot_say_so_ends_with_1_its_work_done() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    if cfg!(target_os = "linux") {
        world
            .kalends("run --metrics /proc/kalends.prom")
            .fails_with(1)
            .says("could not write the metrics \"/proc/kalends.prom\"");
        world.is_exact();
    }
}

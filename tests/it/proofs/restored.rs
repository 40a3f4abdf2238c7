//! A warehouse that was restored from a backup is older than the files that were published since.

use super::{ROWS, entity};
use crate::kit::World;

/// The warehouse as it is now, as a backup: its URL.
fn backup(world: &World, name: &str) -> String {
    let (server, database) = world.warehouse_url.rsplit_once('/').unwrap();
    let copy = format!("{database}_{name}");
    crate::kit::run_sql(&format!("{server}/postgres"), &format!("CREATE DATABASE {copy} TEMPLATE {database}"));
    format!("{}/{copy}", world.writer_url.rsplit_once('/').unwrap().0)
}

#[test]
fn an_older_warehouse_puts_no_older_files_back_and_takes_no_newer_ones_away() {
    let world = World::new();
    world.production(ROWS);
    world.kalends("run").succeeds();
    let restored = backup(&world, "restored");
    let older = [("KALENDS_WAREHOUSE_URL", restored.as_str())];
    // A row more, and a month.
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 1), ('2024-03-01', 1)");
    world.kalends("run").succeeds();
    let tree = world.tree();

    for export in ["export", "export 2024 1", "export 2024 3"] {
        world
            .kalends_with(export, &older)
            .fails_with(4)
            .says("the files of entity \"entity\" in ")
            .says("and the warehouse has it as of ")
            .says("Run `kalends run`, which brings the warehouse up to date first");
        assert_eq!(world.tree(), tree, "{export}");
    }
    world.kalends_with("verify", &older).fails_with(3);
    assert_eq!(world.tree(), tree);
    // A run would settle first, so nothing would be refused.
    world.production_sql("INSERT INTO entity VALUES ('2024-03-02', 1)");
    let planned = world.kalends_with("plan --json", &older).succeeds().json();
    assert_eq!(planned["publishing_refused"], serde_json::Value::Null, "{planned}");
    world.production_sql("DELETE FROM entity WHERE created_at = '2024-03-02'");
    // One run makes it the newer one, and then nothing is in the way.
    world.kalends_with("run", &older).succeeds();
    assert_eq!(
        world.files(),
        tree.iter()
            .filter(|(path, _)| *path != "_manifest.json")
            .map(|(path, file)| (path.clone(), file.bytes.clone()))
            .collect()
    );
    world.kalends_with("verify", &older).succeeds();
    world.kalends_with("run", &older).succeeds().says("nothing to do");
    // By now it is the first one that is older.
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 1)");
    world.kalends_with("run", &older).succeeds();
    world.kalends("export").fails_with(4);
    world.kalends("export --take-over").succeeds();
    world.file(
        "year=2024/month=1/day=2/entity_stats_daily_2024_1_2.csv",
        "year,month,day,sum_values,min_values,max_values,mean_values\n2024,1,2,6,1,5,3.000000",
    );
    world.settles();
}

#[test]
fn an_older_warehouse_takes_no_files_away_of_an_entity_that_it_does_not_know_yet() {
    let world = World::new();
    world.production(ROWS);
    world.settings(entity("one", "entity", ""));
    world.kalends("run").succeeds();
    let restored = backup(&world, "restored");
    let older = [("KALENDS_WAREHOUSE_URL", restored.as_str())];
    world.settings(&(entity("one", "entity", "") + &entity("two", "entity", "")));
    world.kalends("run").succeeds();
    let tree = world.tree();
    world.settings(entity("one", "entity", ""));
    world.kalends_with("export", &older).fails_with(4).says("the files of entity \"two\" in ").says("does not hold it");
    // Nor when it has gone on since.
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 1), ('2024-03-01', 1)");
    world.kalends_with("prepare", &older).succeeds();
    world.kalends_with("export", &older).fails_with(4).says("the files of entity \"two\" in ");
    assert_eq!(world.tree(), tree);
    // The one that has published them takes them away once it has forgotten the entity.
    world.kalends("forget two --yes").succeeds();
    world.kalends("run").succeeds();
    assert!(world.files().keys().all(|path| !path.contains("two_stats")));
    world.kalends("verify").succeeds();
}

/// Settled as of one moment, and its backup; then as of another moment in both months, and published.
fn changed_since_a_backup() -> (World, String) {
    let world = World::new();
    world.production(ROWS);
    world.kalends("run").succeeds();
    let restored = backup(&world, "restored");
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 1), ('2024-02-29', 1)");
    world.kalends("run").succeeds();
    (world, restored)
}

#[test]
fn a_backup_that_was_made_between_two_months_of_a_run_puts_no_older_files_back() {
    let (world, restored) = changed_since_a_backup();
    let tree = world.tree();
    // As of the moment of the run whose files are there, and its first month alone.
    let superuser =
        format!("{}/{}", world.warehouse_url.rsplit_once('/').unwrap().0, restored.rsplit_once('/').unwrap().1);
    let moment = world.ask_warehouse("SELECT settled_as_of FROM kalends.entity").remove(0);
    crate::kit::run_sql(
        &superuser,
        &format!(
            "UPDATE kalends.entity SET settlement = settlement + 1, settled_as_of = '{moment}', whole = false;
             INSERT INTO kalends.settled SELECT name, settled_as_of, settlement FROM kalends.entity"
        ),
    );
    let older = [("KALENDS_WAREHOUSE_URL", restored.as_str())];
    world.kalends_with("export", &older).fails_with(4).says("the files of entity \"entity\" in ");
    assert_eq!(world.tree(), tree);
    world.kalends_with("run", &older).succeeds();
    world.kalends_with("verify", &older).succeeds();
}

#[test]
fn an_older_warehouse_that_a_run_brought_up_to_date_in_part_puts_no_older_files_back() {
    let (world, restored) = changed_since_a_backup();
    let tree = world.tree();
    let superuser =
        format!("{}/{}", world.warehouse_url.rsplit_once('/').unwrap().0, restored.rsplit_once('/').unwrap().1);
    let older = [("KALENDS_WAREHOUSE_URL", restored.as_str())];
    crate::kit::run_sql(
        &superuser,
        "CREATE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''on purpose''; END';
         CREATE TRIGGER fails BEFORE INSERT ON kalends_raw.entity_2024_02 EXECUTE FUNCTION public.fails()",
    );
    world.kalends_with("run", &older).fails_with(1).says("on purpose");
    world.kalends_with("export", &older).fails_with(4).says("and the warehouse has it as of ");
    assert_eq!(world.tree(), tree);
    crate::kit::run_sql(&superuser, "DROP TRIGGER fails ON kalends_raw.entity_2024_02");
    world.kalends_with("run", &older).succeeds();
    world.kalends_with("verify", &older).succeeds();
}

#[test]
fn an_older_warehouse_does_not_bring_back_what_is_gone() {
    let world = World::new();
    world.production(ROWS);
    world.kalends("run").succeeds();
    let restored = backup(&world, "restored");
    world.production_sql("DELETE FROM entity WHERE created_at = '2024-02-29'");
    world.kalends("run --accept-loss").succeeds();
    let tree = world.tree();
    let older = [("KALENDS_WAREHOUSE_URL", restored.as_str())];
    for export in ["export", "export 2024 2"] {
        world.kalends_with(export, &older).fails_with(4).says("the files of entity \"entity\" in ");
        assert_eq!(world.tree(), tree, "{export}");
    }
    // Nor when nothing is left.
    world.production_sql("DELETE FROM entity");
    world.kalends("run --accept-loss").succeeds();
    assert!(world.files().is_empty());
    world.kalends_with("export", &older).fails_with(4).says("the files of entity \"entity\" in ");
    assert!(world.files().is_empty());
}

#[test]
fn a_warehouse_that_has_lost_its_notes_is_refused_and_keeps_what_it_has() {
    let world = World::new();
    world.production(ROWS);
    world.kalends("run").succeeds();
    let (tree, rows) = (world.tree(), world.ask_warehouse("SELECT count(*) FROM kalends_raw.entity"));
    for lost in
        ["DELETE FROM kalends.state", "DROP SCHEMA kalends CASCADE; CREATE SCHEMA kalends AUTHORIZATION kalends_writer"]
    {
        world.warehouse_sql(lost);
        for command in ["run", "prepare", "export", "verify --repair"] {
            let ran = world.kalends(command);
            ran.fails_with(4).says(" hint: ");
            assert_eq!(
                (world.tree(), world.ask_warehouse("SELECT count(*) FROM kalends_raw.entity")),
                (tree.clone(), rows.clone())
            );
        }
    }
    // What the hint says in the end: built anew, it takes over the files, which are equal.
    world.empty_warehouse();
    world.settles();
    let after = world.tree();
    for (path, file) in tree.iter().filter(|(path, _)| *path != "_manifest.json") {
        assert_eq!(after[path], *file, "{path}");
    }
}

#[test]
fn an_older_warehouse_puts_no_older_page_back_where_all_files_are_equal() {
    let world = World::new();
    world.production(ROWS);
    world.settings("report = true\n");
    world.kalends("run").succeeds();
    let restored = backup(&world, "restored");
    let older = [("KALENDS_WAREHOUSE_URL", restored.as_str())];
    // There and back: the files are as they were, and the pages tell of it.
    let files = world.files();
    for change in ["value + 1", "value - 1"] {
        world.production_sql(&format!("UPDATE entity SET value = {change}"));
        world.kalends("run").succeeds();
    }
    let csv = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
        files.iter().filter(|(path, _)| path.ends_with(".csv")).map(|(a, b)| (a.clone(), b.clone())).collect::<Vec<_>>()
    };
    assert_eq!(csv(&world.files()), csv(&files));
    assert_ne!(world.files(), files);
    let tree = world.tree();
    for command in ["export", "report"] {
        world.kalends_with(command, &older).fails_with(4).says("the files of entity \"entity\" in ");
        assert_eq!(world.tree(), tree, "{command}");
    }
    world.kalends_with("run", &older).succeeds();
    world.kalends_with("verify", &older).succeeds();
}

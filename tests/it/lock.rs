//! One works, the others give way at once or wait for their turn.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::faults::held::{Hold, Moment, Running, wait_for};
use crate::kit::{Ran, World};
use crate::own_servers::Side;

/// Another run has the warehouse while this is held.
const IN_MID_SETTLING: Moment =
    Moment { side: Side::Warehouse, lock: "kalends_stats.entity_day IN SHARE", early: true };
/// Another run has the export folder while this is held.
const IN_MID_PUBLISHING: Moment = Moment { side: Side::Warehouse, lock: "kalends.file IN SHARE", early: false };

fn changed() -> World {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settles();
    world.production("created_at | value\n 2024-01-03 | 6");
    // The test decides how long the first is held.
    world.settings("[limits]\nlock_timeout = \"120s\"\n");
    world
}

fn started(world: &World, arguments: &str) -> Running {
    Running::started(world.command(arguments))
}

#[test]
fn who_comes_second_gives_way_at_once_and_says_who_works() {
    let world = changed();
    let hold = Hold::at(&world, IN_MID_SETTLING);
    let first = Running::until_held(&world, Side::Warehouse);
    let pid = world.ask_warehouse(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'kalends run'",
    );
    let (begun, tuples) = (Instant::now(), world.tuples());
    for arguments in ["run", "prepare", "forget entity --yes"] {
        let ran = world.kalends(arguments);
        ran.fails_with(75).says(&format!("another run is at work in the warehouse (pid {}, role", pid[0]));
        ran.says("\"kalends run\", since ").says("--wait 60s");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(world.tuples(), tuples);
    drop(hold);
    first.ends().succeeds();
    world.settles();
}

#[test]
fn who_compared_before_another_one_settled_gives_way_and_settles_nothing() {
    let world = changed();
    world.production_sql(
        "CREATE TABLE other (created_at timestamp, value integer); INSERT INTO other VALUES ('2024-05-05', 1);
         GRANT SELECT ON other TO kalends_reader",
    );
    let other = "[[entity]]\nname = \"other\"\ntable = \"other\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
    std::fs::write(world.folder().join("other.toml"), other).unwrap();
    // It has read what was settled, and waits for its snapshot.
    let hold = Hold::by(&world.production_url, "LOCK TABLE entity");
    let first = Running::until_held(&world, Side::Production);
    world.kalends("prepare --config other.toml").succeeds();
    let tuples = world.tuples();
    drop(hold);
    first.ends().fails_with(75).says("another run has settled something since this one looked");
    assert_eq!(world.tuples(), tuples);
    world.kalends("run").succeeds().says("settled     1 day (1 new), 1 month");
}

#[test]
fn who_compared_before_the_entity_was_forgotten_gives_way() {
    let world = changed();
    let hold = Hold::by(&world.production_url, "LOCK TABLE entity");
    let first = Running::until_held(&world, Side::Production);
    world.kalends("forget entity --yes").succeeds();
    drop(hold);
    first.ends().fails_with(75).says("another run has settled something since this one looked");
    world.settles();
}

#[test]
fn who_finds_the_warehouse_taken_once_it_has_compared_gives_way_at_once() {
    let world = changed();
    // It has found the warehouse free, and waits for its snapshot.
    let hold = Hold::by(&world.production_url, "LOCK TABLE entity");
    let mut first = Running::until_held(&world, Side::Production);
    let other = Hold::by(&world.warehouse_url, "SELECT pg_advisory_xact_lock(1262570565, 1)");
    drop(hold);
    assert!(first.ends_within(Duration::from_secs(20)), "it waits");
    first.ends().fails_with(75).says("another run is at work in the warehouse (pid ");
    drop(other);
    world.settles();
}

#[test]
fn who_waits_works_when_the_first_has_ended() {
    let world = changed();
    let hold = Hold::at(&world, IN_MID_SETTLING);
    let first = Running::until_held(&world, Side::Warehouse);
    // What the first does not see.
    world.production("created_at | value\n 2024-01-04 | 7");
    let mut second = started(&world, "run --wait 60s");
    assert!(!second.ends_within(Duration::from_secs(2)), "it does not wait");
    drop(hold);
    first.ends().succeeds();
    second.ends().succeeds().says("settled     1 day (1 new), 1 month");
    world.is_exact();
}

#[test]
fn a_wait_that_is_past_ends_with_75() {
    let world = changed();
    let hold = Hold::at(&world, IN_MID_SETTLING);
    let first = Running::until_held(&world, Side::Warehouse);
    let begun = Instant::now();
    world
        .kalends("prepare --wait 1s")
        .fails_with(75)
        .says("another run is at work in the warehouse (pid ")
        .says("hint: Waited 1s, as --wait says");
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    drop(hold);
    first.ends().succeeds();
    world.settles();
}

#[test]
fn the_folder_is_waited_for_as_well_and_its_holder_is_named() {
    let world = changed();
    let hold = Hold::at(&world, IN_MID_PUBLISHING);
    let first = Running::until_held(&world, Side::Warehouse);
    let holder = if cfg!(target_os = "linux") { format!(": process {}", first.id()) } else { String::new() };
    for arguments in ["export", "run"] {
        let ran = world.kalends(arguments);
        ran.fails_with(75).says(&format!("another run is publishing into \"{}\"{holder}", world.exports.display()));
    }
    let mut waiting: Vec<Running> =
        ["export --wait 1m", "status --wait 1m", "verify --wait 1m"].map(|typed| started(&world, typed)).into();
    for command in &mut waiting {
        // Longer than the 2 s that any command waits for a folder.
        assert!(!command.ends_within(Duration::from_secs(3)), "it does not wait");
    }
    drop(hold);
    first.ends().succeeds();
    for command in waiting {
        command.ends().succeeds();
    }
    world.is_exact();
}

#[test]
fn nothing_needs_cleaning_up_behind_a_killed_run() {
    for moment in [IN_MID_SETTLING, IN_MID_PUBLISHING] {
        let world = changed();
        let hold = Hold::at(&world, moment);
        let first = Running::until_held(&world, Side::Warehouse);
        let session = world.ask_warehouse(
            "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE datname = current_database() AND NOT granted AND application_name = 'kalends run'",
        );
        assert_eq!(session.len(), 1);
        let second = started(&world, "run --wait 60s");
        first.signal("-KILL");
        assert_eq!(first.ends().code, None, "killed");
        // The server finds out by itself that its client is gone, while its session still waits for a lock.
        let lives = format!("SELECT 1 FROM pg_stat_activity WHERE pid = {}", session[0]);
        wait_for("the end of the killed session", || world.ask_warehouse(&lives).is_empty());
        drop(hold);
        second.ends().succeeds();
        world.settles();
    }
}

#[test]
fn somebody_who_waits_can_be_stopped() {
    let world = changed();
    let hold = Hold::at(&world, IN_MID_PUBLISHING);
    let first = Running::until_held(&world, Side::Warehouse);
    let mut waiting = world.command("export --wait 1h").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert!(Command::new("kill").arg(waiting.id().to_string()).status().unwrap().success());
    wait_for("the end of who waits", || waiting.try_wait().unwrap().is_some());
    Ran::of(waiting.wait_with_output().unwrap(), "export").fails_with(143);
    drop(hold);
    first.ends().succeeds();
}

#[test]
fn a_wait_that_is_no_duration_is_refused() {
    let world = World::new();
    for arguments in ["run --wait soon", "run --wait 60", "export --wait -5s"] {
        world.kalends(arguments).fails_with(2);
    }
    assert!(!world.exports.exists());
}

#[test]
fn of_several_entities_one_line_says_that_another_run_is_at_work() {
    let world = changed();
    let entity = |name: &str| {
        format!("[[entity]]\nname = {name:?}\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n")
    };
    let hold = Hold::at(&world, IN_MID_SETTLING);
    let first = Running::until_held(&world, Side::Warehouse);
    std::fs::write(world.folder().join("kalends.toml"), ["entity", "two", "three"].map(entity).concat()).unwrap();
    let tree = world.tree();
    let ran = world.kalends("run");
    assert_eq!(ran.fails_with(75).stdout, "");
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.stderr);
    assert!(lines[0].starts_with("error: another run is at work in the warehouse (pid "), "{}", ran.stderr);
    assert!(lines[0].ends_with("); nothing half loaded is published"), "{}", ran.stderr);
    assert_eq!(world.tree(), tree);
    drop(hold);
    first.ends().succeeds();
}

#[test]
fn small_months_that_are_new_are_settled_in_one_transaction_and_each_counts() {
    let world = World::new();
    world.settles();
    let mut known = [0, 0];
    let mut transactions_and_months = || {
        let sql = "SELECT generation, settlement FROM kalends.state, kalends.entity";
        let counted: Vec<i64> = world.ask_warehouse(sql)[0].split('|').map(|count| count.parse().unwrap()).collect();
        let more = [counted[0] - known[0], counted[1] - known[1]];
        known = [counted[0], counted[1]];
        more
    };
    transactions_and_months();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8\n 2024-03-01 | 9");
    world.settles();
    // The final one has a transaction of its own.
    assert_eq!(transactions_and_months(), [2, 3]);
    // So has what was settled before: others may read it and lock it.
    world.production_sql(
        "UPDATE entity SET value = 7 WHERE created_at = '2024-02-29';
         INSERT INTO entity VALUES ('2024-01-03', 1), ('2024-04-01', 2), ('2024-05-01', 3), ('2024-06-01', 4)",
    );
    world.settles();
    assert_eq!(transactions_and_months(), [4, 5]);
    // All six months in one, because a level more makes other tables.
    world.settings(
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n\
         levels = [\"day\", \"week\", \"month\", \"year\"]\n",
    );
    world.kalends("run").succeeds();
    assert_eq!(transactions_and_months(), [1, 6]);
}

#[test]
fn others_read_the_rows_while_a_new_month_is_settled() {
    let world = World::with_two_days();
    world.settles();
    world.production("created_at | value\n 2024-03-01 | 9");
    world.settings("[limits]\nlock_timeout = \"120s\"\n");
    let hold = Hold::at(&world, IN_MID_SETTLING);
    let run = Running::until_held(&world, Side::Warehouse);
    let loads = "SELECT count(*) FROM pg_locks WHERE relation = 'kalends_raw.entity'::regclass AND mode LIKE 'Share%'";
    assert_ne!(world.ask_warehouse(loads), ["0"], "the new month is not attached yet");
    world.warehouse_sql(
        "SET statement_timeout = '10s';
         DO $$ BEGIN ASSERT (SELECT count(*) FROM kalends_raw.entity) = 2, 'other rows'; END $$",
    );
    drop(hold);
    run.ends().succeeds();
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_raw.entity"), ["3"]);
}

#[test]
fn a_month_that_cannot_be_settled_keeps_none_before_it_from_being_settled() {
    let world = World::new();
    world.settles();
    world.warehouse_sql("CREATE TABLE kalends_raw.entity_2024_03 (of_somebody integer)");
    world.production(
        "created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8\n 2024-03-01 | 9\n 2024-04-01 | 7\n 2024-05-01 | 6",
    );
    let months = "SELECT month FROM kalends_stats.entity_month ORDER BY month";
    for _ in 0..2 {
        let ran = world.kalends("run");
        ran.fails_with(4).says("table \"kalends_raw.entity_2024_03\" of the warehouse is in the way");
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
        assert_eq!(world.ask_warehouse(months), ["2024-01-01", "2024-02-01"]);
    }
    world.warehouse_sql("DROP TABLE kalends_raw.entity_2024_03");
    world.settles();
    assert_eq!(world.ask_warehouse(months).len(), 5);
}

#[test]
fn of_months_that_are_settled_together_the_one_that_cannot_be_is_named() {
    let world = World::new();
    world.settles();
    world.warehouse_sql("ALTER TABLE kalends_stats.entity_month ADD CONSTRAINT no_march CHECK (month <> '2024-03-01')");
    world.production(
        "created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8\n 2024-03-01 | 9\n 2024-04-01 | 7\n 2024-05-01 | 6",
    );
    let months = "SELECT month FROM kalends_stats.entity_month ORDER BY month";
    for _ in 0..2 {
        let ran = world.kalends("run");
        ran.fails_with(1).says("could not settle month 2024-03\n").says("no_march");
        assert!(!ran.stderr.contains("2024-02"), "{}", ran.stderr);
        assert_eq!(world.ask_warehouse(months), ["2024-01-01", "2024-02-01"]);
    }
    world.warehouse_sql("ALTER TABLE kalends_stats.entity_month DROP CONSTRAINT no_march");
    world.settles();
    assert_eq!(world.ask_warehouse(months).len(), 5);
}

#[test]
fn what_went_wrong_first_is_told_where_months_are_tried_again_one_by_one() {
    let world = World::new();
    world.settles();
    world.warehouse_sql(
        "CREATE SEQUENCE public.tries;
         CREATE FUNCTION public.fail() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
             RAISE EXCEPTION 'try %', nextval('public.tries'); END $$;
         CREATE EVENT TRIGGER fail ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.fail()",
    );
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8\n 2024-03-01 | 9\n 2024-04-01 | 7");
    world.kalends("run").fails_with(1).says("could not settle month 2024-01\n").says("cause: try 1 (P0001)");
    assert_eq!(world.ask_warehouse("SELECT last_value FROM public.tries"), ["2"]);
    world.warehouse_sql("DROP EVENT TRIGGER fail");
    world.settles();
}

#[test]
fn a_run_is_logged_with_the_days_that_it_settled_and_the_rows_that_it_loaded() {
    let world = World::new();
    let logged = || world.ask_warehouse("SELECT days, rows FROM kalends.run ORDER BY run");
    world.production(
        "created_at | value\n 2024-01-02 | 5\n 2024-01-02 | 6\n 2024-02-29 | 8\n 2024-03-01 | 9\n 2024-04-01 | 7",
    );
    world.settles();
    assert_eq!(logged(), ["4|5"]);
    world.production_sql("INSERT INTO entity VALUES ('2024-01-02', 7), ('2024-04-02', 1)");
    world.settles();
    assert_eq!(logged(), ["4|5", "2|4"]);
    // An account that somebody edited is made again, and nothing of it changed in production.
    world.warehouse_sql("UPDATE kalends_stats.entity_month SET rows = 7 WHERE month = '2024-01-01'");
    world.kalends("run").succeeds();
    assert_eq!(logged(), ["4|5", "2|4"]);
}

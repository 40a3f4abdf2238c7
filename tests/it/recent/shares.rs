//! The share of the older days that a run looks at.

use super::{change, look_before, many_of_one_day, ran, settings, two_years_proven_every, without_counters};
use crate::faults::held::{Hold, Running, wait_for};
use crate::kit::World;

#[test]
fn a_late_row_of_an_old_month_is_found_within_the_interval_without_counters() {
    let world = two_years_proven_every("24h");
    without_counters(&world);
    world.production_sql("INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    let (mut found, mut rows) = (0, 0);
    for hour in 1..=25 {
        look_before(&world, "1 hour");
        let run = ran(&world, "run --json");
        rows += run["older"]["rows"].as_i64().unwrap();
        found += run["settled_months"].as_i64().unwrap();
        let status = world.kalends("status --json --max-age 1m --max-age-of-all 24h").succeeds().json();
        assert!(status["oldest_age_seconds"].as_f64().unwrap() < 24.0 * 3600.0, "after {hour} hours: {status}");
    }
    assert_eq!(found, 1, "it was not found");
    world.is_exact();
    // All older days were looked at once, and few of them twice.
    let older: i64 = world.ask_warehouse(
        "SELECT sum(rows) FROM kalends_stats.entity_day WHERE day < (SELECT recent_from FROM kalends.entity)",
    )[0]
    .parse()
    .unwrap();
    assert!((older..older * 13 / 10).contains(&rows), "{rows} of {older} rows were looked at");
}

#[test]
fn after_a_pause_as_long_as_the_interval_everything_is_looked_at() {
    let world = two_years_proven_every("24h");
    without_counters(&world);
    world.production_sql("INSERT INTO entity VALUES (now() - interval '300 days', 700), ('1999-12-31', 5), (now(), 3)");
    look_before(&world, "25 hours");
    world.kalends("status --max-age-of-all 24h").fails_with(3).says("; older than 1day");
    let run = ran(&world, "run --json");
    // Of the recent days and of the older ones together.
    assert_eq!((&run["settled_months"], &run["loaded_rows"]), (&3.into(), &5.into()), "{run}");
    assert_eq!(run["settled_days"], serde_json::json!({"grown": 2, "new": 1}), "{run}");
    world.is_exact();
    world.kalends("status --max-age-of-all 1h").succeeds();
}

#[test]
fn a_note_that_is_missing_makes_a_run_look_at_everything() {
    let world = two_years_proven_every("1000 days");
    without_counters(&world);
    world.production_sql("INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    world.warehouse_sql("DELETE FROM kalends.looked");
    let status = world.kalends("status --json").json();
    assert_eq!(status["oldest_as_of"], serde_json::Value::Null, "{status}");
    world.kalends("status --max-age-of-all 1h").fails_with(3);
    let run = ran(&world, "run --json");
    assert_eq!((&run["older"], &run["settled_months"]), (&serde_json::Value::Null, &1.into()), "{run}");
    world.kalends("status --max-age-of-all 1h").succeeds();
    world.is_exact();
}

#[test]
fn a_day_that_had_not_ended_when_it_was_looked_at_is_recent() {
    let world = two_years_proven_every("1000 days");
    without_counters(&world);
    world.settings(settings("1 day", "1000 days"));
    world.kalends("run").succeeds();
    // As if the last run was three months ago, when these rows were still to come.
    look_before(&world, "90 days");
    world.production_sql("INSERT INTO entity VALUES (now() - interval '60 days', 7), (now() - interval '35 days', 8)");
    let run = ran(&world, "run --json");
    assert_eq!(run["loaded_rows"], 4, "{run}");
    world.is_exact();
}

#[test]
fn a_clock_that_was_set_back_makes_everything_due() {
    let world = two_years_proven_every("24h");
    without_counters(&world);
    world.production_sql("INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    world.warehouse_sql("UPDATE kalends.looked SET as_of = as_of + interval '1 hour'");
    let run = ran(&world, "run --json");
    assert_eq!(run["settled_months"], 1, "{run}");
    world.is_exact();
}

#[test]
fn a_month_that_vanished_among_the_old_ones_is_held_and_looked_at_by_each_run() {
    let world = two_years_proven_every("24h");
    without_counters(&world);
    world.production_sql(
        "CREATE TABLE removed AS
         SELECT * FROM entity WHERE created_at < date_trunc('month', now() - interval '660 days')",
    );
    world.production_sql("DELETE FROM entity WHERE created_at < date_trunc('month', now() - interval '660 days')");
    look_before(&world, "25 hours");
    world.kalends("run").fails_with(4).says("held ").says("none of ");
    let oldest = &world.kalends("status --json").json()["proofs"]["entity"]["oldest_age_seconds"];
    assert!(oldest.as_f64() > Some(25.0 * 3600.0), "what is held is not proven: {oldest}");
    let before = world.ask_warehouse("SELECT count(*) FROM kalends_stats.entity_day");
    world.kalends("run").fails_with(4).says("held ");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends_stats.entity_day"), before);
    world.production_sql("INSERT INTO entity TABLE removed");
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.held"), ["0"]);
    world.is_exact();
}

#[test]
fn while_something_is_held_no_more_days_are_called_recent() {
    let world = two_years_proven_every("100 days");
    let noted = "SELECT recent_from FROM kalends.entity UNION ALL SELECT until_day FROM kalends.looked";
    let before = world.ask_warehouse(noted);
    change(&world, "DELETE FROM entity WHERE created_at >= date_trunc('month', now() - interval '35 days')");
    world.settings(settings("300 days", "100 days"));
    world.kalends("run").fails_with(4).says("held ");
    assert_eq!(world.ask_warehouse(noted), before);
    world.kalends("run --accept-loss").succeeds();
    assert_ne!(world.ask_warehouse(noted), before);
    world.is_exact();
}

#[test]
fn recent_may_change_and_be_left_out() {
    let world = two_years_proven_every("100 days");
    without_counters(&world);
    world.production_sql("INSERT INTO entity VALUES (now() - interval '300 days', 700)");
    for (recent, settled) in [("10 days", 0), ("200 days", 0), ("400 days", 1), ("5 days", 0)] {
        world.settings(settings(recent, "100 days"));
        let run = ran(&world, "run --json");
        assert_eq!(run["settled_months"], settled, "{recent}: {run}");
    }
    world.is_exact();
    world.production_sql("INSERT INTO entity VALUES (now() - interval '600 days', 700)");
    // Of a note that another version has written, nothing is known.
    world.warehouse_sql("UPDATE kalends.counted SET noted = '7'");
    world.no_settings();
    world.settles();
    let noted = "SELECT count(*) FROM kalends.looked UNION ALL SELECT count(recent_from) FROM kalends.entity";
    assert_eq!(world.ask_warehouse(noted), ["0", "0"]);
    world.kalends("status --json").succeeds();
}

#[test]
fn two_runs_at_once_look_and_say_nothing_that_is_not_so() {
    let world = two_years_proven_every("24h");
    world.production_sql("INSERT INTO entity VALUES (now() - interval '300 days', 700), (now(), 3)");
    look_before(&world, "25 hours");
    let run = || Running::started(world.command("run --wait 60s"));
    let others = [run(), run()];
    for other in others {
        let ran = other.ends();
        assert!(matches!(ran.code, Some(0 | 75)), "it ended with {:?}", ran.code);
    }
    world.kalends("run").succeeds();
    world.is_exact();
}

#[test]
fn accounts_of_old_months_that_somebody_edited_are_found_with_their_share() {
    let world = two_years_proven_every("24h");
    without_counters(&world);
    let months = "date_trunc('month', current_date - 400), date_trunc('month', current_date)";
    world.warehouse_sql(&format!(
        "UPDATE kalends_stats.entity_month SET sum_values = sum_values + 1 WHERE month IN ({months})"
    ));
    look_before(&world, "25 hours");
    let run = ran(&world, "run --json");
    let mended = world.ask_warehouse(&format!("SELECT to_char(unnest(ARRAY[{months}]), 'YYYY-MM') ORDER BY 1"));
    // The recent one is found first, and the other one is not forgotten for it.
    for month in mended {
        assert!(run["mended_periods"].to_string().contains(&month), "{month}: {run}");
    }
    world.is_exact();
}

#[test]
fn prove_all_every_without_recent_is_refused() {
    let world = World::new();
    world.settings(
        "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n\
         prove_all_every = \"1h\"\n",
    );
    world.kalends("run").fails_with(2).says("entity \"entity\" has prove_all_every and no recent");
}

/// Slices that take long, because production is read slowly.
fn slow() -> World {
    let world = many_of_one_day("24h");
    without_counters(&world);
    world.settings("[production]\nmax_rows_per_second = 30000\n".to_string() + &settings("45 days", "24h"));
    world.production_sql("UPDATE entity SET value = 8 WHERE created_at < now() - interval '720 days'");
    look_before(&world, "25 hours");
    world
}

#[test]
fn a_run_that_is_killed_between_slices_has_looked_at_these_and_the_next_one_goes_on() {
    let world = slow();
    let run = Running::started(world.command("run"));
    let noted = || world.ask_warehouse("SELECT count(*) FROM kalends.looked")[0] != "1";
    wait_for("a slice", noted);
    run.signal("-KILL");
    assert_eq!(run.ends().code, None);
    let looked = world.ask_warehouse("SELECT * FROM kalends.looked ORDER BY from_day");
    assert!(looked.len() > 1, "{looked:?}");
    let run = ran(&world, "run --json");
    assert!(run["older"]["slices"].as_i64() >= Some(1), "{run}");
    world.kalends("verify --exact").succeeds();
    world.kalends("status --max-age-of-all 1h").succeeds();
    world.is_exact();
}

#[test]
fn what_another_run_settles_between_slices_ends_them() {
    let world = slow();
    let run = Running::started(world.command("run"));
    wait_for("a slice", || world.ask_warehouse("SELECT count(*) FROM kalends.looked")[0] != "1");
    world.warehouse_sql("UPDATE kalends.state SET generation = generation + 1");
    let ended = run.ends();
    ended.fails_with(0).says("left        ").says("production or the warehouse became another meanwhile");
    world.kalends("run").succeeds();
    world.is_exact();
}

#[test]
fn what_cannot_be_surveyed_of_old_days_is_a_failure() {
    let world = World::new();
    world.settings(settings("45 days", "24h"));
    world.production_sql(
        "ALTER TABLE entity ALTER COLUMN value TYPE numeric;
         CREATE INDEX ON entity (created_at);
         INSERT INTO entity VALUES (now() - interval '300 days', 1), (now(), 1)",
    );
    world.settles();
    // Each of them is one of the largest numbers, and their sum is none.
    world.production_sql(
        "INSERT INTO entity SELECT now() - interval '300 days', ('9' || repeat('0', 131071))::numeric
         FROM generate_series(1, 12)",
    );
    look_before(&world, "25 hours");
    let before = world.ask_warehouse("SELECT * FROM kalends.looked");
    world.kalends("run").fails_with(1).says("could not survey production");
    assert_eq!(world.ask_warehouse("SELECT * FROM kalends.looked"), before);
}

#[test]
fn a_plan_says_which_of_the_older_days_are_due_and_a_run_looks_at_these() {
    let world = two_years_proven_every("24h");
    without_counters(&world);
    let planned = || world.kalends("plan --json").succeeds().json()["entities"][0]["older"].clone();
    let of = |older: &serde_json::Value| ["rows", "due_rows", "due_days"].map(|key| older[key].as_i64().unwrap());
    let [rows, due_rows, due_days] = of(&planned());
    assert!(rows > 600 && (due_rows, due_days) == (0, 0), "{rows}, {due_rows}, {due_days}");
    look_before(&world, "12 hours");
    let [rows, due_rows, due_days] = of(&planned());
    // Half of them. A day has a row; what is before them has none, and a day of a month in part counts as none.
    assert_eq!(due_rows, due_days);
    assert!((due_rows - rows / 2).abs() < 40, "{due_rows} of {rows}");
    let run = ran(&world, "run --json");
    let looked_at = run["older"]["rows"].as_i64().unwrap();
    assert!((due_rows..due_rows + 40).contains(&looked_at), "{due_rows}: {run}");
    assert_eq!(run["older"]["left_parts"], 0, "{run}");
    world.no_settings();
    assert_eq!(planned(), serde_json::Value::Null);
}

#[test]
fn without_an_index_what_is_due_is_looked_at_with_the_recent_days() {
    let world = two_years_proven_every("24h");
    without_counters(&world);
    world
        .production_sql("DROP INDEX entity_created_at_idx; INSERT INTO entity VALUES (now() - interval '720 days', 7)");
    look_before(&world, "12 hours");
    let run = ran(&world, "run --json");
    assert_eq!((&run["loaded_rows"], &run["older"]["slices"]), (&2.into(), &0.into()), "{run}");
    // The older half, and the one that was not due.
    let looked = "SELECT as_of > now() - interval '1 hour' FROM kalends.looked ORDER BY from_day";
    assert_eq!(world.ask_warehouse(looked), ["t", "f"]);
}

#[test]
fn a_slice_gives_way_to_whoever_has_the_table_and_the_rest_is_left_to_the_next_run() {
    let world = slow();
    let settings = "[production]\nmax_rows_per_second = 30000\nlock_timeout = \"300ms\"\n";
    world.settings(settings.to_string() + &super::settings("45 days", "24h"));
    let run = Running::started(world.command("run"));
    wait_for("a slice", || world.ask_warehouse("SELECT count(*) FROM kalends.looked")[0] != "1");
    let hold = Hold::by(&world.production_url, "LOCK TABLE entity IN ACCESS EXCLUSIVE MODE");
    // What was found to differ by then waits for the next run as well: the table cannot be read.
    let ended = run.ends();
    drop(hold);
    ended.fails_with(75).says("table \"public.entity\" of production is locked by another session");
    world.production_sql("UPDATE entity SET value = 9 WHERE created_at > now() - interval '1 day'");
    let run = ran(&world, "run --json");
    assert_eq!(
        (&run["older"]["gave_way"], &run["older"]["left_parts"]),
        (&serde_json::Value::Null, &0.into()),
        "{run}"
    );
    world.is_exact();
}

#[test]
fn days_that_are_left_because_somebody_waits_are_no_failure() {
    let world = slow();
    world.kalends("run").succeeds();
    look_before(&world, "25 hours");
    let settings = "[production]\nmax_rows_per_second = 30000\nlock_timeout = \"300ms\"\n";
    world.settings(settings.to_string() + &super::settings("45 days", "24h"));
    // A slice may replace what one of the run before has noted, and then there are as many notes.
    let noted = || world.ask_warehouse("SELECT * FROM kalends.looked ORDER BY from_day");
    let before = noted();
    let run = Running::started(world.command("run"));
    wait_for("a slice", || noted() != before);
    let hold = Hold::by(&world.production_url, "LOCK TABLE entity IN ACCESS EXCLUSIVE MODE");
    let ended = run.ends();
    drop(hold);
    ended.fails_with(0).says("left        ").says(" of older days, to the next run: ").says(" is locked");
    world.kalends("status --max-age 1h").succeeds();
    world.kalends("status --max-age-of-all 24h").fails_with(3);
    world.kalends("run").succeeds();
    world.kalends("status --max-age-of-all 24h").succeeds();
}

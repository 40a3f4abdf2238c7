//! Sessions that end under a run, and servers that stop.

use std::process::Command;

use postgres::{Client, NoTls};

use super::held::{Hold, MOMENTS, Moment, Running, url, wait_for};
use super::stage::{Stage, Start};
use super::whole::{State, committed, is_mended, is_whole};
use crate::kit::{Ran, World, ask, run_sql};
use crate::own_servers::{OwnServers, Side};

const BOTH: [Side; 2] = [Side::Production, Side::Warehouse];

/// Of all sessions of ours on a server.
const BLOWS: [&str; 2] = ["pg_terminate_backend", "pg_cancel_backend"];

fn strike(world: &World, side: Side, blow: &str) {
    let sql = format!(
        "SELECT {blow}(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'kalends %'"
    );
    ask(url(world, side), &sql);
}

/// One complaint; or all is done, where what was struck was not needed any more.
fn failed_or_was_done(ran: &Ran, world: &World, struck_while_waited_for: bool) -> bool {
    if ran.code == Some(0) && !struck_while_waited_for {
        world.is_exact();
        return false;
    }
    ran.fails_with(1);
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    true
}

#[test]
fn a_session_that_is_ended_or_cancelled_fails_the_run_and_the_next_one_mends_it() {
    let mut stage = Stage::new(Start::Change);
    let blows = |moment: Moment| BOTH.into_iter().flat_map(move |side| BLOWS.map(|blow| (moment, side, blow)));
    let tried = super::sample(MOMENTS.into_iter().flat_map(blows).collect(), 14);
    let (struck, mut failed) = (tried.len(), 0);
    for (moment, side, blow) in tried {
        let [before, after] = stage.ready();
        let hold = Hold::at(&stage.world, moment);
        let running = Running::until_held(&stage.world, moment.side);
        strike(&stage.world, side, blow);
        // Until it is noticed: a session that is let go before it hears of it would go on.
        if side == moment.side {
            let held = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                        AND application_name LIKE 'kalends %' AND wait_event_type = 'Lock'";
            wait_for("the blow", || ask(url(&stage.world, side), held).is_empty());
        }
        drop(hold);
        let ran = running.ends();
        failed += usize::from(failed_or_was_done(&ran, &stage.world, side == moment.side));
        is_whole(&stage.world, &[&before, &after]);
        stage.is_mended();
    }
    eprintln!("sessions ended or cancelled: mended {struck} of {struck}, {failed} of them had failed the run");
}

/// Strikes a server at some moments of a run; it is up again when this comes back. Gives how many runs failed of it.
fn struck(own: &OwnServers, most: usize, mut strike: impl FnMut(&World, Side), up: impl Fn(&World, Side)) -> usize {
    let mut stage = Stage::of(own.world(), Start::Change);
    let moments: Vec<(Moment, Side)> = MOMENTS.into_iter().flat_map(|moment| BOTH.map(|side| (moment, side))).collect();
    let moments = super::sample(moments, most);
    let (tried, mut failed) = (moments.len(), 0);
    for (moment, side) in moments {
        let [before, after] = stage.ready();
        let hold = Hold::at(&stage.world, moment);
        let running = Running::until_held(&stage.world, moment.side);
        strike(&stage.world, side);
        drop(hold);
        let ran = running.ends();
        up(&stage.world, side);
        failed += usize::from(failed_or_was_done(&ran, &stage.world, side == moment.side));
        is_whole(&stage.world, &[&before, &after]);
        stage.is_mended();
    }
    eprintln!("servers struck: mended {tried} of {tried}, {failed} of them had failed the run");
    failed
}

#[test]
fn a_server_that_stops_under_a_run_fails_it_and_the_next_one_mends_it() {
    let own = OwnServers::new();
    struck(&own, 6, |_, side| own.stop_at_once(side), |_, _| own.start_again());
}

#[test]
fn a_process_of_a_server_that_is_killed_takes_all_others_down_and_the_next_run_mends_it() {
    let own = OwnServers::new();
    let falls = |side| own.log(side).matches("all server processes terminated").count();
    let mut kills = 0;
    let kill = |world: &World, side| {
        let fallen = falls(side);
        // The run's own, or the server's: it ends all of them, and recovers.
        let whose = if kills % 2 == 0 { "application_name LIKE 'kalends %'" } else { "backend_type = 'checkpointer'" };
        kills += 1;
        let ours = "coalesce(datname, current_database()) = current_database()";
        for pid in ask(url(world, side), &format!("SELECT pid FROM pg_stat_activity WHERE {whose} AND {ours}")) {
            assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
        }
        // Until it notices, it lets people in, and a run that is let go would go on and be done.
        wait_for("the server to fall", || falls(side) > fallen);
    };
    let up = |world: &World, side| {
        wait_for("the server to recover", || Client::connect(url(world, side), NoTls).is_ok());
    };
    assert!(struck(&own, 4, kill, up) > 0);
}

/// A world of which the next run is held up in the middle of a COPY, with more to come than fits between the two.
pub fn in_mid_copy(world: World) -> (World, [State; 2]) {
    world.production("created_at | value\n 2024-01-15 | 1\n 2024-02-01 | 1");
    world.settles();
    world.warehouse_sql(
        "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END $$;
         CREATE TRIGGER wait BEFORE INSERT ON kalends_raw.entity_2024_01 FOR EACH ROW WHEN (NEW.value = 10000)
             EXECUTE FUNCTION public.wait()",
    );
    let before = State::of(&world);
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-15' + n * interval '1 second', n FROM generate_series(1, 60000) AS n;
         INSERT INTO entity SELECT timestamp '2024-02-15', n FROM generate_series(1, 10) AS n",
    );
    let after = State::of(&world);
    (world, [before, after])
}

/// Both sessions are in the COPY, and production cannot send more.
pub fn held_in_mid_copy(world: &World) -> (Hold, Running) {
    let hold = Hold::by(&world.warehouse_url, "SELECT pg_advisory_xact_lock(7)");
    let running = Running::until_held(world, Side::Warehouse);
    let sending = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name LIKE 'kalends %' AND wait_event = 'ClientWrite' AND query LIKE '%COPY%'";
    wait_for("production to be stopped in mid copy", || !ask(&world.production_url, sending).is_empty());
    (hold, running)
}

#[test]
fn a_copy_that_breaks_off_on_either_side_loads_nothing_of_its_month() {
    let (world, [before, after]) = in_mid_copy(World::new());
    for side in BOTH {
        for blow in BLOWS {
            let (hold, running) = held_in_mid_copy(&world);
            let was = committed(&world);
            strike(&world, side, blow);
            drop(hold);
            let ran = running.ends();
            ran.fails_with(1).says("2024-01");
            assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
            assert_eq!(committed(&world), was, "{side:?} {blow}");
            is_whole(&world, &[&before, &after]);
        }
    }
    is_mended(&world);
}

#[test]
fn a_server_that_stops_in_mid_copy_loses_nothing() {
    let own = OwnServers::new();
    let (world, [before, after]) = in_mid_copy(own.world());
    for side in BOTH {
        let (hold, running) = held_in_mid_copy(&world);
        own.stop_at_once(side);
        drop(hold);
        let ran = running.ends();
        ran.fails_with(1);
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
        own.start_again();
        is_whole(&world, &[&before, &after]);
        assert_eq!(world.ask_warehouse("SELECT sum(rows) FROM kalends_stats.entity_day"), ["2"]);
    }
    is_mended(&world);
}

#[test]
fn a_conflict_with_another_session_is_tried_again_and_not_for_ever() {
    for (state, conflicts, code) in [("40001", 2, 0), ("40P01", 2, 0), ("40001", 100, 1), ("40P01", 100, 1)] {
        let mut stage = Stage::new(Start::Change);
        let [before, after] = stage.ready();
        // A sequence counts on although the transaction is rolled back.
        stage.world.warehouse_sql(&format!(
            "CREATE SEQUENCE public.tries;
             CREATE FUNCTION public.conflict() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                 IF nextval('public.tries') <= {conflicts} THEN RAISE SQLSTATE '{state}'; END IF;
                 RETURN NULL; END $$;
             CREATE TRIGGER conflict AFTER UPDATE ON kalends_stats.entity_day EXECUTE FUNCTION public.conflict()"
        ));
        let ran = stage.world.kalends("run --accept-loss");
        ran.fails_with(code);
        is_whole(&stage.world, &[&before, &after]);
        assert_eq!(ran.stderr.matches("error:").count(), usize::from(code == 1), "{}", ran.stderr);
        stage.world.warehouse_sql("DROP FUNCTION public.conflict() CASCADE");
        stage.is_mended();
    }
}

#[test]
fn a_month_is_tried_three_times_after_a_conflict_and_once_after_anything_else() {
    let world = World::with_two_days();
    // The final month, whose rows are proven by then and are not read again, and one before it.
    for day in ["2024-02-29", "2024-01-02"] {
        for (state, tries) in [("40001", "3"), ("40P01", "3"), ("P0001", "1")] {
            world.production_sql("UPDATE entity SET value = value + 1");
            // A sequence counts on although the transaction is rolled back.
            world.warehouse_sql(&format!(
                "CREATE SEQUENCE public.tries;
                 CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                     PERFORM nextval('public.tries'); RAISE SQLSTATE '{state}'; END $$;
                 CREATE TRIGGER fail AFTER UPDATE ON kalends_stats.entity_day
                     FOR EACH ROW WHEN (NEW.day = '{day}') EXECUTE FUNCTION public.fail()"
            ));
            world.kalends("run").fails_with(1).says(&format!("could not settle month {}", &day[..7]));
            assert_eq!(world.ask_warehouse("SELECT last_value FROM public.tries"), [tries], "{state}, {day}");
            world.warehouse_sql("DROP FUNCTION public.fail() CASCADE; DROP SEQUENCE public.tries");
        }
    }
    is_mended(&world);
}

#[test]
fn a_run_without_its_server_says_so_in_one_line() {
    let own = OwnServers::new();
    let world = own.world();
    world.production("created_at | value\n 2024-01-15 | 1");
    is_mended(&world);
    for side in BOTH {
        own.stop_at_once(side);
        let ran = world.kalends("run");
        ran.fails_with(1).says("could not connect to");
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
        own.start_again();
        world.kalends("run").succeeds().says("nothing to do");
    }
    run_sql(&world.production_url, "INSERT INTO entity VALUES ('2024-01-16', 2)");
    is_mended(&world);
}

//! Other hands at work beside a run: a database administrator's maintenance, and transactions left open for days.

use std::thread;
use std::time::Duration;

use postgres::{Client, NoTls};

use super::held::{Hold, Moment, Running, url, wait_for};
use super::stage::{Stage, Start};
use super::whole::{is_mended, is_whole};
use crate::kit::{World, ask, run_sql};
use crate::own_servers::{OwnServers, Side};

/// What a table is rewritten, locked or cleaned up by.
const MAINTENANCE: [(Side, &str); 9] = [
    (Side::Production, "VACUUM FULL entity"),
    (Side::Production, "CLUSTER entity USING by_value"),
    (Side::Production, "REINDEX TABLE entity"),
    (Side::Production, "ALTER TABLE entity ALTER COLUMN value SET STATISTICS 500"),
    (Side::Production, "ALTER TABLE entity ADD COLUMN IF NOT EXISTS note text"),
    (Side::Warehouse, "VACUUM FULL kalends_raw.entity_2024_01"),
    (Side::Warehouse, "REINDEX TABLE kalends_stats.entity_day"),
    (Side::Warehouse, "VACUUM FULL kalends_stats.entity_day"),
    (Side::Warehouse, "ALTER TABLE kalends_raw.entity_2024_01 SET (fillfactor = 90)"),
];

const HELD: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                    AND wait_event_type = 'Lock' AND application_name NOT LIKE 'kalends %'";

fn indexed() -> Stage {
    let stage = Stage::new(Start::Change);
    stage.world.production_sql("CREATE INDEX by_value ON entity (value)");
    stage
}

/// A statement that begins to wait, and ends some time.
fn wants(url: &str, sql: &'static str) -> thread::JoinHandle<()> {
    let url = url.to_string();
    thread::spawn(move || run_sql(&url, sql))
}

#[test]
fn maintenance_that_waits_behind_a_run_lets_it_end_or_makes_it_give_way() {
    let mut stage = indexed();
    // The run holds both tables by then: it is about to note what it has settled of the first month.
    let moment = Moment { side: Side::Warehouse, lock: "kalends.restatement IN SHARE", early: false };
    let (mut done, mut gave_way) = (0, 0);
    for (side, sql) in MAINTENANCE {
        let [before, after] = stage.ready();
        let hold = Hold::at(&stage.world, moment);
        let running = Running::until_held(&stage.world, Side::Warehouse);
        let maintenance = wants(url(&stage.world, side), sql);
        wait_for("somebody who waits, or has ended", || {
            maintenance.is_finished() || !ask(url(&stage.world, side), HELD).is_empty()
        });
        // Production's is given way to while it waits; the warehouse's waits for the run.
        thread::sleep(Duration::from_millis(if side == Side::Production { 1500 } else { 0 }));
        drop(hold);
        let ran = running.ends();
        maintenance.join().unwrap();
        match ran.code {
            Some(0) => done += 1,
            _ => {
                ran.fails_with(75);
                gave_way += 1;
            }
        }
        is_whole(&stage.world, &[&before, &after]);
        stage.is_mended();
    }
    eprintln!("maintenance behind a run: {done} runs ended well, {gave_way} gave way, all whole");
    assert!(done > 0 && gave_way > 0, "{done} and {gave_way}");
}

#[test]
fn a_run_behind_maintenance_waits_for_its_end_or_says_whom_it_waited_for() {
    let mut stage = indexed();
    let ours = HELD.replace("NOT LIKE", "LIKE");
    let mut stopped = 0;
    // VACUUM runs in no transaction, and its lock is that of CLUSTER.
    for (side, sql) in MAINTENANCE.into_iter().filter(|(_, sql)| !sql.starts_with("VACUUM")) {
        // It ends while the run waits, where the run is in its way.
        let [before, after] = stage.ready();
        let maintenance = Hold::by(url(&stage.world, side), sql);
        let mut running = Running::new(&stage.world);
        wait_for("a run that waits, or has ended", || {
            running.ends_within(Duration::from_millis(5)) || !ask(url(&stage.world, side), &ours).is_empty()
        });
        drop(maintenance);
        running.ends().succeeds();
        is_whole(&stage.world, &[&before, &after]);
        stage.is_mended();
        // It does not: the run ends by its own time limit, and has done whole months or none.
        let [before, after] = stage.ready();
        stage.world.settings("[limits]\nlock_timeout = \"1s\"\n");
        let maintenance = Hold::by(url(&stage.world, side), sql);
        let ran = stage.world.kalends("run --accept-loss");
        drop(maintenance);
        assert!(matches!(ran.code, Some(0 | 1 | 75)), "{sql}: {:?} {}", ran.code, ran.stderr);
        assert_eq!(ran.stderr.matches("error:").count(), usize::from(ran.code != Some(0)), "{sql}: {}", ran.stderr);
        stopped += usize::from(ran.code != Some(0));
        is_whole(&stage.world, &[&before, &after]);
        stage.world.no_settings();
        stage.is_mended();
    }
    assert!(stopped > 1, "maintenance was in the way of {stopped} runs");
}

#[test]
fn rows_that_only_lie_in_another_order_change_nothing() {
    let world = World::new();
    world.production_sql(
        "CREATE INDEX by_value ON entity (value);
         INSERT INTO entity SELECT timestamp '2024-01-01' + n * interval '1 hour', (n * 7919) % 1000 FROM generate_series(0, 2000) AS n",
    );
    world.settles();
    let (tuples, tree) = (world.tuples(), world.tree());
    for sql in ["CLUSTER entity USING by_value", "VACUUM FULL entity", "REINDEX TABLE entity"] {
        run_sql(&world.production_url, sql);
        world.kalends("run").succeeds().says("nothing to do: equal to production as of");
        assert_eq!((world.tuples(), world.tree()), (tuples.clone(), tree.clone()), "{sql}");
    }
    for sql in ["VACUUM FULL kalends_raw.entity_2024_01", "VACUUM FULL kalends_stats.entity_day"] {
        run_sql(&world.warehouse_url, sql);
        world.kalends("verify").succeeds();
        world.kalends("run").succeeds().says("nothing to do: equal to production as of");
        assert_eq!(world.tree(), tree, "{sql}");
    }
    world.is_exact();
}

#[test]
fn a_transaction_that_was_prepared_three_runs_ago_is_found_once_it_commits() {
    let servers = OwnServers::new();
    servers.set(Side::Production, &["max_prepared_transactions = 4"]);
    let world = servers.world();
    world.production("created_at | value\n 2014-03-02 | 7\n 2024-01-02 | 5\n 2024-01-20 | 6\n 2024-02-29 | 8");
    world.settles();
    for transaction in ["old", "gone"] {
        let mut client = Client::connect(&world.production_url, NoTls).unwrap();
        client
            .batch_execute(&format!(
                "BEGIN;
                 INSERT INTO entity VALUES ('2014-03-02', 1), ('2024-01-20', 6), ('1999-12-31 23:59:59.999999', 2);
                 SAVEPOINT undone; INSERT INTO entity VALUES ('2013-01-01', 100); DELETE FROM entity WHERE value = 8;
                 ROLLBACK TO undone;
                 UPDATE entity SET value = 50 WHERE value = {};
                 PREPARE TRANSACTION '{transaction}'",
                if transaction == "old" { 5 } else { 7 }
            ))
            .unwrap();
    }
    let open = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1";
    let (tuples, tree) = (world.tuples(), world.tree());
    for _ in 0..3 {
        assert_eq!(world.ask_production(open), ["gone", "old"]);
        world.kalends("run").succeeds().says("nothing to do: equal to production as of");
        assert_eq!((world.tuples(), world.tree()), (tuples.clone(), tree.clone()));
        // What comes meanwhile is settled, whatever is open.
        world.production_sql(
            "INSERT INTO entity VALUES ('2024-03-01', 1); DELETE FROM entity WHERE created_at = '2024-03-01'",
        );
    }
    // Over a restart of the server as well, which keeps what was prepared.
    servers.set(Side::Production, &["log_statement = 'none'"]);
    run_sql(&world.production_url, "COMMIT PREPARED 'old'");
    world.heals();
    run_sql(&world.production_url, "ROLLBACK PREPARED 'gone'");
    world.kalends("run").succeeds().says("nothing to do");
    assert_eq!(
        world.ask_warehouse("SELECT created_at, value FROM kalends_raw.entity ORDER BY 1, 2"),
        [
            "1999-12-31 23:59:59.999999|2",
            "2014-03-02 00:00:00|1",
            "2014-03-02 00:00:00|7",
            "2024-01-02 00:00:00|50",
            "2024-01-20 00:00:00|6",
            "2024-01-20 00:00:00|6",
            "2024-02-29 00:00:00|8"
        ]
    );
    is_mended(&world);
}

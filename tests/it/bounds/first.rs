//! Production goes first: its lock and its snapshot are let go once the final month's rows are proven, and what follows
//! from them is made afterwards.

use postgres::NoTls;

use super::set;
use crate::faults::held::{Hold, Running};
use crate::kit::World;
use crate::own_servers::Side;

const BY_SHOP: &str = "measures = [\"quantity\"]\ndimensions = [\"shop\"]\n";

/// Two months, settled, and what has changed in them since.
fn changed(rows: &str) -> World {
    let world = World::new();
    world.production_sql(
        "CREATE TABLE purchase (at timestamp, quantity integer, shop text);
         INSERT INTO purchase VALUES ('2024-01-02', 1, 'a'), ('2024-02-03', 2, 'b')",
    );
    set(&world, BY_SHOP);
    world.kalends("run").succeeds();
    world.production_sql(&format!("INSERT INTO purchase VALUES {rows}"));
    world
}

/// What a session of ours holds in production: the table's locks, and open transactions. The session that watches who
/// waits holds neither for longer than it looks.
fn held(world: &World) -> Vec<String> {
    world.ask_production(
        "SELECT count(DISTINCT lock.pid) FILTER (WHERE lock.relation IS NOT NULL), count(DISTINCT activity.pid)
         FROM pg_stat_activity AS activity
         LEFT JOIN pg_locks AS lock ON lock.pid = activity.pid AND lock.relation = 'purchase'::regclass
         WHERE activity.datname = current_database() AND activity.xact_start IS NOT NULL
           AND activity.usename = 'kalends_reader' AND activity.application_name NOT LIKE '%(watch)'",
    )
}

fn combinations(world: &World) -> Vec<String> {
    world.ask_warehouse("SELECT * FROM kalends_stats.orders_stats_monthly ORDER BY 1, 2, 3")
}

#[test]
fn production_is_let_go_before_combinations_are_made_and_not_before_all_rows_are_there() {
    let hold_combinations = "LOCK TABLE kalends_stats.orders_by_day IN SHARE MODE";
    // While the first of two months is settled, the second one's rows are still to be read.
    let world = changed("('2024-01-02', 10, 'c'), ('2024-02-03', 20, 'd')");
    let hold = Hold::by(&world.warehouse_url, hold_combinations);
    let run = Running::started(world.command("run")).once_held(&world, Side::Warehouse);
    assert_eq!(held(&world), ["1|1"]);
    drop(hold);
    run.ends().succeeds();
    world.kalends("verify").succeeds();

    for (asked, kind) in [
        (BY_SHOP, "changed rows"),
        ("measures = [\"quantity\"]\ndimensions = [\"shop\"]\nstatistics = [\"sum\", \"count\"]\n", "tables made anew"),
    ] {
        let world = changed("('2024-02-03', 20, 'd')");
        set(&world, asked);
        // Tables that are made anew can be held by nobody; their run writes its notes last.
        let at = if asked == BY_SHOP { hold_combinations } else { "LOCK TABLE kalends.source IN SHARE MODE" };
        let hold = Hold::by(&world.warehouse_url, at);
        let run = Running::started(world.command("run")).once_held(&world, Side::Warehouse);
        assert_eq!(held(&world), ["0|0"], "{kind}");
        // Nobody waits: not even what needs the table for itself alone.
        world.production_sql("TRUNCATE purchase; INSERT INTO purchase VALUES ('2024-02-03', 99, 'z')");
        drop(hold);
        run.ends().succeeds();
        // What is committed is the snapshot.
        let sums = world.ask_warehouse("SELECT shop, sum_quantity FROM kalends_stats.orders_stats_monthly ORDER BY 1");
        assert_eq!(sums, ["a|1", "b|2", "d|20"], "{kind}");
        world.kalends("run --accept-loss").succeeds();
        world.kalends("verify").succeeds();
    }
}

#[test]
fn tables_that_are_made_anew_let_production_go_after_their_last_month_and_not_before() {
    let world = changed("('2024-01-02', 10, 'c'), ('2024-02-03', 20, 'd')");
    set(&world, "measures = [\"quantity\"]\ndimensions = [\"shop\"]\nstatistics = [\"sum\", \"count\"]\n");
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_raw.orders_2024_02 IN SHARE MODE");
    let run = Running::started(world.command("run")).once_held(&world, Side::Warehouse);
    // The first month is settled, and the rows of the second are still to be read.
    assert_eq!(held(&world), ["1|1"]);
    drop(hold);
    run.ends().succeeds();
    let sums = world.ask_warehouse("SELECT shop, sum_quantity FROM kalends_stats.orders_stats_monthly ORDER BY 1");
    assert_eq!(sums, ["a|1", "b|2", "c|10", "d|20"]);
    world.kalends("verify").succeeds();
}

#[test]
fn another_session_in_the_way_after_production_was_let_go_is_no_reason_to_fail() {
    let world = changed("('2024-02-03', 20, 'd')");
    let name = world.warehouse_url.rsplit('/').next().unwrap();
    world.warehouse_sql(&format!("ALTER DATABASE {name} SET deadlock_timeout = '5s'"));
    let mut other = postgres::Client::connect(&world.warehouse_url, NoTls).unwrap();
    // The run finds the deadlock, and not the other session.
    other
        .batch_execute("SET deadlock_timeout = '10min'; BEGIN; LOCK TABLE kalends_stats.orders_by_day IN SHARE MODE")
        .unwrap();
    let run = Running::started(world.command("run")).once_held(&world, Side::Warehouse);
    assert_eq!(held(&world), ["0|0"]);
    world.production_sql("TRUNCATE purchase");
    // Which the run has locked since its rows were proven.
    other.batch_execute("LOCK TABLE kalends.restatement IN SHARE MODE; COMMIT").unwrap();
    run.ends().succeeds();
    assert_eq!(combinations(&world).len(), 3, "{:?}", combinations(&world));
    let deadlocks =
        world.ask_warehouse("SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()");
    assert_eq!(deadlocks, ["t"]);
    world.production_sql(
        "INSERT INTO purchase VALUES ('2024-01-02', 1, 'a'), ('2024-02-03', 2, 'b'), ('2024-02-03', 20, 'd')",
    );
    world.kalends("run").succeeds().says("nothing to do");
    world.kalends("verify").succeeds();
}

//! More months than a server can lock tables in one transaction.

use postgres::NoTls;

use super::{orders, reads_in_parallel, set, timed, with_few_locks};
use crate::faults::held::{Hold, Running, wait_for};
use crate::faults::sweeping;
use crate::kit::World;
use crate::own_servers::{OwnServers, Side};

const AMOUNT: &str = "measures = [\"amount\"]\nlevels = [\"year\"]\n";
const BOTH: &str = "measures = [\"amount\", \"quantity\"]\nlevels = [\"year\"]\n";

/// What the warehouse has of the entity.
fn relations(world: &World) -> Vec<String> {
    world.ask_warehouse(
        "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'kalends%'
         AND (relname LIKE '~%' OR relname LIKE 'orders%') AND relkind IN ('r', 'p', 'v') ORDER BY relname",
    )
}

/// What must not change where something is refused.
fn state(world: &World) -> Vec<String> {
    let known = world.ask_warehouse(
        "SELECT generation, (SELECT string_agg(entity::text, '') FROM kalends.entity), 
                (SELECT count(*) FROM kalends_raw.orders),
                (SELECT string_agg(day::text, '' ORDER BY 1) FROM kalends_stats.orders_day AS day)
         FROM kalends.state",
    );
    [relations(world), known].concat()
}

/// The server cannot drop all months in one transaction.
fn one_transaction_does_not_do(world: &World) {
    let mut client = postgres::Client::connect(&world.warehouse_url, NoTls).unwrap();
    let refused = client.batch_execute("DROP TABLE kalends_raw.orders").unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "53200", "{refused}");
}

/// Months without rows, as those are whose rows have vanished.
fn add_empty(world: &World, months: usize) {
    let mut client = postgres::Client::connect(&world.warehouse_url, NoTls).unwrap();
    for number in 0..months {
        let table = format!("kalends_raw.orders_{}_{:02}", 1400 + number / 12, number % 12 + 1);
        let first = format!("timestamp '1400-01-01' + interval '{number} months'");
        let bounds = format!("(SELECT ({first})::text AS first, ({first} + interval '1 month')::text AS until)");
        let made = format!(
            "FOR bounds IN {bounds} LOOP
                EXECUTE format(
                    'CREATE TABLE {table} PARTITION OF kalends_raw.orders FOR VALUES FROM (%L) TO (%L)',
                    bounds.first, bounds.until
                );
             END LOOP;"
        );
        client.batch_execute(&format!("DO $$ DECLARE bounds record; BEGIN {made} END $$")).unwrap();
        client.batch_execute(&format!("ALTER TABLE {table} OWNER TO kalends_writer")).unwrap();
    }
}

/// Every command does its work for an entity of so many months, or says what it takes; `forget` takes all of it away.
fn serves(world: &World, months: usize, empty: usize) {
    orders(world, months);
    set(world, AMOUNT);
    timed("run", || world.kalends("run")).succeeds();
    add_empty(world, empty);
    one_transaction_does_not_do(world);
    for command in [
        "verify",
        "verify --exact",
        "verify --sample 10%",
        "verify --repair",
        "status",
        "plan",
        "export",
        "check",
        "run",
    ] {
        timed(command, || world.kalends(command)).succeeds();
    }
    let rows = world.ask_warehouse("SELECT sum(rows) FROM kalends_stats.orders_year");
    assert_eq!(rows, [months.to_string()]);

    // Of rows that are there, each month is only read.
    set(world, &format!("{AMOUNT}statistics = [\"sum\"]\n"));
    timed("other statistics", || world.kalends("run")).succeeds().says("statistic min removed");
    let before = state(world);
    set(world, BOTH);
    for command in ["run", "plan", "check", "prepare"] {
        let refused = world.kalends(command);
        refused.fails_with(4).says("to settle entity \"orders\" anew takes ").says("Set max_locks_per_transaction to ");
        refused.says("`kalends forget orders --yes` and run again; nothing was changed");
    }
    assert_eq!(state(world), before);

    timed("forget", || world.kalends("forget orders --yes")).succeeds().says(&format!(" of {months} days"));
    assert_eq!(relations(world), [""; 0]);
    world.kalends("export").succeeds();
    assert_eq!(world.files().len(), 0);
    world.production_sql("DELETE FROM purchase WHERE at >= '1750-04-01'");
    world.kalends("run").succeeds();
    world.kalends("verify").succeeds();
    assert_eq!(world.ask_warehouse("SELECT sum(sum_quantity) FROM kalends_stats.orders_year"), ["3"]);
}

#[test]
fn an_entity_of_more_months_than_locks_is_served_and_forgotten() {
    let own = with_few_locks();
    serves(&own.world(), 12, 90);
    if sweeping() {
        // With PostgreSQL's own settings.
        let own = OwnServers::new();
        serves(&own.world(), 24, 3_276);
    }
}

/// A session that takes all locks of the warehouse but so many.
fn all_but(world: &World, free: usize) -> postgres::Client {
    let mut greedy = postgres::Client::connect(&world.warehouse_url, NoTls).unwrap();
    let mut take = |number: usize| greedy.batch_execute(&format!("SELECT pg_advisory_lock(5, {number})"));
    let most = (0..10_000).find(|&number| take(number).is_err()).expect("the server has locks without end");
    let first = most - free;
    let let_go = format!("SELECT pg_advisory_unlock(5, n) FROM generate_series({first}, {most} - 1) AS n");
    greedy.batch_execute(&let_go).unwrap();
    greedy
}

#[test]
fn many_months_are_read_by_one_process_and_more_than_can_be_locked_are_refused_in_words() {
    let own = with_few_locks();
    let world = own.world();
    orders(&world, 6);
    set(&world, AMOUNT);
    world.kalends("run").succeeds();
    add_empty(&world, 60);
    reads_in_parallel(&own, Side::Warehouse);
    // Enough for one process, and not for two.
    let greedy = all_but(&world, 100);
    for command in ["verify", "verify --exact", "verify --sample 10%"] {
        world.kalends(command).succeeds();
    }
    drop(greedy);
    let greedy = all_but(&world, 20);
    let refused = world.kalends("verify");
    refused.fails_with(1).says("error: a server cannot lock as many tables at once as this takes");
    refused.says("hint: Raise max_locks_per_transaction on that server");
    drop(greedy);
    world.kalends("verify").succeeds();
}

/// Who can come after a `forget` that died, with settings that have the entity or do not.
const NEXT: [(&str, &str); 4] =
    [("forget orders --yes", AMOUNT), ("run", AMOUNT), ("verify --repair", AMOUNT), ("run", "")];

/// A `forget` that has dropped some months in transactions of three each, and died.
fn dies_between_months(world: &World) -> Vec<String> {
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_raw.orders_1750_07 IN ACCESS SHARE MODE");
    let forget = Running::started(world.command("forget orders --yes")).once_held(world, Side::Warehouse);
    forget.signal("-KILL");
    forget.ends();
    wait_for("the server notices", || {
        let holders = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1262570565";
        world.ask_warehouse(holders) == ["0"]
    });
    world.kalends("run").fails_with(75).says("rows of entity \"orders\", which was forgotten, are in use");
    drop(hold);
    relations(world)
}

#[test]
fn a_forget_that_dies_between_months_is_gone_on_with_by_whoever_writes_next() {
    let own = with_few_locks();
    for (next, settings) in NEXT {
        let world = own.world();
        orders(&world, 10);
        set(&world, &format!("{AMOUNT}[production]\nlock_timeout = \"2s\"\n"));
        world.kalends("run").succeeds();
        let (files, before) = (world.files(), relations(&world));
        let left = dies_between_months(&world);
        let month = |number: usize| format!("orders_1750_{number:02}");
        assert_eq!(left, [month(7), month(8), month(9), month(10), "~forgotten_1".to_string()]);

        // The entity is gone for whoever reads, and its rows are nobody's.
        assert_eq!(world.ask_warehouse("SELECT name FROM kalends.entity"), [""; 0]);
        world.kalends("status").fails_with(3).says("proven      never").says("settled     0 rows, 0 days");
        world.kalends("verify").fails_with(3);
        world.kalends("plan").succeeds().says("10 days");
        world.kalends("check").succeeds();
        world.kalends("forget orders").fails_with(4).says("some of its rows have not been dropped yet");
        assert_eq!((relations(&world), world.files()), (left, files.clone()));
        if settings.is_empty() {
            world.kalends("export").succeeds();
            assert_eq!(world.files().len(), 0);
            let other =
                "[[entity]]\nname = \"entity\"\ntable = \"entity\"\ntime = \"created_at\"\nmeasures = [\"value\"]\n";
            world.settings(other);
        }
        world.warehouse_sql("CREATE VIEW public.theirs AS SELECT * FROM kalends_raw.orders_1750_10");
        world
            .kalends(next)
            .fails_with(4)
            .says("other objects depend on rows of entity \"orders\", which was forgotten");
        world.warehouse_sql("DROP VIEW public.theirs");
        world.kalends(next).succeeds();
        assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.forgotten"), ["0"]);
        if settings.is_empty() || next.starts_with("forget") {
            assert_eq!(relations(&world), [""; 0]);
            continue;
        }
        assert_eq!(relations(&world), before);
        world.kalends("verify").succeeds();
        world.kalends("run").succeeds().says("nothing to do");
        assert_eq!(world.files(), files);
    }
}

#[test]
fn what_depends_on_a_month_keeps_an_entity_from_being_forgotten() {
    let world = World::new();
    orders(&world, 3);
    set(&world, AMOUNT);
    world.kalends("run").succeeds();
    for (made, drop) in [
        ("CREATE VIEW public.theirs AS SELECT * FROM kalends_raw.orders_1750_02", "VIEW"),
        ("CREATE VIEW public.theirs AS SELECT * FROM kalends_raw.orders", "VIEW"),
        ("CREATE TABLE public.theirs (one kalends_raw.orders_1750_03)", "TABLE"),
    ] {
        world.warehouse_sql(made);
        let before = state(&world);
        world
            .kalends("forget orders --yes")
            .fails_with(4)
            .says("other objects of the warehouse depend on tables or views");
        assert_eq!(state(&world), before, "{made}");
        world.kalends("verify").succeeds();
        world.warehouse_sql(&format!("DROP {drop} public.theirs"));
    }
    world.kalends("forget orders --yes").succeeds();
    assert_eq!(relations(&world), [""; 0]);
}

//! Bounds: more months than a server has locks, and more days than memory should hold.

mod first;
mod memory;
mod months;

use std::time::Instant;

use crate::kit::{World, ask, run_sql};
use crate::own_servers::{OwnServers, Side};

/// Servers of which the warehouse has 110 locks, and a few more that it does not promise.
fn with_few_locks() -> OwnServers {
    let own = OwnServers::new();
    let settings = [
        "max_locks_per_transaction = 10",
        "max_connections = 11",
        "max_wal_senders = 0",
        "max_worker_processes = 2",
        "autovacuum_max_workers = 1",
    ];
    own.set(Side::Warehouse, &settings);
    own
}

/// Has a server read in parallel whatever it can.
fn reads_in_parallel(own: &OwnServers, side: Side) {
    let maintenance = own.maintenance(side);
    let name =
        ask(&maintenance, "SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')");
    run_sql(&maintenance, &format!("ALTER SYSTEM SET {} = on", name[0]));
    run_sql(&maintenance, "SELECT pg_reload_conf()");
}

/// Settings of one entity.
fn set(world: &World, asked: &str) {
    let orders = "[[entity]]\nname = \"orders\"\ntable = \"purchase\"\ntime = \"at\"\n";
    world.settings(format!("{orders}{asked}"));
}

/// A row in each of so many months, from 1750 on.
fn orders(world: &World, months: usize) {
    world.production_sql(&format!(
        "CREATE TABLE purchase (at timestamp, amount numeric, quantity integer, shop text);
         INSERT INTO purchase
         SELECT timestamp '1750-01-15' + n * interval '1 month', n, 1, 'shop ' || n % 2
         FROM generate_series(0, {months} - 1) AS n"
    ));
}

/// Says how long it took.
fn timed<T>(what: &str, does: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = does();
    eprintln!("{what}: {:.1} s", started.elapsed().as_secs_f64());
    done
}

//! Servers that run out of room: the warehouse's write-ahead log, its tablespace, and the room for temporary files that
//! production grants.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

use super::disk::Mount;
use super::whole::{State, is_mended, is_whole};
use crate::kit::{Ran, World, run_sql};
use crate::own_servers::{OwnServers, Side};

/// The write-ahead log is made of files of this size.
const SEGMENT_BYTES: u64 = 16 << 20;

/// Gives a folder to whom the servers run as.
fn give(folder: &Path, servers: &OwnServers) {
    let owner = fs::metadata(servers.data(Side::Warehouse)).unwrap();
    chown(folder, Some(owner.uid()), Some(owner.gid())).unwrap();
}

fn complains_once(ran: &Ran) {
    ran.fails_with(1);
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

/// Settled, with a change that is large for a small disk.
fn grown(world: World) -> (World, [State; 2]) {
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settles();
    let before = State::of(&world);
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '2024-01-15' + n * interval '1 second', n FROM generate_series(1, 9000) AS n;
         INSERT INTO entity SELECT timestamp '2024-02-15' + n * interval '1 second', n FROM generate_series(1, 9000) AS n;
         INSERT INTO entity SELECT timestamp '2024-03-15' + n * interval '1 second', n FROM generate_series(1, 9000) AS n",
    );
    let after = State::of(&world);
    (world, [before, after])
}

#[test]
fn a_warehouse_whose_tablespace_is_full_fails_the_run_and_the_next_one_is_whole() {
    let Some(mount) = Mount::new(64 * 1024) else { return };
    let servers = OwnServers::new();
    let place = mount.0.join("space");
    fs::create_dir(&place).unwrap();
    give(&place, &servers);
    run_sql(&servers.maintenance(Side::Warehouse), &format!("CREATE TABLESPACE small LOCATION '{}'", place.display()));
    let (world, [before, after]) = grown(servers.world_made(["", "TABLESPACE small"]));
    // A page for each month's table that grows, and no more; then enough for the first months.
    for pages in [8, 90, 200] {
        mount.fill(pages);
        let ran = world.kalends("run");
        complains_once(&ran);
        ran.says("No space left on device").says("(53100)");
        mount.empty();
        is_whole(&world, &[&before, &after]);
    }
    is_mended(&world);
    drop(servers);
}

/// Fills the segment that is written to, so that the next one is needed soon, and gives the bytes that are left of it.
fn almost_full_segment(servers: &OwnServers, log: &Path) -> u64 {
    let maintenance = servers.maintenance(Side::Warehouse);
    loop {
        let place = "SELECT pg_walfile_name(pg_current_wal_insert_lsn()), (pg_current_wal_insert_lsn() - '0/0')::bigint % 16777216";
        let found = crate::kit::ask(&maintenance, place).remove(0);
        let (current, written) = found.split_once('|').unwrap();
        let written: u64 = written.parse().unwrap();
        let is_segment = |name: &String| name.len() == 24;
        let names = fs::read_dir(log).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let newest = names.filter(is_segment).max().unwrap();
        let left = SEGMENT_BYTES - written;
        if newest == current && left < 200_000 {
            return left;
        }
        let step = if left < 200_000 { left } else { (left - 100_000).min(1_000_000) };
        run_sql(&maintenance, &format!("SELECT pg_logical_emit_message(false, 'fill', repeat('x', {step}))"));
    }
}

#[test]
fn a_warehouse_whose_log_has_no_room_fails_the_run_and_the_next_one_is_whole() {
    let Some(mount) = Mount::new(160 * 1024) else { return };
    let servers = OwnServers::new();
    let (world, [before, after]) = grown(servers.world());
    servers.stop();
    let (data, log) = (servers.data(Side::Warehouse), mount.0.join("log"));
    let script = "cp -a \"$1/pg_wal\" \"$2\" && rm -r \"$1/pg_wal\" && ln -s \"$2\" \"$1/pg_wal\"";
    assert!(Command::new("sh").args(["-ec", script, "sh"]).arg(&data).arg(&log).status().unwrap().success());
    servers.start_again();
    let left = almost_full_segment(&servers, &log);
    mount.fill(0);
    let ran = world.kalends("run");
    complains_once(&ran);
    assert!(servers.log(Side::Warehouse).contains("No space left on device"), "{left} bytes of the log were enough");
    mount.empty();
    // It has ended by itself, or is recovering.
    servers.stop_at_once(Side::Warehouse);
    servers.start_again();
    is_whole(&world, &[&before, &after]);
    is_mended(&world);
    drop(servers);
}

#[test]
fn production_that_grants_no_room_for_temporary_files_is_told_clearly_and_nothing_is_done() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settles();
    // More days than fit into what memory the server grants: it writes some of its groups to disk, or would.
    world.production_sql(
        "INSERT INTO entity SELECT timestamp '1900-01-01' + n * interval '1 day', n FROM generate_series(1, 4000) AS n;
         ANALYZE entity",
    );
    let maintenance = servers.maintenance(Side::Production);
    let set = |settings: &str| {
        run_sql(&maintenance, &format!("ALTER ROLE kalends_reader SET {settings}"));
    };
    set("work_mem = '64kB'");
    set("temp_file_limit = '64kB'");
    let (tuples, tree) = (world.tuples(), world.tree());
    let ran = world.kalends("run");
    complains_once(&ran);
    // PostgreSQL 18 puts the setting into quotes.
    let said = ran.stderr.replace("\"temp_file_limit\"", "temp_file_limit");
    assert!(said.contains("temporary file size exceeds temp_file_limit (64kB) (53400)"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
    run_sql(&maintenance, "ALTER ROLE kalends_reader RESET ALL");
    is_mended(&world);
}

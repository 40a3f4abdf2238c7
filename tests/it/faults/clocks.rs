//! Clocks of servers that are years off, or pass midnight under a run: no row is chosen by a clock.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::held::{Hold, Running};
use super::whole::is_mended;
use crate::kit::{World, ask, servers};
use crate::own_servers::{OwnServers, Side};

/// Where Debian's package `faketime` has it.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
];

const SIDES: [Side; 2] = [Side::Production, Side::Warehouse];

/// Programs that run PostgreSQL with another clock for each side. Clocks only go ahead of the machine's: where a
/// signal's handler asks libfaketime for the time it is told the machine's, and would find every time limit long past.
struct Clocks {
    folder: tempfile::TempDir,
    library: &'static str,
}

impl Clocks {
    /// `None`, and says so, where this cannot be tried.
    fn new() -> Option<Self> {
        let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
        let Some(library) = library else {
            eprintln!("NOT TRIED: there is no libfaketime (Debian: faketime): clocks were not set");
            return None;
        };
        let clocks = Self { folder: tempfile::tempdir().unwrap(), library };
        fs::set_permissions(clocks.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // The clock that only counts goes on as it is: it measures time limits. Where both sides run the same version,
        // the same programs serve both, so these look whose data they are given.
        let faked = format!(
            "export FAKETIME_DONT_FAKE_MONOTONIC=1\n\
             case \"$*\" in\n\
             */production*) side=production ;;\n\
             */warehouse*) side=warehouse ;;\n\
             esac\n\
             [ -z \"$side\" ] || export LD_PRELOAD={library} FAKETIME=\"$(cat {}/$side.clock)\"",
            clocks.folder.path().display()
        );
        clocks.set(["+0", "+0"]);
        for side in SIDES {
            let url = servers().url(side.port(), "kalends", "postgres");
            let real = PathBuf::from(ask(&url, "SELECT setting FROM pg_config WHERE name = 'BINDIR'").remove(0));
            fs::create_dir(clocks.programs(side)).unwrap();
            for (program, first) in [("postgres", faked.as_str()), ("initdb", "")] {
                let path = clocks.programs(side).join(program);
                let real = real.join(program).display().to_string();
                fs::write(&path, format!("#!/bin/sh\n{first}\nexec {real} \"$@\"\n")).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        Some(clocks)
    }

    /// What a server's clock is ahead by, such as `+3y`, from when it is started next.
    fn set(&self, ahead: [&str; 2]) {
        for (side, ahead) in SIDES.into_iter().zip(ahead) {
            fs::write(self.folder.path().join(side.name()).with_extension("clock"), ahead).unwrap();
        }
    }

    fn programs(&self, side: Side) -> PathBuf {
        self.folder.path().join(side.name())
    }

    fn servers(&self) -> OwnServers {
        let [production, warehouse] = SIDES.map(|side| self.programs(side).display().to_string());
        OwnServers::on_path(&format!("{production}:{warehouse}:{}", std::env::var("PATH").unwrap()))
    }
}

fn year(url: &str) -> i64 {
    ask(url, "SELECT extract(year FROM now())")[0].parse().unwrap()
}

#[test]
fn servers_whose_clocks_are_years_off_settle_the_same_rows() {
    let Some(clocks) = Clocks::new() else { return };
    let servers = clocks.servers();
    let real = year(&crate::kit::servers().url(5432, "kalends", "postgres"));
    for (ahead, years) in [(["+6y", "+0"], [6, 0]), (["+0", "+6y"], [0, 6])] {
        clocks.set(ahead);
        servers.stop();
        servers.start_again();
        let world = servers.world();
        let found = [year(&world.production_url) - real, year(&world.warehouse_url) - real];
        assert!(
            found[0].abs_diff(years[0]) <= 1 && found[1].abs_diff(years[1]) <= 1,
            "the clocks are {found:?} years off"
        );
        // Around each of the three clocks, and far from all. The days before and after keep what is deleted from being
        // most of a month, when one begins or ends.
        world.production_sql(
            "INSERT INTO entity SELECT date_trunc('day', now())::timestamp + y * interval '1 year' + d * interval '1 day', y + d
             FROM generate_series(-7, 7) AS y, unnest('{-12,-11,-10,-1,0,1,10,11,12}'::integer[]) AS d;
             INSERT INTO entity VALUES ('1969-12-31 23:59:59', 1), ('2199-01-01', 2)",
        );
        world.settles();
        world.production_sql(
            "DELETE FROM entity WHERE created_at > now() AND value = 1; UPDATE entity SET value = 9 WHERE created_at < now() AND value = -2;
             INSERT INTO entity VALUES (now() - interval '10 years', 4), (now() + interval '10 years', 5)",
        );
        world.heals();
        is_mended(&world);
        // Nor by the clock of whoever runs it.
        let (tuples, tree) = (world.tuples(), world.tree());
        for own in ["-9y", "+9y"] {
            let variables = [("LD_PRELOAD", clocks.library), ("FAKETIME", own), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
            world.kalends_with("run", &variables).succeeds().says("nothing to do: equal to production as of");
            assert_eq!((world.tuples(), world.tree()), (tuples.clone(), tree.clone()), "{own}");
            world.kalends_with("verify", &variables).succeeds();
        }
    }
}

/// Seconds from now until then, by the machine's clock.
fn difference(then: &str) -> i64 {
    let url = servers().url(5432, "kalends", "postgres");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let then = ask(&url, &format!("SELECT extract(epoch FROM timestamptz '{then}+00')::bigint"));
    then[0].parse::<i64>().unwrap() - i64::try_from(now).unwrap()
}

fn manifest(world: &World) -> serde_json::Value {
    serde_json::from_slice(&fs::read(world.exports.join("_manifest.json")).unwrap()).unwrap()
}

/// A day, a month and a year end in mid run: what is complete is said as of the snapshot, whenever the run ends.
#[test]
fn a_run_that_crosses_midnight_says_everything_as_of_its_snapshot() {
    let Some(clocks) = Clocks::new() else { return };
    let servers = clocks.servers();
    let world = servers.world();
    world.production("created_at | value\n 2049-12-30 | 5\n 2049-12-31 | 8\n 2050-01-01 | 1");
    world.kalends("prepare").succeeds();
    world.production_sql("UPDATE entity SET value = value + 1");
    let clock = "SELECT now()::text";
    clocks.set([&format!("+{}", difference("2050-01-01 00:00:00") - 20), "+0"]);
    servers.stop();
    servers.start_again();
    let started = ask(&world.production_url, clock).remove(0);
    assert!(started.starts_with("2049-12-31 23:59"), "the test took too long to begin: {started}");
    world.settings("[limits]\nlock_timeout = \"120s\"\n");
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_stats.entity_day IN SHARE MODE");
    let running = Running::started(world.command("run")).once_held(&world, Side::Warehouse);
    while !ask(&world.production_url, clock)[0].starts_with("2050-01-01") {
        sleep(Duration::from_millis(200));
    }
    drop(hold);
    running.ends().succeeds();
    world.is_exact();
    let said = manifest(&world);
    let through = |said: &serde_json::Value| said["complete_through"].to_string();
    assert!(through(&said).contains("2049-12-30"), "{said:#}");
    assert!(said["production_as_of"].as_str().unwrap().starts_with("2049-12-31 23:59"), "{said:#}");
    let closed: Vec<bool> = said["files"].as_object().unwrap().values().map(|file| file["closed"] == true).collect();
    assert_eq!(closed.iter().filter(|closed| **closed).count(), 1, "{said:#}");
    // The next run is of the next year, and says so: nothing is due but the list.
    world.kalends("run").succeeds();
    let said = manifest(&world);
    assert!(through(&said).contains("2049-12-31"), "{said:#}");
    assert!(said["production_as_of"].as_str().unwrap() >= "2049-12-31 23:59", "{said:#}");
    is_mended(&world);
}

/// The end of the day and the leap second, as they are typed: PostgreSQL stores both as the next day's first moment,
/// and sub-microseconds as the microsecond that is nearest.
#[test]
fn times_at_the_end_of_a_day_belong_where_the_server_has_put_them() {
    let world = World::new();
    world.production(
        "created_at | value
         2024-01-31 24:00:00 | 1
         2024-02-28 23:59:60 | 2
         2023-12-31 23:59:60 | 4
         2024-12-31 24:00:00 | 8
         2024-02-29 23:59:59.9999995 | 16
         2024-02-29 23:59:59.9999994 | 32",
    );
    world.settles();
    assert_eq!(
        world.ask_warehouse("SELECT day, sum_values FROM kalends_stats.entity_day ORDER BY 1"),
        ["2024-01-01|4", "2024-02-01|1", "2024-02-29|34", "2024-03-01|16", "2025-01-01|8"]
    );
    world.file(
        "year=2024/month=3/day=1/entity_stats_daily_2024_3_1.csv",
        "year,month,day,sum_values,min_values,max_values,mean_values
         2024,3,1,16,16,16,16.000000",
    );
}

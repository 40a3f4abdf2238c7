//! Production is a standby: a copy of a server of ours, made as people make one.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::want;
use crate::faults::held::{Hold, Running, wait_for};
use crate::kit::{World, ask, run_sql};
use crate::own_servers::{OwnServers, Side};

const PORT: u16 = 5439;

/// A hot standby of the production server of a pair.
struct Standby {
    folder: tempfile::TempDir,
    programs: PathBuf,
    owner: (u32, u32),
}

impl Standby {
    fn of(servers: &OwnServers) -> Self {
        let primary = servers.data(Side::Production);
        let metadata = fs::metadata(&primary).unwrap();
        let programs =
            ask(&servers.maintenance(Side::Production), "SELECT setting FROM pg_config WHERE name = 'BINDIR'");
        let folder = tempfile::Builder::new().prefix("kalends-standby-").tempdir_in("/tmp").unwrap();
        let owner = (metadata.uid(), metadata.gid());
        std::os::unix::fs::chown(folder.path(), Some(owner.0), Some(owner.1)).unwrap();
        let standby = Self { folder, programs: PathBuf::from(&programs[0]), owner };
        // Nobody but the roles of the pair may log in; the standby's own user copies.
        let access = PathBuf::from(&ask(&servers.maintenance(Side::Production), "SHOW hba_file")[0]);
        let lines = fs::read_to_string(&access).unwrap();
        fs::write(&access, format!("local replication all trust\n{lines}")).unwrap();
        run_sql(&servers.maintenance(Side::Production), "SELECT pg_reload_conf()");
        let url = servers.maintenance(Side::Production).replace("/postgres", "/replication");
        let data = standby.data().display().to_string();
        let mut copied = false;
        wait_for("pg_basebackup", || {
            let mut copy = standby.command("pg_basebackup");
            copied =
                copy.args(["-D", &data, "-R", "-X", "stream", "-c", "fast", "-d", &url]).status().unwrap().success();
            copied
        });
        let config = format!(
            "port = {PORT}\nunix_socket_directories = '{}'\nlisten_addresses = ''\nhot_standby = on\n\
             max_standby_streaming_delay = 30s\nhot_standby_feedback = off\nfsync = off\ncluster_name = 'standby'\n",
            standby.folder.path().display()
        );
        fs::write(standby.data().join("postgresql.conf"), config).unwrap();
        fs::write(standby.data().join("pg_hba.conf"), "local all all trust\n").unwrap();
        for name in ["postgresql.conf", "pg_hba.conf"] {
            std::os::unix::fs::chown(standby.data().join(name), Some(owner.0), Some(owner.1)).unwrap();
        }
        let log = standby.folder.path().join("log").display().to_string();
        let mut start = standby.command("pg_ctl");
        let started = start.args(["start", "-w", "-D", &data, "-l", &log]).stdout(Stdio::null()).status().unwrap();
        assert!(started.success(), "{}", fs::read_to_string(&log).unwrap_or_default());
        standby
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path()).stderr(Stdio::null());
        // Only root may run as somebody else, and PostgreSQL does not run as root.
        if fs::metadata("/proc/self").map(|of| of.uid()).unwrap_or(1) == 0 {
            command.uid(self.owner.0).gid(self.owner.1);
        }
        command
    }

    /// The same world with the standby as production.
    fn url(&self, world: &World) -> String {
        let database = world.production_url.rsplit('/').next().unwrap();
        let host = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgresql://kalends@{host}:{PORT}/{database}")
    }

    fn set(&self, world: &World, setting: &str) {
        run_sql(&self.url(world), &format!("ALTER SYSTEM SET {setting}"));
        run_sql(&self.url(world), "SELECT pg_reload_conf()");
    }

    /// All that the primary has done is seen here.
    fn catches_up(&self, world: &World) {
        let position = world.ask_production("SELECT pg_current_wal_lsn()").remove(0);
        let caught_up = format!("SELECT pg_last_wal_replay_lsn() >= '{position}'");
        wait_for("the standby", || ask(&self.url(world), &caught_up) == ["t"]);
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let data = self.data().display().to_string();
        let _ = self.command("pg_ctl").args(["stop", "-m", "immediate", "-D", &data]).stdout(Stdio::null()).status();
    }
}

#[test]
fn a_standby_serves_as_production_exactly() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-20 | 5\n 2024-02-29 | 8");
    let standby = Standby::of(&servers);
    standby.catches_up(&world);
    let url = standby.url(&world);
    assert_eq!(ask(&url, "SELECT pg_is_in_recovery()"), ["t"]);
    let from = [("KALENDS_PRODUCTION_URL", url.as_str())];
    world
        .kalends_with("check", &from)
        .succeeds()
        .says("is a standby: a run sees what it has replayed")
        .says("set hot_standby_feedback there, or name the primary");
    world.kalends_with("run", &from).succeeds();
    world.is_exact();
    world.production_sql("UPDATE entity SET value = 9 WHERE value = 8; INSERT INTO entity VALUES ('2024-03-01', 1)");
    standby.catches_up(&world);
    world.kalends_with("verify", &from).fails_with(3);
    world.kalends_with("run", &from).succeeds();
    world.is_exact();
    let tuples = world.tuples();
    world.kalends_with("run", &from).succeeds().says("nothing to do");
    assert_eq!(world.tuples(), tuples);
    world.kalends_with("verify", &from).succeeds();
    // The same rows from the primary: nothing to do either.
    world.kalends("run").succeeds().says("nothing to do");

    std::fs::write(world.folder().join("kalends.toml"), "[limits]\nlock_seconds = 120\n").unwrap();
    // A change of the table that the primary has made waits behind our snapshot: the run gives way.
    world.production_sql("UPDATE entity SET value = value + 1");
    standby.catches_up(&world);
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_raw.entity_2024_01 IN SHARE MODE");
    let mut command = world.command("run");
    command.env("KALENDS_PRODUCTION_URL", &url);
    let run = Running::started(command);
    let watched = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'kalends run (watch)'";
    wait_for("the watch", || !ask(&url, watched).is_empty());
    want(&world.production_url, "ALTER TABLE entity ADD COLUMN note text").join().unwrap();
    run.ends().fails_with(75).says("gave way on production: process ").says("(startup)");
    drop(hold);
    standby.catches_up(&world);

    // Rows that our snapshot still needs are cleaned up by the primary, and the standby does not wait.
    standby.set(&world, "max_standby_streaming_delay = '0s'");
    let hold = Hold::by(&world.warehouse_url, "LOCK TABLE kalends_raw.entity_2024_01 IN SHARE MODE");
    let mut command = world.command("run");
    command.env("KALENDS_PRODUCTION_URL", &url);
    let run = Running::started(command);
    wait_for("the watch", || !ask(&url, watched).is_empty());
    world.production_sql("DELETE FROM entity WHERE created_at = '2024-01-20'");
    run_sql(&world.production_url, "VACUUM FREEZE entity");
    standby.catches_up(&world);
    drop(hold);
    let ran = run.ends();
    assert!(matches!(ran.code, Some(1 | 75)), "{:?}: {}{}", ran.code, ran.stdout, ran.stderr);
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.lines().count() <= 5, "{}", ran.stderr);
    world.kalends_with("run --accept-loss", &from).succeeds();
    world.is_exact();
    world.kalends_with("verify", &from).succeeds();
}

#[test]
fn a_standby_that_lags_behind_what_was_settled_is_held() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    let standby = Standby::of(&servers);
    standby.catches_up(&world);
    let url = standby.url(&world);
    let from = [("KALENDS_PRODUCTION_URL", url.as_str())];
    world.kalends_with("run", &from).succeeds();
    run_sql(&url, "SELECT pg_wal_replay_pause()");
    world.production_sql("UPDATE entity SET value = 6 WHERE value = 5; INSERT INTO entity VALUES ('2024-03-01', 1)");
    world.settles();
    let (tuples, tree) = (world.tuples(), world.tree());
    let held = world.kalends_with("run", &from);
    held.fails_with(4).says("held        2 months from 2024-01 on: production is older than what was settled of it");
    let after = world.tuples();
    let noted =
        |tuples: &[String]| tuples.iter().filter(|tuple| !tuple.starts_with("kalends.held:")).cloned().collect();
    let (before, after): (Vec<String>, Vec<String>) = (noted(&tuples), noted(&after));
    assert_eq!((after, world.tree()), (before, tree));
    // It heals by itself.
    run_sql(&url, "SELECT pg_wal_replay_resume()");
    standby.catches_up(&world);
    world.kalends_with("run", &from).succeeds().says("nothing to do");
    assert_eq!(world.ask_warehouse("SELECT count(*) FROM kalends.held"), ["0"]);
}

#[test]
fn a_standby_whose_replay_stands_still_is_as_old_as_what_it_has_replayed() {
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5");
    let standby = Standby::of(&servers);
    standby.catches_up(&world);
    let production = standby.url(&world);
    let of_standby = [("KALENDS_PRODUCTION_URL", production.as_str())];
    run_sql(&production, "SELECT pg_wal_replay_pause()");
    let replayed = "SELECT to_char(greatest(pg_last_xact_replay_timestamp(),
                        (SELECT checkpoint_time FROM pg_control_checkpoint())) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC'";
    let as_of = ask(&production, replayed).remove(0);
    world.production_sql("INSERT INTO entity VALUES ('2024-01-03', 41)");
    std::thread::sleep(std::time::Duration::from_secs(2));
    for command in ["run", "run"] {
        world.kalends_with(command, &of_standby).succeeds();
        let status = world.kalends("status --json").json();
        assert_eq!(status["proven_as_of"], as_of.as_str(), "not the clock's time, which goes on");
        assert!(status["age_seconds"].as_f64().unwrap() >= 2.0, "{status}");
    }
    world.kalends_with("status --max-age 1s", &of_standby).fails_with(3).says("; older than 1s");
    assert_eq!(world.kalends_with("verify --json", &of_standby).json()["production_as_of"], as_of.as_str());

    run_sql(&production, "SELECT pg_wal_replay_resume()");
    standby.catches_up(&world);
    world.kalends_with("run", &of_standby).succeeds();
    assert!(world.kalends("status --json").json()["proven_as_of"].as_str() > Some(as_of.as_str()));
    world.is_exact();
}

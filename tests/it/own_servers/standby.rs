//! A hot standby of one of a pair's servers, from a copy of the stopped primary's data: no `pg_basebackup` is needed,
//! which would have to be of the server's version.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{OwnServers, Side};
use crate::faults::held::wait_for;
use crate::kit::{World, ask, run_sql};

const PORT: u16 = 5439;

pub struct Standby {
    folder: tempfile::TempDir,
    programs: PathBuf,
    owner: (u32, u32),
    /// Which side it is a standby of.
    side: Side,
}

impl Standby {
    pub fn of(servers: &OwnServers, side: Side) -> Self {
        let programs = servers.programs(side);
        let metadata = fs::metadata(servers.data(side)).unwrap();
        let owner = (metadata.uid(), metadata.gid());
        let folder = tempfile::Builder::new().prefix("kalends-standby-").tempdir_in("/tmp").unwrap();
        chown(folder.path(), Some(owner.0), Some(owner.1)).unwrap();
        let standby = Self { folder, programs, owner, side };
        servers.stop();
        let mut copy = Command::new("cp");
        assert!(copy.arg("-a").arg(servers.data(side)).arg(standby.data()).status().unwrap().success());
        servers.start_again();
        standby.is_admitted(servers);
        standby.configure(servers);
        let (data, log) = (standby.data(), standby.folder.path().join("log"));
        let mut start = standby.command("pg_ctl");
        let started = start.args(["start", "-w", "-D"]).arg(&data).arg("-l").arg(&log).stdout(Stdio::null()).status();
        assert!(started.unwrap().success(), "{}", fs::read_to_string(&log).unwrap_or_default());
        standby
    }

    /// Nobody but the roles of the pair may log in, and the standby comes as the superuser: to be said again after each
    /// start of the primary.
    pub fn is_admitted(&self, servers: &OwnServers) {
        let access = PathBuf::from(&ask(&servers.maintenance(self.side), "SHOW hba_file")[0]);
        let lines = fs::read_to_string(&access).unwrap();
        fs::write(&access, format!("local replication all trust\n{lines}")).unwrap();
        run_sql(&servers.maintenance(self.side), "SELECT pg_reload_conf()");
    }

    fn configure(&self, servers: &OwnServers) {
        let (host, port) = (servers.servers.sockets.display(), self.side.port());
        let config = format!(
            "port = {PORT}\nunix_socket_directories = '{}'\nlisten_addresses = ''\nhot_standby = on\n\
             primary_conninfo = 'host={host} port={port} user=kalends'\nwal_retrieve_retry_interval = 100ms\n\
             max_standby_streaming_delay = 30s\nhot_standby_feedback = off\nfsync = off\ncluster_name = 'standby'\n",
            self.folder.path().display()
        );
        for (name, text) in [
            ("postgresql.conf", config.as_str()),
            ("pg_hba.conf", "local all all trust\n"),
            ("pg_ident.conf", ""),
            ("standby.signal", ""),
        ] {
            fs::write(self.data().join(name), text).unwrap();
            chown(self.data().join(name), Some(self.owner.0), Some(self.owner.1)).unwrap();
        }
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

    /// The folder of its socket, as a URL has it, and its port.
    pub fn host_and_port(&self) -> (String, u16) {
        (self.folder.path().display().to_string().replace('/', "%2F"), PORT)
    }

    /// The same world with the standby in the place of its primary.
    pub fn url(&self, world: &World) -> String {
        let database = world.production_url.rsplit('/').next().unwrap();
        let (host, port) = self.host_and_port();
        format!("postgresql://kalends@{host}:{port}/{database}")
    }

    pub fn set(&self, world: &World, setting: &str) {
        run_sql(&self.url(world), &format!("ALTER SYSTEM SET {setting}"));
        run_sql(&self.url(world), "SELECT pg_reload_conf()");
    }

    /// All that the primary has done is seen here.
    pub fn catches_up(&self, world: &World) {
        // VACUUM leaves its log unwritten at times, where nobody sees it; whoever commits after it writes both.
        let ask_primary = |asked| match self.side {
            Side::Production => world.ask_production(asked),
            Side::Warehouse => world.ask_warehouse(asked),
        };
        ask_primary("SELECT pg_logical_emit_message(true, 'kalends', 'to catch up with')");
        let position = ask_primary("SELECT pg_current_wal_lsn()");
        let caught_up = format!("SELECT pg_last_wal_replay_lsn() >= '{}'", position[0]);
        wait_for("the standby", || ask(&self.url(world), &caught_up) == ["t"]);
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let data = self.data().display().to_string();
        let _ = self.command("pg_ctl").args(["stop", "-m", "immediate", "-D", &data]).stdout(Stdio::null()).status();
    }
}

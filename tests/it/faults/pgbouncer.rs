//! A pooler on both sides, in transaction mode: what it does to sessions is no harm, whenever it does it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use postgres::{Client, NoTls};

use super::held::{Hold, MOMENTS, Moment, Running, wait_for};
use super::sample;
use super::stage::{Stage, Start};
use super::whole::is_whole;
use crate::kit::{READER, WRITER, World, servers};

/// Where Debian and others have it.
const PROGRAMS: [&str; 3] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];

struct Pooler {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Pooler {
    /// In front of both servers of a world; `None` where none is installed.
    fn new(world: &World) -> Option<Self> {
        let Some(program) = PROGRAMS.iter().find(|program| fs::metadata(program).is_ok()) else {
            eprintln!("NOT TRIED: there is no pgbouncer");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (sockets, database) = (servers().sockets.display(), world.production_url.rsplit('/').next().unwrap());
        let folder = PathBuf::from(format!("/tmp/kalends-pooler-{}-{database}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("users"), format!("\"{READER}\" \"\"\n\"{WRITER}\" \"\"\n\"admin\" \"\"\n")).unwrap();
        // A connection that KILL ends while it logs in counts as a server that failed: by default the next is made 15 s
        // later, and a run waits for 10.
        let settings = format!(
            "[databases]
             production = host={sockets} port=5432 dbname={database}
             warehouse = host={sockets} port=5433 dbname={database}
             [pgbouncer]
             listen_addr = 127.0.0.1
             listen_port = {port}
             unix_socket_dir =
             auth_type = trust
             auth_file = {folder}/users
             admin_users = admin
             pool_mode = transaction
             default_pool_size = 3
             server_login_retry = 1
             logfile = {folder}/log
             pidfile = {folder}/pid
            ",
            folder = folder.display()
        );
        let settings: String = settings.lines().map(|line| format!("{}\n", line.trim())).collect();
        fs::write(folder.join("pgbouncer.ini"), settings).unwrap();
        // As the user of the servers, who alone may use their sockets; it refuses to run as root.
        let owner = fs::metadata(&servers().sockets).unwrap();
        let mut command = Command::new(program);
        command.arg(folder.join("pgbouncer.ini")).stdout(Stdio::null()).stderr(Stdio::null());
        if owner.uid() != fs::metadata(&folder).unwrap().uid() {
            std::os::unix::fs::chown(&folder, Some(owner.uid()), Some(owner.gid())).unwrap();
            command.uid(owner.uid()).gid(owner.gid());
        }
        let process = command.spawn().unwrap();
        wait_for("pgbouncer", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Self { process, port, folder })
    }

    fn variables(&self) -> [(&'static str, String); 2] {
        let url = |role, database| format!("postgresql://{role}@127.0.0.1:{}/{database}", self.port);
        [("KALENDS_PRODUCTION_URL", url(READER, "production")), ("KALENDS_WAREHOUSE_URL", url(WRITER, "warehouse"))]
    }

    fn run(&self, world: &World) -> Running {
        let mut command = world.command("run --accept-loss");
        command.envs(self.variables());
        Running::started(command)
    }

    fn told(&self, orders: &[&str]) {
        let url = format!("postgresql://admin@127.0.0.1:{}/pgbouncer", self.port);
        let mut console = Client::connect(&url, NoTls).unwrap();
        for order in orders {
            console.simple_query(order).unwrap();
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
        let _ = (self.process.kill(), self.process.wait(), fs::remove_dir_all(&self.folder));
    }
}

#[test]
fn a_pooler_in_transaction_mode_on_both_sides_may_do_what_it_likes() {
    let mut stage = Stage::new(Start::Change);
    let Some(pooler) = Pooler::new(&stage.world) else { return };
    for _ in 0..3 {
        stage.ready();
        pooler.run(&stage.world).ends().succeeds();
        stage.world.is_exact();
    }
    let orders: [&[&str]; 2] = [
        &["RECONNECT production", "RECONNECT warehouse"],
        &["KILL production", "KILL warehouse", "RESUME production", "RESUME warehouse"],
    ];
    let tries: Vec<(Moment, &[&str])> =
        MOMENTS.into_iter().flat_map(|moment| orders.map(|orders| (moment, orders))).collect();
    let (mut tried, mut failed) = (0, 0);
    for (moment, orders) in sample(tries, 6) {
        let [before, after] = stage.ready();
        let hold = Hold::at(&stage.world, moment);
        let running = pooler.run(&stage.world).once_held(&stage.world, moment.side);
        pooler.told(orders);
        drop(hold);
        let ran = running.ends();
        if orders[0].starts_with("RECONNECT") {
            ran.succeeds();
        }
        if ran.code == Some(0) {
            stage.world.is_exact();
        } else {
            ran.fails_with(1);
            assert_eq!(ran.stderr.matches("error:").count(), 1, "{moment:?}: {}", ran.stderr);
            failed += 1;
        }
        is_whole(&stage.world, &[&before, &after]);
        // What it keeps open for others to use is no session of a run.
        pooler.told(&["RECONNECT production", "RECONNECT warehouse"]);
        stage.is_mended();
        tried += 1;
    }
    eprintln!("pgbouncer: mended {tried} of {tried}, {failed} of them had failed the run");
    assert!(failed > 0);
}

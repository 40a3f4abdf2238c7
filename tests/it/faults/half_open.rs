//! A network that swallows everything, both ways and without a word, while the connection is open: neither end is told.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::held::{Hold, Running, url, wait_for};
use super::whole::{State, is_mended, is_whole};
use crate::kit::{READER, WRITER, World, ask};
use crate::own_servers::{OwnServers, Side};

/// Both ends find out by themselves: data or probes that nobody acknowledges end a connection after 30 s at most, a
/// statement's limit after 35. Nearly twice that for a busy machine.
const FOUND_OUT_WITHIN: Duration = Duration::from_secs(60);

const STRANGERS: [&str; 2] = ["02:00:00:00:78:01", "02:00:00:00:78:02"];

/// A network of this machine and one other, on which only our program runs.
struct Network {
    name: String,
    here: String,
    there: String,
}

impl Network {
    /// `None`, said loudly, where this machine does not let us make one.
    fn new(number: u8) -> Option<Self> {
        let id = std::process::id() % 100_000;
        let name = format!("kal{id}{number}");
        let block = format!("10.78.{}.", 4 * (id % 60) + u32::from(number));
        let network = Self { name, here: format!("{block}1"), there: format!("{block}2") };
        let Self { name, here, there } = &network;
        // Neighbours stay known whatever becomes of them, so that nothing asks for them and is told that they are gone.
        let script = format!(
            "ip netns add {name}
             ip link add {name}h type veth peer name {name}n netns {name}
             ip address add {here}/30 dev {name}h
             ip link set {name}h up
             ip -n {name} address add {there}/30 dev {name}n
             ip -n {name} link set {name}n up
             ip -n {name} link set lo up
             ip neighbour replace {there} dev {name}h \\
                 lladdr $(ip netns exec {name} cat /sys/class/net/{name}n/address) nud permanent
             ip -n {name} neighbour replace {here} dev {name}n \\
                 lladdr $(cat /sys/class/net/{name}h/address) nud permanent"
        );
        let made = Command::new("sh").args(["-ec", &script]).output().unwrap();
        if made.status.success() {
            return Some(network);
        }
        eprintln!("NOT TRIED: a network of its own; that takes root and ip: {}", String::from_utf8_lossy(&made.stderr));
        None
    }

    /// From now on each end sends to somebody who is not there.
    fn swallows(&self) {
        let Self { name, here, there } = self;
        let [one, other] = STRANGERS;
        let script = format!(
            "ip neighbour replace {there} dev {name}h lladdr {one} nud permanent
             ip -n {name} neighbour replace {here} dev {name}n lladdr {other} nud permanent"
        );
        assert!(Command::new("sh").args(["-ec", &script]).status().unwrap().success());
    }

    /// Our program, on the other machine.
    fn run(&self, world: &World, side: Side) -> Running {
        let database = world.production_url.rsplit('/').next().unwrap();
        let (variable, role) = match side {
            Side::Production => ("KALENDS_PRODUCTION_URL", READER),
            Side::Warehouse => ("KALENDS_WAREHOUSE_URL", WRITER),
        };
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, crate::kit::BINARY, "run"]).current_dir(world.folder());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).envs(world.variables());
        command.env(variable, format!("postgresql://{role}@{}:{}/{database}?sslmode=disable", self.here, side.port()));
        Running::started(command)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).output();
        let _ = Command::new("ip").args(["link", "delete", &format!("{}h", self.name)]).output();
    }
}

/// Sessions of ours that hold something: a snapshot, a transaction that writes, or a lock.
const HOLDING: &str = "SELECT pid FROM pg_stat_activity AS session
                       WHERE datname = current_database() AND application_name LIKE 'kalends %'
                       AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL OR EXISTS (
                           SELECT FROM pg_locks AS held 
                           WHERE held.pid = session.pid AND granted AND locktype <> 'virtualxid'))";

/// Cuts a run off from one side while a lock holds it up on the same side or on the other.
fn cut(number: u8, side: Side, (held, lock): (Side, &str)) {
    let Some(network) = Network::new(number) else { return };
    let servers = OwnServers::new();
    let world = servers.world();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-02-29 | 8");
    world.settles();
    let before = State::of(&world);
    world.production("created_at | value\n 2024-01-02 | 7");
    let after = State::of(&world);
    // The warehouse may take no rows for as long as a statement may take, up to 5 min.
    world.settings("[limits]\nstatement_timeout = \"30s\"\n");
    servers.listen_at(side, &network.here, "10.78.0.0/16");
    let hold = Hold::by(url(&world, held), &format!("LOCK TABLE {lock} MODE"));
    let mut running = network.run(&world, side).once_held(&world, held);
    let begun = Instant::now();
    network.swallows();
    wait_for_long(&format!("{side:?} to let go"), || ask(url(&world, side), HOLDING).is_empty());
    let server_let_go = begun.elapsed();
    drop(hold);
    assert!(running.ends_within(FOUND_OUT_WITHIN), "{side:?}: the run is still waiting after {:?}", begun.elapsed());
    let ran = running.ends();
    ran.fails_with(1);
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{side:?}: {}", ran.stderr);
    for side in [Side::Production, Side::Warehouse] {
        wait_for("all servers to let go", || ask(url(&world, side), HOLDING).is_empty());
        // Where the server's limit ended the transaction, and our settings with it, its system gives the session up
        // only later.
        ask(
            url(&world, side),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'kalends %'",
        );
    }
    eprintln!(
        "{side:?}, held up by {held:?}: the server let go after {server_let_go:?}, the run ended after {:?}",
        begun.elapsed()
    );
    is_whole(&world, &[&before, &after]);
    is_mended(&world);
}

fn wait_for_long(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < FOUND_OUT_WITHIN, "waited {FOUND_OUT_WITHIN:?} for {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_network_that_swallows_everything_pins_no_snapshot_and_no_run() {
    let (reading, loading) = ("public.entity IN ACCESS EXCLUSIVE", "kalends_raw.entity_2024_01 IN SHARE");
    thread::scope(|all| {
        all.spawn(|| cut(0, Side::Production, (Side::Production, reading)));
        // Production has nothing to say meanwhile, so that only probes can tell.
        all.spawn(|| cut(1, Side::Production, (Side::Warehouse, loading)));
        all.spawn(|| cut(2, Side::Warehouse, (Side::Warehouse, loading)));
    });
}

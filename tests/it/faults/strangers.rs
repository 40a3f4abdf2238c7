//! Who answers is no PostgreSQL server, or not yet, or has no room: one line, in time.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::held::{Hold, Running};
use super::whole::is_mended;
use crate::kit::{READER, Ran, World, run_sql};

const CONNECT: u64 = 3;

/// More than a program of this size needs, and less than what a wrong length of a message asks for.
const KIB: u64 = 1024 * 1024;

fn http(mut client: TcpStream) {
    let _ = client.read(&mut [0; 1024]);
    let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

fn http_that_stays(client: TcpStream) {
    http(client.try_clone().unwrap());
    thread::sleep(Duration::from_secs(30));
}

fn silence(client: TcpStream) {
    thread::sleep(Duration::from_secs(30));
    drop(client);
}

fn noise(mut client: TcpStream) {
    let (mut bytes, mut state) = ([0; 4096], 0x9e37_79b9_7f4a_7c15_u64);
    loop {
        for byte in &mut bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[0];
        }
        if client.write_all(&bytes).is_err() {
            return;
        }
    }
}

/// A port where somebody answers so.
fn port(answer: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(client));
        }
    });
    port
}

/// A command of a world, with no more memory than that.
fn capped(world: &World, arguments: &str, variable: (&str, &str)) -> Ran {
    let kalends = world.command(arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -v {KIB}; exec \"$0\" \"$@\"")]).arg(kalends.get_program());
    shell.args(kalends.get_args()).env_clear().stdin(Stdio::null());
    shell.envs(kalends.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env(variable.0, variable.1).current_dir(world.folder());
    Ran::of(shell.output().unwrap(), arguments)
}

fn is_no_server(world: &World, variable: &str, place: &str) {
    let url = format!("postgresql://{READER}@{place}/somewhere");
    let started = Instant::now();
    let ran = capped(world, "run", (variable, &url));
    // The failure is noted, which may take two seconds.
    assert!(started.elapsed() < Duration::from_secs(CONNECT + 6), "{place}: {:?}", started.elapsed());
    ran.fails_with(1).says("could not connect to").says(place).says(" hint: ");
    assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.lines().count() <= 3, "{}", ran.stderr);
}

#[test]
fn whoever_answers_instead_of_a_server_is_found_out_in_time_and_in_one_line() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-15 | 1");
    is_mended(&world);
    world.settings(format!("[limits]\nconnect_timeout = \"{CONNECT}s\"\n"));
    let (tuples, tree) = (world.tuples(), world.tree());
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut places: Vec<String> = vec![format!("127.0.0.1:{refused}"), "no-such-host.invalid:5432".to_string()];
    // Reserved for documentation: nobody answers, or there is no way there.
    places.push("192.0.2.1:5432".to_string());
    let answers: [fn(TcpStream); 5] = [http, http_that_stays, silence, noise, drop];
    places.extend(answers.map(|answer| format!("127.0.0.1:{}", port(answer))));
    thread::scope(|scope| {
        for variable in ["KALENDS_PRODUCTION_URL", "KALENDS_WAREHOUSE_URL"] {
            for places in places.chunks(4) {
                let world = &world;
                scope.spawn(move || places.iter().for_each(|place| is_no_server(world, variable, place)));
            }
        }
    });
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
}

#[test]
fn a_server_without_room_is_waited_for() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-15 | 1");
    let database = world.production_url.rsplit('/').next().unwrap();
    for url in [&world.production_url, &world.warehouse_url] {
        let maintenance = format!("{}/postgres", url.rsplit_once('/').unwrap().0);
        let room = |most: i32| run_sql(&maintenance, &format!("ALTER DATABASE {database} CONNECTION LIMIT {most}"));
        room(0);
        let mut running = Running::started(world.command("run"));
        assert!(!running.ends_within(Duration::from_millis(1500)), "it did not wait");
        room(-1);
        running.ends().succeeds();
        is_mended(&world);
        world.production_sql("INSERT INTO entity VALUES ('2024-01-16', 2)");
    }
    is_mended(&world);
}

#[test]
fn a_server_that_ends_idle_sessions_is_connected_to_again() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-15 | 1");
    is_mended(&world);
    let database = world.production_url.rsplit('/').next().unwrap();
    let soon = format!("ALTER DATABASE {database} SET idle_session_timeout = '700ms'");
    world.production_sql(&soon);
    world.warehouse_sql(&soon);
    // While one server lets a run wait, the session of the other has nothing to do.
    let waits = [
        (&world.production_url, "LOCK TABLE entity IN ACCESS EXCLUSIVE MODE"),
        (&world.warehouse_url, "LOCK TABLE kalends_stats.entity_day IN ACCESS EXCLUSIVE MODE"),
    ];
    for (day, (url, lock)) in (16..).zip(waits) {
        world.production_sql(&format!("INSERT INTO entity VALUES ('2024-01-{day}', 2)"));
        let hold = Hold::by(url, lock);
        let mut running = Running::started(world.command("run -vv"));
        assert!(!running.ends_within(Duration::from_secs(3)), "it did not wait");
        drop(hold);
        running.ends().succeeds().says("ended a session that had nothing to do");
    }
    is_mended(&world);
}

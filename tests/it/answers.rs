//! Servers that answer what PostgreSQL never would: NULLs, other types, no rows, too many, bytes that mean nothing.
//! Whatever they say, no command ends in a panic, and with honest servers one run makes everything exact again.
//!
//! A proxy stands before each server and spoils one message of it: which, and how, follows from a seed. Every seed is
//! tried where `KALENDS_SWEEP` is `all`; `KALENDS_SEED=17` tries that one of them.

mod garbage;
mod hands;
mod proxy;
mod quiet;
mod spoil;

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use self::proxy::Proxy;
use self::spoil::Spoil;
use crate::faults::sweeping;
use crate::kit::{World, random};

const COMMANDS: [&str; 15] = [
    "run",
    "prepare",
    "plan",
    "verify",
    "verify --repair",
    "verify --sample 50%",
    "status",
    "check",
    "history",
    "diff 2024-01-02",
    "export",
    "adopt --check --from theirs.entity",
    "init --table entity --out -",
    "simulate 2024 2",
    "forget entity --yes",
];

/// Seeds of each command and side.
const SEEDS: [u64; 2] = [1, 60];

#[test]
fn whatever_a_server_answers_no_command_ends_in_a_panic() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5\n 2024-01-03 | 7\n 2024-02-29 | 8\n NULL | 3");
    world.production_sql("COMMENT ON TABLE entity IS 'ours'");
    world.settings("[limits]\nstatement_timeout = \"1s\"\nconnect_timeout = \"20s\"\n");
    world.kalends("simulate --mark 2024 2").succeeds();
    world.warehouse_sql(
        "CREATE SCHEMA theirs; CREATE TABLE theirs.entity (created_at timestamp, value integer);
         GRANT USAGE ON SCHEMA theirs TO kalends_writer; GRANT SELECT ON theirs.entity TO kalends_writer",
    );
    world.kalends("run").succeeds();
    let proxies = [&world.production_url, &world.warehouse_url].map(|url| Proxy::before(url));
    let only = random::given();
    let all = sweeping() || only.is_some();
    let seeds = if all { SEEDS[1] } else { SEEDS[0] };
    let (mut tried, mut refused) = (0, 0);
    for (number, command) in (0..).zip(COMMANDS) {
        let honest = spoiled(&world, &proxies, command, 0, None);
        assert!(matches!(honest, Some(0 | 3 | 4)), "{command}: {honest:?}");
        let messages = proxies.each_ref().map(Proxy::heard);
        for (side, &messages) in messages.iter().enumerate() {
            for seed in 0..seeds {
                let seed = (number * 2 + side as u64) * 1000 + seed;
                if only.is_some_and(|only| only != seed) || messages == 0 {
                    continue;
                }
                let spoil = Spoil::of(seed, messages, all);
                let code = spoiled(&world, &proxies, command, side, Some(spoil));
                tried += 1;
                refused += u32::from(code != honest);
            }
        }
    }
    eprintln!("{tried} answers were spoilt, of which {refused} ended a command");
    assert!(only.is_some() || refused > tried / 8, "{refused} of {tried}: nothing was spoilt");
    drop(proxies);
    assert!(matches!(world.kalends("run --accept-loss").code, Some(0 | 4)));
    world.kalends("verify --repair --accept-loss").succeeds();
    world.settles();
}

/// How a command ends whose answer of one side is spoilt; there is something to do for it.
fn spoiled(world: &World, proxies: &[Proxy; 2], command: &str, side: usize, spoil: Option<Spoil>) -> Option<i32> {
    world.production_sql("UPDATE entity SET value = value % 100 + 1 WHERE created_at = '2024-01-02'");
    proxies.iter().for_each(|proxy| proxy.spoil(None));
    proxies[side].spoil(spoil.clone());
    let mut ran = world.command(command);
    ran.env("KALENDS_PRODUCTION_URL", proxies[0].url()).env("KALENDS_WAREHOUSE_URL", proxies[1].url());
    let mut ran = ran.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while ran.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    // A sweep meets streams that never end, which are not what this looks for; an honest server sends none.
    let late = ran.try_wait().unwrap().is_none();
    if late {
        ran.kill().unwrap();
    }
    let output = ran.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let fine = (late && sweeping() && spoil.is_some()) || matches!(output.status.code(), Some(0..=4 | 75));
    let told = format!("kalends {command}, side {side}, {spoil:?}: {:?}, {said}", output.status.signal());
    assert!(fine && !said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{told}");
    output.status.code()
}

//! What a server may ask for before it lets Kalends in: a password goes to nobody who could be somebody else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Authority, host, listening, one_at_a_time, reload};
use crate::kit::{Ran, World, ask, run_sql};
use crate::messages::{golden, masked};
use crate::own_servers::{OwnServers, Side};

const CANARY: &str = "S3CRET";

/// The method that production asks a role for that comes by network.
pub(super) fn asking(own: &OwnServers, method: &str) {
    let access = ask(&own.maintenance(Side::Production), "SHOW hba_file").remove(0);
    let known = fs::read_to_string(&access).unwrap();
    let kept: String = known.lines().filter(|line| !line.contains("guarded")).map(|line| format!("{line}\n")).collect();
    fs::write(&access, format!("host all guarded 127.0.0.0/8 {method}\n{kept}")).unwrap();
    reload(own);
}

/// Makes the role that has a password, stored as a server does by default.
pub(super) fn guard(world: &World) {
    let database = world.production_url.rsplit('/').next().unwrap();
    world.production_sql(&format!(
        "CREATE ROLE guarded LOGIN PASSWORD '{CANARY}'; GRANT CONNECT ON DATABASE {database} TO guarded;
         GRANT USAGE ON SCHEMA public TO guarded; GRANT SELECT ON entity TO guarded"
    ));
}

fn as_guarded(world: &World, parameters: &str) -> Ran {
    as_guarded_at(5432, world, parameters, &[])
}

pub(super) fn as_guarded_at(port: u16, world: &World, parameters: &str, variables: &[(&str, &str)]) -> Ran {
    let database = world.production_url.rsplit('/').next().unwrap();
    let url = format!("postgresql://guarded:{CANARY}@{}:{port}/{database}{parameters}", host());
    let ran = world.kalends_with("run", &[&[("KALENDS_PRODUCTION_URL", url.as_str())], variables].concat());
    assert!(!ran.stderr.contains(CANARY) && !ran.stdout.contains(CANARY), "{}", ran.stderr);
    ran
}

#[test]
fn what_a_server_may_ask_for_is_held_to() {
    let _address = one_at_a_time();
    let own = OwnServers::new();
    let world = own.world();
    world.production("created_at | value\n 2024-01-02 | 5");
    let authority = Authority::new();
    let roots = authority.roots(world.folder(), "roots.pem").replace('/', "%2F");
    authority.certify(&own, &host());
    listening(&own);
    let maintenance = own.maintenance(Side::Production);
    guard(&world);
    let verified = format!("sslmode=verify-full&sslrootcert={roots}");
    for (method, stored) in [("scram-sha-256", "scram-sha-256"), ("md5", "md5"), ("password", "md5")] {
        let stored = format!("SET password_encryption = '{stored}'; ALTER ROLE guarded PASSWORD '{CANARY}'");
        run_sql(&maintenance, &stored);
        asking(&own, method);
        // On this machine nobody is on the way.
        for parameters in ["", "?sslmode=disable", "?sslmode=require", &format!("?{verified}")] {
            as_guarded(&world, parameters).succeeds();
        }
        for protection in ["sslmode=disable", "sslmode=prefer", "sslmode=require", &verified] {
            as_guarded(&world, &format!("?{protection}&require_auth={method}")).succeeds();
            let others = as_guarded(&world, &format!("?{protection}&require_auth=!{method}"));
            others.fails_with(1).says("the server asks for").says("which is not accepted here");
        }
    }
    let refused = as_guarded(&world, "?require_auth=scram-sha-256");
    golden("auth_in_clear_text", &masked(&world, &refused.fails_with(1).stderr.replace(&host(), "HOST")));
    asking(&own, "trust");
    as_guarded(&world, "?require_auth=scram-sha-256").fails_with(1).says("asks for no password at all");
    as_guarded(&world, "?require_auth=scram").fails_with(2).says("has an unknown require_auth");
    let socket = format!("{}?require_auth=md5", world.reader_url);
    world.kalends_with("run", &[("KALENDS_PRODUCTION_URL", &socket)]).fails_with(2).says("a Unix socket");
}

/// A server that asks for the password in this way, and says what it was given.
fn impostor(question: u32) -> (u16, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut buffer) = (client.unwrap(), vec![0; 4096]);
            let _ = client.read(&mut buffer);
            // A byte at a time, so that a question never comes as a whole.
            let salt: &[u8] = if question == 5 { b"salt" } else { b"" };
            let length = 8 + u32::try_from(salt.len()).unwrap();
            for byte in [b"R", &length.to_be_bytes()[..], &question.to_be_bytes(), salt].concat() {
                if client.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(2));
            }
            let read = client.read(&mut buffer).unwrap_or(0);
            buffer.truncate(read);
            let _ = tell.send(buffer);
        }
    });
    (port, told)
}

#[test]
fn an_impostor_gets_no_password() {
    let world = World::new();
    // An address of this machine that is not known to be one: the machine's name.
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_string();
    if std::net::ToSocketAddrs::to_socket_addrs(&(name.as_str(), 1)).is_err() || name == "localhost" {
        return eprintln!("not tried: this machine has no name of its own");
    }
    for (question, said) in [(3, "in clear text"), (5, "as MD5")] {
        let (port, told) = impostor(question);
        let url = |parameters: &str| format!("postgresql://a:{CANARY}@{name}:{port}/d?sslmode=disable{parameters}");
        let ran = world.kalends_with("run", &[("KALENDS_PRODUCTION_URL", &url(""))]);
        ran.fails_with(1).says(said).says("Require scram-sha-256");
        // Each address of the name is tried, some more than once.
        let given =
            || std::iter::from_fn(|| told.recv_timeout(Duration::from_secs(2)).ok()).find(|given| !given.is_empty());
        assert_eq!(given(), None, "{said}");
        // Who is to have it is given it.
        world.kalends_with("run", &[("KALENDS_PRODUCTION_URL", &url("&require_auth=password,md5"))]).fails_with(1);
        assert!(given().is_some(), "{said}");
    }
}

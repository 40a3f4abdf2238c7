//! Which versions of PostgreSQL are served. `tests/versions` runs the tests on each of them, and on pairs of two.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;

use crate::kit::versions::asked;
use crate::kit::{World, ask, servers};
use crate::own_servers::Side;

const SERVED: std::ops::RangeInclusive<u32> = 14..=18;

/// A server that lets everybody in, says its version, and answers nothing.
fn server_of_version(version: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| welcome(stream, version)));
    port
}

fn welcome(mut stream: TcpStream, version: &str) {
    let mut head = [0; 4];
    stream.read_exact(&mut head).unwrap();
    let mut asked = vec![0; u32::from_be_bytes(head) as usize - 4];
    stream.read_exact(&mut asked).unwrap();
    let message = |kind: u8, content: &[u8]| {
        let length = u32::try_from(content.len() + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, content].concat()
    };
    let version = format!("server_version\0{version}\0");
    let answers = [
        message(b'R', &0_u32.to_be_bytes()),
        message(b'S', version.as_bytes()),
        message(b'K', &[0; 8]),
        message(b'Z', b"I"),
    ];
    stream.write_all(&answers.concat()).unwrap();
    // Until the other side goes.
    let _ = stream.read_to_end(&mut Vec::new());
    let _ = stream.shutdown(Shutdown::Both);
}

#[test]
fn a_server_past_its_end_of_life_is_refused_and_said_so() {
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    world.settles();
    let (tuples, tree) = (world.tuples(), world.tree());
    for version in ["13.23", "13.23 (Debian 13.23-1.pgdg12+1)", "12.22", "9.6.24"] {
        let major = version.split('.').next().unwrap();
        let url = format!("postgresql://reader@127.0.0.1:{}/data?sslmode=disable", server_of_version(version));
        for side in ["KALENDS_PRODUCTION_URL", "KALENDS_WAREHOUSE_URL"] {
            for command in ["run", "check"] {
                world
                    .kalends_with(command, &[(side, url.as_str())])
                    .fails_with(4)
                    .says(&format!("PostgreSQL {major} is past its end of life, and Kalends does not support it"))
                    .says("Upgrade the server to version 14 or later.");
            }
        }
    }
    assert_eq!((world.tuples(), world.tree()), (tuples, tree));
}

/// The servers of all other tests are the ones that were asked for, and serve; a version past its end is refused.
#[test]
fn the_servers_of_these_stories_are_the_ones_that_were_asked_for() {
    let mut majors = Vec::new();
    for side in [Side::Production, Side::Warehouse] {
        let found = ask(&servers().url(side.port(), "kalends", "postgres"), "SHOW server_version_num").remove(0);
        let major: u32 = found.parse::<u32>().unwrap() / 10_000;
        if let Some(programs) = asked(side.name()) {
            let told = Command::new(programs.join("postgres")).arg("--version").output().unwrap();
            let told = String::from_utf8(told.stdout).unwrap();
            assert!(told.contains(&format!(" {major}.")), "{side:?} runs {major}, and {told} was asked for");
        }
        majors.push(major);
    }
    eprintln!("production is PostgreSQL {}, the warehouse {}", majors[0], majors[1]);
    let world = World::new();
    world.production("created_at | value\n 2024-01-02 | 5");
    if majors.iter().all(|major| SERVED.contains(major)) {
        world.settles();
    } else {
        world.kalends("run").fails_with(4).says("is past its end of life");
    }
}

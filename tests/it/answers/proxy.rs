//! Stands before a server: passes on what is said, but for one message of the server's.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;

use super::spoil::Spoil;

#[derive(Default)]
struct State {
    spoil: Option<Spoil>,
    /// Messages of the server since the last change of the spoil.
    heard: u64,
}

pub struct Proxy {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Before the server of this URL, which names a socket.
    pub fn before(url: &str) -> Self {
        let (address, database) = url.trim_start_matches("postgresql://").rsplit_once('/').unwrap();
        let (role, place) = address.split_once('@').unwrap();
        let (folder, port) = place.rsplit_once(':').unwrap();
        let socket = format!("{}/.s.PGSQL.{port}", folder.replace("%2F", "/"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, state) = (client.unwrap(), shared.clone());
                if let Ok(server) = UnixStream::connect(&socket) {
                    thread::spawn(move || pass(client, server, &state));
                }
            }
        });
        Self { url: format!("postgresql://{role}@127.0.0.1:{port}/{database}?sslmode=disable"), state }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn spoil(&self, spoil: Option<Spoil>) {
        *self.state.lock().unwrap() = State { spoil, heard: 0 };
    }

    pub fn heard(&self) -> u64 {
        self.state.lock().unwrap().heard
    }
}

fn pass(client: TcpStream, server: UnixStream, state: &Mutex<State>) {
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(std::net::Shutdown::Both);
    });
    let (mut client, mut server) = (client, server);
    let mut head = [0; 5];
    while server.read_exact(&mut head).is_ok() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4;
        let mut body = vec![0; length];
        if server.read_exact(&mut body).is_err() {
            break;
        }
        let message = {
            let mut state = state.lock().unwrap();
            let number = state.heard;
            state.heard += 1;
            match state.spoil.as_mut() {
                Some(spoil) => spoil.message(number, head[0], body),
                None => super::spoil::framed(head[0], &body),
            }
        };
        if client.write_all(&message).is_err() {
            break;
        }
    }
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = server.shutdown(std::net::Shutdown::Both);
}

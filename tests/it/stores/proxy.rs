//! Between kalends and the server: counts requests, and spoils those that a test chooses.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Pass,
    /// It is not passed on, and answered with this status and code.
    Status(u16, &'static str),
    /// It is not passed on, and never answered; the connection stays open.
    Silence,
    /// It is passed on after so long, and its answer trickles.
    Slow(Duration),
    /// Half of it is passed on, then both connections end.
    CutRequest,
    /// It is passed on, half of its answer comes back, then the connection ends.
    CutAnswer,
    /// It is passed on, and its answer is lost.
    LoseAnswer,
    /// The connection ends with bytes that nobody has read, which resets it.
    Reset,
}

/// A request: its number from 1, `PUT` and `/bucket/key?query`.
pub struct Asked<'a> {
    pub number: usize,
    pub method: &'a str,
    pub path: &'a str,
}

type Chooses = dyn Fn(&Asked<'_>) -> Deed + Send + Sync;

struct Shared {
    server: u16,
    chooses: Mutex<Arc<Chooses>>,
    count: AtomicUsize,
    asked: Mutex<Vec<String>>,
    over: AtomicBool,
}

pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    pub fn new(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server,
            chooses: Mutex::new(Arc::new(|_: &Asked<'_>| Deed::Pass)),
            count: AtomicUsize::new(0),
            asked: Mutex::new(Vec::new()),
            over: AtomicBool::new(false),
        });
        let of_listener = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if of_listener.over.load(Ordering::Relaxed) {
                    break;
                }
                let of_one = of_listener.clone();
                thread::spawn(move || drop(serve(&of_one, client)));
            }
        });
        Self { port, shared }
    }

    /// From now on it chooses so, and counts from 1.
    pub fn choose(&self, chooses: impl Fn(&Asked<'_>) -> Deed + Send + Sync + 'static) {
        *self.shared.chooses.lock().unwrap() = Arc::new(chooses);
        self.shared.count.store(0, Ordering::Relaxed);
        self.shared.asked.lock().unwrap().clear();
    }

    pub fn pass(&self) {
        self.choose(|_| Deed::Pass);
    }

    /// What was asked since then: `PUT /bucket/key`.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Those of them that write.
    pub fn writes(&self) -> Vec<String> {
        self.asked().into_iter().filter(|asked| !asked.starts_with("GET ") && !asked.starts_with("HEAD ")).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Where the head of a message ends.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_string));
    line.map_or(0, |length| length.trim().parse().unwrap())
}

/// A whole request.
pub struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap()
    }

    /// As it was sent: encoded, and with its query.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .map(|(key, value)| (key, value.trim()))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// The next request of a connection; `None` if it ends before.
pub fn request(client: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    let mut end = None;
    loop {
        if end.is_none() {
            end = end_of_head(&bytes);
        }
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            if bytes.len() >= end + length(&head) {
                return Ok(Some(Request { head, body: bytes.split_off(end) }));
            }
        }
        match client.read(&mut buffer)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// One request a connection.
fn serve(shared: &Shared, mut client: TcpStream) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let Some(request) = request(&mut client)? else { return Ok(()) };
    let (method, path) = (request.method(), &percent_decode_str(request.path()).decode_utf8().unwrap());
    let number = shared.count.fetch_add(1, Ordering::Relaxed) + 1;
    shared.asked.lock().unwrap().push(format!("{method} {path}"));
    let chooses = shared.chooses.lock().unwrap().clone();
    let deed = chooses(&Asked { number, method, path });
    let spoken = request.head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let request = [spoken.as_bytes(), &request.body].concat();
    carry_out(shared, deed, &request, client)
}

fn carry_out(shared: &Shared, deed: Deed, request: &[u8], mut client: TcpStream) -> std::io::Result<()> {
    match deed {
        Deed::Status(status, code) => {
            let body = format!("<Error><Code>{code}</Code><Message>as the test says</Message></Error>");
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            return client.write_all(format!("{head}{body}").as_bytes());
        }
        Deed::Silence => {
            while !shared.over.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(50));
            }
            return Ok(());
        }
        Deed::Reset => return reset(&client),
        Deed::CutRequest => {
            let mut server = TcpStream::connect(("127.0.0.1", shared.server))?;
            server.write_all(&request[..request.len() / 2])?;
            return reset(&client);
        }
        Deed::Slow(time) => sleep(time),
        Deed::Pass | Deed::CutAnswer | Deed::LoseAnswer => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", shared.server))?;
    server.write_all(request)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    match deed {
        Deed::LoseAnswer => reset(&client),
        Deed::CutAnswer => client.write_all(&answer[..answer.len() / 2]),
        Deed::Slow(_) => answer.chunks(answer.len() / 20 + 1).try_for_each(|part| {
            sleep(Duration::from_millis(20));
            client.write_all(part)
        }),
        _ => {
            client.write_all(&answer)?;
            client.shutdown(Shutdown::Write)
        }
    }
}

/// Ends a connection without a goodbye.
fn reset(client: &TcpStream) -> std::io::Result<()> {
    rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO)).map_err(Into::into)
}

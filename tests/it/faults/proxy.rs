//! Between kalends and a server: passes on what they say, and does harm at a chosen byte.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::held::url;
use crate::kit::{READER, WRITER, World};
use crate::own_servers::Side;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToClient,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    None,
    /// Nothing passes any more, in either direction, and new connections say nothing; all sockets stay open.
    Stall(Way, u64),
    /// Nothing passes for so long, then all goes on.
    Pause(Way, u64, Duration),
    /// The connection ends as if all were said.
    Close(Way, u64),
    /// The connection is reset: it ends with bytes of the client that nobody has read.
    Reset(u64),
    /// A bit of that byte is another.
    Flip(Way, u64, u8),
    /// One byte at a time.
    Trickle,
    /// The server is told the `number`th COMMIT and does it, its answer is lost.
    LoseAnswer(usize),
    /// So many connections are told that the server is starting up.
    StartingUp(usize),
    /// The server has parsed the `number`th statement that begins so, and hears nothing more until it goes on.
    Parsed(&'static str, usize),
    /// Each time that one side says the one, the other hears the other.
    Replace(Way, &'static str, &'static str),
}

/// `COMMIT` as a message.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// `FATAL: the database system is starting up` as a message.
const STARTING_UP: &[u8] = b"E\0\0\0\x3eSFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";

struct Shared {
    server: PathBuf,
    harm: Harm,
    /// Bytes of all connections, to the server and to the client.
    passed: [AtomicU64; 2],
    /// What is counted until the harm is due.
    counted: AtomicUsize,
    connections: AtomicUsize,
    struck: AtomicBool,
    stalled: AtomicBool,
    over: AtomicBool,
    sockets: Mutex<Vec<(TcpStream, UnixStream)>>,
}

pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// In front of one of a world's servers.
    pub fn new(world: &World, side: Side, harm: Harm) -> Self {
        Self::before(url(world, side), harm)
    }

    /// In front of a server that listens on a Unix socket.
    pub fn before(url: &str, harm: Harm) -> Self {
        let (_, rest) = url.split_once('@').unwrap();
        let (host, rest) = rest.split_once(':').unwrap();
        let (port, _) = rest.split_once('/').unwrap();
        let server = PathBuf::from(host.replace("%2F", "/")).join(format!(".s.PGSQL.{port}"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server,
            harm,
            passed: [AtomicU64::new(0), AtomicU64::new(0)],
            counted: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            struck: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
            over: AtomicBool::new(false),
            sockets: Mutex::new(Vec::new()),
        });
        let of_listener = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if of_listener.over.load(Ordering::Relaxed) {
                    break;
                }
                let of_one = of_listener.clone();
                thread::spawn(move || drop(connect(&of_one, client)));
            }
        });
        Self { port, shared }
    }

    /// The setting and the URL by which kalends comes this way.
    pub fn variable(&self, world: &World, side: Side) -> (&'static str, String) {
        let database = world.production_url.rsplit('/').next().unwrap();
        let (name, role) = match side {
            Side::Production => ("KALENDS_PRODUCTION_URL", READER),
            Side::Warehouse => ("KALENDS_WAREHOUSE_URL", WRITER),
        };
        (name, format!("postgresql://{role}@127.0.0.1:{}/{database}", self.port))
    }

    /// Bytes that have passed.
    pub fn passed(&self, way: Way) -> u64 {
        self.shared.passed[way as usize].load(Ordering::Relaxed)
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Ends what keeps everything from passing.
    pub fn goes_on(&self) {
        self.shared.stalled.store(false, Ordering::Relaxed);
    }

    /// Whether it has come to the harm.
    pub fn has_struck(&self) -> bool {
        self.shared.struck.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        for (client, server) in self.shared.sockets.lock().unwrap().drain(..) {
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        }
    }
}

fn connect(shared: &Arc<Shared>, mut client: TcpStream) -> std::io::Result<()> {
    let number = shared.connections.fetch_add(1, Ordering::Relaxed);
    client.set_nodelay(true)?;
    if matches!(shared.harm, Harm::StartingUp(most) if number < most) {
        shared.struck.store(true, Ordering::Relaxed);
        let mut heard = [0; 1024];
        // The question for TLS, then the greeting.
        let _ = client.read(&mut heard)?;
        client.write_all(b"N")?;
        let _ = client.read(&mut heard)?;
        return client.write_all(STARTING_UP);
    }
    let server = UnixStream::connect(&shared.server)?;
    shared.sockets.lock().unwrap().push((client.try_clone()?, server.try_clone()?));
    let is_mute = Arc::new(AtomicBool::new(false));
    let (shared_too, mute_too) = (shared.clone(), is_mute.clone());
    let (from_server, to_client, end) = (server.try_clone()?, client.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = to_the_client(&shared_too, from_server, to_client, &mute_too);
        // A goodbye would be heard before the reset.
        let is_reset = matches!(shared_too.harm, Harm::Reset(_)) && shared_too.struck.load(Ordering::Relaxed);
        if !is_reset {
            let _ = end.shutdown(Shutdown::Both);
        }
    });
    let ended = to_the_server(shared, client, server.try_clone()?, &is_mute);
    // The server is told that its client is gone.
    let _ = server.shutdown(Shutdown::Both);
    ended
}

fn to_the_server(
    shared: &Shared,
    mut client: TcpStream,
    mut server: UnixStream,
    is_mute: &AtomicBool,
) -> std::io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        // Not taken yet: a socket that is closed with something to read is reset.
        let count = client.peek(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        if let Harm::Reset(at) = shared.harm
            && shared.passed[0].load(Ordering::Relaxed) + u64::try_from(count).unwrap() > at
        {
            shared.struck.store(true, Ordering::Relaxed);
            shared.sockets.lock().unwrap().clear();
            return Ok(());
        }
        client.read_exact(&mut buffer[..count])?;
        let bytes = &mut buffer[..count];
        if let Harm::LoseAnswer(number) = shared.harm
            && bytes.windows(COMMIT.len()).any(|window| window == COMMIT)
            && shared.counted.fetch_add(1, Ordering::Relaxed) + 1 == number
        {
            shared.struck.store(true, Ordering::Relaxed);
            is_mute.store(true, Ordering::Relaxed);
        }
        pass(shared, Way::ToServer, bytes, &mut server)?;
    }
}

fn to_the_client(
    shared: &Shared,
    mut server: UnixStream,
    mut client: TcpStream,
    is_mute: &AtomicBool,
) -> std::io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = server.read(&mut buffer)?;
        if count == 0 || is_mute.load(Ordering::Relaxed) {
            return Ok(());
        }
        pass(shared, Way::ToClient, &mut buffer[..count], &mut client)?;
    }
}

/// Where the message ends that has a statement parsed which begins so. It has a letter, its length and no name.
fn end_of_parse(bytes: &[u8], statement: &str) -> Option<usize> {
    let at = bytes.windows(statement.len()).position(|window| window == statement.as_bytes())?;
    let length = at.checked_sub(5).filter(|&length| bytes[length - 1] == b'P')?;
    Some(length + usize::try_from(u32::from_be_bytes(bytes[length..length + 4].try_into().unwrap())).unwrap())
}

/// Passes bytes on, with the harm that is due. An error ends the connection.
fn pass(shared: &Shared, way: Way, bytes: &mut [u8], to: &mut impl Write) -> std::io::Result<()> {
    let count = u64::try_from(bytes.len()).unwrap();
    let before = shared.passed[way as usize].fetch_add(count, Ordering::Relaxed);
    let until = |at: u64| usize::try_from(at.saturating_sub(before)).unwrap();
    let is_due = |harmed: Way, at: u64| harmed == way && (before..before + count).contains(&at);
    let strikes = || shared.struck.store(true, Ordering::Relaxed);
    let mut said = 0;
    match shared.harm {
        Harm::Stall(harmed, at) if is_due(harmed, at) => {
            to.write_all(&bytes[..until(at)])?;
            strikes();
            shared.stalled.store(true, Ordering::Relaxed);
        }
        Harm::Pause(harmed, at, time) if is_due(harmed, at) => {
            let (first, rest) = bytes.split_at(until(at));
            to.write_all(first)?;
            strikes();
            thread::sleep(time);
            return to.write_all(rest);
        }
        Harm::Close(harmed, at) if is_due(harmed, at) => {
            to.write_all(&bytes[..until(at)])?;
            strikes();
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        Harm::Flip(harmed, at, bit) if is_due(harmed, at) => {
            strikes();
            bytes[until(at)] ^= 1 << bit;
        }
        Harm::Replace(harmed, from, to) if harmed == way => {
            while let Some(at) = bytes.windows(from.len()).position(|window| window == from.as_bytes()) {
                bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
                strikes();
            }
        }
        Harm::Parsed(statement, number) if way == Way::ToServer => {
            if let Some(end) = end_of_parse(bytes, statement)
                && shared.counted.fetch_add(1, Ordering::Relaxed) + 1 == number
            {
                to.write_all(&bytes[..end])?;
                said = end;
                shared.stalled.store(true, Ordering::Relaxed);
                strikes();
            }
        }
        Harm::Trickle => {
            strikes();
            return bytes.iter().try_for_each(|byte| to.write_all(&[*byte]));
        }
        _ => {}
    }
    while shared.stalled.load(Ordering::Relaxed) {
        if shared.over.load(Ordering::Relaxed) {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    to.write_all(&bytes[said..])
}

//! A server that speaks like an object store, which the tests start: moto like S3, Azurite like Azure, or [`google`].
//! All tests of this process share it, each with a bucket of its own.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::google;
use super::kind::Kind;

/// The variables that name the programs; the last one says that the tests' own server is to be asked.
const VARIABLES: [(&str, Kind); 3] =
    [("KALENDS_MOTO", Kind::S3), ("KALENDS_AZURITE", Kind::Azure), ("KALENDS_GOOGLE", Kind::Google)];

/// So many objects a page of a listing: few, so that each listing has several.
pub const PAGE: usize = 7;

pub struct Server {
    pub kind: Kind,
    pub port: u16,
    /// It ends with this process, however that ends: its shell reads from here.
    _alive: Option<Child>,
}

/// The server, if this machine has one. If not, that is said.
pub fn available() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let found = || VARIABLES.into_iter().find_map(|(name, kind)| Some((std::env::var_os(name)?, kind)));
    SERVER
        .get_or_init(|| match found() {
            Some((program, kind)) => Some(Server::started(&program, kind)),
            None => {
                eprintln!("{} names no moto_server: object stores were not tried", VARIABLES[0].0);
                None
            }
        })
        .as_ref()
}

/// An answer: status, and body.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Server {
    fn started(program: &std::ffi::OsStr, kind: Kind) -> Self {
        if kind == Kind::Google {
            return Self { kind, port: google::started(), _alive: None };
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut shell = Command::new("sh");
        shell.args(["-c", "\"$@\" & cat >/dev/null; kill $!", "sh"]).arg(program).args(kind.arguments(port));
        shell.env("MOTO_S3_DEFAULT_MAX_KEYS", PAGE.to_string());
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self { kind, port, _alive: Some(shell.spawn().unwrap()) };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{} does not start", program.display());
            sleep(Duration::from_millis(50));
        }
        server
    }

    /// Asks without a proxy. An answer to HTTP 1.0 is not in chunks.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} {} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.kind.signed(path),
            self.port,
            self.kind.headers(),
            body.len()
        );
        let mut server = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        server.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
        Answer { status, body: answer.split_off(end) }
    }

    pub fn create(&self, bucket: &str) {
        let made = self.ask("PUT", &self.kind.bucket(bucket), b"");
        assert!([200, 201].contains(&made.status), "{bucket}: {}", String::from_utf8_lossy(&made.body));
    }

    pub fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let put = self.ask("PUT", &self.kind.object(bucket, key), bytes);
        assert!([200, 201].contains(&put.status), "{key}: {}", String::from_utf8_lossy(&put.body));
    }

    pub fn delete(&self, bucket: &str, key: &str) {
        assert!([202, 204].contains(&self.ask("DELETE", &self.kind.object(bucket, key), b"").status), "{key}");
    }

    pub fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let answer = self.ask("GET", &self.kind.object(bucket, key), b"");
        (answer.status == 200).then_some(answer.body)
    }

    /// All objects of a bucket: key and bytes.
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        let (mut keys, mut after) = (Vec::<String>::new(), String::new());
        let [key, token] = self.kind.elements();
        loop {
            let listed = self.ask("GET", &self.kind.listing(bucket, &after), b"");
            assert_eq!(listed.status, 200, "{}", String::from_utf8_lossy(&listed.body));
            let text = String::from_utf8(listed.body).unwrap();
            let (begins, ends) = (format!("<{key}>"), format!("</{key}>"));
            let found = text.split(&begins).skip(1).map(|rest| rest.split(&ends).next().unwrap());
            keys.extend(found.map(str::to_string));
            let next = text.split(&format!("<{token}>")).nth(1).and_then(|rest| rest.split('<').next());
            let Some(next) = next.filter(|next| !next.is_empty()) else { break };
            after = next.to_string();
        }
        keys.into_iter().map(|key| (key.clone(), self.get(bucket, &key).unwrap_or_else(|| panic!("{key}")))).collect()
    }
}

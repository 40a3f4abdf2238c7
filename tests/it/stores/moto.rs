//! A real server that speaks like S3: moto, which the tests start. All tests of this process share it, each with a
//! bucket of its own.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The variable that names its program.
pub const PROGRAM: &str = "KALENDS_MOTO";

/// So many objects a page of a listing: few, so that each listing has several.
const PAGE: &str = "7";

/// Anybody's: the server does not check signatures, and refuses who has none.
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

pub struct Moto {
    pub port: u16,
    /// It ends with this process, however that ends: its shell reads from here.
    _alive: Child,
}

/// The server, if this machine has it. Where not, that is said.
pub fn available() -> Option<&'static Moto> {
    static MOTO: OnceLock<Option<Moto>> = OnceLock::new();
    MOTO.get_or_init(|| match std::env::var_os(PROGRAM) {
        Some(program) => Some(Moto::started(&program)),
        None => {
            eprintln!("{PROGRAM} names no moto_server: object stores were not tried");
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

impl Moto {
    fn started(program: &std::ffi::OsStr) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut shell = Command::new("sh");
        shell.args(["-c", "\"$0\" -H 127.0.0.1 -p \"$1\" & cat >/dev/null; kill $!"]).arg(program);
        shell.arg(port.to_string()).env("MOTO_S3_DEFAULT_MAX_KEYS", PAGE);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let moto = Self { port, _alive: shell.spawn().unwrap() };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "moto does not start");
            sleep(Duration::from_millis(50));
        }
        moto
    }

    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: {SIGNED}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            self.port,
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

    pub fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let put = self.ask("PUT", &format!("/{bucket}/{key}"), bytes);
        assert_eq!(put.status, 200, "{key}: {}", String::from_utf8_lossy(&put.body));
    }

    pub fn delete(&self, bucket: &str, key: &str) {
        assert_eq!(self.ask("DELETE", &format!("/{bucket}/{key}"), b"").status, 204, "{key}");
    }

    pub fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let answer = self.ask("GET", &format!("/{bucket}/{key}"), b"");
        (answer.status == 200).then_some(answer.body)
    }

    /// All objects of a bucket: key and bytes.
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        let (mut keys, mut after) = (Vec::<String>::new(), String::new());
        loop {
            let listed = self.ask("GET", &format!("/{bucket}?list-type=2&max-keys=900{after}"), b"");
            let text = String::from_utf8(listed.body).unwrap();
            let found = text.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap().to_string());
            keys.extend(found);
            let Some(token) = text.split("<NextContinuationToken>").nth(1) else { break };
            after = format!("&continuation-token={}", token.split('<').next().unwrap());
        }
        keys.into_iter().map(|key| (key.clone(), self.get(bucket, &key).unwrap_or_else(|| panic!("{key}")))).collect()
    }
}

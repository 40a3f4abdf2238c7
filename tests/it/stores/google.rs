//! A server that speaks like Google's store, as far as Kalends asks it. No package of PyPI or npm does: each lacks the
//! conditions of puts or the listings of the XML interface, which are what there is to test. Here a put replaces the
//! generation that `x-goog-if-generation-match` names, 0 for none, or is refused with 412, as Google's page on the
//! preconditions of requests says. The rest is what `object_store` expects: answers name the generation; a listing has
//! pages, and ETags, but no generations.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use percent_encoding::percent_decode_str;

use super::proxy::{Request, request};
use super::server::PAGE;
use crate::faults::whole::sha256;

struct Object {
    generation: u64,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Store {
    buckets: BTreeMap<String, BTreeMap<String, Object>>,
    generation: u64,
}

struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

/// Its port. It ends with this process.
pub fn started() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = Arc::new(Mutex::new(Store::default()));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let store = store.clone();
            thread::spawn(move || drop(serve(&store, client)));
        }
    });
    port
}

fn serve(store: &Mutex<Store>, mut client: TcpStream) -> std::io::Result<()> {
    let Some(request) = request(&mut client)? else { return Ok(()) };
    let Answer { status, headers, body } = store.lock().unwrap().answer(&request);
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    client.write_all(&[head.as_bytes(), &body].concat())
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn refused(status: u16, code: &str) -> Answer {
    let body = format!("<?xml version='1.0'?><Error><Code>{code}</Code><Message>as Google says</Message></Error>");
    Answer { status, headers: String::new(), body: body.into_bytes() }
}

impl Object {
    fn etag(&self) -> String {
        format!("\"{}\"", &sha256(&self.bytes)[..32])
    }

    fn answer(&self, body: &[u8]) -> Answer {
        let headers = format!(
            "ETag: {}\r\nx-goog-generation: {}\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n",
            self.etag(),
            self.generation
        );
        Answer { status: 200, headers, body: body.to_vec() }
    }
}

impl Store {
    fn answer(&mut self, request: &Request) -> Answer {
        let (path, query) = request.path().split_once('?').unwrap_or((request.path(), ""));
        let (bucket, key) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
        let (bucket, key) = (decoded(bucket), decoded(key));
        if request.method() == "PUT" && key.is_empty() {
            self.buckets.entry(bucket).or_default();
            return Answer { status: 200, headers: String::new(), body: Vec::new() };
        }
        let Some(objects) = self.buckets.get_mut(&bucket) else { return refused(404, "NoSuchBucket") };
        match request.method() {
            "GET" if key.is_empty() => listing(objects, query),
            "GET" => match objects.get(&key) {
                Some(object) => object.answer(&object.bytes),
                None => refused(404, "NoSuchKey"),
            },
            "HEAD" => match objects.get(&key) {
                Some(object) => object.answer(b""),
                None => Answer { status: 404, headers: String::new(), body: Vec::new() },
            },
            "DELETE" => match objects.remove(&key) {
                Some(_) => Answer { status: 204, headers: String::new(), body: Vec::new() },
                None => refused(404, "NoSuchKey"),
            },
            "PUT" => {
                let there = objects.get(&key).map_or(0, |object| object.generation);
                let wanted = request.header("x-goog-if-generation-match").map(|text| text.parse::<u64>().unwrap());
                if wanted.is_some_and(|wanted| wanted != there) {
                    return refused(412, "PreconditionFailed");
                }
                self.generation += 1;
                let object = Object { generation: self.generation, bytes: request.body.clone() };
                let answer = object.answer(b"");
                objects.insert(key, object);
                answer
            }
            _ => refused(405, "MethodNotAllowed"),
        }
    }
}

/// A page of a listing.
fn listing(objects: &BTreeMap<String, Object>, query: &str) -> Answer {
    let asked = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map_or(String::new(), |(_, value)| decoded(value))
    };
    let (prefix, after) = (asked("prefix"), asked("continuation-token"));
    let mut found = objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let contents = page.iter().map(|(key, object)| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>{}</ETag>\
             <Size>{}</Size></Contents>",
            object.etag().replace('"', "&quot;"),
            object.bytes.len()
        )
    });
    let contents: String = contents.collect();
    let next = match (found.next(), page.last()) {
        (Some(_), Some((last, _))) => format!("<NextContinuationToken>{last}</NextContinuationToken>"),
        _ => String::new(),
    };
    let body = format!("<?xml version='1.0'?><ListBucketResult>{contents}{next}</ListBucketResult>").into_bytes();
    Answer { status: 200, headers: "Content-Type: application/xml\r\n".to_string(), body }
}

//! Somebody in between, with a certificate of his own, who passes on all that is said: it is refused by the
//! certificate, or because the password was bound to another one.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::authentication::{as_guarded_at, asking, guard};
use super::{Authority, host, listening, one_at_a_time, set};
use crate::kit::World;
use crate::own_servers::OwnServers;

/// How it goes on to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Onward {
    Encrypted,
    Plain,
}

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A proxy that ends TLS and begins it anew.
struct Between {
    port: u16,
    /// What clients said, in clear text.
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Between {
    /// With a certificate that this authority has signed for the server's name; it trusts the server's own.
    fn new(signer: &Authority, trusted: &Authority, onward: Onward) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([host()]).unwrap().signed_by(&key, &signer.0).unwrap();
        let provider = Arc::new(ring::default_provider());
        let own = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let own = own.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(trusted.0.pem().as_bytes()).unwrap()).unwrap();
        let theirs = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let theirs = theirs.with_root_certificates(roots).with_no_client_auth();
        let (own, theirs, heard) = (Arc::new(own), Arc::new(theirs), Arc::<Mutex<Vec<u8>>>::default());
        let listener = TcpListener::bind((host(), 0)).unwrap();
        let (port, told) = (listener.local_addr().unwrap().port(), heard.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (own, theirs, told) = (own.clone(), theirs.clone(), told.clone());
                thread::spawn(move || drop(pass_on(client, own, (onward, theirs), &told)));
            }
        });
        Self { port, heard }
    }

    /// Whether it got to hear a statement; forgets all that it heard.
    fn has_heard_statements(&self) -> bool {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        heard.windows(6).any(|word| word == b"SELECT")
    }
}

fn pass_on(
    mut client: TcpStream,
    own: Arc<ServerConfig>,
    (onward, theirs): (Onward, Arc<ClientConfig>),
    heard: &Mutex<Vec<u8>>,
) -> Result<()> {
    client.read_exact(&mut [0; 8])?;
    client.write_all(b"S")?;
    let mut server = TcpStream::connect((host(), 5432))?;
    let sockets = [client.try_clone()?, server.try_clone()?];
    let mut hither = ServerConnection::new(own).unwrap();
    while hither.is_handshaking() {
        hither.complete_io(&mut client)?;
    }
    let mut there: Box<dyn Stream> = match onward {
        Onward::Plain => Box::new(server),
        Onward::Encrypted => {
            server.write_all(&SSL_REQUEST)?;
            server.read_exact(&mut [0])?;
            let mut thither = ClientConnection::new(theirs, ServerName::try_from(host()).unwrap()).unwrap();
            while thither.is_handshaking() {
                thither.complete_io(&mut server)?;
            }
            Box::new(StreamOwned::new(thither, server))
        }
    };
    let mut here = StreamOwned::new(hither, client);
    for socket in sockets {
        socket.set_read_timeout(Some(Duration::from_millis(2)))?;
    }
    while let (Some(said), Some(answered)) = (some(&mut here)?, some(&mut there)?) {
        heard.lock().unwrap().extend(&said);
        there.write_all(&said)?;
        there.flush()?;
        here.write_all(&answered)?;
        here.flush()?;
    }
    Ok(())
}

/// What has come by now; `None` at the end.
fn some(stream: &mut impl Stream) -> Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; 16 * 1024];
    match stream.read(&mut buffer) {
        Ok(0) => Ok(None),
        Ok(count) => {
            buffer.truncate(count);
            Ok(Some(buffer))
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(Some(Vec::new())),
        Err(error) => Err(error),
    }
}

#[test]
fn somebody_in_between_is_refused_by_the_certificate_or_by_what_the_password_is_bound_to() {
    let _address = one_at_a_time();
    let own = OwnServers::new();
    let world = own.world();
    world.production("created_at | value\n 2024-01-02 | 5");
    let (authority, stranger) = (Authority::new(), Authority::new());
    let roots = authority.roots(world.folder(), "roots.pem").replace('/', "%2F");
    let verified = format!("?sslmode=verify-full&sslrootcert={roots}");
    authority.certify(&own, &host());
    listening(&own);
    guard(&world);
    asking(&own, "scram-sha-256");
    let bound = "?sslmode=require&channel_binding=require";
    // The variable is for both servers, and nothing can be bound on the warehouse's socket.
    let warehouse = format!("{}?channel_binding=prefer", world.writer_url);
    let by_variable = [("PGCHANNELBINDING", "require"), ("KALENDS_WAREHOUSE_URL", warehouse.as_str())];

    // Nobody is in between.
    for newest in ["TLSv1.2", "TLSv1.3"] {
        set(&own, &format!("ssl_max_protocol_version = '{newest}'"));
        for parameters in [bound, "?channel_binding=require", &format!("{verified}&channel_binding=require")] {
            as_guarded_at(5432, &world, parameters, &[]).succeeds();
        }
    }

    world.production_sql("INSERT INTO entity VALUES ('2024-01-03', 7)");
    let before = (world.tuples(), world.tree());
    let refused = |between: &Between, parameters: &str, variables: &[(&str, &str)], said: &str| {
        let ran = as_guarded_at(between.port, &world, parameters, variables);
        ran.fails_with(1).says(said).says(" hint: ");
        assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("error:")).count(), 1, "{}", ran.stderr);
        assert!(!between.has_heard_statements(), "{parameters}");
        assert_eq!((world.tuples(), world.tree()), before, "{parameters}");
    };
    let encrypted = Between::new(&stranger, &authority, Onward::Encrypted);
    let plain = Between::new(&stranger, &authority, Onward::Plain);
    for between in [&encrypted, &plain] {
        refused(between, &verified, &[], "signed by an authority that is not trusted");
    }
    // Any certificate is accepted. The server itself sees that the client has seen another one than its own.
    for parameters in ["", "?sslmode=require", bound] {
        refused(&encrypted, parameters, &[], "channel binding");
    }
    // The server does not even know of TLS.
    refused(&plain, bound, &[], "server did not use channel binding");
    refused(&plain, "?sslmode=require", &by_variable, "server did not use channel binding");
    // Nor does it where nobody has to log in.
    asking(&own, "trust");
    refused(&encrypted, bound, &[], "server did not use channel binding");

    for (parameters, said) in [
        ("?sslmode=disable&channel_binding=require", "requires channel_binding of a connection without TLS"),
        ("?channel_binding=perhaps", "has an unknown channel_binding"),
    ] {
        as_guarded_at(5432, &world, parameters, &[]).fails_with(2).says(said);
    }
    let socket = format!("{}?channel_binding=require", world.reader_url);
    world.kalends_with("run", &[("KALENDS_PRODUCTION_URL", &socket)]).fails_with(2).says("without TLS");

    is_heard_where_nothing_is_demanded(&own, &world, [&encrypted, &plain]);
}

/// Whoever is in between hears everything if nothing is bound: else it would not be seen to be refused.
fn is_heard_where_nothing_is_demanded(own: &OwnServers, world: &World, [encrypted, plain]: [&Between; 2]) {
    asking(own, "scram-sha-256");
    as_guarded_at(encrypted.port, world, "?sslmode=require&channel_binding=disable", &[]).succeeds();
    assert!(encrypted.has_heard_statements());
    as_guarded_at(plain.port, world, "?sslmode=require", &[]).succeeds();
    assert!(plain.has_heard_statements());
    world.is_exact();
}

//! The network connection to a server: with or without TLS (rustls), and watched until authentication is complete.

mod certificates;

use std::convert::Infallible;
use std::io::Error;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::Context as _;
use rustls::ClientConfig;
use rustls::crypto::ring;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::certificates::Verifier;
use super::authentication::{Methods, Unaccepted, Watched};
use crate::error::Result;

/// `SSLRequest` of PostgreSQL's protocol: its length and its code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// How a connection is protected, with the words of `sslmode` in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// `disable`: not at all.
    Disable,
    /// `prefer`: encrypted if the server supports it. Only for a server on this machine.
    Prefer,
    /// `require`: encrypted, whoever answers.
    Require,
    /// `verify-full`: encrypted, and the certificate must prove the host's name.
    VerifyFull {
        /// Certificates to trust instead of the system's: a PEM file.
        roots: Option<PathBuf>,
    },
}

/// Makes the driver leave TCP connections to the [`Connector`]. Unix sockets are not encrypted.
pub(super) fn prepare(config: &mut Config, protection: &Protection) {
    let over_socket = config.get_hosts().iter().any(|host| matches!(host, Host::Unix(_)));
    let mode = match protection {
        Protection::Disable => SslMode::Disable,
        Protection::Prefer => SslMode::Prefer,
        Protection::Require | Protection::VerifyFull { .. } => SslMode::Require,
    };
    if over_socket {
        config.ssl_mode(mode).ssl_negotiation(SslNegotiation::Postgres);
        return;
    }
    // With Direct, the driver sends no request for TLS itself. It requires a name for the handshake.
    config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
    if config.get_hosts().is_empty() {
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
}

/// Makes connections with one kind of protection.
#[derive(Clone)]
pub struct Connector {
    tls: MakeRustlsConnect,
    protection: Protection,
    accepted: Methods,
}

/// The connector for a kind of protection.
///
/// # Errors
/// If no trusted certificate can be read.
pub fn connector(protection: &Protection) -> Result<Connector> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .context("could not set up TLS")?
        .dangerous();
    let verifier = match protection {
        Protection::VerifyFull { roots } => Verifier::by(roots.as_deref(), provider)?,
        _ => Verifier::of_any(provider),
    };
    let builder = builder.with_custom_certificate_verifier(Arc::new(verifier));
    let tls = MakeRustlsConnect::new(builder.with_no_client_auth());
    Ok(Connector { tls, protection: protection.clone(), accepted: Methods::any() })
}

impl Connector {
    /// Restricts the authentication methods.
    #[must_use]
    pub fn accepting(self, accepted: &Methods) -> Self {
        Self { accepted: accepted.clone(), ..self }
    }
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Watched<Way>;
    type TlsConnect = Connecting;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connecting, Infallible> {
        let tls = MakeTlsConnect::<Socket>::make_tls_connect(&mut self.tls, host)?;
        Ok(Connecting { tls, protection: self.protection.clone(), accepted: self.accepted.clone() })
    }
}

/// One attempt to connect.
pub struct Connecting {
    tls: <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect,
    protection: Protection,
    accepted: Methods,
}

impl TlsConnect<Socket> for Connecting {
    type Stream = Watched<Way>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Watched<Way>, Error>> + Send>>;

    fn connect(self, mut socket: Socket) -> Self::Future {
        Box::pin(async move {
            let way = match self.protection {
                Protection::Disable => Way::Plain(socket),
                _ if offers_tls(&mut socket).await? => Way::Encrypted(Box::new(self.tls.connect(socket).await?)),
                Protection::Prefer => Way::Plain(socket),
                Protection::Require | Protection::VerifyFull { .. } => {
                    return Err(Error::other("server does not support TLS"));
                }
            };
            Ok(Watched::new(way, self.accepted))
        })
    }
}

async fn offers_tls(socket: &mut Socket) -> Result<bool, Error> {
    socket.write_all(&SSL_REQUEST).await?;
    Ok(socket.read_u8().await? == b'S')
}

/// A connection, encrypted or not.
pub enum Way {
    /// Not encrypted.
    Plain(Socket),
    /// Encrypted with TLS.
    Encrypted(Box<<MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>),
}

impl AsyncRead for Way {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Way {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl TlsStream for Way {
    fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            Self::Encrypted(stream) => stream.channel_binding(),
        }
    }
}

/// Explains what was wrong with the server's certificate or authentication request, and the next step; `None` for other
/// errors. `name` is the setting with the URL.
pub(super) fn explain(error: &tokio_postgres::Error, name: &str) -> Option<(String, String)> {
    let said = super::failure::plainly(error);
    if said.contains("channel binding") {
        let hint = format!(
            "Somebody may be in between, or the server does not ask for scram-sha-256 over TLS: check both, and use \
             sslmode=verify-full in {name}."
        );
        return Some((said, hint));
    }
    let source = std::error::Error::source(error)?.downcast_ref::<Error>()?.get_ref()?;
    if let Some(unaccepted) = source.downcast_ref::<Unaccepted>() {
        let hint = format!(
            "Require scram-sha-256 in the server's pg_hba.conf, and use sslmode=verify-full in {name}; \
             require_auth there sets what else is accepted."
        );
        return Some((unaccepted.to_string(), hint));
    }
    certificates::explain(source.downcast_ref::<rustls::Error>()?, name)
}

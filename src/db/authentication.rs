//! Which authentication methods a server may use. The driver answers every request, even one for a password in clear
//! text. So the stream between them is watched, and ends before a refused request reaches the driver.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

/// An authentication method, with the words of libpq's `require_auth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Password,
    Md5,
    Gss,
    Sspi,
    Scram,
    None,
}

const ALL: [Method; 6] = [Method::Password, Method::Md5, Method::Gss, Method::Sspi, Method::Scram, Method::None];

/// The accepted methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods(Vec<Method>);

/// A method that the server requested, and that is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server {0}, which is not accepted here")]
pub struct Unaccepted(&'static str);

impl Methods {
    /// Any, if nobody can read along or impersonate the server.
    pub fn any() -> Self {
        Self(ALL.to_vec())
    }

    /// Those that do not reveal the password: neither in clear text nor as MD5, which is as good as the password.
    pub fn that_keep_the_password() -> Self {
        Self(ALL.into_iter().filter(|method| !matches!(method, Method::Password | Method::Md5)).collect())
    }

    fn accept(&self, method: Method) -> Result<(), Unaccepted> {
        if self.0.contains(&method) { Ok(()) } else { Err(Unaccepted(method.asks())) }
    }
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Md5 => "md5",
            Self::Gss => "gss",
            Self::Sspi => "sspi",
            Self::Scram => "scram-sha-256",
            Self::None => "none",
        }
    }

    fn asks(self) -> &'static str {
        match self {
            Self::Password => "asks for the password in clear text",
            Self::Md5 => "asks for the password as MD5",
            Self::Gss => "asks for GSS",
            Self::Sspi => "asks for SSPI",
            Self::Scram => "asks for scram-sha-256",
            Self::None => "asks for no password at all",
        }
    }
}

/// As libpq reads `require_auth`: methods separated by commas, or, with a `!` before each, all others.
impl FromStr for Methods {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        let unwanted = words.iter().filter(|word| word.starts_with('!')).count();
        if unwanted != 0 && unwanted != words.len() {
            return Err(());
        }
        let method = |word: &&str| {
            let word = word.strip_prefix('!').unwrap_or(word);
            ALL.into_iter().find(|method| method.word() == word).ok_or(())
        };
        let named: Vec<Method> = words.iter().map(method).collect::<Result<_, _>>()?;
        Ok(Self(ALL.into_iter().filter(|method| named.contains(method) == (unwanted == 0)).collect()))
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|method| method.word()).collect::<Vec<_>>().join(","))
    }
}

/// Reads what a server sends until authentication is complete, byte by byte.
#[derive(Debug)]
struct Questions {
    accepted: Methods,
    /// The beginning of the current message: its kind, its length and, for an authentication request, the number of the
    /// request.
    start: Vec<u8>,
    /// How many more bytes of it there are, which do not matter.
    rest: usize,
    asked: bool,
    over: bool,
}

impl Questions {
    fn hear(&mut self, mut bytes: &[u8]) -> Result<(), Unaccepted> {
        while let Some((&byte, behind)) = bytes.split_first().filter(|_| !self.over) {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            self.start.push(byte);
            bytes = behind;
            match *self.start.as_slice() {
                [kind, a, b, c, d] if kind != b'R' => self.skip(u32::from_be_bytes([a, b, c, d]), 4),
                [_, a, b, c, d, e, f, g, h] => {
                    self.judge(u32::from_be_bytes([e, f, g, h]))?;
                    self.skip(u32::from_be_bytes([a, b, c, d]), 8);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn skip(&mut self, length: u32, heard: u32) {
        self.start.clear();
        self.rest = usize::try_from(length.saturating_sub(heard)).unwrap_or(usize::MAX);
    }

    /// By the numbers of PostgreSQL's protocol. The driver knows no others.
    fn judge(&mut self, question: u32) -> Result<(), Unaccepted> {
        let method = match question {
            0 if self.asked => {
                self.over = true;
                return Ok(());
            }
            0 => Method::None,
            3 => Method::Password,
            5 => Method::Md5,
            7 | 8 => Method::Gss,
            9 => Method::Sspi,
            _ => Method::Scram,
        };
        self.over = question == 0;
        self.asked = true;
        self.accepted.accept(method)
    }
}

/// A stream that passes on only accepted authentication requests.
#[derive(Debug)]
pub struct Watched<S> {
    inner: S,
    questions: Questions,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S, accepted: Methods) -> Self {
        let questions = Questions { accepted, start: Vec::new(), rest: 0, asked: false, over: false };
        Self { inner, questions }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let heard = buffer.filled().get(before..).unwrap_or_default();
        let heard = self.questions.hear(heard).map_err(|error| Error::new(ErrorKind::PermissionDenied, error));
        Poll::Ready(heard)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Watched<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(number: u32) -> Vec<u8> {
        [&b"R\0\0\0\x0c"[..], &number.to_be_bytes(), b"salt"].concat()
    }

    fn hear(accepted: &str, said: &[Vec<u8>], at_once: usize) -> Result<(), Unaccepted> {
        let mut watched = Watched::new((), accepted.parse().unwrap());
        said.concat().chunks(at_once).try_for_each(|bytes| watched.questions.hear(bytes))
    }

    #[test]
    fn what_is_asked_is_seen_wherever_the_bytes_are_cut() {
        let notice = b"N\0\0\0\x09R\0\0\0\x03".to_vec();
        for at_once in 1..20 {
            let heard = |accepted, said: &[Vec<u8>]| hear(accepted, said, at_once);
            assert_eq!(heard("scram-sha-256", &[question(10), question(11), question(12), question(0)]), Ok(()));
            assert!(heard("scram-sha-256", &[notice.clone(), question(3)]).is_err());
            assert!(heard("!md5,!password", &[notice.clone(), question(5)]).is_err());
            assert_eq!(heard("md5", &[question(5), question(0), question(3)]), Ok(()));
            assert_eq!(heard("none", &[question(0), question(3)]), Ok(()));
            assert!(heard("!none", &[question(0)]).is_err());
            assert!(heard("scram-sha-256", &[question(10), question(3)]).is_err());
        }
    }

    #[test]
    fn methods_are_read_as_libpq_reads_them() {
        let read = |text: &str| text.parse::<Methods>().map(|methods| methods.to_string());
        assert_eq!(read("password, scram-sha-256").unwrap(), "password,scram-sha-256");
        assert_eq!(read("!none,!md5").unwrap(), "password,gss,sspi,scram-sha-256");
        for wrong in ["", "scram", "!md5,password", "md5,,none", "SCRAM-SHA-256", "!"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Methods::any().to_string(), "password,md5,gss,sspi,scram-sha-256,none");
        assert_eq!(Methods::that_keep_the_password(), "!password,!md5".parse().unwrap());
    }
}

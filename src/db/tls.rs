//! Encrypted connections, by rustls: how much of the server's certificate is proven.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Result;
use crate::files;

/// How a connection is protected, with the words of PostgreSQL's `sslmode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// `disable`: not at all.
    Disable,
    /// `prefer`: encrypted where the server offers it. Only for a server on this machine.
    Prefer,
    /// `require`: encrypted, without a look at who answers.
    Require,
    /// `verify-full`: encrypted, and the certificate proves the host's name.
    VerifyFull {
        /// Certificates to trust instead of the system's: a PEM file.
        roots: Option<PathBuf>,
    },
}

/// The connector for a kind of protection.
///
/// # Errors
/// When no trusted certificate can be read.
pub fn connector(protection: &Protection) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .context("could not set up TLS")?;
    let config = match protection {
        Protection::VerifyFull { roots } => builder.with_root_certificates(trusted(roots.as_deref())?),
        _ => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn trusted(file: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let reading = || format!("could not read the certificates of sslrootcert \"{}\"", file.display());
    let pem = files::read(file).with_context(reading)?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.with_context(reading)?).with_context(reading)?;
    }
    Ok(roots)
}

/// Accepts any certificate, as libpq does under `sslmode=require`: it keeps listeners out, not impostors.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

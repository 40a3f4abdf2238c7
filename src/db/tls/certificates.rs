//! Certificates of servers: which are accepted, and what to do about others.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, PeerMisbehaved, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use crate::error::Result;
use crate::files;

/// A certificate that no authority has signed. The user may add it to the trusted ones.
#[derive(Debug, thiserror::Error)]
#[error("the server's certificate is self-signed")]
struct SelfSigned;

/// A certificate without the fields that name a host.
#[derive(Debug, thiserror::Error)]
#[error("the server's certificate is of X.509 version 1")]
struct FirstVersion;

/// Checks a server's certificate, and whether the server has its key.
#[derive(Debug)]
pub(super) struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` accepts any certificate, as libpq does with `sslmode=require`: it keeps out listeners, not impostors.
    trusted: Option<Trusted>,
}

/// Accepts what a trusted authority has signed for the host, or a certificate that is itself trusted.
#[derive(Debug)]
struct Trusted {
    /// `None` if no authority is trusted.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// Accepts any certificate.
    pub(super) fn of_any(provider: Arc<CryptoProvider>) -> Self {
        Self { provider, trusted: None }
    }

    /// Trusts the certificates of a PEM file, or else those of the system.
    ///
    /// # Errors
    /// If the file or one of its certificates cannot be read.
    pub(super) fn by(file: Option<&Path>, provider: Arc<CryptoProvider>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let mut certificates = Vec::new();
        match file {
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
            Some(file) => {
                let reading = || format!("could not read the certificates of sslrootcert \"{}\"", file.display());
                let pem = files::read(file).with_context(reading)?;
                for certificate in CertificateDer::pem_slice_iter(&pem) {
                    let certificate = certificate.with_context(reading)?;
                    roots.add(certificate.clone()).with_context(reading)?;
                    certificates.push(certificate);
                }
                anyhow::ensure!(!certificates.is_empty(), "sslrootcert \"{}\" holds no certificate", file.display());
            }
        }
        let authorities = match roots.is_empty() {
            true => None,
            false => Some(
                WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
                    .build()
                    .context("could not set up TLS")?,
            ),
        };
        Ok(Self { provider, trusted: Some(Trusted { authorities, certificates }) })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(trusted) = &self.trusted else { return Ok(ServerCertVerified::assertion()) };
        // A trusted certificate requires no authority, and may be one itself.
        if trusted.certificates.iter().any(|trusted| trusted == certificate) {
            check_time(certificate, now)?;
            let parsed = ParsedCertificate::try_from(certificate).map_err(|error| told(certificate, error))?;
            verify_server_name(&parsed, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        let Some(authorities) = &trusted.authorities else {
            return Err(told(certificate, CertificateError::UnknownIssuer.into()));
        };
        authorities
            .verify_server_cert(certificate, intermediates, name, ocsp, now)
            .map_err(|error| told(certificate, error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12(&self.provider, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13(&self.provider, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

// Both functions below check that the server has the certificate's key. The key is extracted here, because rustls reads
// only certificates of version 3, and some servers have older ones, created by OpenSSL without a configuration.

fn verify_tls13(
    provider: &CryptoProvider,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let key = parsed(certificate)?.tbs_certificate.subject_public_key_info.to_der().map_err(unreadable)?;
    let algorithms = &provider.signature_verification_algorithms;
    verify_tls13_signature_with_raw_key(message, &SubjectPublicKeyInfoDer::from(key), signature, algorithms)
}

fn verify_tls12(
    provider: &CryptoProvider,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let key = parsed(certificate)?.tbs_certificate.subject_public_key_info;
    // The algorithms are listed without the outermost tag and length.
    let kind = key.algorithm.to_der().map_err(unreadable)?;
    let mapping = provider.signature_verification_algorithms.mapping;
    let algorithms = mapping.iter().filter(|(scheme, _)| *scheme == signature.scheme).flat_map(|(_, all)| *all);
    let algorithm = algorithms.into_iter().find(|algorithm| kind.ends_with(algorithm.public_key_alg_id().as_ref()));
    let algorithm = algorithm.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    algorithm
        .verify_signature(key.subject_public_key.raw_bytes(), message, signature.signature())
        .map_err(|_| CertificateError::BadSignature)?;
    Ok(HandshakeSignatureValid::assertion())
}

fn parsed(certificate: &CertificateDer<'_>) -> Result<Certificate, rustls::Error> {
    Certificate::from_der(certificate).map_err(unreadable)
}

fn unreadable(_: x509_cert::der::Error) -> rustls::Error {
    CertificateError::BadEncoding.into()
}

fn check_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let validity = parsed(certificate)?.tbs_certificate.validity;
    let seconds = now.as_secs();
    if seconds < validity.not_before.to_unix_duration().as_secs() {
        return Err(CertificateError::NotValidYet.into());
    }
    if seconds > validity.not_after.to_unix_duration().as_secs() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

/// The error, or a better one for certificates that the library does not fully understand.
fn told(certificate: &CertificateDer<'_>, error: rustls::Error) -> rustls::Error {
    let Ok(parsed) = parsed(certificate) else { return error };
    let signed_itself = parsed.tbs_certificate.issuer == parsed.tbs_certificate.subject;
    let about_names_or_time = matches!(
        error,
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
                | CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. }
        )
    );
    let other = |error| CertificateError::Other(OtherError(error)).into();
    if parsed.tbs_certificate.version == x509_cert::Version::V1 {
        other(Arc::new(FirstVersion))
    } else if signed_itself && !about_names_or_time {
        other(Arc::new(SelfSigned))
    } else {
        error
    }
}

/// What is wrong with a certificate, and the next step; `None` for other errors. `name` is the setting with the URL.
pub(super) fn explain(error: &rustls::Error, name: &str) -> Option<(String, String)> {
    let rustls::Error::InvalidCertificate(error) = error else { return None };
    let explained = match error {
        CertificateError::Other(OtherError(inner)) if inner.is::<SelfSigned>() => (
            "the server's certificate is self-signed, and not among those that are trusted".to_string(),
            format!(
                "Check that it is the server's, and give it in sslrootcert=FILE of {name}; or use one that an \
                authority has signed."
            ),
        ),
        CertificateError::Other(OtherError(inner)) if inner.is::<FirstVersion>() => (
            "the server's certificate is of X.509 version 1, which proves no host's name".to_string(),
            "Give the server a certificate of version 3 with the host's name as subjectAltName.".to_string(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the server's certificate has expired".to_string(),
            "Renew it on the server; if it has not expired, correct the clock of this machine.".to_string(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "the server's certificate is not valid yet".to_string(),
            "Correct the clock of this machine, or of the one that made the certificate.".to_string(),
        ),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "the server's certificate is signed by an authority that is not trusted".to_string(),
            format!("Give the authority's certificate in sslrootcert=FILE of {name}."),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the server's certificate is for another host: {error}"),
            format!(
                "Name the host in {name} as its certificate does, or give the server a certificate of its own name."
            ),
        ),
        _ => (
            format!("the server's certificate is not accepted: {error}"),
            format!("Give the server another certificate, and its authority's in sslrootcert=FILE of {name}."),
        ),
    };
    Some(explained)
}

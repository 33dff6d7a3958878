//! Connections to `https` endpoints: rustls over aws-lc-rs, with the system's certificates or those of a file.

use std::io;
use std::sync::Arc;

use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Whose certificates an `https` endpoint may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that the system trusts.
    #[default]
    System,
    /// Those in a file in PEM.
    File(String),
    /// Any (`--no-verify-ssl`).
    Anyone,
}

/// A connector for `http` and `https`. Certificates are read only if `is_https`, for that takes long.
///
/// # Errors
/// Certificates that cannot be read.
pub fn connector(
    connector: HttpConnector,
    is_https: bool,
    trust: &Trust,
) -> io::Result<HttpsConnector<HttpConnector>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let versions = versions.map_err(io::Error::other)?;
    let trusting = match (is_https, trust) {
        (false, _) => versions.with_root_certificates(RootCertStore::empty()),
        (true, Trust::File(file)) => versions.with_root_certificates(roots(file)?),
        (true, Trust::System) => versions.with_native_roots()?,
        (true, Trust::Anyone) => {
            versions.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
        }
    };
    let builder = HttpsConnectorBuilder::new().with_tls_config(trusting.with_no_client_auth());
    Ok(builder.https_or_http().enable_http1().wrap_connector(connector))
}

fn roots(file: &str) -> io::Result<RootCertStore> {
    let unusable = |error: &dyn std::fmt::Display| io::Error::other(format!("{file}: {error}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    Ok(roots)
}

/// How many authorities of the system's certificates can be used.
///
/// # Errors
/// If there are none.
pub fn system_certificates() -> io::Result<usize> {
    let found = rustls_native_certs::load_native_certs();
    match (found.certs.len(), found.errors.first()) {
        (0, Some(error)) => Err(io::Error::other(error.to_string())),
        (0, None) => Err(io::Error::other("there are none")),
        (count, _) => Ok(count),
    }
}

/// Believes every certificate, as the user asked for; that the endpoint holds its key is still checked.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

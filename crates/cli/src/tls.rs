//! Connections to `https` endpoints: rustls over aws-lc-rs, with the system's certificates or those of a file.

use std::io;
use std::sync::Arc;

use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// A connector for `http` and `https`. Certificates are read only if `is_https`, for that takes long.
///
/// # Errors
/// Certificates that cannot be read.
pub fn connector(
    connector: HttpConnector,
    is_https: bool,
    ca_bundle: Option<&str>,
) -> io::Result<HttpsConnector<HttpConnector>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(io::Error::other)?;
    let trusting = match (is_https, ca_bundle) {
        (false, _) => versions.with_root_certificates(RootCertStore::empty()),
        (true, Some(file)) => versions.with_root_certificates(roots(file)?),
        (true, None) => versions.with_native_roots()?,
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

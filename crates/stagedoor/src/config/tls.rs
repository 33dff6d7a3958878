//! The TLS listener's options: certificates of domains, and the truststores of domains with mutual TLS.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use super::services::NamedEndpoint;

/// What the TLS listener runs with.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    pub listen: SocketAddr,
    pub certificates: Vec<CertificateOption>,
    /// Files with certificates in PEM, by the `truststoreUri` that they stand for.
    pub truststores: BTreeMap<String, PathBuf>,
}

/// A `[[certificate]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CertificateOption {
    /// Names that it is shown for; `*.example.com` for all that are one label longer.
    pub domains: Vec<String>,
    /// The certificate and those above it, in PEM.
    pub cert: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// `None` without a listener.
pub(super) fn tls(
    listen: Option<SocketAddr>,
    certificates: Vec<CertificateOption>,
    truststores: Vec<NamedEndpoint>,
) -> Result<Option<TlsConfig>, ConfigError> {
    let Some(listen) = listen else { return Ok(None) };
    if certificates.iter().any(|certificate| certificate.domains.is_empty()) {
        return Err(ConfigError("a [[certificate]] names no domains".to_owned()));
    }
    let truststores = truststores.into_iter().map(|NamedEndpoint { name, url, .. }| {
        if name.starts_with("s3://") && !url.is_empty() {
            Ok((name, PathBuf::from(url)))
        } else {
            Err(ConfigError(format!("truststores {name:?}: not of the form s3://BUCKET/KEY=FILE")))
        }
    });
    Ok(Some(TlsConfig { listen, certificates, truststores: truststores.collect::<Result<_, _>>()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truststores_are_named_by_their_uri() {
        let listen = "127.0.0.1:0".parse().ok();
        let of = |text: &str| tls(listen, vec![], vec![text.parse().expect("a pair")]);
        let config = of("s3://bucket/ca.pem=certs/ca.pem").expect("fine").expect("a listener");
        assert_eq!(config.truststores["s3://bucket/ca.pem"], PathBuf::from("certs/ca.pem"));
        assert!(of("bucket=ca.pem").is_err());
        assert!(of("s3://bucket/ca.pem=").is_err());
        assert!(tls(None, vec![], vec![]).expect("fine").is_none());
        let nameless = CertificateOption { domains: vec![], cert: "c".into(), key: "k".into() };
        assert!(tls(listen, vec![nameless], vec![]).is_err());
    }
}

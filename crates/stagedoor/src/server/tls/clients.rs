//! Mutual TLS: the certificates that a domain trusts, and what a client's certificate says.
//!
//! A handshake asks for a certificate and proves that the client holds its key, but lets every client through: one
//! that no truststore vouches for is answered 403, as AWS does, which takes a connection.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use stagedoor_gateway::ClientCert;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate, X509Name};

use super::super::Failure;
use super::authority::pem;

/// What a domain trusts.
#[derive(Debug)]
pub(super) struct Truststore(Arc<dyn ClientCertVerifier>);

impl Truststore {
    /// # Errors
    /// When none of the certificates can be trusted.
    pub(super) fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(Self(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?))
    }

    /// What handshakes are made with.
    pub(super) fn asking(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Asking(Arc::clone(&self.0)))
    }

    /// What the client's certificate says, if it showed one that this vouches for. `now` is since 1970.
    pub(super) fn check(
        &self,
        shown: &[CertificateDer<'_>],
        domain: &str,
        now: Duration,
    ) -> Option<ClientCert> {
        let (own, above) = shown.split_first()?;
        match self.0.verify_client_cert(own, above, UnixTime::since_unix_epoch(now)) {
            Ok(_) => facts(own, domain),
            Err(error) => {
                tracing::info!(domain, %error, "a client's certificate is not trusted");
                None
            }
        }
    }
}

/// Asks for a certificate and checks nothing but that the client holds its key.
#[derive(Debug)]
struct Asking(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Asking {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _own: &CertificateDer<'_>,
        _above: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // `Truststore::check` decides, after the handshake.
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn facts(der: &CertificateDer<'_>, domain: &str) -> Option<ClientCert> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(ClientCert {
        domain: domain.to_owned(),
        pem: pem("CERTIFICATE", der),
        subject: name(certificate.subject()),
        issuer: name(certificate.issuer()),
        serial: certificate.raw_serial_as_string(),
        not_before: date(certificate.validity().not_before),
        not_after: date(certificate.validity().not_after),
    })
}

/// RFC 2253: the last part first, `CN=client,O=Example,C=DE`.
fn name(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for attribute in name.iter_attributes() {
        let kind = oid2abbrev(attribute.attr_type(), oid_registry())
            .map_or_else(|_| attribute.attr_type().to_id_string(), str::to_owned);
        let mut part = format!("{kind}=");
        for letter in attribute.as_str().unwrap_or_default().chars() {
            let escape = if matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';') { "\\" } else { "" };
            let _ = write!(part, "{escape}{letter}");
        }
        parts.push(part);
    }
    parts.reverse();
    parts.join(",")
}

/// `Aug  5 09:36:04 2021 GMT`
fn date(time: ASN1Time) -> String {
    let time = jiff::Timestamp::from_second(time.timestamp()).unwrap_or_default();
    time.strftime("%b %e %H:%M:%S %Y GMT").to_string()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "DE");
        params.distinguished_name.push(DnType::OrganizationName, "Pets, Inc");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2021, 8, 5);
        params.not_after = rcgen::date_time_ymd(2031, 8, 15);
        params
    }

    fn authority(name: &str) -> (CertificateDer<'static>, Issuer<'static, KeyPair>) {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        (certificate.der().clone(), Issuer::new(params, key))
    }

    fn client(issuer: &Issuer<'static, KeyPair>) -> CertificateDer<'static> {
        let mut params = params("client");
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x0a, 0xbc, 0x01]));
        let key = KeyPair::generate().expect("a key");
        params.signed_by(&key, issuer).expect("a certificate").der().clone()
    }

    #[test]
    fn certificates_say_who_the_client_is() {
        let (root, issuer) = authority("root");
        let truststore = Truststore::new(vec![root]).expect("a truststore");
        let shown = client(&issuer);
        let cert = truststore.check(std::slice::from_ref(&shown), "a.example", NOW).expect("trusted");
        assert_eq!(cert.subject, "CN=client,O=Pets\\, Inc,C=DE");
        assert_eq!(cert.issuer, "CN=root,O=Pets\\, Inc,C=DE");
        assert_eq!(cert.serial, "0a:bc:01");
        assert_eq!(cert.not_before, "Aug  5 00:00:00 2021 GMT");
        assert_eq!(cert.not_after, "Aug 15 00:00:00 2031 GMT");
        assert!(cert.pem.starts_with("-----BEGIN CERTIFICATE-----\nMII"), "{}", cert.pem);
        assert_eq!(cert.domain, "a.example");
    }

    #[test]
    fn strangers_and_the_expired_are_not_trusted() {
        let ((root, issuer), (_, other)) = (authority("root"), authority("other"));
        let truststore = Truststore::new(vec![root]).expect("a truststore");
        assert_eq!(truststore.check(&[], "a.example", NOW), None);
        assert_eq!(truststore.check(&[client(&other)], "a.example", NOW), None);
        let later = Duration::from_secs(4_000_000_000);
        assert_eq!(truststore.check(&[client(&issuer)], "a.example", later), None);
        assert_eq!(truststore.check(&[CertificateDer::from(vec![1, 2, 3])], "a.example", NOW), None);
    }

    /// A client shows any bytes it likes, and a truststore has any that its file has.
    #[test]
    fn certificates_that_are_changed_anywhere_are_not_trusted_and_break_nothing() {
        let (root, issuer) = authority("root");
        let truststore = Truststore::new(vec![root.clone()]).expect("a truststore");
        let shown = client(&issuer);
        for at in 0..shown.len() {
            for bit in 0..8 {
                let mut changed = shown.to_vec();
                changed[at] ^= 1 << bit;
                let changed = CertificateDer::from(changed);
                if let Some(cert) = facts(&changed, "a.example") {
                    assert!(cert.not_before.ends_with(" GMT") && cert.pem.ends_with("-----\n"));
                }
                assert_eq!(truststore.check(&[changed], "a.example", NOW), None, "bit {bit} of byte {at}");
            }
            let cut = CertificateDer::from(shown[..at].to_vec());
            assert_eq!(facts(&cut, "a.example"), None);
        }
        for at in 0..root.len() {
            let mut changed = root.to_vec();
            changed[at] ^= 0x55;
            if let Ok(truststore) = Truststore::new(vec![CertificateDer::from(changed)]) {
                truststore.check(std::slice::from_ref(&shown), "a.example", NOW);
            }
        }
    }
}

//! Certificates made on demand, for domains that none is configured for, signed by an authority of this server's own.
//!
//! The authority's key never leaves the data directory; clients that trust `tls/ca.pem` there trust every domain.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::super::Failure;
use super::NAMELESS;

/// How long a certificate is valid: as long as browsers take one for.
const VALID: Duration = Duration::from_secs(397 * 24 * 3600);
/// Clients' clocks may be slow.
const VALID_BEFORE: Duration = Duration::from_secs(24 * 3600);
/// Longest common name (RFC 5280, appendix A).
const COMMON_NAME_CHARS_MAX: usize = 64;
/// Characters of a line in a PEM text (RFC 7468 section 2).
const PEM_LINE_LENGTH: usize = 64;

pub(super) struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// The authority in this directory, made if there is none.
    pub(super) fn open(directory: &Path) -> Result<Self, Failure> {
        let (certificate, key) = (directory.join("ca.pem"), directory.join("ca.key"));
        let fail = |path: &Path, error: &dyn std::fmt::Display| -> Failure {
            format!("cannot keep the certificate authority in {}: {error}", path.display()).into()
        };
        let pair = if key.exists() {
            let stored = PrivateKeyDer::from_pem_file(&key).map_err(|error| fail(&key, &error))?;
            KeyPair::try_from(&stored).map_err(|error| fail(&key, &error))?
        } else {
            fs::create_dir_all(directory).map_err(|error| fail(directory, &error))?;
            let pair = KeyPair::generate().map_err(|error| fail(&key, &error))?;
            write_secret(&key, &pem("PRIVATE KEY", &pair.serialize_der()))
                .map_err(|error| fail(&key, &error))?;
            pair
        };
        if !certificate.exists() {
            let own = params().self_signed(&pair).map_err(|error| fail(&certificate, &error))?;
            fs::write(&certificate, pem("CERTIFICATE", own.der()))
                .map_err(|error| fail(&certificate, &error))?;
        }
        Ok(Self(Issuer::new(params(), pair)))
    }

    /// A certificate for a name; that of clients that name none is for this machine and the listener's address.
    pub(super) fn certified(
        &self,
        name: &str,
        listener: IpAddr,
        provider: &CryptoProvider,
        now: Duration,
    ) -> Result<Arc<CertifiedKey>, Failure> {
        let mut names = vec![name.to_owned()];
        if name == NAMELESS {
            names.extend(["127.0.0.1".to_owned(), "::1".to_owned(), listener.to_string()]);
        }
        let mut params = CertificateParams::new(names)?;
        if name.len() <= COMMON_NAME_CHARS_MAX {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = (SystemTime::UNIX_EPOCH + now.saturating_sub(VALID_BEFORE)).into();
        params.not_after = (SystemTime::UNIX_EPOCH + now + VALID).into();
        let pair = KeyPair::generate()?;
        let certificate = params.signed_by(&pair, &self.0)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let signing = provider.key_provider.load_private_key(key)?;
        Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing)))
    }
}

/// The authority's own certificate, but for its key. Always the same, so that what it signed stays signed by it.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Stagedoor local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2054, 1, 1);
    params
}

/// RFC 7468.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(PEM_LINE_LENGTH)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Writes a file that only its owner can read.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_outlives_the_server() {
        let directory = tempfile::tempdir().expect("a directory");
        let open = || Authority::open(directory.path()).expect("an authority");
        open();
        let first = fs::read_to_string(directory.path().join("ca.pem")).expect("a certificate");
        let authority = open();
        assert_eq!(fs::read_to_string(directory.path().join("ca.pem")).expect("a certificate"), first);
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let now = Duration::from_secs(1_700_000_000);
        let made = authority.certified("api.example.com", IpAddr::from([127, 0, 0, 1]), &provider, now);
        assert_eq!(made.expect("a certificate").cert.len(), 1);
    }
}

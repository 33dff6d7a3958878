//! The certificates that the server shows, and those by which it trusts others.

use std::path::Path;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Finding;
use crate::config::Config;

const CHECK: &str = "certificates";
/// Days before its end at which a certificate is pointed out.
const DAYS: i64 = 14;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut findings: Vec<Finding> = stagedoor_cli::system_certificates().map_or_else(
        |error| {
            let advice = "install the package ca-certificates; without it no https endpoint can be called";
            vec![Finding::warning(CHECK, format!("the system's cannot be used: {error}"), advice)]
        },
        |count| vec![Finding::ok(CHECK, format!("{count} authorities of the system are trusted"))],
    );
    let of_domains = config.tls.iter().flat_map(|tls| &tls.certificates);
    let pairs = of_domains.map(|certificate| (certificate.cert.as_path(), certificate.key.as_path()));
    let of_rtmps = config.rtmps_certificate.as_ref().map(|(cert, key)| (cert.as_path(), key.as_path()));
    findings.extend(pairs.chain(of_rtmps).map(|(cert, key)| pair(cert, key)));
    let truststores = config.tls.iter().flat_map(|tls| tls.truststores.values());
    findings.extend(truststores.map(|file| of(file, certificate(file))));
    findings
}

fn pair(cert: &Path, key: &Path) -> Finding {
    match PrivateKeyDer::from_pem_file(key) {
        Ok(_) => of(cert, certificate(cert)),
        Err(error) => Finding::error(
            CHECK,
            format!("{}: {error}", key.display()),
            "give a private key in PEM form that this user may read",
        ),
    }
}

/// Days until the first certificate of the file ends.
fn certificate(file: &Path) -> Result<i64, String> {
    let der = CertificateDer::from_pem_file(file).map_err(|error| error.to_string())?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|error| error.to_string())?;
    let left = parsed.validity().not_after.timestamp() - jiff::Timestamp::now().as_second();
    Ok(left.div_euclid(86_400))
}

fn of(file: &Path, days: Result<i64, String>) -> Finding {
    let shown = file.display();
    match days {
        Err(error) => Finding::error(
            CHECK,
            format!("{shown}: {error}"),
            "give a certificate in PEM form that this user may read",
        ),
        Ok(days) if days < 0 => Finding::error(CHECK, format!("{shown} has ended"), "renew it"),
        Ok(days) if days < DAYS => {
            Finding::warning(CHECK, format!("{shown} ends in {days} days"), "renew it")
        }
        Ok(days) => Finding::ok(CHECK, format!("{shown} is good for {days} days")),
    }
}

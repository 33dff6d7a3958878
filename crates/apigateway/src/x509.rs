//! Self-signed X.509 certificates with an RSA key of 2048 bits, as AWS generates for clients.
//!
//! Keys are made with the operating system's randomness; whoever repeats a transaction gets another one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize, SerialNumber,
};
use stagedoor_model::Timestamp;
use stagedoor_state::{Fault, Result};

/// Characters of a line in a PEM text (RFC 7468 section 2).
const PEM_LINE_LENGTH: usize = 64;

/// A certificate and its key, both in PEM.
pub struct Pair {
    pub certificate_pem: String,
    /// PKCS #8.
    pub private_key_pem: String,
}

/// A certificate for TLS clients, valid from one time to the other.
pub fn self_signed(from: Timestamp, until: Timestamp, serial: [u8; 16]) -> Result<Pair> {
    generate(from, until, serial).map_err(|error| {
        tracing::error!(%error, "failed to generate a client certificate");
        Fault::internal()
    })
}

fn generate(from: Timestamp, until: Timestamp, serial: [u8; 16]) -> std::result::Result<Pair, rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "ApiGateway");
    params.distinguished_name.push(DnType::OrganizationName, "Stagedoor");
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = std::time::SystemTime::from(from.to_jiff()).into();
    params.not_after = std::time::SystemTime::from(until.to_jiff()).into();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.self_signed(&key)?;
    Ok(Pair {
        certificate_pem: pem("CERTIFICATE", certificate.der()),
        private_key_pem: pem("PRIVATE KEY", &key.serialize_der()),
    })
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(PEM_LINE_LENGTH) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

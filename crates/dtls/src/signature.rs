//! Signatures of peers: which schemes are offered to them, and whether one was made with a certificate's key.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Error;

/// ECDSA with SHA-256, our own scheme.
pub(crate) const ECDSA_SHA256: u16 = 0x0403;

type Algorithms = &'static [&'static dyn VerificationAlgorithm];

/// Each scheme and what it may mean. In TLS 1.2 those of ECDSA say the hash and leave the curve to the key.
const SCHEMES: [(u16, Algorithms); 9] = [
    (ECDSA_SHA256, &[&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA256_ASN1, &ECDSA_P521_SHA256_ASN1]),
    (0x0503, &[&ECDSA_P256_SHA384_ASN1, &ECDSA_P384_SHA384_ASN1, &ECDSA_P521_SHA384_ASN1]),
    (0x0603, &[&ECDSA_P521_SHA512_ASN1]),
    (0x0804, &[&RSA_PSS_2048_8192_SHA256]),
    (0x0805, &[&RSA_PSS_2048_8192_SHA384]),
    (0x0806, &[&RSA_PSS_2048_8192_SHA512]),
    (0x0401, &[&RSA_PKCS1_2048_8192_SHA256]),
    (0x0501, &[&RSA_PKCS1_2048_8192_SHA384]),
    (0x0601, &[&RSA_PKCS1_2048_8192_SHA512]),
];

/// What a peer may sign with, best first.
pub(crate) fn schemes() -> impl Iterator<Item = u16> {
    SCHEMES.iter().map(|(scheme, _)| *scheme)
}

/// Whether the owner of the certificate's key signed the message.
///
/// Nothing else is asked of the certificate: it is self-signed, and the caller compares it with what was signalled.
pub(crate) fn verify(certificate: &[u8], scheme: u16, message: &[u8], signature: &[u8]) -> Result<(), Error> {
    let (_, algorithms) = SCHEMES.iter().find(|(known, _)| *known == scheme).ok_or(Error::Signature)?;
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| Error::Malformed("certificate"))?;
    let key = certificate.public_key().raw;
    let fits = |algorithm: &&'static dyn VerificationAlgorithm| {
        UnparsedPublicKey::new(*algorithm, key).verify(message, signature).is_ok()
    };
    if algorithms.iter().any(fits) { Ok(()) } else { Err(Error::Signature) }
}

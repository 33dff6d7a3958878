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

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
        RSA_PSS_SHA384, RsaEncoding, RsaKeyPair,
    };

    use super::*;

    const MESSAGE: &[u8] = b"the transcript";

    fn certificate(pkcs8: &[u8]) -> Vec<u8> {
        let key = rcgen::KeyPair::try_from(pkcs8).unwrap();
        rcgen::CertificateParams::default().self_signed(&key).unwrap().der().to_vec()
    }

    fn check(certificate: &[u8], scheme: u16, signature: &[u8]) {
        assert_eq!(verify(certificate, scheme, MESSAGE, signature), Ok(()), "{scheme:04x}");
        assert_eq!(verify(certificate, scheme, b"another", signature), Err(Error::Signature));
        assert_eq!(verify(certificate, scheme, MESSAGE, &signature[1..]), Err(Error::Signature));
        for other in schemes().filter(|other| *other != scheme) {
            assert_eq!(verify(certificate, other, MESSAGE, signature), Err(Error::Signature), "{other:04x}");
        }
    }

    #[test]
    fn rsa_keys_sign_with_either_padding() {
        for size in [KeySize::Rsa2048, KeySize::Rsa3072] {
            let key = RsaKeyPair::generate(size).unwrap();
            let certificate = certificate(key.as_der().unwrap().as_ref());
            let schemes: [(u16, &'static dyn RsaEncoding); 4] = [
                (0x0401, &RSA_PKCS1_SHA256),
                (0x0601, &RSA_PKCS1_SHA512),
                (0x0804, &RSA_PSS_SHA256),
                (0x0805, &RSA_PSS_SHA384),
            ];
            for (scheme, encoding) in schemes {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
                check(&certificate, scheme, &signature);
            }
        }
    }

    #[test]
    fn elliptic_keys_sign_with_the_hash_of_the_scheme() {
        let schemes: [(u16, &'static EcdsaSigningAlgorithm); 3] = [
            (0x0403, &ECDSA_P256_SHA256_ASN1_SIGNING),
            (0x0503, &ECDSA_P384_SHA384_ASN1_SIGNING),
            (0x0603, &ECDSA_P521_SHA512_ASN1_SIGNING),
        ];
        for (scheme, algorithm) in schemes {
            let key = EcdsaKeyPair::generate(algorithm).unwrap();
            let certificate = certificate(key.to_pkcs8v1().unwrap().as_ref());
            let signature = key.sign(&SystemRandom::new(), MESSAGE).unwrap();
            check(&certificate, scheme, signature.as_ref());
        }
    }

    #[test]
    fn what_is_no_certificate_and_what_is_no_scheme_prove_nothing() {
        assert_eq!(verify(b"none", ECDSA_SHA256, MESSAGE, b""), Err(Error::Malformed("certificate")));
        // MD5 and SHA-1 are not among what was offered.
        for weak in [0x0101, 0x0201, 0x0203] {
            assert_eq!(verify(b"none", weak, MESSAGE, b""), Err(Error::Signature));
        }
    }
}

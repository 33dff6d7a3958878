//! Our own certificate, and the key that signs our share of each key exchange.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use crate::Error;

/// A certificate with an ECDSA key on P-256. Peers with RSA certificates understand it too: the suites say how the
/// server signs, not how the client does.
pub struct Identity {
    certificate: Vec<u8>,
    key: EcdsaKeyPair,
}

impl Identity {
    /// Of the certificate in DER and its key in PKCS#8.
    ///
    /// # Errors
    ///
    /// [`Error::PrivateKey`] if the key is not one on P-256.
    pub fn new(certificate: Vec<u8>, pkcs8: &[u8]) -> Result<Identity, Error> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8);
        Ok(Identity { certificate, key: key.map_err(|_| Error::PrivateKey)? })
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(&SystemRandom::new(), message).map_err(|_| Error::Crypto)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

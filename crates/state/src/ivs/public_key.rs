//! What is stored of public keys, with which customers sign participant tokens themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_auth::es384::{self, KeyError};

use crate::document::Kind;

/// A customer's key. Ids: `[public key]`, the last part of its ARN; tokens name it by the whole ARN (`kid`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublicKey {
    pub arn: String,
    pub name: String,
    pub tags: BTreeMap<String, String>,
    /// PEM, as it was imported.
    pub material: String,
    pub fingerprint: String,
    pub created_micros: i64,
}

impl Kind for PublicKey {
    const KIND: &'static str = "ivs-public-key";
}

impl PublicKey {
    /// The key itself.
    ///
    /// # Errors
    /// If the material is not what [`fingerprint`] accepts, which nobody stores.
    pub fn key(&self) -> Result<es384::PublicKey, KeyError> {
        es384::PublicKey::from_pem(&self.material)
    }
}

/// The fingerprint of a key in PEM form.
///
/// # Errors
/// Says why this is no public key on the curve P-384.
pub fn fingerprint(pem: &str) -> Result<String, KeyError> {
    es384::PublicKey::from_pem(pem).map(|key| key.fingerprint())
}

//! Access keys, and the keys derived from them that really sign.

use std::fmt;

use jiff::Timestamp;

use super::hash::{hex, hmac};
use super::{Scope, TERMINATOR};

/// An access key, long-term or temporary.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// What requests name, such as `AKIDEXAMPLE`; has no `/`.
    pub access_key_id: String,
    /// What never travels.
    pub secret_access_key: String,
    /// The `x-amz-security-token` that must come along; only temporary keys have one.
    pub session_token: Option<String>,
    /// From this time on the key is refused as expired.
    pub expires: Option<Timestamp>,
    /// The account that requests signed with this key act in.
    pub account: String,
}

impl Key {
    /// A long-term key: no session token, no end.
    pub fn long_term(access_key_id: &str, secret_access_key: &str, account: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
            session_token: None,
            expires: None,
            account: account.to_owned(),
        }
    }
}

/// Shows no secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("access_key_id", &self.access_key_id)
            .field("temporary", &self.session_token.is_some())
            .field("expires", &self.expires)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// The keys that a verifier knows. Any `Fn(&str) -> Option<Key>` is one.
pub trait Keys {
    /// The key with this id.
    fn find(&self, access_key_id: &str) -> Option<Key>;

    /// The signing key of `key` in `scope`. Callers with much traffic may answer from a cache.
    fn signing_key(&self, key: &Key, scope: &Scope) -> SigningKey {
        SigningKey::derive(&key.secret_access_key, &scope.date, &scope.region, &scope.service)
    }
}

impl<F: Fn(&str) -> Option<Key>> Keys for F {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        self(access_key_id)
    }
}

/// A secret key bound to one day, region and service; good for every request of that scope.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key; `date` is `YYYYMMDD`.
    pub fn derive(secret_access_key: &str, date: &str, region: &str, service: &str) -> Self {
        let start = format!("AWS4{secret_access_key}");
        let of_date = hmac(start.as_bytes(), date.as_bytes());
        let of_region = hmac(&of_date, region.as_bytes());
        let of_service = hmac(&of_region, service.as_bytes());
        Self(hmac(&of_service, TERMINATOR.as_bytes()))
    }

    /// The signature of a string to sign: 64 hexadecimal digits in lower case.
    pub fn sign(&self, string_to_sign: &str) -> String {
        hex(&hmac(&self.0, string_to_sign.as_bytes()))
    }
}

/// Shows no secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of AWS's documentation on deriving a signing key.
    #[test]
    fn derives_the_documented_key() {
        let key =
            SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam");
        assert_eq!(hex(&key.0), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn debug_output_keeps_secrets() {
        let key = Key { session_token: Some("TOKEN".into()), ..Key::long_term("ID", "SECRET", "1") };
        let derived = SigningKey::derive("SECRET", "20150830", "us-east-1", "iam");
        let shown = format!("{key:?} {derived:?}");
        assert!(shown.contains("ID"), "{shown}");
        assert!(!shown.contains("SECRET") && !shown.contains("TOKEN"), "{shown}");
    }
}

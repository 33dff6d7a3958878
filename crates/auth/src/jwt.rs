//! JSON web tokens in compact form (RFC 7515 section 7.1, RFC 7519), signed with ES384 and nothing else.
//!
//! No other algorithm can be asked for, so `none` and key confusion do not exist here. What the claims mean,
//! expiry included, is the caller's.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use crate::es384::{KeyPair, PublicKey, SIGNATURE_BYTES};

/// A token longer than this is not read.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// Longer than [`TOKEN_BYTES_MAX`].
    TooLong,
    /// Not three base64url parts between two dots, without padding or stray bits.
    NotCompact,
    /// The header is not what we read: a JSON object with `alg` and `kid`, and without `crit`.
    Header,
    /// The header asks for an algorithm other than ES384.
    Algorithm,
    /// The signature is not 96 bytes long.
    SignatureLength,
    /// Nobody knows the key that `kid` names.
    UnknownKey,
    /// The key did not make the signature.
    Signature,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the token is too long",
            Self::NotCompact => "the token is not three base64url parts",
            Self::Header => "the token's header is not readable",
            Self::Algorithm => "the token's algorithm is not ES384",
            Self::SignatureLength => "the token's signature is not 96 bytes long",
            Self::UnknownKey => "the token's key is not known",
            Self::Signature => "the token's signature is wrong",
        })
    }
}

impl std::error::Error for Error {}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    /// Extensions that a reader must understand (RFC 7515 section 4.1.11); we understand none.
    crit: Option<serde_json::Value>,
}

/// A token that has been read, but whose signature has not been checked.
#[derive(Debug)]
pub struct Unverified<'a> {
    kid: String,
    payload: Vec<u8>,
    signing_input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Reads a token's form and header.
    ///
    /// # Errors
    /// Everything but [`Error::UnknownKey`] and [`Error::Signature`].
    pub fn parse(token: &'a str) -> Result<Self, Error> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Error::TooLong);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Error::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Error::NotCompact)?;
        let [header, payload, signature] =
            [header, payload, signature].map(|part| URL_SAFE_NO_PAD.decode(part));
        let (Ok(header), Ok(payload), Ok(signature)) = (header, payload, signature) else {
            return Err(Error::NotCompact);
        };
        let header: Header = serde_json::from_slice(&header).map_err(|_| Error::Header)?;
        if header.alg != "ES384" {
            return Err(Error::Algorithm);
        }
        if header.crit.is_some() || header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(Error::Header);
        }
        if signature.len() != SIGNATURE_BYTES {
            return Err(Error::SignatureLength);
        }
        Ok(Self { kid: header.kid, payload, signing_input, signature })
    }

    /// Which key the token says it is signed with.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The payload, if `key` made the signature.
    ///
    /// # Errors
    /// [`Error::Signature`].
    pub fn verified_by(self, key: &PublicKey) -> Result<Vec<u8>, Error> {
        if key.verifies(self.signing_input.as_bytes(), &self.signature) {
            Ok(self.payload)
        } else {
            Err(Error::Signature)
        }
    }
}

/// Reads a token and checks its signature with the key that `lookup` finds for its `kid`; returns the payload.
///
/// # Errors
/// Says what is wrong with the token.
pub fn verify(token: &str, lookup: impl FnOnce(&str) -> Option<PublicKey>) -> Result<Vec<u8>, Error> {
    let token = Unverified::parse(token)?;
    let key = lookup(token.kid()).ok_or(Error::UnknownKey)?;
    token.verified_by(&key)
}

/// Signs a payload, which should be a JSON object.
pub fn sign(payload: &[u8], kid: &str, key: &KeyPair) -> String {
    let header = json!({ "alg": "ES384", "typ": "JWT", "kid": kid }).to_string();
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

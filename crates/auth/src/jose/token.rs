//! A token in compact form (RFC 7515, section 7.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Algorithm, Key};

/// A token longer than this is not read. All headers of a request together may not be longer.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Why a text is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    TooLong,
    /// Not three parts between two dots.
    Segments,
    /// A part is not base64url, or not the JSON object that it should be.
    Unreadable,
    /// The header names an algorithm that nobody here verifies with; holds its name.
    Algorithm(String),
    /// The header has extensions that a reader must understand (RFC 7515, section 4.1.11); we understand none.
    Critical,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the token is too long"),
            Self::Segments => f.write_str("token contains an invalid number of segments"),
            Self::Unreadable => f.write_str("the token is malformed"),
            Self::Algorithm(name) => write!(f, "signing method {name} is invalid"),
            Self::Critical => f.write_str("the token has extensions that are not understood"),
        }
    }
}

impl std::error::Error for Malformed {}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// A token that was read. Its claims mean nothing before [`Self::is_signed_by`].
#[derive(Debug, Clone)]
pub struct Token<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Map<String, Value>,
    signing_input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// # Errors
    /// When it is not of this form.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(Malformed::Segments)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Malformed::Segments)?;
        if payload.contains('.') {
            return Err(Malformed::Segments);
        }
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed::Unreadable);
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| Malformed::Unreadable)?;
        if header.crit.is_some() {
            return Err(Malformed::Critical);
        }
        let algorithm = Algorithm::parse(&header.alg).ok_or_else(|| {
            Malformed::Algorithm(header.alg.chars().filter(char::is_ascii_alphanumeric).take(20).collect())
        })?;
        let claims = serde_json::from_slice(&decoded(payload)?).map_err(|_| Malformed::Unreadable)?;
        let signature = decoded(signature)?;
        Ok(Self { algorithm, key_id: header.kid, claims, signing_input, signature })
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Which key the token says it is signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// What the token says; believed only when it is signed.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Whether `key` made the signature.
    pub fn is_signed_by(&self, key: &Key) -> bool {
        key.verifies(self.algorithm, self.signing_input.as_bytes(), &self.signature)
    }

    /// The claims, from a token whose signature was checked.
    pub fn into_claims(self) -> Map<String, Value> {
        self.claims
    }
}

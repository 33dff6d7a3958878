//! The keys that an issuer publishes (RFC 7517), and whether one of them made a signature.

use std::fmt;

use aws_lc_rs::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Algorithm;

/// Keys beyond these are not read.
pub const KEYS_MAX: usize = 200;
/// Longest part of a key, in characters: that of an RSA key of 16384 bits.
const PART_CHARS_MAX: usize = 2731;

/// What was fetched is no set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAKeySet;

impl fmt::Display for NotAKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a JSON web key set")
    }
}

impl std::error::Error for NotAKeySet {}

/// The keys of one issuer at one time.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<Key>);

/// One public key.
#[derive(Debug, Clone)]
pub struct Key {
    id: Option<String>,
    /// The only algorithm it may be used with, if the issuer says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    Ec {
        curve: &'static str,
        point: Vec<u8>,
    },
}

#[derive(Deserialize)]
struct Written {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct WrittenKey {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set. Keys that are not for signatures, or of kinds that nobody here verifies with, are left out.
    ///
    /// # Errors
    /// When the whole is not an object with a list of keys.
    pub fn parse(json: &[u8]) -> Result<Self, NotAKeySet> {
        let written: Written = serde_json::from_slice(json).map_err(|_| NotAKeySet)?;
        let keys = written.keys.into_iter().take(KEYS_MAX);
        Ok(Self(keys.filter_map(|key| Key::read(serde_json::from_value(key).ok()?)).collect()))
    }

    /// The key that a token names; if it names none, the only one there is.
    pub fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (id, self.0.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

impl Key {
    fn read(written: WrittenKey) -> Option<Self> {
        if written.r#use.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let algorithm = match &written.alg {
            Some(name) => Some(Algorithm::parse(name)?),
            None => None,
        };
        let material = match written.kty.as_str() {
            "RSA" => Material::Rsa { n: number(&written.n?)?, e: number(&written.e?)? },
            "EC" => ec(&written.crv?, &written.x?, &written.y?)?,
            _ => return None,
        };
        Some(Self { id: written.kid, algorithm, material })
    }

    /// Whether this key made the signature, by this algorithm.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.is_some_and(|only| only != algorithm) {
            return false;
        }
        match &self.material {
            Material::Rsa { n, e } => algorithm.rsa().is_some_and(|parameters| {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }),
            Material::Ec { curve, point } => {
                algorithm.curve() == Some(*curve)
                    && algorithm.ecdsa().is_some_and(|parameters| {
                        UnparsedPublicKey::new(parameters, point).verify(message, signature).is_ok()
                    })
            }
        }
    }
}

fn ec(curve: &str, x: &str, y: &str) -> Option<Material> {
    let (curve, bytes) = match curve {
        "P-256" => ("P-256", 32),
        "P-384" => ("P-384", 48),
        "P-521" => ("P-521", 66),
        _ => return None,
    };
    let mut point = vec![4];
    for coordinate in [x, y] {
        let coordinate = decoded(coordinate).filter(|coordinate| coordinate.len() == bytes)?;
        point.extend(coordinate);
    }
    Some(Material::Ec { curve, point })
}

/// A number without leading zeros, as the cryptographic library wants it.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = decoded(text)?;
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    Some(bytes[zeros..].to_vec()).filter(|bytes| !bytes.is_empty())
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    (text.len() <= PART_CHARS_MAX).then(|| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok())?
}

//! Keys for ES384 (RFC 7518 section 3.4): ECDSA over P-384 with SHA-384, and the forms keys travel in.
//!
//! Other curves are refused. Who may use a key, and under which id, is not known here.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A signature's length in bytes: `r` and `s`, 48 bytes each, big-endian.
pub const SIGNATURE_BYTES: usize = 96;

/// A PEM text longer than this is not read.
const PEM_BYTES_MAX: usize = 16 * 1024;
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";
const PEM_LINE_CHARS: usize = 64;

/// How a SubjectPublicKeyInfo (RFC 5480 section 2) of an uncompressed P-384 point begins: algorithm
/// id-ecPublicKey, curve secp384r1, a bit string of 97 bytes. DER leaves no other way to write it.
const SPKI_PREFIX: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
    0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];
const POINT_BYTES: usize = 97;

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Not one PEM block `PUBLIC KEY`.
    NotPem,
    /// Not the SubjectPublicKeyInfo of an uncompressed P-384 point.
    NotP384,
    /// The point is not on the curve.
    NotOnCurve,
    /// Not the PKCS #8 form of a P-384 private key.
    NotPkcs8,
    /// Not a P-384 private key in any form that is read.
    NotPrivate,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPem => "not a PEM public key",
            Self::NotP384 => "not a public key on the curve P-384 (secp384r1)",
            Self::NotOnCurve => "the public key is not a point of the curve P-384",
            Self::NotPkcs8 => "not a PKCS #8 private key on the curve P-384",
            Self::NotPrivate => "not a private key on the curve P-384 (secp384r1)",
        })
    }
}

impl std::error::Error for KeyError {}

/// A private key with its public key.
pub struct KeyPair(EcdsaKeyPair);

impl KeyPair {
    /// Makes a new key; the randomness is the cryptographic library's.
    pub fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING);
        Self(pair.expect("making a key fails only without memory or randomness"))
    }

    /// Reads a private key in PKCS #8 DER form (RFC 5958).
    ///
    /// # Errors
    /// [`KeyError::NotPkcs8`], also for keys of other curves.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der);
        Ok(Self(pair.map_err(|_| KeyError::NotPkcs8)?))
    }

    /// Reads a private key in DER form, PKCS #8 or as OpenSSL's `ecparam` makes it (RFC 5915).
    ///
    /// # Errors
    /// [`KeyError::NotPrivate`], also for keys of other curves.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, der);
        Ok(Self(pair.map_err(|_| KeyError::NotPrivate)?))
    }

    /// The private key in PKCS #8 DER form; keep it secret.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        let document = self.0.to_pkcs8v1().expect("a usable key can be written");
        document.as_ref().to_vec()
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_point(self.0.public_key().as_ref()).expect("a private key's point is on the curve")
    }

    /// Signs a message: `r ‖ s`, [`SIGNATURE_BYTES`] long. Differs each time.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), message);
        signature.expect("signing fails only without memory or randomness").as_ref().to_vec()
    }
}

/// Shows no secret.
impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyPair").field(&self.public_key()).finish()
    }
}

/// A public key, known to be a point of P-384.
#[derive(Clone)]
pub struct PublicKey {
    spki: [u8; SPKI_PREFIX.len() + POINT_BYTES],
    key: ParsedPublicKey,
}

impl PublicKey {
    /// Reads the first PEM block `PUBLIC KEY` (RFC 7468 section 13) of a text; text around it is skipped.
    ///
    /// # Errors
    /// Says what is wrong with the text or the key in it.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if pem.len() > PEM_BYTES_MAX {
            return Err(KeyError::NotPem);
        }
        let (_, after) = pem.split_once(PEM_BEGIN).ok_or(KeyError::NotPem)?;
        let (body, _) = after.split_once(PEM_END).ok_or(KeyError::NotPem)?;
        let body: String = body.chars().filter(|char| !char.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(body).map_err(|_| KeyError::NotPem)?;
        Self::from_spki(&der)
    }

    /// Reads a SubjectPublicKeyInfo in DER form.
    ///
    /// # Errors
    /// [`KeyError::NotP384`] or [`KeyError::NotOnCurve`].
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        match der.strip_prefix(&SPKI_PREFIX) {
            Some(point) if point.len() == POINT_BYTES && point[0] == 4 => Self::from_point(point),
            _ => Err(KeyError::NotP384),
        }
    }

    fn from_point(point: &[u8]) -> Result<Self, KeyError> {
        let mut spki = [0; SPKI_PREFIX.len() + POINT_BYTES];
        spki[..SPKI_PREFIX.len()].copy_from_slice(&SPKI_PREFIX);
        spki[SPKI_PREFIX.len()..].copy_from_slice(point);
        let key = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self { spki, key })
    }

    /// The SubjectPublicKeyInfo in DER form.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The PEM form, ending with a line feed.
    pub fn to_pem(&self) -> String {
        let body = STANDARD.encode(self.spki);
        let mut pem = format!("{PEM_BEGIN}\n");
        for line in body.as_bytes().chunks(PEM_LINE_CHARS) {
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem + PEM_END + "\n"
    }

    /// Sixteen bytes that tell keys apart, as `fd:2c:…`: AWS shows that form and not how it is made. Ours is
    /// the first half of the SHA-256 of the DER form.
    pub fn fingerprint(&self) -> String {
        let hash = digest::digest(&digest::SHA256, &self.spki);
        let pairs: Vec<String> = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(":")
    }

    /// Whether `signature` (`r ‖ s`) is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

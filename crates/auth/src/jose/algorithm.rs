//! The signature algorithms of tokens (RFC 7518, section 3.1) that AWS's authorizers take.

use aws_lc_rs::signature as lc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
}

impl Algorithm {
    /// RSA with PKCS #1 padding, the only family of HTTP APIs and user pools.
    pub const RSA: &'static [Self] = &[Self::Rs256, Self::Rs384, Self::Rs512];

    /// The algorithm of a header's `alg`; `None` for every other, `none` and `HS256` among them.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// The curve that a key of this algorithm is on; `None` for RSA.
    pub(super) fn curve(self) -> Option<&'static str> {
        match self {
            Self::Es256 => Some("P-256"),
            Self::Es384 => Some("P-384"),
            Self::Es512 => Some("P-521"),
            Self::Rs256 | Self::Rs384 | Self::Rs512 => None,
        }
    }

    /// Keys of 2048 to 8192 bits.
    pub(super) fn rsa(self) -> Option<&'static lc::RsaParameters> {
        match self {
            Self::Rs256 => Some(&lc::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&lc::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&lc::RSA_PKCS1_2048_8192_SHA512),
            Self::Es256 | Self::Es384 | Self::Es512 => None,
        }
    }

    pub(super) fn ecdsa(self) -> Option<&'static lc::EcdsaVerificationAlgorithm> {
        match self {
            Self::Es256 => Some(&lc::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Some(&lc::ECDSA_P384_SHA384_FIXED),
            Self::Es512 => Some(&lc::ECDSA_P521_SHA512_FIXED),
            Self::Rs256 | Self::Rs384 | Self::Rs512 => None,
        }
    }
}

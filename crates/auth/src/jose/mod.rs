//! JSON web tokens of other people's issuers (RFC 7519), verified with the keys that they publish (RFC 7517).
//!
//! Pure: nothing here fetches keys. The caller says which algorithms may be used, and what the claims must say;
//! `none` and the symmetric algorithms cannot even be named, so nobody can sign with a public key. Our own tokens are
//! in [`crate::jwt`].

mod algorithm;
mod key;
mod token;

pub use algorithm::Algorithm;
pub use key::{KEYS_MAX, Key, KeySet, NotAKeySet};
pub use token::{Malformed, TOKEN_BYTES_MAX, Token};

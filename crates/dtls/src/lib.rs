//! The server's half of DTLS 1.2 as WebRTC uses it (RFC 6347, RFC 5764, RFC 8827 §6.5), without I/O: datagrams and
//! times go in, datagrams, the peer's certificate and the keys of SRTP come out.
//!
//! It exists for peers whose only certificate is an RSA one (`docs/decisions/0008`), and does what WebRTC makes
//! everybody do and nothing else: one cipher suite (ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), the extended master secret
//! (RFC 7627), a certificate from either side, full handshakes. No renegotiation, no resumption, no compression, no
//! cookies: ICE has shown that the address is the peer's before the first record gets here.
//!
//! Invariants: nothing here reads a socket or a clock. Whatever a stranger sends costs bounded memory and brings no
//! panic; records that are no good are dropped, and once the handshake is over only authentic ones have any effect.
//! Primitives are all of aws-lc-rs; that a certificate is the one which was signalled is for the caller to say.

mod assembly;
mod bytes;
mod ciphers;
mod handshake;
mod hello;
mod identity;
mod link;
mod message;
mod record;
mod server;
mod signature;

pub use hello::Profile;
pub use identity::Identity;
pub use server::{Output, Server};

/// Why there is no connection, or none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("malformed {0}")]
    Malformed(&'static str),
    #[error("a handshake message came out of turn")]
    OutOfTurn,
    #[error("the peer knows no DTLS 1.2")]
    Version,
    #[error("no {0} in common with the peer")]
    NothingInCommon(&'static str),
    #[error("the peer has no certificate that we understand")]
    NoCertificate,
    #[error("the peer's public key is none")]
    PublicKey,
    #[error("the peer's signature does not fit its certificate")]
    Signature,
    #[error("the handshake that the peer saw is not the one that we saw")]
    Finished,
    #[error("the peer gave up with alert {0}")]
    Alert(u8),
    #[error("the handshake took too long")]
    Timeout,
    #[error("the private key is none of P-256")]
    PrivateKey,
    #[error("the crypto library failed")]
    Crypto,
    #[error("a record takes 16 KiB")]
    TooLong,
    #[error("there is no connection")]
    NotConnected,
}

impl Error {
    /// What the peer is told (RFC 5246 §7.2); `None` where there is nobody to tell, or nothing.
    fn alert(self) -> Option<u8> {
        match self {
            Error::OutOfTurn => Some(10),
            Error::NothingInCommon(_) | Error::NoCertificate => Some(40),
            Error::PublicKey => Some(47),
            Error::Malformed(_) => Some(50),
            Error::Signature | Error::Finished => Some(51),
            Error::Version => Some(70),
            Error::PrivateKey | Error::Crypto => Some(80),
            Error::Alert(_) | Error::Timeout | Error::TooLong | Error::NotConnected => None,
        }
    }
}

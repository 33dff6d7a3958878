//! What client and listener agreed on, in the words of `$context.tlsVersion` and `$context.cipherSuite`: IANA's names.

use rustls::{CipherSuite, ProtocolVersion, ServerConnection};
use stagedoor_gateway::TlsSession;

/// The session of a connection that has shaken hands.
pub fn of(connection: &ServerConnection) -> Option<TlsSession> {
    named(connection.protocol_version()?, connection.negotiated_cipher_suite()?.suite())
}

fn named(version: ProtocolVersion, suite: CipherSuite) -> Option<TlsSession> {
    let version = match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => return None,
    };
    let cipher_suite = match suite {
        // rustls has names of its own for these.
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        other => other.as_str()?,
    };
    Some(TlsSession { version, cipher_suite })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever this server can agree on has a name.
    #[test]
    fn every_suite_is_named() {
        for suite in rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES {
            let version = suite.version().version;
            let named = named(version, suite.suite()).expect("a name");
            assert!(named.cipher_suite.starts_with("TLS_"), "{named:?}");
        }
    }
}

//! Handshake messages (RFC 5246 §7.4, RFC 6347 §4.2.2): their types and headers, and the bodies of all but the hellos.

use crate::bytes::{Reader, Short, put_u16, put_u24, put_vector16};
use crate::hello::Group;
use crate::signature;

pub(crate) const HEADER_LEN: usize = 12;

/// Types of messages.
pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const SERVER_HELLO: u8 = 2;
pub(crate) const CERTIFICATE: u8 = 11;
pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
pub(crate) const SERVER_HELLO_DONE: u8 = 14;
pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
pub(crate) const FINISHED: u8 = 20;

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    pub(crate) sequence: u16,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Appends the fragment from `offset` on, of `len` bytes.
    pub(crate) fn write(&self, out: &mut Vec<u8>, offset: usize, len: usize) {
        out.push(self.kind);
        put_u24(out, self.body.len());
        put_u16(out, self.sequence);
        put_u24(out, offset);
        put_u24(out, len);
        out.extend_from_slice(&self.body[offset..offset + len]);
    }

    /// Appends the message as it counts in the transcript: as if it had come in one piece (RFC 6347 §4.2.6).
    pub(crate) fn write_whole(&self, out: &mut Vec<u8>) {
        self.write(out, 0, self.body.len());
    }
}

/// Our certificate, alone in its list.
pub(crate) fn certificate(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(der.len() + 6);
    put_u24(&mut out, der.len() + 3);
    put_u24(&mut out, der.len());
    out.extend_from_slice(der);
    out
}

/// The peer's own certificate; those behind it say nothing in WebRTC. `None` if it has none.
pub(crate) fn read_certificate(body: &[u8]) -> Result<Option<&[u8]>, Short> {
    let mut reader = Reader(body);
    let mut list = reader.vector24()?;
    reader.end()?;
    if list.is_empty() {
        return Ok(None);
    }
    let first = list.vector24()?.0;
    while !list.is_empty() {
        list.vector24()?;
    }
    Ok(Some(first))
}

/// Our share of the key exchange (RFC 8422 §5.4), to which `sign` adds the signature.
pub(crate) fn key_share(group: Group, public: &[u8]) -> Vec<u8> {
    const NAMED_CURVE: u8 = 3;
    let mut out = vec![NAMED_CURVE];
    put_u16(&mut out, group.id());
    out.push(public.len() as u8);
    out.extend_from_slice(public);
    out
}

/// Appends a signature with its scheme.
pub(crate) fn put_signature(out: &mut Vec<u8>, scheme: u16, signature: &[u8]) {
    put_u16(out, scheme);
    put_vector16(out, |out| out.extend_from_slice(signature));
}

/// Which certificates the peer may have: ECDSA or RSA ones, of any issuer (RFC 5246 §7.4.4).
pub(crate) fn certificate_request() -> Vec<u8> {
    const ECDSA_SIGN: u8 = 64;
    const RSA_SIGN: u8 = 1;
    let mut out = vec![2, ECDSA_SIGN, RSA_SIGN];
    put_vector16(&mut out, |out| signature::schemes().for_each(|scheme| put_u16(out, scheme)));
    put_u16(&mut out, 0);
    out
}

/// The peer's share of the key exchange.
pub(crate) fn read_key_exchange(body: &[u8]) -> Result<&[u8], Short> {
    let mut reader = Reader(body);
    let public = reader.vector8()?.0;
    reader.end()?;
    Ok(public)
}

/// The scheme and the signature of a CertificateVerify.
pub(crate) fn read_verify(body: &[u8]) -> Result<(u16, &[u8]), Short> {
    let mut reader = Reader(body);
    let scheme = reader.u16()?;
    let signature = reader.vector16()?.0;
    reader.end()?;
    Ok((scheme, signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_certificate_of_a_list_counts() {
        assert_eq!(read_certificate(&certificate(b"der")), Ok(Some(&b"der"[..])));
        assert_eq!(read_certificate(&[0, 0, 0]), Ok(None));
        assert_eq!(read_certificate(&[0, 0, 8, 0, 0, 1, 7, 0, 0, 1, 8]), Ok(Some(&[7][..])));
        for broken in [&[0, 0][..], &[0, 0, 4, 0, 0, 2, 1], &[0, 0, 5, 0, 0, 1, 7, 0], &[0, 0, 0, 1]] {
            assert_eq!(read_certificate(broken), Err(Short), "{broken:?}");
        }
    }

    #[test]
    fn both_kinds_of_certificates_are_asked_for() {
        let request = certificate_request();
        assert_eq!(&request[..3], [2, 64, 1]);
        let rsa_sha256 = [4, 1];
        assert!(request[5..].chunks(2).any(|scheme| scheme == rsa_sha256));
    }
}

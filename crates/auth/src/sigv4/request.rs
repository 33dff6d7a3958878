//! A request as signing sees it.

use std::borrow::Cow;

use http::{HeaderMap, Method};

use super::hash::{hex, sha256};

/// The parts of a request that a signature covers.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as it stands on the request line, not decoded.
    pub path: &'a str,
    /// The query as it stands on the request line, without `?`, not decoded; empty if there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The host, where it is not to be taken from the `Host` header: HTTP/2 sends `:authority` instead.
    pub host: Option<&'a str>,
    /// The body.
    pub payload: Payload<'a>,
}

/// A body, or what is left of it for signing.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// The whole body.
    Bytes(&'a [u8]),
    /// The SHA-256 of a body that was hashed while it was read.
    Sha256(&'a [u8; 32]),
}

/// Stands for the hash where a client chose not to sign the body.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
pub(super) const CONTENT_SHA256: &str = "x-amz-content-sha256";

impl Payload<'_> {
    /// The last line of a canonical request, given what the client declared in `x-amz-content-sha256`.
    ///
    /// A declared hash is not used: the body's own is, so a body that differs from it cannot verify.
    pub(super) fn canonical(&self, declared: Option<&str>) -> Cow<'static, str> {
        if declared == Some(UNSIGNED_PAYLOAD) {
            return Cow::Borrowed(UNSIGNED_PAYLOAD);
        }
        Cow::Owned(self.sha256_hex())
    }

    /// The body's hash as `x-amz-content-sha256` declares it.
    pub fn sha256_hex(&self) -> String {
        match self {
            Payload::Bytes(bytes) => hex(&sha256(bytes)),
            Payload::Sha256(hash) => hex(*hash),
        }
    }
}

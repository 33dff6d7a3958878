//! What a REST integration's backend or a function learns of the way to it, in `X-Forwarded-*` and `X-Amzn-Trace-Id`,
//! and of the host that the client named.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::visit::Visit;
use crate::{Config, headers};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What of the listener that a request came by differs from [`Config`]: an extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    pub tls: bool,
    pub port: u16,
    /// What client and listener agreed on, if it is known.
    pub session: Option<TlsSession>,
}

/// A TLS connection, in the names of `$context.tlsVersion` and `$context.cipherSuite`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsSession {
    /// `TLSv1.3`
    pub version: &'static str,
    /// As IANA calls it.
    pub cipher_suite: &'static str,
}

/// Adds this hop to the client's headers.
pub(crate) fn add(headers: &mut HeaderMap, visit: &Visit, config: &Config) {
    let peer = visit.peer.ip().to_canonical();
    let hops = match headers::list(headers, &FORWARDED_FOR) {
        Some(hops) => format!("{hops}, {peer}"),
        None => peer.to_string(),
    };
    headers::set(headers, FORWARDED_FOR, &hops);
    let Listener { tls, port, .. } = visit.listener(config);
    headers.insert(FORWARDED_PORT, HeaderValue::from(port));
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(if tls { "https" } else { "http" }));
    let trace = visit.trace(headers.get(headers::TRACE_ID));
    headers.insert(headers::TRACE_ID, trace);
}

/// As [`add`], with the host that the client named: HTTP/2 does not carry it as a header.
pub(crate) fn add_with_host(headers: &mut HeaderMap, visit: &Visit, config: &Config) {
    if let Some(host) = &visit.host {
        headers.insert(header::HOST, host.clone());
    }
    add(headers, visit, config);
}

//! What a REST integration's backend or a function learns of the way to it, in `X-Forwarded-*` and `X-Amzn-Trace-Id`,
//! and of the host that the client named.

use http::request::Parts;
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

/// The way of one request to its method or route, for whoever reads a header or two of it.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    visit: &'a Visit,
    config: &'a Config,
}

impl<'a> Way<'a> {
    /// The headers that requests have besides those of their clients.
    pub(crate) const ADDED: [HeaderName; 4] =
        [FORWARDED_FOR, FORWARDED_PORT, FORWARDED_PROTO, headers::TRACE_ID];

    /// `None` of a test, which came no way.
    pub(crate) fn of(visit: &'a Visit, config: &'a Config) -> Option<Self> {
        (!visit.is_test).then_some(Self { visit, config })
    }

    /// The value of a header that [`add`] adds; `None` of any other. `sent` are the client's own.
    pub(crate) fn header(self, name: &HeaderName, sent: &HeaderMap) -> Option<HeaderValue> {
        let visit = self.visit;
        match name {
            name if *name == FORWARDED_FOR => headers::value(&hops(sent, visit)),
            name if *name == FORWARDED_PORT => Some(visit.listener(self.config).port.into()),
            name if *name == FORWARDED_PROTO => Some(proto(visit.listener(self.config).tls)),
            name if *name == headers::TRACE_ID => Some(visit.trace(sent.get(headers::TRACE_ID))),
            _ => None,
        }
    }
}

/// Adds this hop to the client's headers.
pub(crate) fn add(headers: &mut HeaderMap, visit: &Visit, config: &Config) {
    let hops = hops(headers, visit);
    headers::set(headers, FORWARDED_FOR, &hops);
    let Listener { tls, port, .. } = visit.listener(config);
    headers.insert(FORWARDED_PORT, HeaderValue::from(port));
    headers.insert(FORWARDED_PROTO, proto(tls));
    let trace = visit.trace(headers.get(headers::TRACE_ID));
    headers.insert(headers::TRACE_ID, trace);
}

fn hops(sent: &HeaderMap, visit: &Visit) -> String {
    let peer = visit.peer.ip().to_canonical();
    match headers::list(sent, &FORWARDED_FOR) {
        Some(hops) => format!("{hops}, {peer}"),
        None => peer.to_string(),
    }
}

fn proto(tls: bool) -> HeaderValue {
    HeaderValue::from_static(if tls { "https" } else { "http" })
}

/// As [`add`], with the host that the client named.
pub(crate) fn add_with_host(headers: &mut HeaderMap, visit: &Visit, config: &Config) {
    if let Some(host) = &visit.host {
        headers.insert(header::HOST, host.clone());
    }
    add(headers, visit, config);
}

/// Gives a request its `Host`, which HTTP/2 carries in the target: mappings, templates and authorizers read it as a
/// header.
pub(crate) fn name_host(head: &mut Parts) {
    if let Some(authority) = head.uri.authority()
        && !head.headers.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        head.headers.insert(header::HOST, host);
    }
}

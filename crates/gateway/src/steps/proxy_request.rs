//! Makes the request to an HTTP API's `HTTP_PROXY` backend: the client's own, at another address.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version, header};
use smallvec::SmallVec;

use super::route::Routed;
use super::stage::Located;
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::http_api::plan::{Deployed, Link, Outgoing, Route};
use crate::shared::Shared;
use crate::visit::Visit;
use crate::{digits, headers, links, uri};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Headers of a client that pass to the backend as they are.
pub(crate) type Passing<'a> = SmallVec<[(&'a HeaderName, &'a HeaderValue); 16]>;

/// What a backend is told of the way here: `Forwarded` and `X-Amzn-Trace-Id`.
pub(crate) type Told = SmallVec<[(HeaderName, HeaderValue); 2]>;

/// The request without headers, and those that are to be sent with it: few requests need a map of them.
///
/// `full_path` is what a private backend is asked for: the path with its stage.
///
/// # Errors
/// A configuration error when the backend's address is none.
#[expect(clippy::too_many_arguments, reason = "the parts of a call, which callers hold one by one")]
pub(crate) fn make<'a>(
    shared: &Shared,
    located: &Located<'_, Deployed>,
    routed: &Routed<'_, Route>,
    outgoing: &Outgoing,
    full_path: &str,
    head: &'a Parts,
    body: Body,
    visit: &Visit,
) -> Result<(Request<Body>, Told, Passing<'a>), GatewayFault> {
    let mut request = Request::new(body);
    *request.method_mut() = outgoing.verb.clone().unwrap_or_else(|| routed.verb.clone());
    *request.uri_mut() = match &outgoing.link {
        Some(link) => behind_link(shared, located, outgoing, link, full_path, head)?,
        None => endpoint(located, routed, outgoing, head)?,
    };
    *request.version_mut() = Version::HTTP_11;
    let (told, passing) = headers(&head.headers, visit, visit.listener(&shared.config).tls);
    Ok((request, told, passing))
}

fn endpoint(
    located: &Located<'_, Deployed>,
    routed: &Routed<'_, Route>,
    outgoing: &Outgoing,
    head: &Parts,
) -> Result<Uri, GatewayFault> {
    let value = |name: &str| {
        routed.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| Cow::Borrowed(*value))
    };
    let query = head.uri.query().unwrap_or_default();
    if let Some(uri) = &outgoing.fixed
        && !outgoing.appends_path
        && query.is_empty()
    {
        return Ok(uri.clone());
    }
    let mut text = outgoing.uri.fill(&located.stage.variables, value);
    if outgoing.appends_path {
        append_path(&mut text, located.path);
    }
    uri::add_query(&mut text, query);
    uri::endpoint(text)
}

/// What a VPC link leads to. The stage stays in the path, unless a mapping overwrites it.
fn behind_link(
    shared: &Shared,
    located: &Located<'_, Deployed>,
    outgoing: &Outgoing,
    link: &Link,
    full_path: &str,
    head: &Parts,
) -> Result<Uri, GatewayFault> {
    let arn = outgoing.uri.fill(&located.stage.variables, |_| None);
    let named = links::Named { link: &link.id, arn: Some(&arn), targets: &[] };
    let origin = links::address(&shared.config.vpc_links, named)?;
    let mut text = origin.to_string();
    append_path(&mut text, full_path);
    uri::add_query(&mut text, head.uri.query().unwrap_or_default());
    uri::endpoint(text)
}

/// Puts a path, which begins with a slash, after the path of a URI's text.
fn append_path(text: &mut String, path: &str) {
    let end = text.find('?').unwrap_or(text.len());
    let end = if text[..end].ends_with('/') { end - 1..end } else { end..end };
    text.replace_range(end, path);
}

/// What is told of the way here, and the client's headers but those of its connection, of the message's place and of the
/// way, which is told anew.
fn headers<'a>(sent: &'a HeaderMap, visit: &Visit, tls: bool) -> (Told, Passing<'a>) {
    let dropped = headers::named_by_connection(sent);
    let (mut passing, mut trace, mut came_forwarded) = (Passing::new(), None, false);
    for (name, value) in sent {
        if is_left(name) {
            came_forwarded |= [header::FORWARDED, FORWARDED_FOR].contains(name);
        } else if !dropped.contains(name) {
            if *name == headers::TRACE_ID {
                trace.get_or_insert(value);
            } else {
                passing.push((name, value));
            }
        }
    }
    let hops = if came_forwarded { earlier_hops(sent, &dropped) } else { String::with_capacity(128) };
    let forwarded = forwarded(hops, visit, tls);
    let mut told = Told::new();
    if let Ok(forwarded) = HeaderValue::from_bytes(forwarded.as_bytes()) {
        told.push((header::FORWARDED, forwarded));
    }
    told.push((headers::TRACE_ID, visit.trace(trace)));
    (told, passing)
}

/// Whether a client's header does not pass, whatever its value. The length and the host are the next connection's.
fn is_left(name: &HeaderName) -> bool {
    match *name {
        header::HOST | header::CONTENT_LENGTH | header::EXPECT | header::FORWARDED => true,
        _ => headers::is_hop_by_hop(name) || name.as_str().starts_with("x-forwarded-"),
    }
}

/// RFC 7239: what the client said of earlier hops, then this one. Our own name is an obfuscated identifier, section 6.3.
fn forwarded(mut text: String, visit: &Visit, tls: bool) -> String {
    push_element(&mut text, "by=_stagedoor;for=");
    match visit.peer.ip().to_canonical() {
        IpAddr::V6(address) => text.push_str(&bracketed(address)),
        address => digits::push_address(&mut text, address),
    }
    text.push_str(";host=");
    text.push_str(&quoted(visit.host()));
    text.push_str(if tls { ";proto=https" } else { ";proto=http" });
    text
}

fn earlier_hops(sent: &HeaderMap, dropped: &[HeaderName]) -> String {
    let told = |name: &HeaderName| {
        if dropped.contains(name) { None } else { headers::list(sent, name) }
    };
    let mut text = told(&header::FORWARDED).unwrap_or_default();
    let hops = told(&FORWARDED_FOR).unwrap_or_default();
    for hop in hops.split(',').filter(|hop| !hop.is_empty()) {
        push_element(&mut text, "for=");
        text.push_str(&node(hop.trim()));
    }
    text
}

/// Begins an element of a list.
fn push_element(text: &mut String, name: &str) {
    if !text.is_empty() {
        text.push_str(", ");
    }
    text.push_str(name);
}

/// What an earlier hop said of an address, which need not be one.
fn node(address: &str) -> Cow<'_, str> {
    match address.parse() {
        Ok(IpAddr::V6(address)) => bracketed(address).into(),
        _ => quoted(address),
    }
}

/// IPv6 addresses stand in brackets and quotes.
fn bracketed(address: Ipv6Addr) -> String {
    format!("\"[{address}]\"")
}

/// The letters of tokens.
const TOKEN: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        table[byte as usize] = matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~');
        byte += 1;
    }
    table
};

/// In quotes unless it is a token (RFC 9110, section 5.6.2).
fn quoted(text: &str) -> Cow<'_, str> {
    if !text.is_empty() && text.bytes().all(|byte| TOKEN[usize::from(byte)]) {
        return text.into();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_appended() {
        for (base, path, expected) in [
            ("http://h", "/x", "http://h/x"),
            ("http://h/", "/x/", "http://h/x/"),
            ("http://h/base", "/", "http://h/base/"),
            ("http://h/base/?k=v", "/x", "http://h/base/x?k=v"),
            ("", "/x", "/x"),
        ] {
            let mut text = base.to_owned();
            append_path(&mut text, path);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn nodes_are_spelt_as_rfc_7239_says() {
        assert_eq!(node("192.0.2.1"), "192.0.2.1");
        assert_eq!(node("2001:db8::1"), "\"[2001:db8::1]\"");
        assert_eq!(node("unknown"), "unknown");
        assert_eq!(quoted("h:4566"), "\"h:4566\"");
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
    }
}

//! Which headers pass through a stage, which are dropped and which are renamed.
//!
//! From the guide's page "Amazon API Gateway important notes", corrected by recordings where these differ. Headers
//! that belong to one connection (RFC 9110, section 7.6.1) never pass.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use smallvec::SmallVec;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// What renamed headers of a backend's answer begin with.
const REMAPPED: &str = "x-amzn-remapped-";

/// Whether a header is the connection's, by its name.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    match *name {
        header::CONNECTION
        | header::PROXY_AUTHENTICATE
        | header::PROXY_AUTHORIZATION
        | header::TE
        | header::TRAILER
        | header::TRANSFER_ENCODING
        | header::UPGRADE => true,
        _ => [KEEP_ALIVE, PROXY_CONNECTION].contains(name),
    }
}

/// What the first line of `Connection` names beside what is the connection's anyway.
pub(crate) fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let connection =
        headers.get(header::CONNECTION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if ["", "close", "keep-alive"].contains(&connection) {
        return Vec::new();
    }
    connection.split(',').filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok()).collect()
}

/// Removes what `Connection` names, then every header of the connection.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    // Most messages have one of them or none: looking for all would cost more than looking at all.
    let leaving: SmallVec<[HeaderName; 4]> =
        headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
    for name in leaving {
        headers.remove(name);
    }
}

/// A signature of AWS's was for the gateway alone.
fn remove_signature(headers: &mut HeaderMap) {
    let is_signature = |value: &HeaderValue| value.as_bytes().starts_with(b"AWS4-");
    if headers.get(header::AUTHORIZATION).is_some_and(is_signature) {
        headers.remove(header::AUTHORIZATION);
    }
}

/// Removes what a client of a REST API's `HTTP_PROXY` method cannot send to its backend, `Host` and the length among
/// them: those are the next connection's. `Content-Encoding` is the body's, which has been decoded.
pub(crate) fn leave_for_rest_backend(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    remove_signature(headers);
    for name in [
        header::HOST,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        CONTENT_MD5,
        header::EXPECT,
        header::MAX_FORWARDS,
        header::SERVER,
        header::VIA,
        header::WWW_AUTHENTICATE,
    ] {
        headers.remove(name);
    }
}

/// Removes what a client of a REST API's method cannot tell a Lambda function.
pub(crate) fn leave_for_function(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    remove_signature(headers);
    for name in [
        header::CONTENT_LENGTH,
        CONTENT_MD5,
        header::EXPECT,
        header::MAX_FORWARDS,
        header::SERVER,
        header::WWW_AUTHENTICATE,
    ] {
        headers.remove(name);
    }
}

/// Whether mapping a value onto this header fails a request of a REST API.
pub(crate) fn is_unmappable(name: &HeaderName) -> bool {
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name)
}

/// Whether mapping a value onto this header fails a request of an `AWS` or `AWS_PROXY` method.
pub(crate) fn is_unmappable_for_aws(name: &HeaderName) -> bool {
    let refused =
        [header::AUTHORIZATION, header::CONNECTION, header::EXPECT, header::PROXY_AUTHENTICATE, header::TE];
    refused.contains(name)
}

/// Whether a value mapped onto this header never arrives at an HTTP backend.
pub(crate) fn is_lost_when_mapped(name: &HeaderName) -> bool {
    [header::CONNECTION, header::EXPECT, header::HOST, header::PROXY_AUTHENTICATE, header::TE, header::VIA]
        .contains(name)
}

/// What becomes of a header on the way back to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    Pass,
    Drop,
    Remap,
}

/// The header of an `HTTP_PROXY` backend's answer.
pub(crate) fn returned_by_proxy(name: &HeaderName) -> Returned {
    let remapped = [
        header::AUTHORIZATION,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        CONTENT_MD5,
        header::DATE,
        header::MAX_FORWARDS,
        header::SERVER,
        header::USER_AGENT,
        header::WWW_AUTHENTICATE,
        REQUEST_ID,
    ];
    if remapped.contains(name) {
        return Returned::Remap;
    }
    let dropped = [header::EXPECT, header::HOST, header::VIA];
    if dropped.contains(name) || is_hop_by_hop(name) { Returned::Drop } else { Returned::Pass }
}

/// A header that a REST API's integration response mapped.
pub(crate) fn returned_by_mapping(name: &HeaderName) -> Returned {
    let remapped = [
        header::AUTHORIZATION,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        CONTENT_MD5,
        header::DATE,
        header::EXPECT,
        header::HOST,
        header::MAX_FORWARDS,
        header::PROXY_AUTHENTICATE,
        header::SERVER,
        header::TRAILER,
        header::UPGRADE,
        header::USER_AGENT,
        header::WWW_AUTHENTICATE,
    ];
    if remapped.contains(name) {
        return Returned::Remap;
    }
    if *name == header::TRANSFER_ENCODING { Returned::Drop } else { Returned::Pass }
}

/// `x-amzn-Remapped-{name}`.
pub(crate) fn remapped(name: &HeaderName) -> HeaderName {
    let known = [
        (header::CONNECTION, HeaderName::from_static("x-amzn-remapped-connection")),
        (header::CONTENT_LENGTH, HeaderName::from_static("x-amzn-remapped-content-length")),
        (header::DATE, HeaderName::from_static("x-amzn-remapped-date")),
        (header::SERVER, HeaderName::from_static("x-amzn-remapped-server")),
    ];
    if let Some((_, remapped)) = known.into_iter().find(|(plain, _)| plain == name) {
        return remapped;
    }
    let text = format!("{REMAPPED}{name}");
    HeaderName::from_bytes(text.as_bytes()).expect("a header name stays one behind a prefix of letters")
}

/// A mapped value as a header; `None` if it cannot be one, as with line breaks.
pub(crate) fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

/// Puts a text in place of the header's values; nothing if it cannot be one.
pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Some(value) = value(text) {
        headers.insert(name, value);
    }
}

/// All values of a header as one list, as several lines of it mean (RFC 9110, section 5.3); `None` if there is none.
pub(crate) fn list(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of: fn(&HeaderName) -> Returned, expected: Returned, names: &[&'static str]) {
        for name in names {
            assert_eq!(of(&HeaderName::from_static(name)), expected, "{name}");
        }
    }

    #[test]
    fn answers_of_proxies_are_renamed() {
        use Returned::*;
        check(
            returned_by_proxy,
            Remap,
            &["connection", "content-length", "date", "server", "x-amzn-requestid", "www-authenticate"],
        );
        check(
            returned_by_proxy,
            Drop,
            &["via", "transfer-encoding", "keep-alive", "upgrade", "host", "expect", "te"],
        );
        check(
            returned_by_proxy,
            Pass,
            &["accept", "age", "content-type", "content-encoding", "set-cookie", "location", "etag", "x-own"],
        );
    }

    #[test]
    fn mapped_headers_are_renamed() {
        use Returned::*;
        check(
            returned_by_mapping,
            Remap,
            &["authorization", "date", "host", "expect", "upgrade", "trailer", "user-agent"],
        );
        check(returned_by_mapping, Drop, &["transfer-encoding"]);
        check(
            returned_by_mapping,
            Pass,
            &["te", "via", "warning", "content-type", "content-encoding", "x-own"],
        );
        assert_eq!(remapped(&header::WWW_AUTHENTICATE), "x-amzn-remapped-www-authenticate");
        assert_eq!(remapped(&header::DATE), "x-amzn-remapped-date");
    }

    #[test]
    fn headers_of_the_connection_stay_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "x-secret, keep-alive"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("host", "h"),
            ("content-length", "5"),
            ("accept", "text/html"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        leave_for_rest_backend(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }
}

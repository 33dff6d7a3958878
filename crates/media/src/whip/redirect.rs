//! From the address that several nodes have in common to this node's own: 307 for a POST, so that what follows about
//! the session reaches the node that has it (RFC 9725 §4.5).
//!
//! Browsers leave the token out when they follow a redirect to another origin. Who says that it is one, by `Origin`, is
//! served at once instead, and is told the session's address at this node.

use http::header::{HOST, HeaderValue, LOCATION, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, StatusCode, Uri};

use super::reply::Problem;

/// Where clients reach this very node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `https://node-1.example.com`, without a slash at its end.
    origin: String,
    https: bool,
    authority: Authority,
}

/// What a POST that names a host is to be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The request is for this node.
    Here,
    /// It is for any node, and is served here.
    Taken,
    /// It is for any node; the client is sent to this one.
    Sent(HeaderValue),
}

impl Node {
    /// `None` if it is no `http` or `https` origin.
    pub fn new(origin: &str) -> Option<Node> {
        let uri: Uri = origin.parse().ok()?;
        let https = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority()?.clone();
        let origin = origin.trim_end_matches('/').to_owned();
        matches!(uri.path(), "" | "/").then_some(Node { origin, https, authority })
    }

    /// `https://node-1.example.com`, without a slash at its end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn way(&self, head: &Parts) -> Way {
        let named = head.uri.authority().map(Authority::as_str);
        let named = named.or_else(|| head.headers.get(HOST)?.to_str().ok()).unwrap_or_default();
        if self.is_called(named) {
            return Way::Here;
        }
        if head.headers.contains_key(ORIGIN) {
            return Way::Taken;
        }
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        match HeaderValue::from_str(&format!("{}{path}", self.origin)) {
            Ok(location) => Way::Sent(location),
            Err(_) => Way::Taken,
        }
    }

    /// Makes the address of a session, which is a path, this node's own.
    pub(super) fn own(&self, headers: &mut HeaderMap) {
        let path = headers.get(LOCATION).and_then(|path| path.to_str().ok());
        let own = path.and_then(|path| HeaderValue::from_str(&format!("{}{path}", self.origin)).ok());
        if let Some(own) = own {
            headers.insert(LOCATION, own);
        }
    }

    fn is_called(&self, host: &str) -> bool {
        let port = |authority: &Authority| authority.port_u16().unwrap_or(if self.https { 443 } else { 80 });
        host.parse::<Authority>().is_ok_and(|other| {
            other.host().eq_ignore_ascii_case(self.authority.host()) && port(&other) == port(&self.authority)
        })
    }
}

/// The 307.
pub(super) fn elsewhere(location: HeaderValue) -> Problem {
    let message = "This address is that of several nodes; send the same request to the Location.";
    Problem::new(StatusCode::TEMPORARY_REDIRECT, message).located(location)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(host: &str, origin: Option<&str>, expected: Way) {
        let node = Node::new("https://node-1.example.com/").expect("an origin");
        let mut request = Request::post("/whip?a=b").header(HOST, host);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        assert_eq!(node.way(&head), expected, "{host}");
    }

    #[test]
    fn only_other_names_are_sent_on() {
        let sent = || Way::Sent(HeaderValue::from_static("https://node-1.example.com/whip?a=b"));
        check("node-1.example.com", None, Way::Here);
        check("NODE-1.example.com:443", Some("https://app.example.com"), Way::Here);
        check("node-1.example.com:8443", None, sent());
        check("any.example.com", None, sent());
        check("any.example.com", Some("https://app.example.com"), Way::Taken);
        check("", None, sent());
    }

    #[test]
    fn origins() {
        for wrong in ["", "node", "ftp://a", "http://a/b", "/a"] {
            assert_eq!(Node::new(wrong), None, "{wrong}");
        }
    }
}

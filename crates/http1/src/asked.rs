//! Reads requests that are usual: HTTP/1.1, one of the common methods, a short head, nothing asked of the connection,
//! a body of known length that has come with the head. All others are somebody else's to read, from their first byte.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Uri};

use crate::fields::{self, HEADERS_MAX, Places};

/// Longest head of a usual request, in bytes.
const HEAD_BYTES_MAX: usize = 12 * 1024;

/// What has come so far.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once; a box would cost each request more"
)]
pub enum Asked {
    /// Not a whole head yet.
    More,
    Request(Usual),
    /// A request that is none of these, or no request at all. Nothing was taken.
    Unusual,
}

/// A usual request.
#[derive(Debug)]
pub struct Usual {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// The head as it was written.
    pub head: Bytes,
    pub body: Bytes,
}

/// Reads one request after the other from bytes as they come.
#[derive(Debug, Default)]
pub struct RequestReader {
    /// Bytes that were looked at already and are no whole head.
    seen: usize,
}

impl RequestReader {
    /// Takes a request off the bytes that have come.
    pub fn read(&mut self, bytes: &mut BytesMut) -> Asked {
        if bytes.is_empty() {
            return Asked::More;
        }
        let asked =
            if self.seen == 0 || fields::ends_head(bytes, self.seen) { taken(bytes) } else { Asked::More };
        self.seen = if matches!(asked, Asked::More) { bytes.len() } else { 0 };
        if self.seen > HEAD_BYTES_MAX { Asked::Unusual } else { asked }
    }
}

fn taken(bytes: &mut BytesMut) -> Asked {
    let mut parsed = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut parsed) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_BYTES_MAX => length,
        Ok(httparse::Status::Partial) => return Asked::More,
        Ok(_) | Err(_) => return Asked::Unusual,
    };
    let (Some(method), Some(target), Some(1)) = (request.method, request.path, request.version) else {
        return Asked::Unusual;
    };
    // Empty lines before it are passed over by the parser.
    let (Some(method), true) = (usual_method(method), bytes.starts_with(method.as_bytes())) else {
        return Asked::Unusual;
    };
    let Some(body) = usual_length(request.headers) else { return Asked::Unusual };
    if !target.starts_with('/') || bytes.len() - length < body {
        return Asked::Unusual;
    }
    let target = fields::span(bytes, target.as_bytes());
    let places = Places::of(bytes, request.headers);
    let head = bytes.split_to(length).freeze();
    let read = Uri::from_maybe_shared(head.slice(target.0..target.1)).ok().zip(places.headers(&head).ok());
    let Some((uri, headers)) = read else {
        *bytes = [&head, &bytes[..]].concat().as_slice().into();
        return Asked::Unusual;
    };
    let body = bytes.split_to(body).freeze();
    Asked::Request(Usual { method, uri, headers, head, body })
}

fn usual_method(name: &str) -> Option<Method> {
    let usual = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    usual.into_iter().find(|method| method.as_str() == name)
}

/// The body's length, if nothing else is said of it or of the connection, and one host is named.
fn usual_length(headers: &[httparse::Header<'_>]) -> Option<usize> {
    let (mut length, mut host) = (None, false);
    for header in headers {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            4 if is("Host") && std::mem::replace(&mut host, true) => return None,
            6 if is("Expect") => return None,
            7 if is("Upgrade") => return None,
            10 if is("Connection") && !header.value.eq_ignore_ascii_case(b"keep-alive") => return None,
            14 if is("Content-Length") => {
                let said = usize::try_from(fields::digits(header.value)?).ok()?;
                if length.replace(said).is_some() {
                    return None;
                }
            }
            17 if is("Transfer-Encoding") => return None,
            _ => {}
        }
    }
    host.then_some(length.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads requests in parts of some sizes: method, target and body of each, and how it ends.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        for part in [1, 2, 3, 7, 100_000] {
            let (mut reader, mut bytes, mut told) = (RequestReader::default(), BytesMut::new(), Vec::new());
            for part in text.as_bytes().chunks(part) {
                bytes.extend_from_slice(part);
                while let Asked::Request(Usual { method, uri, .. }) = reader.read(&mut bytes) {
                    told.push(format!("{method} {uri}"));
                }
            }
            assert_eq!(told, expected, "in parts of {part}: {text:?}");
        }
    }

    #[track_caller]
    fn check_unusual(text: &str) {
        let mut bytes = BytesMut::from(text);
        assert!(matches!(RequestReader::default().read(&mut bytes), Asked::Unusual), "{text:?}");
        assert_eq!(bytes, text, "nothing is taken");
    }

    #[test]
    fn usual_requests_follow_each_other() {
        check(
            "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\nPUT /2 HTTP/1.1\r\nhost: h\r\nconnection: Keep-Alive\r\n\r\nG",
            &["GET /a?b", "PUT /2"],
        );
        check("GET / HTTP/1.1\r\nHost: h\r\n\r", &[]);
        let mut bytes = BytesMut::from("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nwellGET /");
        let Asked::Request(usual) = RequestReader::default().read(&mut bytes) else { panic!("it is usual") };
        assert_eq!((&usual.body[..], &bytes[..]), (&b"well"[..], &b"GET /"[..]));
        assert!(usual.head.ends_with(b"4\r\n\r\n") && usual.headers.len() == 2);
    }

    #[test]
    fn all_others_are_left_as_they_are() {
        for line in [
            "HEAD / HTTP/1.1",
            "CONNECT h:1 HTTP/1.1",
            "OWN / HTTP/1.1",
            "GET / HTTP/1.0",
            "GET http://h/ HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "GET / HTTP/2.0",
            "\r\nGET / HTTP/1.1",
            "PRI * HTTP/2.0",
            "GET /\x01 HTTP/1.1",
        ] {
            check_unusual(&format!("{line}\r\nHost: h\r\n\r\n"));
        }
        for line in [
            "Transfer-Encoding: chunked",
            "transfer-encoding: x",
            "Expect: 100-continue",
            "Upgrade: h2c",
            "Connection: close",
            "Connection: keep-alive, x",
            "Content-Length: 1",
            "Content-Length: +0",
            "Content-Length:",
            "Content-Length: 0\r\nContent-Length: 0",
            "Content-Length: 0, 0",
            "Host: h",
            "host: other",
            "a\0: b",
            " a: b",
        ] {
            check_unusual(&format!("GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n"));
        }
        check_unusual("GET / HTTP/1.1\r\n\r\n");
        check_unusual(&format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(HEAD_BYTES_MAX)));
        check_unusual(&format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "x: y\r\n".repeat(HEADERS_MAX + 1)));
        check_unusual(&format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(HEAD_BYTES_MAX)));
    }
}

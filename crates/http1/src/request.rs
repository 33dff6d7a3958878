//! Writes the head of a request.

use http::{HeaderName, HeaderValue, Method, Uri, header};

use crate::fields;

/// How long a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// There is no body, and nothing is said of one.
    None,
    Known(u64),
    /// It is sent in chunks.
    Unknown,
}

/// Appends a request's first line and headers to `bytes`: the host first, and of the body's length what is true, not what
/// `headers` say. `write_name` appends a header's name, in whichever case.
pub fn write_request<'h>(
    bytes: &mut Vec<u8>,
    (method, uri): (&Method, &Uri),
    host: &[u8],
    headers: impl IntoIterator<Item = (&'h HeaderName, &'h HeaderValue)>,
    length: Length,
    mut write_name: impl FnMut(&mut Vec<u8>, &HeaderName),
) {
    write_line(bytes, method, uri);
    fields::write(bytes, "Host", host);
    for (name, value) in headers {
        // All three are told anew.
        if ![header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name) {
            write_name(bytes, name);
            fields::write_value(bytes, value.as_bytes());
        }
    }
    match length {
        Length::None => {}
        Length::Known(length) => fields::write_length(bytes, "Content-Length", length),
        Length::Unknown => fields::write(bytes, "Transfer-Encoding", b"chunked"),
    }
    bytes.extend_from_slice(b"\r\n");
}

/// RFC 9112, section 3.
fn write_line(bytes: &mut Vec<u8>, method: &Method, uri: &Uri) {
    bytes.extend_from_slice(method.as_str().as_bytes());
    bytes.push(b' ');
    if *method == Method::CONNECT {
        bytes.extend_from_slice(uri.authority().map_or("", |authority| authority.as_str()).as_bytes());
    } else {
        bytes.extend_from_slice(uri.path().as_bytes());
        if let Some(query) = uri.query() {
            bytes.push(b'?');
            bytes.extend_from_slice(query.as_bytes());
        }
    }
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[track_caller]
    fn check(method: &Method, uri: &'static str, length: Length, expected: &str) {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("x-a", "1"), ("content-length", "9"), ("transfer-encoding", "x"), ("host", "b"), ("x-a", "2")]
        {
            headers.append(name, HeaderValue::from_static(value));
        }
        let mut bytes = Vec::new();
        let uri = Uri::from_static(uri);
        write_request(&mut bytes, (method, &uri), b"h:1", &headers, length, |bytes, name| {
            bytes.extend_from_slice(name.as_str().as_bytes());
        });
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    #[test]
    fn heads_say_what_is_true() {
        let lines = "Host: h:1\r\nx-a: 1\r\nx-a: 2\r\n";
        check(&Method::GET, "http://h:1/a?b=c", Length::None, &format!("GET /a?b=c HTTP/1.1\r\n{lines}\r\n"));
        check(&Method::GET, "http://h:1?b", Length::None, &format!("GET /?b HTTP/1.1\r\n{lines}\r\n"));
        check(
            &Method::PUT,
            "http://h",
            Length::Known(12),
            &format!("PUT / HTTP/1.1\r\n{lines}Content-Length: 12\r\n\r\n"),
        );
        let chunked = format!("PATCH / HTTP/1.1\r\n{lines}Transfer-Encoding: chunked\r\n\r\n");
        check(&Method::PATCH, "http://h/", Length::Unknown, &chunked);
        check(&Method::CONNECT, "http://h:1/", Length::None, &format!("CONNECT h:1 HTTP/1.1\r\n{lines}\r\n"));
    }
}

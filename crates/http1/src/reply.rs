//! Writes the head of an answer.

use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::{Length, fields};

/// Appends an answer's first line and headers to `bytes`: of the body's length what is true, not what `headers` say, and
/// `date` (RFC 9110, section 5.6.7) if they have none. `write_name` appends a header's name, in whichever case.
pub fn write_reply(
    bytes: &mut Vec<u8>,
    status: StatusCode,
    headers: &HeaderMap,
    length: Length,
    date: &[u8],
    mut write_name: impl FnMut(&mut Vec<u8>, &HeaderName),
) {
    if status == StatusCode::OK {
        bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    } else {
        bytes.extend_from_slice(b"HTTP/1.1 ");
        bytes.extend_from_slice(status.as_str().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(status.canonical_reason().unwrap_or("<none>").as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let mut dated = false;
    for (name, value) in headers {
        if ![header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name) {
            dated |= *name == header::DATE;
            write_name(bytes, name);
            fields::write_value(bytes, value.as_bytes());
        }
    }
    match length {
        Length::None => {}
        Length::Known(length) => fields::write_length(bytes, "Content-Length", length),
        Length::Unknown => fields::write(bytes, "Transfer-Encoding", b"chunked"),
    }
    if !dated {
        fields::write(bytes, "Date", date);
    }
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(status: u16, names: &[&'static str], length: Length, expected: &str) {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(*name, HeaderValue::from_static("v"));
        }
        let (mut bytes, status) = (Vec::new(), StatusCode::from_u16(status).expect("a status"));
        write_reply(&mut bytes, status, &headers, length, b"now", |bytes, name| {
            bytes.extend_from_slice(name.as_str().to_uppercase().as_bytes());
        });
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    #[test]
    fn heads_say_what_is_true() {
        check(
            200,
            &["x-a", "content-length", "x-a"],
            Length::Known(0),
            "HTTP/1.1 200 OK\r\nX-A: v\r\nX-A: v\r\nContent-Length: 0\r\nDate: now\r\n\r\n",
        );
        check(
            404,
            &["date", "transfer-encoding"],
            Length::Unknown,
            "HTTP/1.1 404 Not Found\r\nDATE: v\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        check(
            299,
            &[],
            Length::Known(1_204_567),
            "HTTP/1.1 299 <none>\r\nContent-Length: 1204567\r\nDate: now\r\n\r\n",
        );
        check(204, &[], Length::None, "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
    }
}

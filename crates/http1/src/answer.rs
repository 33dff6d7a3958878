//! Reads the head of an answer, passing over informational ones.

use std::mem::MaybeUninit;

use bytes::BytesMut;
use http::{HeaderMap, Method, StatusCode, Version, header};

use crate::fields::{self, HEADERS_MAX, Places};
use crate::{Framing, Malformed};

/// Longest head, in bytes, of any one answer.
pub const HEAD_BYTES_MAX: usize = 8 * 1024 + 4 * 1024 * HEADERS_MAX;

/// The head of an answer that is not informational, or switches protocols.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub framing: Framing,
    /// Whether another request can follow on the same connection, once the body has ended.
    pub keeps_alive: bool,
}

/// Reads one head from bytes as they come.
#[derive(Debug, Default)]
pub struct AnswerReader {
    /// Bytes that were looked at already and are no whole head.
    seen: usize,
}

impl AnswerReader {
    /// Takes the head of the answer to a request with this method off the bytes that have come; `None` if there is
    /// more of it to come.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn read(&mut self, bytes: &mut BytesMut, method: &Method) -> Result<Option<Answer>, Malformed> {
        while !bytes.is_empty() {
            // What comes in drops is not parsed anew with each.
            let read =
                if self.seen == 0 || fields::ends_head(bytes, self.seen) { taken(bytes)? } else { None };
            let Some(head) = read else {
                self.seen = bytes.len();
                return if self.seen >= HEAD_BYTES_MAX { Err(Malformed::HeadTooLong) } else { Ok(None) };
            };
            self.seen = 0;
            let informational = head.status.is_informational();
            if !informational || head.status == StatusCode::SWITCHING_PROTOCOLS {
                return head.answer(method).map(Some);
            }
        }
        Ok(None)
    }
}

struct Head {
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
}

fn taken(bytes: &mut BytesMut) -> Result<Option<Head>, Malformed> {
    let mut parsed = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let outcome = config.parse_response_with_uninit_headers(&mut response, bytes, &mut parsed);
    let httparse::Status::Complete(length) = outcome.map_err(Malformed::Head)? else { return Ok(None) };
    if length > HEAD_BYTES_MAX {
        return Err(Malformed::HeadTooLong);
    }
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Malformed::Status)?;
    let version = if response.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let places = Places::of(bytes, response.headers);
    let headers = places.headers(&bytes.split_to(length).freeze()).map_err(Malformed::Head)?;
    Ok(Some(Head { status, version, headers }))
}

impl Head {
    fn answer(self, method: &Method) -> Result<Answer, Malformed> {
        let Self { status, version, headers } = self;
        let framing = Framing::of_answer(method, status, version, &headers)?;
        let ends_here = framing != Framing::UntilClose && !Framing::is_ambiguous(&headers);
        let switches = status == StatusCode::SWITCHING_PROTOCOLS || *method == Method::CONNECT;
        let keeps_alive = ends_here && !switches && keeps_alive(version, &headers);
        Ok(Answer { status, headers, framing, keeps_alive })
    }
}

/// RFC 9112, section 9.3. Once `close` is said, nothing takes it back.
fn keeps_alive(version: Version, headers: &HeaderMap) -> bool {
    let said =
        |option: &str| headers.get_all(header::CONNECTION).iter().any(|value| fields::has(value, option));
    !said("close") && (version == Version::HTTP_11 || said("keep-alive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an answer to `GET` in parts of some sizes: status, framing, whether it keeps alive, and what follows.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        for part in [1, 2, 3, 7, 100_000] {
            assert_eq!(read(text, part, &Method::GET), expected, "in parts of {part}: {text:?}");
        }
    }

    fn read(text: &str, part: usize, method: &Method) -> String {
        let (mut reader, mut bytes) = (AnswerReader::default(), BytesMut::new());
        let mut parts = text.as_bytes().chunks(part);
        while let Some(part) = parts.next() {
            bytes.extend_from_slice(part);
            match reader.read(&mut bytes, method) {
                Ok(None) => {}
                Ok(Some(answer)) => {
                    bytes.extend(parts.flatten());
                    let rest = String::from_utf8_lossy(&bytes).into_owned();
                    let kept = if answer.keeps_alive { "kept" } else { "closed" };
                    return format!("{} {:?} {kept} {rest}", answer.status.as_u16(), answer.framing);
                }
                Err(error) => return error.to_string(),
            }
        }
        "more".to_owned()
    }

    #[test]
    fn heads_are_read_wherever_they_are_cut() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell", "200 Length(4) kept well");
        check("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", "200 None kept ");
        check("HTTP/1.1 200 OK\nContent-Length: 4\n\nwell", "200 Length(4) kept well");
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n0", "200 Chunked kept 0");
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n0", "200 UntilClose closed 0");
        check("HTTP/1.1 200 OK\r\n\r\nwell", "200 UntilClose closed well");
        check("HTTP/1.1 204 None\r\nContent-Length: 4\r\n\r\n", "204 None kept ");
        check(
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\n1",
            "200 Length(1) closed 1",
        );
        check(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1",
            "200 Length(1) closed 1",
        );
        check("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", "200 Length(1) closed 1");
        check(
            "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\n1",
            "200 Length(1) kept 1",
        );
        check("HTTP/1.1 101 Switching Protocols\r\n\r\nraw", "101 None closed raw");
        check("HTTP/1.1 200 OK\r\nContent-Length: 4", "more");
    }

    #[test]
    fn informational_answers_are_passed_over() {
        check(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 404 No\r\ncontent-length: 2\r\n\r\nno",
            "404 Length(2) kept no",
        );
        check("HTTP/1.1 103 Early Hints\r\n\r\n", "more");
    }

    #[test]
    fn answers_to_head_have_no_body() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
        assert_eq!(read(text, 100, &Method::HEAD), "200 None kept ");
        assert_eq!(read(text, 100, &Method::CONNECT), "200 None closed ");
    }

    #[test]
    fn what_could_be_two_answers_is_refused_or_the_last() {
        let both = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(both, "200 Chunked closed ");
        for line in ["Content-Length: 4\r\nContent-Length: 5", "Content-Length: four", "Content-Length:"] {
            check(&format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n"), &Malformed::Length.to_string());
        }
        check("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &Malformed::Coding.to_string());
        for line in ["Content-Length : 4", "a: b\r\n c", " a: b", "a\0: b", "a: b\rc: d", "a", ": a"] {
            let told = read(&format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n"), 100_000, &Method::GET);
            assert!(told.starts_with("it is no HTTP/1: "), "{line:?}: {told}");
        }
        assert!(read("SSH-2.0-OpenSSH\r\n", 100, &Method::GET).starts_with("it is no HTTP/1"));
    }

    #[test]
    fn heads_are_bounded() {
        let long = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(HEAD_BYTES_MAX));
        assert_eq!(read(&long, 8192, &Method::GET), Malformed::HeadTooLong.to_string());
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(HEADERS_MAX + 1));
        assert!(read(&many, 100_000, &Method::GET).starts_with("it is no HTTP/1: "), "too many");
    }
}

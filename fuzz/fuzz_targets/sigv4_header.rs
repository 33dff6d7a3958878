//! Signature Version 4: the first line is an `Authorization` header, the second a path, the rest a query.
//! Nothing may panic, and without the secret nothing may verify.
#![no_main]

use http::{HeaderMap, HeaderValue, Method, header};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use stagedoor_auth::sigv4::{Expected, Key, Payload, Request, peek_scope, verify};

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let authorization = lines.next().unwrap_or_default();
    let (path, query) = (text(lines.next()), text(lines.next()));
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:4566"));
    headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    if let Ok(value) = HeaderValue::from_bytes(authorization)
        && !value.is_empty()
    {
        headers.insert(header::AUTHORIZATION, value);
    }
    peek_scope(&headers, &query);
    let keys = |id: &str| Some(Key::long_term(id, "a secret that no input holds", "000000000000"));
    let now = Timestamp::from_second(1_440_938_160).expect("a time");
    let request = Request {
        method: &Method::GET,
        path: &path,
        query: &query,
        headers: &headers,
        host: None,
        payload: Payload::Bytes(b""),
    };
    let expected = Expected { service: "ivs", regions: None, now };
    assert!(verify(&request, &expected, &keys).is_err());
});

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

//! Our own signer against our verifier, over arbitrary requests: what is signed verifies, what is changed
//! afterwards does not, and no input makes the parsers panic.

use http::{HeaderMap, HeaderValue, Method, header};
use proptest::prelude::*;
use stagedoor_auth::sigv4::{Expected, Key, Payload, Request, SignError, peek_scope, presign, sign, verify};

use crate::wire::{Wire, at, key};

const NOW: &str = "2026-01-01T00:15:00Z";

fn a_request() -> impl Strategy<Value = Wire> {
    let path = "(/([a-zA-Z0-9~._$@:+-]|%[0-9A-F]{2}){0,8}){1,4}";
    let query = "([a-z]{1,3}(=([a-zA-Z0-9.~+-]|%2[0-9A-F]){0,6})?(&[a-z]{1,3}=[a-z0-9]{0,4}){0,3})?";
    let value = "[ -~]{0,24}";
    let method = prop::sample::select(vec!["GET", "POST", "DELETE", "PATCH", "PUT"]);
    // What is changed before a `..` is taken out with it.
    let path = path.prop_filter("no `..`", |path: &String| path.split('/').all(|segment| segment != ".."));
    (method, path, query, value, "[ -~]{0,40}").prop_map(|(method, path, query, value, body)| {
        let headers = [("host", "127.0.0.1:4566"), ("content-type", "application/json"), ("x-test", &*value)];
        Wire::new(method, &path, &query, &headers, &body)
    })
}

fn signed(request: &Wire, key: &Key) -> Wire {
    let added = request.with(|parts| sign(parts, key, "eu-west-1", "ivs", at(NOW))).expect("signs");
    let mut request = request.clone();
    for (name, value) in added {
        request.set(name.as_str(), value.to_str().expect("text"));
    }
    request
}

fn presigned(request: &Wire, key: &Key) -> Wire {
    let query = request.with(|parts| presign(parts, key, "eu-west-1", "ivs", at(NOW), 60)).expect("presigns");
    Wire { query, ..request.clone() }
}

fn verifies(request: &Wire, key: &Key) -> bool {
    request.verify(key, "ivs", at(NOW)).is_ok()
}

/// Replaces one character; false if it was that character already.
fn replace(text: &mut String, index: prop::sample::Index, by: char) -> bool {
    if text.is_empty() {
        return false;
    }
    let at = index.index(text.len());
    if text.as_bytes()[at] == by as u8 {
        return false;
    }
    text.replace_range(at..=at, by.encode_utf8(&mut [0; 4]));
    true
}

proptest! {
    #[test]
    fn what_we_sign_verifies(request in a_request(), token in prop::option::of("[!-~]{1,40}")) {
        let key = key(token.as_deref());
        let with_header = signed(&request, &key);
        let result = with_header.verify(&key, "ivs", at(NOW));
        prop_assert!(result.is_ok(), "{:?} {:?}", with_header, result);
        let with_query = presigned(&request, &key);
        let result = with_query.verify(&key, "ivs", at(NOW));
        prop_assert!(result.is_ok(), "{:?} {:?}", with_query, result);
    }

    /// One character is replaced by a letter or digit, which no canonical form treats as another's equal.
    #[test]
    fn what_was_changed_afterwards_does_not_verify(
        request in a_request(),
        by_query in any::<bool>(),
        place in 0..6usize,
        index in any::<prop::sample::Index>(),
        by in prop::char::ranges(vec!['0'..='9', 'a'..='z', 'A'..='Z'].into()),
    ) {
        let key = key(None);
        let good = if by_query { presigned(&request, &key) } else { signed(&request, &key) };
        let mut bad = good.clone();
        let changed = match place {
            0 => { bad.method = format!("{by}{}", bad.method); true }
            1 => { let end = bad.path.split_off(1); bad.path.push(by); bad.path.push_str(&end); true }
            2 => replace(&mut bad.query, index, by),
            3 => replace(&mut bad.body, index, by),
            4 => { bad.body.push(by); true }
            _ => {
                let header = index.index(bad.headers.len());
                replace(&mut bad.headers[header].1, index, by)
            }
        };
        // The hexadecimal digits of an escape may change case, which changes nothing.
        let same_query = bad.query != good.query && bad.query.eq_ignore_ascii_case(&good.query);
        prop_assume!(changed && !same_query);
        prop_assert!(!verifies(&bad, &key), "{:?} was {:?}", bad, good);
    }

    #[test]
    fn no_bytes_make_the_parsers_panic(
        path in ".{0,60}",
        query in "(X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature)=.{0,30}&){0,7}.{0,30}",
        authorization in prop::collection::vec(any::<u8>(), 0..200),
        prefix in prop::sample::select(vec![
            "",
            "AWS4-HMAC-SHA256 ",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/ivs/aws4_request,SignedHeaders=host;",
        ]),
    ) {
        let mut headers = HeaderMap::new();
        let value = [prefix.as_bytes(), &authorization].concat();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.insert(header::AUTHORIZATION, value);
            headers.insert("x-amz-date", HeaderValue::from_static("20260101T001500Z"));
        }
        let keys = |_: &str| Some(key(None));
        let expected = Expected { service: "ivs", regions: None, now: at(NOW) };
        for headers in [headers, HeaderMap::new()] {
            peek_scope(&headers, &query);
            let payload = Payload::Bytes(b"");
            let request =
                Request { method: &Method::GET, path: &path, query: &query, headers: &headers, host: None, payload };
            prop_assert!(verify(&request, &expected, &keys).is_err());
        }
    }
}

#[test]
fn the_host_argument_stands_in_for_the_header() {
    let signed = signed(&Wire::new("GET", "/", "", &[("host", "example.com")], ""), &key(None));
    let keys = |_: &str| Some(key(None));
    let expected = Expected { service: "ivs", regions: None, now: at(NOW) };
    let with_host = |host: Option<&str>| {
        let mut headers = signed.headers();
        headers.remove(header::HOST);
        signed.with(|request| {
            verify(&Request { headers: &headers, host, ..*request }, &expected, &keys).is_ok()
        })
    };
    assert!(with_host(Some("example.com")));
    assert!(!with_host(Some("example.org")));
    assert!(!with_host(None));
}

#[test]
fn a_body_hashed_beforehand_counts_as_the_body() {
    let signed = signed(&Wire::new("POST", "/", "", &[("host", "example.com")], ""), &key(None));
    let keys = |_: &str| Some(key(None));
    let expected = Expected { service: "ivs", regions: None, now: at(NOW) };
    let of_nothing = [
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ];
    for (hash, good) in [(of_nothing, true), ([0; 32], false)] {
        let payload = Payload::Sha256(&hash);
        let result = signed.with(|request| verify(&Request { payload, ..*request }, &expected, &keys));
        assert_eq!(result.is_ok(), good);
    }
}

/// The client opts out of signing the body, and the header that says so is signed.
#[test]
fn an_unsigned_payload_is_the_clients_choice_alone() {
    let request =
        Wire::new("POST", "/", "", &[("host", "h"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], "a");
    let mut signed = signed(&request, &key(None));
    signed.body = "b".into();
    assert!(verifies(&signed, &key(None)));
    signed.headers.retain(|(name, _)| name != "x-amz-content-sha256");
    assert!(!verifies(&signed, &key(None)));
}

#[test]
fn what_cannot_be_signed() {
    let hostless = Wire::new("GET", "/", "", &[], "");
    let unsigned = hostless.with(|request| sign(request, &key(None), "r", "s", at(NOW)));
    assert_eq!(unsigned, Err(SignError::NoHost));
    let request = Wire::new("GET", "/", "", &[("host", "h")], "");
    let unusable = Key { access_key_id: "a\nb".into(), ..key(None) };
    let unsigned = request.with(|request| sign(request, &unusable, "r", "s", at(NOW)));
    assert_eq!(unsigned, Err(SignError::UnusableKey));
    for seconds in [0, 604_801] {
        let unsigned = request.with(|request| presign(request, &key(None), "r", "s", at(NOW), seconds));
        assert_eq!(unsigned, Err(SignError::Expires));
    }
}

/// The example "PUT Object" of Amazon S3's page "Signature Calculations for the Authorization Header": a key is encoded
/// once, not twice as other services' paths are.
#[test]
fn paths_of_s3_are_encoded_once() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "examplebucket.s3.amazonaws.com"),
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
    ] {
        headers.insert(name, value.parse().expect("a value"));
    }
    let request = Request {
        method: &Method::PUT,
        path: "/test%24file.text",
        query: "",
        headers: &headers,
        host: None,
        payload: Payload::Bytes(b"Welcome to Amazon S3."),
    };
    let key = Key::long_term("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "1");
    let time = "2013-05-24T00:00:00Z".parse().expect("a time");
    let added = sign(&request, &key, "us-east-1", "s3", time).expect("signs");
    let signed = added.last().and_then(|(_, value)| value.to_str().ok()).expect("text");
    assert!(signed.ends_with("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"), "{signed}");
}

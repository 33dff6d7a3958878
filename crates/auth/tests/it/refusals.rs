//! Every way to be turned away, with AWS's error type and words.

use jiff::ToSpan;
use stagedoor_auth::sigv4::{Expected, Key, Refusal, presign, sign, verify};

use crate::wire::{Wire, at, key};

const NOW: &str = "2026-01-01T00:15:00Z";
const CREDENTIAL: &str = "AKIDEXAMPLE/20260101/us-east-1/apigateway/aws4_request";

fn plain() -> Wire {
    Wire::new("GET", "/restapis/abc/stages", "", &[("host", "127.0.0.1:4566")], "")
}

/// A well-signed request, signed so many seconds after `NOW`.
fn signed(seconds: i64, key: &Key) -> Wire {
    let mut request = plain();
    let time = at(NOW) + seconds.seconds();
    let added = request.with(|parts| sign(parts, key, "us-east-1", "apigateway", time)).expect("signs");
    for (name, value) in added {
        request.set(name.as_str(), value.to_str().expect("text"));
    }
    request
}

fn presigned(seconds: i64, expires: u32) -> Wire {
    let mut request = plain();
    let time = at(NOW) + seconds.seconds();
    request.query = request
        .with(|parts| presign(parts, &key(None), "us-east-1", "apigateway", time, expires))
        .expect("presigns");
    request
}

fn refusal(request: &Wire, key: &Key) -> Refusal {
    request.verify(key, "apigateway", at(NOW)).expect_err("must be refused")
}

fn check(request: &Wire, code: &str, message: &str) {
    let refusal = refusal(request, &key(None));
    assert_eq!((refusal.code(), refusal.message()), (code, message), "{request:?}");
    assert_eq!(refusal.status(), 403);
}

#[test]
fn good_requests_pass() {
    let long_term = key(None);
    for seconds in [-900, 0, 900] {
        let identity = signed(seconds, &long_term).verify(&long_term, "apigateway", at(NOW)).expect("passes");
        assert_eq!(identity.access_key_id, "AKIDEXAMPLE");
        assert_eq!(identity.signed_headers, ["host", "x-amz-date"]);
    }
    for (seconds, expires) in [(0, 1), (-3600, 3600), (900, 1)] {
        let identity = presigned(seconds, expires).verify(&long_term, "apigateway", at(NOW));
        assert!(identity.is_ok(), "{identity:?}");
    }
}

#[test]
fn authorization_headers_that_cannot_be_read() {
    let cases: [(&str, String); 9] = [
        ("Bearer abc", "'abc' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer abc'.".into()),
        (
            "eyJ0.eyJp.4f1J",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires \
             existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=eyJ0.eyJp.4f1J"
                .into(),
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a",
            "Authorization header requires 'Signature' parameter. Authorization header requires \
             'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a \
             'Date' header. Authorization=AWS4-HMAC-SHA256 Credential=a"
                .into(),
        ),
        ("AWS4-HMAC-SHA256 Credential=a, Credential=b", "'Credential' is given more than once.".into()),
        (&format!("AWS4-HMAC-SHA256 {}", "a".repeat(9000)), "The Authorization header is too long.".into()),
        (
            "DATED AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c'".into(),
        ),
        (
            &format!("DATED AWS4-HMAC-SHA1 Credential={CREDENTIAL}, SignedHeaders=host, Signature=0"),
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.".into(),
        ),
        (
            &format!("DATED AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=ho st, Signature=0"),
            "SignedHeaders names something that is not a header.".into(),
        ),
        (
            &format!("DATED AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders={}, Signature=0", "a;".repeat(101)),
            "SignedHeaders names more than 100 headers.".into(),
        ),
    ];
    for (authorization, message) in cases {
        let mut request = plain();
        let value = match authorization.strip_prefix("DATED ") {
            Some(rest) => {
                request.set("x-amz-date", "20260101T001500Z");
                rest
            }
            None => authorization,
        };
        request.set("authorization", value);
        check(&request, "IncompleteSignatureException", &message);
    }
}

#[test]
fn other_unreadable_signatures() {
    check(&plain(), "MissingAuthenticationTokenException", "Missing Authentication Token");

    let mut twice = signed(0, &key(None));
    twice.headers.push(("authorization".into(), "AWS4-HMAC-SHA256 ".into()));
    check(&twice, "IncompleteSignatureException", "Only one Authorization header may be present.");

    let mut undated = signed(0, &key(None));
    undated.set("x-amz-date", "now");
    check(
        &undated,
        "IncompleteSignatureException",
        "Date must be in ISO-8601 'basic format'. Got 'now'. See http://en.wikipedia.org/wiki/ISO_8601",
    );
}

#[test]
fn presigned_queries_that_cannot_be_read() {
    let good = presigned(0, 60).query;
    let cases = [
        (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T001500Z".to_owned(),
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must \
             include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS \
             query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters.",
        ),
        (format!("{good}&X-Amz-Signature=0"), "'X-Amz-Signature' is given more than once."),
        (good.replace("X-Amz-Expires=60", "X-Amz-Expires=%ff"), "'X-Amz-Expires' is not UTF-8."),
        (
            good.replace("X-Amz-Expires=60", "X-Amz-Expires=0"),
            "X-Amz-Expires must be a number of seconds from 1 to 604800, got '0'",
        ),
        (
            good.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"),
            "X-Amz-Expires must be a number of seconds from 1 to 604800, got '604801'",
        ),
        (
            good.replace("X-Amz-Expires=60", "X-Amz-Expires=%2B60"),
            "X-Amz-Expires must be a number of seconds from 1 to 604800, got '+60'",
        ),
        (format!("{good}&x={}", "a".repeat(70_000)), "The query string is too long."),
    ];
    for (query, message) in cases {
        check(&Wire { query, ..plain() }, "IncompleteSignatureException", message);
    }
}

#[test]
fn clocks_that_are_off() {
    check(
        &signed(-901, &key(None)),
        "InvalidSignatureException",
        "Signature expired: 20251231T235959Z is now earlier than 20260101T000000Z (20260101T001500Z - 15 min.)",
    );
    check(
        &signed(901, &key(None)),
        "InvalidSignatureException",
        "Signature not yet current: 20260101T003001Z is still later than 20260101T003000Z (20260101T001500Z + 15 min.)",
    );
    check(
        &presigned(-61, 60),
        "InvalidSignatureException",
        "Signature expired: 20260101T001359Z is now earlier than 20260101T001400Z (20260101T001500Z - 60 sec.)",
    );
    check(
        &presigned(901, 3600),
        "InvalidSignatureException",
        "Signature not yet current: 20260101T003001Z is still later than 20260101T003000Z (20260101T001500Z + 15 min.)",
    );
}

#[test]
fn credentials_for_something_else() {
    let cases = [
        (
            "AKIDEXAMPLE/20260101/us-east-1/execute-api/aws4_request",
            "Credential should be scoped to correct service: 'apigateway'. ",
        ),
        (
            "AKIDEXAMPLE/20260101/US_EAST/apigateway/aws4_request",
            "Credential should be scoped to a valid region, not 'US_EAST'. ",
        ),
        (
            "AKIDEXAMPLE/20260101/us-east-1/apigateway/aws5_request",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ",
        ),
        (
            "AKIDEXAMPLE/20260102/us-east-1/apigateway/aws4_request",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '20260102' != '20260101', from '20260101T001500Z'. ",
        ),
        (
            "AKIDEXAMPLE/20260101/?/ivs/aws4_request",
            "Credential should be scoped to a valid region, not '?'. Credential should be scoped to correct \
             service: 'apigateway'. ",
        ),
    ];
    for (credential, message) in cases {
        let mut request = signed(0, &key(None));
        let authorization = request.get("authorization").expect("signed").replace(CREDENTIAL, credential);
        request.set("authorization", &authorization);
        check(&request, "InvalidSignatureException", message);
    }
}

#[test]
fn regions_that_are_not_served() {
    let request = signed(0, &key(None));
    let keys = |_: &str| Some(key(None));
    let served = |regions: &[&str]| {
        let expected = Expected { service: "apigateway", regions: Some(regions), now: at(NOW) };
        request.with(|parts| verify(parts, &expected, &keys))
    };
    assert!(served(&["eu-west-1", "us-east-1"]).is_ok());
    let refusal = served(&["eu-west-1"]).expect_err("another region");
    assert_eq!(refusal.message(), "Credential should be scoped to a valid region, not 'us-east-1'. ");
}

#[test]
fn keys_and_session_tokens() {
    let (plain, temporary) = (key(None), key(Some("TOKEN")));
    let expired = Key { expires: Some(at(NOW)), ..temporary.clone() };
    let current = Key { expires: Some(at(NOW) + 1.second()), ..temporary.clone() };
    let stranger = Key { access_key_id: "AKIDSTRANGER".into(), ..plain.clone() };
    let impostor = Key { secret_access_key: "guessed".into(), ..plain.clone() };
    let invalid = ("UnrecognizedClientException", "The security token included in the request is invalid.");
    let ended = ("ExpiredTokenException", "The security token included in the request is expired");

    // What the client signs with, what the server knows, the refusal.
    let cases = [
        (&plain, &plain, None),
        (&temporary, &temporary, None),
        (&temporary, &current, None),
        (&temporary, &expired, Some(ended)),
        (&temporary, &plain, Some(invalid)),
        (&plain, &temporary, Some(invalid)),
        (&key(Some("OTHER")), &temporary, Some(invalid)),
        (&plain, &expired, Some(invalid)),
        (&stranger, &plain, Some(invalid)),
    ];
    for (theirs, ours, expected) in cases {
        let result = signed(0, theirs).verify(ours, "apigateway", at(NOW));
        let got = result.as_ref().err().map(|refusal| (refusal.code(), refusal.message()));
        assert_eq!(got, expected, "{theirs:?} {ours:?}");
    }
    assert_eq!(refusal(&signed(0, &impostor), &plain).code(), "InvalidSignatureException");
}

#[test]
fn signatures_that_cover_too_little() {
    let mut hostless = signed(0, &key(None));
    let authorization = hostless.get("authorization").expect("signed").replace("host;", "");
    hostless.set("authorization", &authorization);
    check(
        &hostless,
        "InvalidSignatureException",
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );

    let mut streaming = signed(0, &key(None));
    streaming.set("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    check(
        &streaming,
        "InvalidSignatureException",
        "Streaming payload signatures are not supported by this service; sign the whole payload.",
    );
}

#[test]
fn a_mismatch_shows_what_should_have_been_signed() {
    let mut request = signed(0, &key(None));
    request.path = "/restapis/other/stages".into();
    check(
        &request,
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
         Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String \
         for this request should have been\n'GET\n/restapis/other/stages\n\nhost:127.0.0.1:4566\n\
         x-amz-date:20260101T001500Z\n\nhost;x-amz-date\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have \
         been\n'AWS4-HMAC-SHA256\n20260101T001500Z\n20260101/us-east-1/apigateway/aws4_request\n\
         688352fb91be7e4cf981e98de50bd0714732a6212a70f26e73180a2a1323efa5'\n",
    );
    request.path = format!("/{}", "a".repeat(20_000));
    assert!(refusal(&request, &key(None)).message().len() < 300);
}

//! AWS's own test suite for signers (the aws-c-auth project's `v4` vectors, Apache-2.0), turned round: what
//! the suite's signer sends must verify, and the canonical request must be the suite's, byte for byte.
//!
//! `data/aws-signing-test-suite.json` holds them compactly; folded header lines are unfolded, as an HTTP
//! server does (RFC 9112 section 5.2).

use serde::Deserialize;
use stagedoor_auth::sigv4::Refusal;

use crate::wire::{Wire, at, key};

#[derive(Deserialize)]
struct Case {
    name: String,
    /// The signer was told, as for S3, not to normalise the path.
    #[serde(default)]
    unnormalized: bool,
    token: Option<String>,
    header: Signed,
    query: Signed,
}

#[derive(Deserialize)]
struct Signed {
    #[serde(flatten)]
    request: Wire,
    canonical: String,
}

#[test]
fn every_vector_of_the_aws_suite_verifies() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../data/aws-signing-test-suite.json")).expect("the data file");
    assert_eq!(cases.len(), 38);
    for case in cases {
        for (form, signed) in [("header", &case.header), ("query", &case.query)] {
            // Only AWS IoT takes a session token that was appended to an URL after it had been signed.
            if (&*case.name, form) == ("post-sts-header-after", "query") {
                continue;
            }
            check(&format!("{} ({form})", case.name), &case, signed);
        }
    }
}

fn check(name: &str, case: &Case, signed: &Signed) {
    let key = key(case.token.as_deref());
    let now = at("2015-08-30T12:40:00Z");
    let identity = signed.request.verify(&key, "service", now);
    let identity = identity.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    assert_eq!(identity.account, "123456789012", "{name}");
    assert_eq!(identity.scope.region, "us-east-1", "{name}");

    let Err(Refusal::InvalidSignature(message)) = spoilt(&signed.request).verify(&key, "service", now) else {
        panic!("{name}: verifies with another signature");
    };
    if !case.unnormalized {
        let shown = format!("should have been\n'{}'\n\nThe String-to-Sign", signed.canonical);
        assert!(message.contains(&shown), "{name}: not in\n{message}\nis\n{}", signed.canonical);
    }
}

/// The same request with one digit of its signature changed.
fn spoilt(request: &Wire) -> Wire {
    let flip = |text: &str| {
        let last = if text.ends_with('0') { "1" } else { "0" };
        format!("{}{last}", &text[..text.len() - 1])
    };
    let mut spoilt = request.clone();
    match request.get("authorization") {
        Some(value) => spoilt.set("authorization", &flip(value)),
        None => spoilt.query = flip(&request.query),
    }
    spoilt
}

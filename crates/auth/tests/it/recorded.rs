//! What real clients sent: botocore 1.44.5 (plain and presigned), AWS SDK for JavaScript v3 and its presigner,
//! and curl 7.88, each recorded from the socket of a local server. All sign ARNs in paths in their own way.

use jiff::ToSpan;
use serde::Deserialize;
use stagedoor_auth::sigv4::peek_scope;

use crate::wire::{Wire, at, key};

#[derive(Deserialize)]
struct Recorded {
    client: String,
    #[serde(flatten)]
    request: Wire,
}

fn recorded() -> Vec<Recorded> {
    serde_json::from_str(include_str!("../data/sdk-requests.json")).expect("the data file")
}

/// The time of signing, from wherever the client put it.
fn signing_time(request: &Wire) -> jiff::Timestamp {
    let in_query = request.query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Date="));
    let text = request.get("x-amz-date").or(in_query).expect("a signing time");
    at(&format!("{}-{}-{}:{}:{}", &text[..4], &text[4..6], &text[6..11], &text[11..13], &text[13..]))
}

#[test]
fn requests_of_real_clients_verify() {
    let all = recorded();
    assert_eq!(all.len(), 24);
    for Recorded { client, request } in all {
        let has_token =
            request.get("x-amz-security-token").is_some() || request.query.contains("X-Amz-Security-Token=");
        let key = key(has_token.then_some("SESSIONTOKEN/+=="));
        let scope = peek_scope(&request.headers(), &request.query).expect("a scope");
        let now = signing_time(&request) + 30.seconds();
        let identity = request.verify(&key, &scope.service, now);
        let identity = identity.unwrap_or_else(|refusal| panic!("{client} {}: {refusal}", request.path));
        assert_eq!(identity.scope, scope);
    }
}

/// An HTTP library or proxy between signer and server may decode what need not be encoded.
#[test]
fn an_arn_that_was_decoded_on_the_way_still_verifies() {
    let mut seen = 0;
    for Recorded { client, mut request } in recorded() {
        if !request.path.contains("arn%3Aaws%3Aivs") || client == "curl" {
            continue;
        }
        request.path = request.path.replace("%3A", ":");
        let has_token = request.get("x-amz-security-token").is_some();
        let key = key(has_token.then_some("SESSIONTOKEN/+=="));
        let identity = request.verify(&key, "ivs", signing_time(&request));
        assert!(identity.is_ok(), "{client} {}: {identity:?}", request.path);
        seen += 1;
    }
    assert_eq!(seen, 6);
}

/// One more encoding names another resource, so the signature must not carry over.
#[test]
fn an_arn_that_was_encoded_again_does_not_verify() {
    for Recorded { client, mut request } in recorded() {
        if !request.path.contains("%3A") {
            continue;
        }
        let key = key(request.get("x-amz-security-token").map(|_| "SESSIONTOKEN/+=="));
        let scope = peek_scope(&request.headers(), &request.query).expect("a scope");
        request.path = request.path.replace('%', "%25");
        let result = request.verify(&key, &scope.service, signing_time(&request));
        assert!(result.is_err(), "{client} {}", request.path);
    }
}

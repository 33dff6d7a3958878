//! JSON web tokens and participant tokens: one made by PyJWT, our own, and every kind of bad one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use proptest::prelude::*;
use stagedoor_auth::es384::{KeyPair, PublicKey};
use stagedoor_auth::jwt;
use stagedoor_auth::participant_token::{Capabilities, Claims, TokenError, issue, verify};

const KID: &str = "arn:aws:ivs:us-west-2:123456789012:public-key/f99cde61-c2b0-4df3-8941-ca7d38acca1a";
const IAT: i64 = 1_697_149_263;

fn claims() -> Claims {
    Claims {
        exp: IAT + 172_800,
        iat: IAT,
        jti: "Mx6clRRHODPy".into(),
        resource: "arn:aws:ivs:us-west-2:123456789012:stage/abcdEFGH1234".into(),
        topic: "abcdEFGH1234".into(),
        events_url: "wss://stages.example.com/events".into(),
        whip_url: "https://stages.example.com/whip".into(),
        capabilities: Capabilities { allow_publish: true, allow_subscribe: true },
        version: "1.0".into(),
        user_id: Some("hiddenUser".into()),
        attributes: Some(BTreeMap::from([("displayName".into(), "Ünïcode".into())])),
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// A token over any header and payload.
fn token(key: &KeyPair, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// A token over any claims, checked or not.
fn token_of(key: &KeyPair, claims: &Claims) -> String {
    jwt::sign(&serde_json::to_vec(claims).expect("JSON"), KID, key)
}

fn check(token: &str, key: &KeyPair, at: i64) -> Result<Claims, TokenError> {
    verify(token, |kid| (kid == KID).then(|| key.public_key()), second(at))
}

#[test]
fn a_token_of_another_library_is_read() {
    let key = PublicKey::from_pem(include_str!("../data/p384-public.pem")).expect("a key");
    let token = include_str!("../data/participant-token.jwt").trim_end();
    let lookup = |kid: &str| (kid == KID).then(|| key.clone());
    assert_eq!(verify(token, lookup, second(IAT)), Ok(claims()));
    assert_eq!(verify(token, lookup, second(IAT + 172_799)), Ok(claims()));
    assert_eq!(verify(token, lookup, second(IAT + 172_800)), Err(TokenError::Expired));
    assert_eq!(verify(token, |_| None, second(IAT)), Err(TokenError::Malformed("kid names no known key")));
    let other = KeyPair::generate().public_key();
    assert_eq!(verify(token, |_| Some(other), second(IAT)), Err(TokenError::Malformed("wrong signature")));
}

#[test]
fn what_we_issue_is_read_and_has_the_documented_header() {
    let key = KeyPair::generate();
    let plain = Claims { user_id: None, attributes: None, ..claims() };
    for claims in [claims(), plain] {
        let token = issue(&claims, &key, KID).expect("issues");
        assert_eq!(check(&token, &key, IAT), Ok(claims));
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a part")).expect("base64url");
        let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
        assert_eq!(header, serde_json::json!({ "alg": "ES384", "typ": "JWT", "kid": KID }));
    }
}

#[test]
fn optional_claims_are_left_out_when_absent() {
    let payload = serde_json::to_value(Claims { user_id: None, attributes: None, ..claims() }).expect("JSON");
    let names: Vec<&str> = payload.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected =
        ["exp", "iat", "jti", "resource", "topic", "events_url", "whip_url", "capabilities", "version"];
    assert_eq!(names, expected);
}

#[test]
fn claims_that_break_a_rule_are_neither_issued_nor_read() {
    let attributes = |name: &str, bytes: usize| Some(BTreeMap::from([(name.to_owned(), "a".repeat(bytes))]));
    let stage = |arn: &str| Claims { resource: arn.into(), ..claims() };
    let arn = "resource is not the ARN of a stage";
    let elsewhere = "the key is of another account or region than the stage";
    let cases = [
        (Claims { version: "1.1".into(), ..claims() }, "version is not 1.0"),
        (Claims { jti: String::new(), ..claims() }, "jti is not 1 to 64 of a-z, A-Z, 0-9, - and _"),
        (Claims { jti: "a".repeat(65), ..claims() }, "jti is not 1 to 64 of a-z, A-Z, 0-9, - and _"),
        (Claims { jti: "a.b".into(), ..claims() }, "jti is not 1 to 64 of a-z, A-Z, 0-9, - and _"),
        (stage("abcdEFGH1234"), arn),
        (stage("arn:aws:ivs:us-west-2:123456789012:channel/abcdEFGH1234"), arn),
        (stage("arn:aws:ivs:us-west-2:123456789012:stage/"), arn),
        (stage("arn:aws:ivs:us-west-2::stage/abcdEFGH1234"), arn),
        (stage("arn:aws:ivs:us-west-2:123456789012:stage/abcdEFGH1234:more"), arn),
        (stage("arn:aws:ivs:us-west-2:123456789012:stage/other"), "topic is not the id of the stage"),
        (stage("arn:aws:ivs:us-east-1:123456789012:stage/abcdEFGH1234"), elsewhere),
        (stage("arn:aws:ivs:us-west-2:210987654321:stage/abcdEFGH1234"), elsewhere),
        (Claims { exp: IAT, ..claims() }, "exp is not after iat"),
        (Claims { exp: IAT + 1_209_601, ..claims() }, "exp is more than 14 days after iat"),
        (Claims { iat: i64::MIN, ..claims() }, "exp is more than 14 days after iat"),
        (Claims { user_id: Some("ü".repeat(129)), ..claims() }, "user_id has more than 128 characters"),
        (Claims { attributes: attributes("ab", 1023), ..claims() }, "attributes have more than 1 KB"),
    ];
    let key = KeyPair::generate();
    for (claims, broken) in cases {
        assert_eq!(issue(&claims, &key, KID), Err(TokenError::Malformed(broken)), "{claims:?}");
        let token = token_of(&key, &claims);
        assert_eq!(check(&token, &key, IAT), Err(TokenError::Malformed(broken)), "{claims:?}");
    }
}

#[test]
fn claims_at_their_limits_are_good() {
    let attributes = Some(BTreeMap::from([("ab".to_owned(), "a".repeat(1022))]));
    let cases = [
        Claims { exp: IAT + 1_209_600, ..claims() },
        Claims { jti: format!("{}-_Z9", "a".repeat(60)), ..claims() },
        Claims { user_id: Some("ü".repeat(128)), attributes, ..claims() },
    ];
    let key = KeyPair::generate();
    for claims in cases {
        let token = issue(&claims, &key, KID).expect("issues");
        assert_eq!(check(&token, &key, IAT), Ok(claims));
    }
}

#[test]
fn issuers_clocks_may_be_a_little_ahead() {
    let key = KeyPair::generate();
    let token = issue(&claims(), &key, KID).expect("issues");
    assert!(check(&token, &key, IAT - 300).is_ok());
    assert_eq!(check(&token, &key, IAT - 301), Err(TokenError::Malformed("iat is in the future")));
}

/// The server's own key has no ARN; it is good for all its stages.
#[test]
fn a_key_without_an_arn_is_not_bound_to_an_account() {
    let key = KeyPair::generate();
    let token = issue(&claims(), &key, "stagedoor").expect("issues");
    assert!(verify(&token, |kid| (kid == "stagedoor").then(|| key.public_key()), second(IAT)).is_ok());
}

#[test]
fn payloads_that_are_not_claims() {
    let key = KeyPair::generate();
    let good = serde_json::to_string(&claims()).expect("JSON");
    let payloads = [
        "".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "[".repeat(3000),
        good.replace("\"jti\"", "\"JTI\""),
        good.replace(&IAT.to_string(), "\"1697149263\""),
        good.replace(&IAT.to_string(), "1697149263.5"),
        good.replace(&IAT.to_string(), "99999999999999999999"),
        good.replace("\"allow_publish\":true", "\"allow_publish\":1"),
        good.replace("\"displayName\":\"Ünïcode\"", "\"displayName\":7"),
        good.replacen('{', "{\"exp\":1,", 1),
    ];
    for payload in payloads {
        assert_ne!(payload, good);
        let token = jwt::sign(payload.as_bytes(), KID, &key);
        let expected = TokenError::Malformed("claims are missing or of the wrong type");
        assert_eq!(check(&token, &key, IAT), Err(expected), "{payload}");
    }
}

#[test]
fn headers_that_are_not_ours() {
    let key = KeyPair::generate();
    let payload = serde_json::to_string(&claims()).expect("JSON");
    let cases = [
        (format!(r#"{{"alg":"ES384","typ":"JWT","kid":"{KID}"}}"#), Ok(())),
        (format!(r#"{{"alg":"ES384","kid":"{KID}"}}"#), Ok(())),
        (format!(r#"{{"alg":"ES384","typ":"JWT","kid":"{KID}","x":1}}"#), Ok(())),
        (format!(r#"{{"alg":"none","typ":"JWT","kid":"{KID}"}}"#), Err(jwt::Error::Algorithm)),
        (format!(r#"{{"alg":"HS384","typ":"JWT","kid":"{KID}"}}"#), Err(jwt::Error::Algorithm)),
        (format!(r#"{{"alg":"es384","typ":"JWT","kid":"{KID}"}}"#), Err(jwt::Error::Algorithm)),
        (format!(r#"{{"alg":"ES384","typ":"JWE","kid":"{KID}"}}"#), Err(jwt::Error::Header)),
        (format!(r#"{{"alg":"ES384","kid":"{KID}","crit":["x"]}}"#), Err(jwt::Error::Header)),
        (r#"{"alg":"ES384","typ":"JWT"}"#.into(), Err(jwt::Error::Header)),
        (r#"{"alg":"ES384","typ":"JWT","kid":"other"}"#.into(), Err(jwt::Error::UnknownKey)),
        ("not JSON".into(), Err(jwt::Error::Header)),
    ];
    for (header, expected) in cases {
        let token = token(&key, &header, &payload);
        let result = jwt::verify(&token, |kid| (kid == KID).then(|| key.public_key()));
        assert_eq!(result.map(|_| ()), expected, "{header}");
    }
}

#[test]
fn texts_that_are_not_tokens() {
    let key = KeyPair::generate();
    let good = issue(&claims(), &key, KID).expect("issues");
    let (input, signature) = good.rsplit_once('.').expect("three parts");
    let cases = [
        (String::new(), jwt::Error::NotCompact),
        ("..".into(), jwt::Error::Header),
        (input.into(), jwt::Error::NotCompact),
        (format!("{good}."), jwt::Error::NotCompact),
        (format!("{good}="), jwt::Error::NotCompact),
        (format!(" {good}"), jwt::Error::NotCompact),
        (format!("{input}."), jwt::Error::SignatureLength),
        (format!("{input}.{}", &signature[..124]), jwt::Error::SignatureLength),
        (good.replace('_', "/").replace('-', "+") + "+", jwt::Error::NotCompact),
        (format!("{good}{}", "A".repeat(8192)), jwt::Error::TooLong),
    ];
    for (text, expected) in cases {
        let result = jwt::verify(&text, |_| Some(key.public_key()));
        assert_eq!(result, Err(expected), "{text}");
        assert!(matches!(check(&text, &key, IAT), Err(TokenError::Malformed(_))), "{text}");
    }
}

#[test]
fn errors_have_the_sdks_names_and_numbers() {
    let cases = [
        (TokenError::Malformed("why"), 1, "TOKEN_MALFORMED"),
        (TokenError::Expired, 2, "TOKEN_EXPIRED"),
        (TokenError::StageAtCapacity, 6, "STAGE_AT_CAPACITY"),
        (TokenError::NotAllowed, 8, "TOKEN_NOT_ALLOWED"),
        (TokenError::StageDeleted, 9, "STAGE_DELETED"),
        (TokenError::ParticipantDisconnected, 10, "PARTICIPANT_DISCONNECTED"),
    ];
    for (error, code, name) in cases {
        assert_eq!((error.code(), error.name()), (code, name));
    }
}

proptest! {
    /// Any one character of a good token changed to any other makes it bad.
    #[test]
    fn a_changed_token_is_refused(index in any::<prop::sample::Index>(), by in "[A-Za-z0-9_.-]") {
        let key = PublicKey::from_pem(include_str!("../data/p384-public.pem")).expect("a key");
        let good = include_str!("../data/participant-token.jwt").trim_end();
        let at = index.index(good.len());
        prop_assume!(good[at..=at] != by);
        let mut bad = good.to_owned();
        bad.replace_range(at..=at, &by);
        prop_assert!(verify(&bad, |_| Some(key.clone()), second(IAT)).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,100}", parts in prop::collection::vec(".{0,40}", 3)) {
        let key = PublicKey::from_pem(include_str!("../data/p384-public.pem")).expect("a key");
        let encoded: Vec<String> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        for token in [text, encoded.join(".")] {
            prop_assert!(verify(&token, |_| Some(key.clone()), second(IAT)).is_err());
        }
    }
}

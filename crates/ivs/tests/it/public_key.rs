//! Public keys: what is one, how many, and what becomes of them.

use serde_json::{Value as Json, json};
use stagedoor_auth::es384::KeyPair;
use stagedoor_state::ivs::PublicKey;

use crate::control::{Control, each};

fn pem() -> String {
    KeyPair::generate().public_key().to_pem()
}

/// A key on the curve P-256, made by openssl.
const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwCfUUKwhfzK6rIChej6tg73SiEVJ
n1oHsGkq/rDHKPLBi8WpJsgks2fKts4PGQQ9pnpIwkNGCZoeKOmLakObkg==
-----END PUBLIC KEY-----";

#[test]
fn an_imported_key_shows_everything() {
    let control = Control::new();
    let pair = KeyPair::generate();
    let pem = pair.public_key().to_pem();
    let imported =
        control.ok("ImportPublicKey", json!({"name": "k", "publicKeyMaterial": pem, "tags": {"a": "1"}}));
    let arn = imported["publicKey"]["arn"].as_str().expect("it has an ARN");
    let id = arn
        .strip_prefix("arn:aws:ivs:eu-west-1:123456789012:public-key/")
        .expect("of this account and region");
    assert_eq!(id.len(), 12);
    let expected = json!({
        "arn": arn, "name": "k", "publicKeyMaterial": pem, "tags": {"a": "1"},
        "fingerprint": pair.public_key().fingerprint(),
    });
    assert_eq!(imported, json!({"publicKey": expected}));
    assert_eq!(control.ok("GetPublicKey", json!({"arn": arn})), imported);
    let summary = json!({"arn": arn, "name": "k", "tags": {"a": "1"}});
    assert_eq!(control.ok("ListPublicKeys", json!({})), json!({"publicKeys": [summary]}));
    let stored: Option<PublicKey> = control.media(|documents, _| documents.get(&[id]));
    let key = stored.map(|stored| stored.key());
    assert_eq!(key, Some(Ok(pair.public_key())), "what a stage checks tokens with");
}

#[test]
fn text_around_the_key_and_other_line_ends_do_not_matter() {
    let control = Control::new();
    let material = format!("comment\r\n{}", pem().replace('\n', "\r\n"));
    let imported = control.ok("ImportPublicKey", json!({"publicKeyMaterial": material}));
    assert_eq!(imported["publicKey"]["publicKeyMaterial"], material);
    assert_eq!((&imported["publicKey"]["name"], &imported["publicKey"]["tags"]), (&json!(""), &json!({})));
}

#[test]
fn only_keys_for_es384_are_imported() {
    let control = Control::new();
    let good = pem();
    let cases = [
        (P256.to_owned(), "not a public key on the curve P-384 (secp384r1)"),
        (good.replace("-----END", "-----FIN"), "not a PEM public key"),
        (good.replacen('M', "*", 1), "not a PEM public key"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".to_owned(),
            "not a public key on the curve P-384 (secp384r1)",
        ),
        (String::new(), "not a PEM public key"),
    ];
    for (material, why) in cases {
        let error =
            format!("ValidationException 400: The publicKeyMaterial is not a public key for ES384: {why}");
        assert_eq!(
            control.err("ImportPublicKey", json!({"publicKeyMaterial": material})),
            error,
            "{material}"
        );
    }
    assert_eq!(control.ok("ListPublicKeys", json!({})), json!({"publicKeys": []}));
}

#[test]
fn the_same_key_is_imported_once() {
    let control = Control::new();
    let pem = pem();
    let first = control.ok("ImportPublicKey", json!({"publicKeyMaterial": pem}));
    let arn = first["publicKey"]["arn"].as_str().expect("an ARN");
    let error = format!("ConflictException 409: The same public key has been imported as {arn}");
    assert_eq!(control.err("ImportPublicKey", json!({"publicKeyMaterial": pem.trim_end()})), error);
    control.ok("DeletePublicKey", json!({"arn": arn}));
    control.ok("ImportPublicKey", json!({"publicKeyMaterial": pem}));
}

#[test]
fn three_keys_are_all() {
    let control = Control::new();
    for n in 0..3 {
        control.wait(1);
        control.ok("ImportPublicKey", json!({"name": n.to_string(), "publicKeyMaterial": pem()}));
    }
    let error = "ServiceQuotaExceededException 402: The maximum number of public keys is 3";
    assert_eq!(control.err("ImportPublicKey", json!({"publicKeyMaterial": pem()})), error);
    let first = control.ok("ListPublicKeys", json!({"maxResults": 2}));
    assert_eq!(each(&first["publicKeys"], "name"), ["2", "1"]);
    let second = control.ok("ListPublicKeys", json!({"maxResults": 2, "nextToken": first["nextToken"]}));
    assert_eq!((each(&second["publicKeys"], "name"), &second["nextToken"]), (vec!["0"], &Json::Null));
}

#[test]
fn a_deleted_key_is_gone() {
    let control = Control::new();
    let imported = control.ok("ImportPublicKey", json!({"publicKeyMaterial": pem()}));
    let arn = imported["publicKey"]["arn"].as_str().expect("an ARN");
    control.ok("TagResource", json!({"resourceArn": arn, "tags": {"t": ""}}));
    assert_eq!(control.ok("GetPublicKey", json!({"arn": arn}))["publicKey"]["tags"], json!({"t": ""}));
    assert_eq!(control.ok("DeletePublicKey", json!({"arn": arn})), json!({}));
    let error = format!("ResourceNotFoundException 404: Resource: {arn} not found");
    assert_eq!(control.err("GetPublicKey", json!({"arn": arn})), error);
    assert_eq!(control.err("DeletePublicKey", json!({"arn": arn})), error);
}

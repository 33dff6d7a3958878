//! ES384 keys in the forms that OpenSSL writes and reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use stagedoor_auth::es384::{KeyError, KeyPair, PublicKey, SIGNATURE_BYTES};

/// By `openssl ec -pubout`; [`PKCS8`] is its private half, made for this test.
const PEM: &str = include_str!("../data/p384-public.pem");
const PKCS8: &str = "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBIUUrVlbfjhCG+UtEQYHwG8z6DG1Ai7YqhF417njabst2zH8py\
                     v+2TJ4Iz8OmeNy+hZANiAARD4ajBgxUorvLR+sGHmvZlTCaW8rvdq5pympe6LGaxVcWxcflfLnuWsW69g6zsJ307cgHA9dSN\
                     82RuD0pBXZW/CK+YSEePUMbV1I5V3q5iOgTnigA07KZcV6L6yvbArjg=";
const PKCS8_P256: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiCXArIWNkiXd9uMzX/M+m3wH2nqt1WheDC+RxoLa7E2hRANC\
                          AAR3ldw99XRP7bX/zaC6RFIfl5Y2xJTi3ewksdxaWc0uyGg9VqnQMznPbV0T5XxCP13f3+dLH5xj5sMF1LMHU0oz";
const PEM_P256: &str = "-----BEGIN PUBLIC KEY-----\n\
                        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEd5XcPfV0T+21/82gukRSH5eWNsSU\n\
                        4t3sJLHcWlnNLshoPVap0DM5z21dE+V8Qj9d39/nSx+cY+bDBdSzB1NKMw==\n\
                        -----END PUBLIC KEY-----\n";
const PEM_COMPRESSED: &str = "-----BEGIN PUBLIC KEY-----\n\
                              MEYwEAYHKoZIzj0CAQYFK4EEACIDMgACQ+GowYMVKK7y0frBh5r2ZUwmlvK73aua\n\
                              cpqXuixmsVXFsXH5Xy57lrFuvYOs7Cd9\n\
                              -----END PUBLIC KEY-----\n";

#[test]
fn keys_of_openssl_are_read_and_written_as_they_were() {
    let public = PublicKey::from_pem(PEM).expect("a P-384 key");
    assert_eq!(public.to_pem(), PEM);
    assert_eq!(public.fingerprint(), "62:be:21:5f:a1:25:fb:81:03:60:eb:9d:56:2c:83:2f");
    let der = STANDARD.decode(PKCS8).expect("base64");
    let pair = KeyPair::from_pkcs8(&der).expect("a P-384 key");
    assert_eq!(pair.public_key(), public);
    assert_eq!(KeyPair::from_pkcs8(&pair.to_pkcs8()).expect("our own form").public_key(), public);
}

#[test]
fn pem_may_have_other_line_ends_and_text_around_it() {
    let public = PublicKey::from_pem(PEM).expect("a P-384 key");
    let variants = [
        PEM.replace('\n', "\r\n"),
        PEM.trim_end().to_owned(),
        format!("my key\n{PEM}and more\n"),
        PEM.replace("MHYw", "MHYw\n"),
    ];
    for pem in variants {
        assert_eq!(PublicKey::from_pem(&pem).as_ref(), Ok(&public), "{pem}");
    }
}

#[test]
fn other_keys_are_refused() {
    let off_curve = PEM.replace("q5r2", "q5r3").replace("wK44", "wK45");
    assert_ne!(off_curve, PEM);
    let cases = [
        ("", KeyError::NotPem),
        ("-----BEGIN PUBLIC KEY-----", KeyError::NotPem),
        ("-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----", KeyError::NotPem),
        ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", KeyError::NotP384),
        (&PEM.replace("PUBLIC", "PRIVATE"), KeyError::NotPem),
        (&" ".repeat(20_000), KeyError::NotPem),
        (PEM_P256, KeyError::NotP384),
        (PEM_COMPRESSED, KeyError::NotP384),
        (&off_curve, KeyError::NotOnCurve),
    ];
    for (pem, error) in cases {
        assert_eq!(PublicKey::from_pem(pem), Err(error), "{pem}");
    }
    for der in [STANDARD.decode(PKCS8_P256).expect("base64"), vec![], vec![0x30; 300]] {
        assert_eq!(KeyPair::from_pkcs8(&der).err(), Some(KeyError::NotPkcs8));
    }
}

#[test]
fn only_the_key_that_signed_verifies() {
    let (ours, theirs) = (KeyPair::generate(), KeyPair::generate());
    let signature = ours.sign(b"message");
    assert_eq!(signature.len(), SIGNATURE_BYTES);
    assert!(ours.public_key().verifies(b"message", &signature));
    assert!(!ours.public_key().verifies(b"massage", &signature));
    assert!(!ours.public_key().verifies(b"message", &signature[1..]));
    assert!(!ours.public_key().verifies(b"message", &[0; SIGNATURE_BYTES]));
    assert!(!theirs.public_key().verifies(b"message", &signature));
    let shown = format!("{ours:?}");
    assert_eq!(shown, format!("KeyPair(PublicKey({}))", ours.public_key().fingerprint()));
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), body in ".{0,200}") {
        prop_assert!(PublicKey::from_spki(&bytes).is_err());
        prop_assert!(KeyPair::from_pkcs8(&bytes).is_err());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----");
        prop_assert!(PublicKey::from_pem(&pem).is_err());
        prop_assert!(PublicKey::from_pem(&body).is_err());
    }
}

//! JSON web tokens, participant tokens and PEM keys: nothing may panic, and nobody but the key's holder can
//! make a token that verifies.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use stagedoor_auth::es384::{KeyPair, PublicKey};
use stagedoor_auth::participant_token;

static KEY: LazyLock<PublicKey> = LazyLock::new(|| KeyPair::generate().public_key());

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let verified = participant_token::verify(&text, |_| Some(KEY.clone()), Timestamp::UNIX_EPOCH);
    assert!(verified.is_err());
    if let Ok(key) = PublicKey::from_pem(&text) {
        assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key));
    }
});

//! Tokens of clients and key sets of issuers, which a line `===` parts: nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_auth::jose::{KeySet, Token};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (token, keys) = text.split_once("\n===\n").unwrap_or((&text, "{}"));
    let token = Token::parse(token);
    let Ok(keys) = KeySet::parse(keys.as_bytes()) else { return };
    if let Ok(token) = token
        && let Some(key) = keys.find(token.key_id())
    {
        token.is_signed_by(key);
    }
});

//! Credentials for a TURN server that shares a secret with us: they need no account there and end by themselves.
//!
//! <https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00>; coturn calls it `use-auth-secret`.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a client shows to the TURN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub username: String,
    pub password: String,
}

/// Credentials of `user` until `expires`, in seconds since 1970. They open nothing but the TURN server.
pub fn credential(secret: &str, user: &str, expires: i64) -> Credential {
    let username = format!("{expires}:{user}");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let password = STANDARD.encode(hmac::sign(&key, username.as_bytes()).as_ref());
    Credential { username, password }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `printf 1700000000:ann | openssl dgst -sha1 -hmac north -binary | base64`.
    #[test]
    fn the_form_is_that_of_coturn() {
        let made = credential("north", "ann", 1_700_000_000);
        assert_eq!(made.username, "1700000000:ann");
        assert_eq!(made.password, "jeamH6dA5l2I9g3jmieza7CzEDo=");
    }
}

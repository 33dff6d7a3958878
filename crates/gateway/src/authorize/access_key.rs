//! The access keys that may sign requests to `AWS_IAM` methods and routes, whose they are, and what they may do.

use std::collections::HashMap;
use std::sync::Arc;

use stagedoor_auth::policy::{Policy, Principal};
use stagedoor_auth::sigv4::{Key, Keys};

/// An access key and its owner.
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub key: Key,
    /// The IAM user whose key it is; `None` is the account's root user.
    pub user: Option<String>,
    /// What it may do. `None` is everything that its account may do.
    pub policy: Option<Arc<Policy>>,
}

impl AccessKey {
    /// The ARN of its owner.
    pub(crate) fn arn(&self) -> String {
        let account = &self.key.account;
        match &self.user {
            Some(user) => format!("arn:aws:iam::{account}:user/{user}"),
            None => format!("arn:aws:iam::{account}:root"),
        }
    }

    /// The unique id of its owner: a root user's is the account's, other users have one made of their ARN.
    pub(crate) fn user_id(&self) -> String {
        match &self.user {
            Some(_) => unique_id(&self.arn()),
            None => self.key.account.clone(),
        }
    }

    pub(crate) fn principal(&self) -> Principal {
        Principal { account: self.key.account.clone(), arn: self.arn() }
    }
}

/// `AIDA` and 17 letters and digits, the same for the same ARN for ever (FNV-1a, spelt in base 32).
fn unique_id(arn: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in arn.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    let digit = |at: u32| char::from(DIGITS[(hash >> (5 * at)) as usize % DIGITS.len()]);
    "AIDA".chars().chain((0..17).map(digit)).collect()
}

/// All of them, by their ids.
#[derive(Debug, Default)]
pub(crate) struct AccessKeys(HashMap<String, AccessKey>);

impl AccessKeys {
    pub(crate) fn new(keys: &[AccessKey]) -> Self {
        Self(keys.iter().map(|key| (key.key.access_key_id.clone(), key.clone())).collect())
    }

    pub(crate) fn get(&self, id: &str) -> Option<&AccessKey> {
        self.0.get(id)
    }
}

impl Keys for AccessKeys {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        self.get(access_key_id).map(|known| known.key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_have_names_and_ids() {
        let key = Key::long_term("AKID", "secret", "111122223333");
        let root = AccessKey { key: key.clone(), user: None, policy: None };
        assert_eq!(
            (root.arn(), root.user_id()),
            ("arn:aws:iam::111122223333:root".into(), "111122223333".into())
        );
        let alice = AccessKey { key, user: Some("alice".into()), policy: None };
        assert_eq!(alice.arn(), "arn:aws:iam::111122223333:user/alice");
        assert!(alice.user_id().starts_with("AIDA") && alice.user_id().len() == 21, "{}", alice.user_id());
    }
}

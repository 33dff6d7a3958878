//! The access keys that may sign requests.

use std::collections::HashMap;

use stagedoor_auth::sigv4::{Key, Keys};

pub struct KeyRing(HashMap<String, Key>);

impl KeyRing {
    pub fn new(keys: Vec<Key>) -> Self {
        Self(keys.into_iter().map(|key| (key.access_key_id.clone(), key)).collect())
    }
}

impl Keys for KeyRing {
    fn find(&self, access_key_id: &str) -> Option<Key> {
        self.0.get(access_key_id).cloned()
    }
}

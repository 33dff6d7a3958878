//! Secrets of this installation, made at its first start and kept in the store.

use serde::{Deserialize, Serialize};
use stagedoor_auth::es384::KeyPair;
use stagedoor_state::document::{self, Kind};
use stagedoor_state::ids::{Entropy as _, SystemEntropy};
use stagedoor_state::page::PageKey;
use stagedoor_store::{Error, Store, Transaction};

/// `kid` of tokens that the server issues itself. Imported keys are named by their ARN, so they cannot clash.
pub const TOKEN_KEY_ID: &str = "stagedoor";

pub struct Secrets {
    /// Signs participant tokens (ES384).
    pub token_key: KeyPair,
    /// Signs pagination tokens.
    pub page_key: PageKey,
}

/// As stored: belongs to no account and no region.
#[derive(Serialize, Deserialize)]
struct Stored {
    token_key_pkcs8: Vec<u8>,
    page_key: [u8; 32],
}

impl Kind for Stored {
    const KIND: &'static str = "server-secrets";
}

/// Reads the secrets, or makes them at the first start.
pub fn load(store: &Store) -> Result<Secrets, Error> {
    let key = document::key::<Stored>("-", "-", &[]);
    let bytes = store.read(|transaction: &mut Transaction| transaction.get(&key))?;
    let bytes = match bytes {
        Some(document) => document.bytes.to_vec(),
        None => store.transact(|transaction| match transaction.get(&key)? {
            Some(document) => Ok(document.bytes.to_vec()),
            None => {
                let fresh = document::encode(&fresh());
                transaction.put(&key, fresh.clone())?;
                Ok::<_, Error>(fresh)
            }
        })?,
    };
    let damaged = |what: &dyn std::fmt::Display| Error::Corrupt { reason: format!("server secrets: {what}") };
    let stored: Stored = document::decode(&bytes).map_err(|fault| damaged(&fault))?;
    let token_key = KeyPair::from_pkcs8(&stored.token_key_pkcs8).map_err(|error| damaged(&error))?;
    Ok(Secrets { token_key, page_key: PageKey(stored.page_key) })
}

fn fresh() -> Stored {
    let mut page_key = [0; 32];
    SystemEntropy.fill(&mut page_key);
    Stored { token_key_pkcs8: KeyPair::generate().to_pkcs8(), page_key }
}

//! Revoked connection tokens. A connection may serve several stages; a revoked one serves none.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use stagedoor_model::Timestamp;
use stagedoor_store::Transaction;

use crate::Result;
use crate::document::{Kind, decode, prefix, store_fault};

/// How long a connection token can be valid: four weeks. Then its revocation is of no use any more.
const VALID_SECONDS_MAX: i64 = 28 * 24 * 3600;

/// A connection token that is good for nothing any more. Ids: `[token]`, its `jti`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedConnectionToken {
    pub revoked_micros: i64,
}

impl Kind for RevokedConnectionToken {
    const KIND: &'static str = "ivs-revoked-connection-token";
}

/// Deletes, in all accounts and regions, the revocations of tokens that have expired.
pub fn forget_expired(transaction: &mut Transaction, now: Timestamp) -> Result<()> {
    let oldest = now.plus_seconds(-VALID_SECONDS_MAX).as_micros();
    let mut expired = Vec::new();
    let unreadable = transaction.visit(&prefix::<RevokedConnectionToken>(), |key, document| {
        match decode::<RevokedConnectionToken>(&document.bytes) {
            Ok(token) if token.revoked_micros < oldest => expired.push(key.to_owned()),
            Ok(_) => {}
            Err(fault) => return ControlFlow::Break(fault),
        }
        ControlFlow::Continue(())
    });
    unreadable.map_err(store_fault)?.map_or(Ok(()), Err)?;
    expired.iter().try_for_each(|key| transaction.delete(key).map_err(store_fault))
}

#[cfg(test)]
mod tests {
    use stagedoor_store::Store;

    use super::*;
    use crate::Documents;
    use crate::transact::transact;

    #[test]
    fn a_revocation_is_remembered_as_long_as_its_token_could_be_valid() {
        let store = Store::in_memory().expect("memory suffices");
        let revoked = Timestamp::from_seconds(1_704_067_200);
        let kept = |now: Timestamp| {
            transact(&store, |transaction| {
                forget_expired(transaction, now)?;
                Documents::new(transaction, "1", "eu").exists::<RevokedConnectionToken>(&["t"])
            })
        };
        let put = transact(&store, |transaction| {
            let revocation = RevokedConnectionToken { revoked_micros: revoked.as_micros() };
            Documents::new(transaction, "1", "eu").put(&["t"], &revocation)
        });
        assert!(put.is_ok());
        assert!(kept(revoked.plus_seconds(VALID_SECONDS_MAX)).expect("it can be read"));
        assert!(!kept(revoked.plus_seconds(VALID_SECONDS_MAX + 1)).expect("it can be read"));
    }
}

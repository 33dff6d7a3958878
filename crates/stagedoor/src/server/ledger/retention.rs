//! Forgetting what ended long ago, so that a server that runs for years does not fill its disk with sessions.

use std::ops::ControlFlow;
use std::time::Duration;

use stagedoor_state::document::{Key, prefix, store_fault};
use stagedoor_state::ivs::{Stage, connection_token, retention};
use stagedoor_state::transact::{read, transact};
use stagedoor_state::{Documents, Result};
use stagedoor_store::{Store, Transaction};
use tokio::sync::watch;

use crate::server::clock::now;
use crate::server::told;

/// How long ended sessions are kept; AWS documents nothing for stages.
const KEPT_SECONDS: i64 = 60 * 24 * 3600;
/// How often is looked for older ones.
const ROUND: Duration = Duration::from_secs(6 * 3600);

/// Forgets every few hours, until the server stops.
pub async fn run(store: Store, stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = told(stopped.clone()) => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        let store = store.clone();
        let done = tokio::task::spawn_blocking(move || forget(&store)).await;
        if let Ok(Err(fault)) = done {
            tracing::warn!(%fault, "old sessions could not be forgotten");
        }
    }
}

/// One transaction per stage: a stage that is being written to is tried again, the others are not.
fn forget(store: &Store) -> Result<()> {
    transact(store, |transaction| connection_token::forget_expired(transaction, now()))?;
    for Key { account, region, ids } in read(store, stages)? {
        transact(store, |transaction| {
            let documents = &mut Documents::new(transaction, &account, &region);
            retention::forget_before(documents, &ids.concat(), now().plus_seconds(-KEPT_SECONDS))
        })?;
    }
    Ok(())
}

fn stages(transaction: &mut Transaction) -> Result<Vec<Key>> {
    let mut stages = Vec::new();
    let visited = transaction.visit::<()>(&prefix::<Stage>(), |key, _| {
        stages.extend(Key::parse::<Stage>(key));
        ControlFlow::Continue(())
    });
    visited.map_err(store_fault)?;
    Ok(stages)
}

//! Forgetting what ended long ago, so that a server that runs for years does not fill its disk with sessions.

use std::time::Duration;

use stagedoor_state::document::{Key, prefix, store_fault};
use stagedoor_state::ivs::{Stage, connection_token, retention};
use stagedoor_state::transact::{read, transact};
use stagedoor_state::{Documents, Result};
use stagedoor_store::Store;
use tokio::sync::watch;

use crate::server::clock::now;
use crate::server::told;

/// How long ended sessions are kept; AWS documents nothing for stages.
const KEPT_SECONDS: i64 = 60 * 24 * 3600;
/// How often is looked for older ones.
const ROUND: Duration = Duration::from_secs(6 * 3600);
/// Stages read from the store at a time.
const SCAN_BATCH: usize = 256;

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
    let mut after: Option<String> = None;
    loop {
        let scan = |transaction: &mut stagedoor_store::Transaction| {
            transaction.scan(&prefix::<Stage>(), after.as_deref(), SCAN_BATCH).map_err(store_fault)
        };
        let batch = read(store, scan)?;
        for (key, _) in &batch {
            let Some(Key { account, region, ids }) = Key::parse::<Stage>(key) else { continue };
            transact(store, |transaction| {
                let documents = &mut Documents::new(transaction, &account, &region);
                retention::forget_before(documents, &ids.concat(), now().plus_seconds(-KEPT_SECONDS))
            })?;
        }
        match batch.into_iter().next_back() {
            Some((last, _)) => after = Some(last),
            None => return Ok(()),
        }
    }
}

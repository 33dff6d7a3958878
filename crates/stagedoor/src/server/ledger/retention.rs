//! Forgetting what ended long ago, so that a server that runs for years does not fill its disk with sessions.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use stagedoor_api::ivs_realtime::StageSession;
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
    for (account, region, stage_id) in read(store, stages)? {
        transact(store, |transaction| {
            let documents = &mut Documents::new(transaction, &account, &region);
            retention::forget_before(documents, &stage_id, now().plus_seconds(-KEPT_SECONDS))
        })?;
    }
    Ok(())
}

/// Account, region and id of each stage, and of those that left sessions when they were deleted.
fn stages(transaction: &mut Transaction) -> Result<BTreeSet<(String, String, String)>> {
    let mut stages = BTreeSet::new();
    let mut note = |key: Option<Key>| {
        if let Some(Key { account, region, ids }) = key {
            stages.extend(ids.into_iter().next().map(|stage_id| (account, region, stage_id)));
        }
        ControlFlow::Continue(())
    };
    let visited = transaction.visit::<()>(&prefix::<Stage>(), |key, _| note(Key::parse::<Stage>(key)));
    visited.map_err(store_fault)?;
    let visited =
        transaction.visit::<()>(&prefix::<StageSession>(), |key, _| note(Key::parse::<StageSession>(key)));
    visited.map_err(store_fault)?;
    Ok(stages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_of_deleted_stages_is_forgotten_too() {
        let store = Store::in_memory().expect("memory suffices");
        let ended = |days: i64| now().plus_seconds(-days * 24 * 3600);
        let write = |work: &dyn Fn(&mut Documents<'_>) -> Result<()>| {
            let done = transact(&store, |transaction| {
                work(&mut Documents::new(transaction, "123456789012", "eu-west-1"))
            });
            done.expect("written");
        };
        for (stage_id, days) in [("old", 61), ("new", 59)] {
            write(&|documents| {
                let session = StageSession {
                    start_time: Some(ended(90)),
                    end_time: Some(ended(days)),
                    session_id: None,
                };
                documents.put(&[stage_id, "st-1"], &session)
            });
        }
        forget(&store).expect("works");
        let left = read(&store, stages).expect("works");
        assert_eq!(left.into_iter().map(|(.., id)| id).collect::<Vec<_>>(), ["new"]);
    }
}

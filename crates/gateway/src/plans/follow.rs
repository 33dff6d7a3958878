//! Keeps the plans current: reads everything once, then follows the store's feed and remakes what a commit changed.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use stagedoor_store::{Commit, Error, Follower, Result, Revision, Store};
use tokio::sync::watch;
use tokio::task;
use tracing::{debug, warn};

use super::{Plans, load};

/// Time until an unavailable store is asked again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Ends when the store is closed. `progress` is the revision that the plans include.
pub(crate) async fn follow(store: &Store, plans: &ArcSwap<Plans>, progress: &watch::Sender<Revision>) {
    loop {
        let why = match begin(store, plans, progress).await {
            Ok(mut follower) => keep_up(store, plans, progress, &mut follower).await,
            Err(error) => error,
        };
        match why {
            Error::Closed => return,
            Error::Lagged { .. } => debug!("the feed has moved on; reading every stage anew"),
            error => {
                warn!(%error, "stages cannot be read; serving them as they were");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}

/// Makes every plan from the documents as they are.
async fn begin(
    store: &Store,
    plans: &ArcSwap<Plans>,
    progress: &watch::Sender<Revision>,
) -> Result<Follower> {
    let (all, revision) = blocking(store, |store| {
        store.read(|transaction| Ok::<_, Error>((load::all(transaction)?, transaction.revision())))
    })
    .await?;
    plans.store(Arc::new(all));
    progress.send_replace(revision);
    Ok(store.follow(revision))
}

/// Follows until something goes wrong.
async fn keep_up(
    store: &Store,
    plans: &ArcSwap<Plans>,
    progress: &watch::Sender<Revision>,
    follower: &mut Follower,
) -> Error {
    loop {
        let commit = match follower.next().await {
            Ok(commit) => commit,
            Err(error) => return error,
        };
        let revision = commit.revision;
        if let Err(error) = apply(store, plans, commit).await {
            return error;
        }
        progress.send_replace(revision);
    }
}

async fn apply(store: &Store, plans: &ArcSwap<Plans>, commit: Commit) -> Result<()> {
    let concerned = load::all_concerned(commit.changes.iter().map(|change| change.key.as_str()));
    if concerned.is_empty() && !commit.cleared {
        return Ok(());
    }
    let before = if commit.cleared { Arc::new(Plans::default()) } else { plans.load_full() };
    let after = blocking(store, move |store| {
        store.read(|transaction| {
            let mut after = Plans::clone(&before);
            for (service, owner) in &concerned {
                let plan = load::one(transaction, *service, owner, before.of(owner))?;
                after.replace(owner, plan);
            }
            Ok::<_, Error>(after)
        })
    })
    .await?;
    plans.store(Arc::new(after));
    Ok(())
}

/// Reading the store blocks its thread, so it gets one of its own.
async fn blocking<T: Send + 'static>(
    store: &Store,
    f: impl FnOnce(&Store) -> Result<T> + Send + 'static,
) -> Result<T> {
    let store = store.clone();
    let read = task::spawn_blocking(move || f(&store)).await;
    read.unwrap_or_else(|error| Err(Error::Unavailable { reason: error.to_string() }))
}

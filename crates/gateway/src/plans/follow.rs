//! Keeps the plans current: reads everything once, then follows the store's feed and remakes what a commit changed.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use stagedoor_store::{Commit, Error, Follower, Result, Revision, Store, Transaction};
use tokio::sync::watch;
use tokio::task;
use tracing::{debug, warn};

use super::place::Places;
use super::{Plans, load, load_clients, load_links};
use crate::domains;
use crate::steps::client::today;

/// Time until an unavailable store is asked again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What is followed, and what is kept current.
pub(crate) struct Following<'a> {
    pub(crate) store: &'a Store,
    pub(crate) plans: &'a ArcSwap<Plans>,
    pub(crate) places: &'a Arc<Places>,
    /// The revision that plans and places include.
    pub(crate) progress: &'a watch::Sender<Revision>,
    /// The wall clock.
    pub(crate) now: fn() -> Duration,
}

impl Following<'_> {
    /// Ends when the store is closed.
    pub(crate) async fn follow(&self) {
        loop {
            let why = match self.begin().await {
                Ok(mut follower) => self.keep_up(&mut follower).await,
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
    async fn begin(&self) -> Result<Follower> {
        let (before, places, today) = (self.plans.load_full(), Arc::clone(self.places), today(self.now));
        let (all, revision) = blocking(self.store, move |store| {
            store.read(|transaction| {
                load_clients::all(transaction, &places, today)?;
                load_links::all(transaction, &places)?;
                let all = load::all(transaction, &places, &before)?;
                Ok::<_, Error>((all, transaction.revision()))
            })
        })
        .await?;
        self.plans.store(Arc::new(all));
        self.progress.send_replace(revision);
        Ok(self.store.follow(revision))
    }

    /// Follows until something goes wrong.
    async fn keep_up(&self, follower: &mut Follower) -> Error {
        loop {
            let commit = match follower.next().await {
                Ok(commit) => commit,
                Err(error) => return error,
            };
            let revision = commit.revision;
            if let Err(error) = self.apply(commit).await {
                return error;
            }
            self.progress.send_replace(revision);
        }
    }

    async fn apply(&self, commit: Commit) -> Result<()> {
        let keys = || commit.changes.iter().map(|change| change.key.as_str());
        let concerned = load::all_concerned(keys());
        let clients = load_clients::Concerned::of(keys());
        if commit.cleared {
            self.places.clear();
        }
        if !clients.is_empty() {
            let (places, today) = (Arc::clone(self.places), today(self.now));
            let apply = move |transaction: &mut Transaction| {
                load_clients::apply(transaction, &places, &clients, today)
            };
            blocking(self.store, move |store| store.read(apply)).await?;
        }
        if keys().any(load_links::concerned) {
            let places = Arc::clone(self.places);
            let read = move |transaction: &mut Transaction| load_links::all(transaction, &places);
            blocking(self.store, move |store| store.read(read)).await?;
        }
        let of_domains = keys().any(domains::load::concerned);
        if concerned.is_empty() && !of_domains && !commit.cleared {
            return Ok(());
        }
        let before = if commit.cleared { Arc::new(Plans::default()) } else { self.plans.load_full() };
        let places = Arc::clone(self.places);
        let after = blocking(self.store, move |store| {
            store.read(|transaction| {
                let mut after = Plans::clone(&before);
                if of_domains {
                    after.domains = Arc::new(domains::load::all(transaction)?);
                }
                for (service, owner) in &concerned {
                    let plan = load::one(transaction, *service, owner, &places, before.of(owner))?;
                    after.replace(owner, plan);
                }
                Ok::<_, Error>(after)
            })
        })
        .await?;
        self.plans.store(Arc::new(after));
        Ok(())
    }
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

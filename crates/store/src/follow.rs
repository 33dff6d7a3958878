//! Following the change feed: every commit once, in order, waiting for the next one.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task;

use crate::{Backend, Commit, Error, Result, Revision};

/// Most commits fetched at a time.
const BATCH_COMMITS_MAX: usize = 256;

/// A reader of the change feed. It does not keep the store open.
pub struct Follower {
    backend: Arc<dyn Backend>,
    head: watch::Receiver<Revision>,
    /// Fetched and not yet delivered.
    fetched: VecDeque<Commit>,
    /// The last commit delivered, or where following began.
    position: Revision,
}

impl Follower {
    pub(crate) fn new(backend: Arc<dyn Backend>, after: Revision) -> Self {
        let head = backend.head();
        Self { backend, head, fetched: VecDeque::new(), position: after }
    }

    /// The last commit delivered, or the revision that following began after.
    #[must_use]
    pub fn position(&self) -> Revision {
        self.position
    }

    /// The next commit, as soon as there is one. Nothing is lost if the future is dropped before it is ready.
    ///
    /// Must be called in a Tokio runtime: the feed is read on a blocking thread.
    ///
    /// # Errors
    /// [`Error::Lagged`] when the feed no longer holds that commit: read the documents anew and follow from that
    /// snapshot. [`Error::Closed`] when the store has been dropped. After [`Error::Unavailable`] call again.
    pub async fn next(&mut self) -> Result<Commit> {
        self.fetch().await?;
        let commit = self.fetched.pop_front().ok_or_else(|| Error::corrupt("the change feed has a gap"))?;
        self.position = commit.revision;
        Ok(commit)
    }

    async fn fetch(&mut self) -> Result<()> {
        while self.fetched.is_empty() {
            // A position beyond the head is that of a commit not yet announced, or belongs to another store, which
            // the back end answers with `Lagged`.
            let position = self.position;
            self.head.wait_for(|head| *head != position).await.map_err(|_| Error::Closed)?;
            let backend = Arc::clone(&self.backend);
            let read = task::spawn_blocking(move || backend.commits_after(position, BATCH_COMMITS_MAX));
            self.fetched = read.await.map_err(Error::unavailable)??.into();
            if self.fetched.is_empty() {
                self.head.changed().await.map_err(|_| Error::Closed)?;
            }
        }
        Ok(())
    }
}

//! What a back end has to offer. It stores and validates; retrying, limits, and reading one's own writes are the
//! business of [`Store`](crate::Store) and [`Transaction`](crate::Transaction), the same for every back end.

use tokio::sync::watch;

use crate::{Commit, Document, Proposal, Result, Revision};

/// Keeps documents and the change feed. `suite::run` is its specification.
///
/// Calls may block, on a disk or a network.
pub trait Backend: Send + Sync + 'static {
    /// A consistent view of the documents, at least as new as the last commit that this process made.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>>;

    /// Makes all changes of the proposal durable as one commit and returns its revision, unless a commit after
    /// `proposal.base` changed something in `proposal.reads`.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when something read has changed, or when that can no longer be
    /// told because the base is too old; nothing was stored then.
    fn commit(&self, proposal: Proposal) -> Result<Revision>;

    /// The commits after `after`, oldest first, at most `limit`. It may return fewer, but not none when there are
    /// any.
    ///
    /// # Errors
    /// [`Error::Lagged`](crate::Error::Lagged) when the first of them was trimmed away, or `after` is beyond the
    /// last commit.
    fn commits_after(&self, after: Revision, limit: usize) -> Result<Vec<Commit>>;

    /// The latest revision that this process knows of. It never decreases, and a commit made by this process is
    /// included when the call that made it returns. The channel closes with the back end.
    fn head(&self) -> watch::Receiver<Revision>;

    /// Deletes every document, as a commit with [`Commit::cleared`] that conflicts with every transaction that
    /// has read anything.
    fn clear(&self) -> Result<Revision>;

    /// Finishes what has begun and lets go of the file or the connections. Later calls answer
    /// [`Error::Closed`](crate::Error::Closed).
    fn close(&self);
}

/// The documents as they were after one commit.
pub trait Snapshot: Send {
    /// The last commit that the snapshot includes.
    fn revision(&self) -> Revision;

    /// The document with this key.
    fn get(&self, key: &str) -> Result<Option<Document>>;

    /// The documents whose keys start with `prefix` and are greater than `after`, in the order of their keys
    /// (byte by byte), at most `limit`; fewer only if there are no more.
    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Document)>>;
}

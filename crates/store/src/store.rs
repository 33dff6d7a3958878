//! The store that the rest of Stagedoor sees: transactions that are tried again when they conflict, and followers.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use crate::embedded::{self, Embedded};
use crate::{Backend, Error, Follower, Proposal, Result, Revision, Transaction};

/// How often a transaction is tried before its conflict is reported.
const ATTEMPTS_MAX: u32 = 64;

/// After so many conflicts a transaction is tried while no other of this process can commit. Without this the one
/// that has just won is always the first to begin again, and can win forever.
const ATTEMPTS_TOGETHER_MAX: u32 = 4;

thread_local! {
    /// Whether this thread is in a transaction that writes.
    static TRANSACTING: Cell<bool> = const { Cell::new(false) };
}

/// A handle to a store; clones are handles to the same one. Dropping the last finishes what has begun and closes
/// it; followers then get [`Error::Closed`].
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    backend: Arc<dyn Backend>,
    /// Held shared while committing, and exclusively by a transaction that has lost too often.
    turn: RwLock<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.backend.close();
    }
}

impl Store {
    /// A store on any back end.
    pub fn new(backend: impl Backend) -> Self {
        Self(Arc::new(Shared { backend: Arc::new(backend), turn: RwLock::new(()) }))
    }

    /// Opens the embedded store in the file `path`, creating it if it does not exist (its directory must).
    ///
    /// # Errors
    /// [`Error::InUse`] when the file is open already, here or in another process; [`Error::Unavailable`] when it
    /// cannot be read or written; [`Error::Corrupt`] when it is not a store.
    pub fn open_embedded(path: impl AsRef<Path>) -> Result<Self> {
        Embedded::open(path, embedded::Config::default()).map(Self::new)
    }

    /// An embedded store that lives in memory and is gone with its last handle.
    ///
    /// # Errors
    /// As of [`Self::open_embedded`]; none is expected.
    pub fn in_memory() -> Result<Self> {
        Embedded::in_memory(embedded::Config::default()).map(Self::new)
    }

    /// Calls `f` with a consistent view of the documents, in which writing is an error.
    ///
    /// # Errors
    /// What `f` returned, or [`Error::Unavailable`] or [`Error::Closed`].
    pub fn read<T, E: From<Error>>(&self, f: impl FnOnce(&mut Transaction) -> Result<T, E>) -> Result<T, E> {
        f(&mut Transaction::read_only(self.0.backend.snapshot()?))
    }

    /// Calls `f` with a transaction and commits what it wrote; durable when this returns `Ok`. If another commit
    /// has meanwhile changed something that `f` read, `f` is called again with a newer view of the documents, so
    /// it must have no effects of its own and must not start another transaction. A transaction that wrote
    /// nothing commits nothing and cannot conflict.
    ///
    /// # Errors
    /// What `f` returned (nothing is stored then); [`Error::Conflict`] after 64 attempts; [`Error::Unavailable`]
    /// or [`Error::Closed`].
    ///
    /// # Panics
    /// When called by `f` of another call: the two could wait for each other.
    pub fn transact<T, E: From<Error>>(
        &self,
        mut f: impl FnMut(&mut Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let _guard = TransactingGuard::new();
        for _ in 0..ATTEMPTS_TOGETHER_MAX {
            let (value, proposal) = self.propose(&mut f)?;
            let _shared =
                proposal.is_some().then(|| self.0.turn.read().unwrap_or_else(PoisonError::into_inner));
            if self.commit(proposal)? {
                return Ok(value);
            }
        }
        let _exclusive = self.0.turn.write().unwrap_or_else(PoisonError::into_inner);
        for _ in ATTEMPTS_TOGETHER_MAX..ATTEMPTS_MAX {
            let (value, proposal) = self.propose(&mut f)?;
            if self.commit(proposal)? {
                return Ok(value);
            }
        }
        Err(Error::Conflict.into())
    }

    fn propose<T, E: From<Error>>(
        &self,
        f: &mut impl FnMut(&mut Transaction) -> Result<T, E>,
    ) -> Result<(T, Option<Proposal>), E> {
        let mut transaction = Transaction::new(self.0.backend.snapshot()?);
        let value = f(&mut transaction)?;
        Ok((value, transaction.into_proposal()))
    }

    /// Whether the proposal is committed; `false` is a conflict.
    fn commit(&self, proposal: Option<Proposal>) -> Result<bool> {
        let Some(proposal) = proposal else { return Ok(true) };
        match self.0.backend.commit(proposal) {
            Ok(_) => Ok(true),
            Err(Error::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Follows the commits after `after`: [`Revision::ZERO`] for all that the feed still holds, or the revision of
    /// a transaction that has read the documents.
    #[must_use]
    pub fn follow(&self, after: Revision) -> Follower {
        Follower::new(Arc::clone(&self.0.backend), after)
    }

    /// The latest revision that this process knows of; at least that of every transaction that has returned.
    #[must_use]
    pub fn head(&self) -> Revision {
        *self.0.backend.head().borrow()
    }

    /// Deletes every document; followers get a commit that says so. Transactions under way conflict with it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Closed`].
    pub fn clear(&self) -> Result<Revision> {
        self.0.backend.clear()
    }
}

/// Marks the thread as being in a transaction that writes.
struct TransactingGuard;

impl TransactingGuard {
    fn new() -> Self {
        assert!(!TRANSACTING.replace(true), "a transaction was started within another one");
        Self
    }
}

impl Drop for TransactingGuard {
    fn drop(&mut self) {
        TRANSACTING.set(false);
    }
}

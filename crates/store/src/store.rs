//! The store that the rest of Stagedoor sees: transactions that are tried again when they conflict, and followers.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::embedded::{self, Embedded};
use crate::{Backend, Error, Follower, Result, Revision, Transaction};

/// How often a transaction is tried before its conflict is reported.
const ATTEMPTS_MAX: u32 = 64;

/// After so many conflicts a transaction waits its turn with the others that suffer the same, so that under
/// contention each of them gets through.
const ATTEMPTS_OUT_OF_TURN: u32 = 4;

/// A handle to a store; clones are handles to the same one. Dropping the last finishes what has begun and closes
/// it; followers then get [`Error::Closed`].
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    backend: Arc<dyn Backend>,
    turn: Mutex<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.backend.close();
    }
}

impl Store {
    /// A store on any back end.
    pub fn new(backend: impl Backend) -> Self {
        Self(Arc::new(Shared { backend: Arc::new(backend), turn: Mutex::new(()) }))
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
    pub fn transact<T, E: From<Error>>(
        &self,
        mut f: impl FnMut(&mut Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..ATTEMPTS_OUT_OF_TURN {
            if let Some(done) = self.attempt(&mut f)? {
                return Ok(done);
            }
            thread::yield_now();
        }
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in ATTEMPTS_OUT_OF_TURN..ATTEMPTS_MAX {
            if let Some(done) = self.attempt(&mut f)? {
                return Ok(done);
            }
            thread::yield_now();
        }
        Err(Error::Conflict.into())
    }

    /// One attempt; `None` is a conflict.
    fn attempt<T, E: From<Error>>(
        &self,
        f: &mut impl FnMut(&mut Transaction) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let mut transaction = Transaction::new(self.0.backend.snapshot()?);
        let value = f(&mut transaction)?;
        let Some(proposal) = transaction.into_proposal() else {
            return Ok(Some(value));
        };
        match self.0.backend.commit(proposal) {
            Ok(_) => Ok(Some(value)),
            Err(Error::Conflict) => Ok(None),
            Err(error) => Err(error.into()),
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

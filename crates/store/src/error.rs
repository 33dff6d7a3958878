//! Why a call to the store failed, and whether trying again can help.

use std::path::PathBuf;

use crate::{KEY_BYTES_MAX, Revision, TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX};

/// The result of a call to the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call to the store failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that the transaction read was changed by another one. Nothing was stored; trying again can help.
    #[error("another transaction changed what this one read")]
    Conflict,
    /// The feed no longer holds the commits after the asked revision (or never did): read the documents anew and
    /// follow from that snapshot's revision.
    #[error("the change feed no longer reaches back to revision {after}")]
    Lagged {
        /// The revision after which commits were asked for.
        after: Revision,
    },
    /// A key has no characters.
    #[error("a key must not be empty")]
    KeyEmpty,
    /// A key is longer than [`KEY_BYTES_MAX`].
    #[error("a key of {bytes} bytes is longer than {KEY_BYTES_MAX}")]
    KeyTooLong {
        /// The length of the key.
        bytes: usize,
    },
    /// A value is longer than [`VALUE_BYTES_MAX`].
    #[error("a value of {bytes} bytes is longer than {VALUE_BYTES_MAX}")]
    ValueTooLong {
        /// The length of the value.
        bytes: usize,
    },
    /// The keys and values that a transaction writes are longer, together, than [`TRANSACTION_BYTES_MAX`].
    #[error("a transaction cannot write more than {TRANSACTION_BYTES_MAX} bytes")]
    TransactionTooLarge,
    /// A write in [`Store::read`](crate::Store::read).
    #[error("this transaction only reads")]
    ReadOnly,
    /// Another process, or another [`Store`](crate::Store) in this one, has the file open.
    #[error("{} is already open: only one server can use a data directory at a time", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file or database could not be read or written. Of a commit that ends so it is unknown whether it was
    /// stored; if it was, the feed delivers it. The store tries to recover by itself at the next call.
    #[error("the store is unavailable: {reason}")]
    Unavailable {
        /// What the back end said.
        reason: String,
    },
    /// What is stored is not what this version of the store writes. Trying again does not help.
    #[error("the store is damaged: {reason}")]
    Corrupt {
        /// What was found.
        reason: String,
    },
    /// The last [`Store`](crate::Store) was dropped.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    pub(crate) fn unavailable(reason: impl ToString) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }

    pub(crate) fn corrupt(reason: impl ToString) -> Self {
        Self::Corrupt { reason: reason.to_string() }
    }
}

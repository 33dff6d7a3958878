//! What a transaction asks a back end to commit, and what the change feed delivers of it.

use std::sync::Arc;

use crate::Revision;

/// One document written or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key of the document.
    pub key: String,
    /// Its new value, or `None` if it was deleted.
    pub value: Option<Arc<[u8]>>,
}

impl Change {
    /// The length of key and value, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, |value| value.len())
    }
}

/// One entry of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its number: one more than the number of the commit before it.
    pub revision: Revision,
    /// Whether every document was deleted before [`Self::changes`] were made (see [`crate::Backend::clear`]).
    pub cleared: bool,
    /// The documents written and deleted, in the order of their keys, each key once.
    pub changes: Vec<Change>,
}

/// What a transaction read, so that a back end can tell whether another commit has changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// One key, whether a document was there or not.
    Key(String),
    /// Every key that starts with `prefix`, is greater than `after` and not greater than `through`, including the
    /// absent ones: a document that appears in a range is a change to it.
    Range {
        /// The start of every key in the range.
        prefix: String,
        /// The greatest key before the range, if the range does not begin with the prefix.
        after: Option<String>,
        /// The last key of the range, if it ends before the prefix does.
        through: Option<String>,
    },
}

impl Read {
    /// Whether a change of `key` changes what was read.
    #[must_use]
    pub fn covers(&self, key: &str) -> bool {
        match self {
            Self::Key(read) => read == key,
            Self::Range { prefix, after, through } => {
                key.starts_with(prefix.as_str())
                    && after.as_deref().is_none_or(|after| key > after)
                    && through.as_deref().is_none_or(|through| key <= through)
            }
        }
    }
}

/// A transaction ready to be committed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The revision of the snapshot that the transaction read.
    pub base: Revision,
    /// What it read from that snapshot.
    pub reads: Vec<Read>,
    /// What it writes, in the order of the keys, each key once.
    pub changes: Vec<Change>,
}

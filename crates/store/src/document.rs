//! What a store holds: documents, their revisions, and the limits on both. No behaviour of its own.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use crate::{Error, Result};

/// Longest key, in bytes of UTF-8.
pub const KEY_BYTES_MAX: usize = 1024;

/// Largest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The number of a commit. Commits are numbered from 1 without gaps; 0 is the empty store before the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(u64);

impl Revision {
    /// The store before its first commit. Also the revision of a document that a transaction wrote itself and has
    /// not committed yet.
    pub const ZERO: Self = Self(0);

    /// The revision with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision of the commit after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A stored value and the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The value.
    pub bytes: Arc<[u8]>,
    /// The commit that wrote it last.
    pub revision: Revision,
}

/// Refuses keys that a back end could not store: empty or longer than [`KEY_BYTES_MAX`].
pub(crate) fn check_key(key: &str) -> Result<()> {
    match key.len() {
        0 => Err(Error::KeyEmpty),
        1..=KEY_BYTES_MAX => Ok(()),
        bytes => Err(Error::KeyTooLong { bytes }),
    }
}

/// Refuses values longer than [`VALUE_BYTES_MAX`].
pub(crate) fn check_value(value: &[u8]) -> Result<()> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(Error::ValueTooLong { bytes: value.len() });
    }
    Ok(())
}

/// Where the keys begin that start with `prefix` and are greater than `after`.
pub(crate) fn range_start<'a>(prefix: &'a str, after: Option<&'a str>) -> Bound<&'a str> {
    match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    }
}

//! Ordered documents with revisions: optimistic transactions, a change feed, interchangeable back ends.
//!
//! Keys are strings ordered by their bytes, values are opaque bytes: what they mean is `stagedoor-state`'s.
//!
//! Invariants: a document returned by a transaction belongs to one consistent snapshot; a commit is durable when
//! the call that made it returns; the change feed holds every commit once, in the order of its revision.
//!
//! Every call blocks its thread, except [`Follower::next`].

mod backend;
mod commit;
mod document;
pub mod embedded;
mod error;
mod follow;
mod store;
#[cfg(feature = "suite")]
pub mod suite;
mod transaction;

pub use backend::{Backend, Snapshot};
pub use commit::{Change, Commit, Proposal, Read};
pub use document::{Document, KEY_BYTES_MAX, Revision, VALUE_BYTES_MAX};
pub use error::{Error, Result};
pub use follow::Follower;
pub use store::Store;
pub use transaction::{TRANSACTION_BYTES_MAX, Transaction};

//! Transactions whose failures are [`Fault`]s.

use stagedoor_store::{Error, Store, Transaction};

use crate::document::store_fault;
use crate::{Fault, Result};

/// [`Store::read`], with the store's own errors as faults.
pub fn read<T>(store: &Store, f: impl FnOnce(&mut Transaction) -> Result<T>) -> Result<T> {
    store.read(|transaction| f(transaction).map_err(Failed::Fault)).map_err(Failed::into_fault)
}

/// [`Store::transact`], with the store's own errors as faults.
pub fn transact<T>(store: &Store, mut f: impl FnMut(&mut Transaction) -> Result<T>) -> Result<T> {
    store.transact(|transaction| f(transaction).map_err(Failed::Fault)).map_err(Failed::into_fault)
}

/// Keeps the two apart while the store decides whether to try again.
enum Failed {
    Fault(Fault),
    Store(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Failed {
    fn into_fault(self) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Store(error) => store_fault(error),
        }
    }
}

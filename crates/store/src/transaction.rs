//! One transaction: reads from a snapshot merged with its own writes, and the record of what it read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use crate::document::{check_key, check_value, range_start};
use crate::{Change, Document, Error, Proposal, Read, Result, Revision, Snapshot};

/// Most bytes of keys and values that one transaction writes.
pub const TRANSACTION_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Documents that a visit reads at a time.
const VISIT_BATCH: usize = 512;

/// A view of the documents at one revision, plus the writes made through it. Made by
/// [`Store::read`](crate::Store::read) and [`Store::transact`](crate::Store::transact).
pub struct Transaction {
    snapshot: Box<dyn Snapshot>,
    writable: bool,
    keys_read: BTreeSet<String>,
    ranges_read: Vec<Read>,
    writes: BTreeMap<String, Option<Arc<[u8]>>>,
    written_bytes: usize,
}

impl Transaction {
    pub(crate) fn new(snapshot: Box<dyn Snapshot>) -> Self {
        Self {
            snapshot,
            writable: true,
            keys_read: BTreeSet::new(),
            ranges_read: Vec::new(),
            writes: BTreeMap::new(),
            written_bytes: 0,
        }
    }

    pub(crate) fn read_only(snapshot: Box<dyn Snapshot>) -> Self {
        Self { writable: false, ..Self::new(snapshot) }
    }

    /// Whether [`Self::put`] and [`Self::delete`] are refused.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        !self.writable
    }

    /// The revision of the documents that the transaction reads.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.snapshot.revision()
    }

    /// The document with this key, as this transaction has left it. A document that the transaction has written
    /// itself has the revision [`Revision::ZERO`].
    ///
    /// # Errors
    /// [`Error::KeyEmpty`], [`Error::KeyTooLong`], [`Error::Unavailable`] or [`Error::Corrupt`].
    pub fn get(&mut self, key: &str) -> Result<Option<Document>> {
        check_key(key)?;
        if let Some(written) = self.writes.get(key) {
            return Ok(written.as_ref().map(uncommitted));
        }
        if self.writable && !self.keys_read.contains(key) {
            self.keys_read.insert(key.to_owned());
        }
        self.snapshot.get(key)
    }

    /// The documents whose keys start with `prefix` and are greater than `after`, in the order of their keys
    /// (byte by byte), as this transaction has left them; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Corrupt`].
    pub fn scan(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Document)>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let own = own_writes(&self.writes, prefix, after);
        // Each own write hides at most one stored document, so this many leave enough of them.
        let stored = self.snapshot.scan(prefix, after, limit.saturating_add(own.len()))?;
        let found = merge(stored, own, limit);
        let through = if found.len() < limit { None } else { found.last().map(|(key, _)| key.as_str()) };
        record_range(&mut self.ranges_read, prefix, after, through);
        Ok(found)
    }

    /// Shows `each` every document whose key starts with `prefix`, in the order of [`Self::scan`], until it breaks; the
    /// value that it broke with. A limited number of documents is in memory at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Corrupt`].
    pub fn visit<B>(
        &mut self,
        prefix: &str,
        mut each: impl FnMut(&str, &Document) -> ControlFlow<B>,
    ) -> Result<Option<B>> {
        let mut after: Option<String> = None;
        loop {
            let batch = self.scan(prefix, after.as_deref(), VISIT_BATCH)?;
            for (key, document) in &batch {
                if let ControlFlow::Break(value) = each(key, document) {
                    return Ok(Some(value));
                }
            }
            if batch.len() < VISIT_BATCH {
                return Ok(None);
            }
            after = batch.into_iter().next_back().map(|(key, _)| key);
        }
    }

    /// Writes a document.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::KeyEmpty`], [`Error::KeyTooLong`], [`Error::ValueTooLong`] or
    /// [`Error::TransactionTooLarge`]; the transaction is as before then.
    pub fn put(&mut self, key: &str, bytes: impl Into<Arc<[u8]>>) -> Result<()> {
        let bytes = bytes.into();
        check_value(&bytes)?;
        self.write(key, Some(bytes))
    }

    /// Deletes a document. It is no error if there is none.
    ///
    /// # Errors
    /// As of [`Self::put`].
    pub fn delete(&mut self, key: &str) -> Result<()> {
        self.write(key, None)
    }

    fn write(&mut self, key: &str, value: Option<Arc<[u8]>>) -> Result<()> {
        if !self.writable {
            return Err(Error::ReadOnly);
        }
        check_key(key)?;
        let length = |value: &Option<Arc<[u8]>>| key.len() + value.as_ref().map_or(0, |bytes| bytes.len());
        let replaced = self.writes.get(key).map_or(0, length);
        let written_bytes = self.written_bytes - replaced + length(&value);
        if written_bytes > TRANSACTION_BYTES_MAX {
            return Err(Error::TransactionTooLarge);
        }
        self.written_bytes = written_bytes;
        self.writes.insert(key.to_owned(), value);
        Ok(())
    }

    /// What to commit, or `None` if nothing was written.
    pub(crate) fn into_proposal(self) -> Option<Proposal> {
        if self.writes.is_empty() {
            return None;
        }
        let mut reads = self.ranges_read;
        reads.extend(self.keys_read.into_iter().map(Read::Key));
        let changes = self.writes.into_iter().map(|(key, value)| Change { key, value }).collect();
        Some(Proposal { base: self.snapshot.revision(), reads, changes })
    }
}

fn uncommitted(bytes: &Arc<[u8]>) -> Document {
    Document { bytes: Arc::clone(bytes), revision: Revision::ZERO }
}

type Write<'a> = (&'a String, &'a Option<Arc<[u8]>>);

/// The transaction's own writes in a scanned range, in order.
fn own_writes<'a>(
    writes: &'a BTreeMap<String, Option<Arc<[u8]>>>,
    prefix: &str,
    after: Option<&str>,
) -> Vec<Write<'a>> {
    let start = range_start(prefix, after);
    writes.range::<str, _>((start, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix)).collect()
}

/// The first `limit` documents of a range after the own writes have been made to it.
fn merge(stored: Vec<(String, Document)>, own: Vec<Write<'_>>, limit: usize) -> Vec<(String, Document)> {
    if own.is_empty() {
        return stored;
    }
    let mut merged: BTreeMap<String, Document> = stored.into_iter().collect();
    for (key, value) in own {
        match value {
            Some(bytes) => merged.insert(key.clone(), uncommitted(bytes)),
            None => merged.remove(key),
        };
    }
    merged.into_iter().take(limit).collect()
}

/// Records that a range was read. A page that continues the one before it makes that one longer.
fn record_range(ranges: &mut Vec<Read>, prefix: &str, after: Option<&str>, through: Option<&str>) {
    let through = through.map(str::to_owned);
    if let Some(Read::Range { prefix: last_prefix, through: last_through, .. }) = ranges.last_mut()
        && last_prefix == prefix
        && last_through.is_some()
        && last_through.as_deref() == after
    {
        *last_through = through;
        return;
    }
    ranges.push(Read::Range { prefix: prefix.to_owned(), after: after.map(str::to_owned), through });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn a_visit_sees_every_document_of_a_prefix_in_order_until_it_breaks() {
        let store = Store::in_memory().expect("memory suffices");
        let keys: Vec<String> = (0..2 * VISIT_BATCH + 1).map(|number| format!("a/{number:05}")).collect();
        let visited = store.transact(|transaction| -> Result<_> {
            for key in keys.iter().map(String::as_str).chain(["b"]) {
                transaction.put(key, *b"1")?;
            }
            let mut seen = Vec::new();
            let ended = transaction.visit::<()>("a/", |key, _| {
                seen.push(key.to_owned());
                ControlFlow::Continue(())
            })?;
            let broken = transaction.visit("a/", |key, _| ControlFlow::Break(key.to_owned()))?;
            Ok((seen, ended, broken))
        });
        assert_eq!(visited.expect("nothing fails"), (keys.clone(), None, Some(keys[0].clone())));
    }
}

//! A snapshot of the embedded store: one `redb` read transaction.

use std::ops::Bound;
use std::sync::Arc;

use redb::ReadOnlyTable;

use super::feed;
use super::file::{DOCUMENTS, File, Generation, failure};
use crate::document::range_start;
use crate::{Document, Result, Revision, Snapshot};

pub(super) struct EmbeddedSnapshot {
    documents: ReadOnlyTable<&'static str, (u64, &'static [u8])>,
    revision: Revision,
    file: Arc<File>,
    generation: Generation,
}

impl EmbeddedSnapshot {
    pub(super) fn new(file: &Arc<File>) -> Result<Self> {
        let (transaction, generation) = file.begin_read()?;
        let opened = || {
            let documents = transaction.open_table(DOCUMENTS).map_err(failure)?;
            Ok((documents, feed::head(&transaction)?))
        };
        let (documents, revision) = file.note(generation, opened())?;
        Ok(Self { documents, revision, file: Arc::clone(file), generation })
    }

    fn find(&self, key: &str) -> Result<Option<Document>> {
        let found = self.documents.get(key).map_err(failure)?;
        Ok(found.map(|found| document(found.value())))
    }

    fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Document)>> {
        let start = range_start(prefix, after);
        let mut listed = Vec::new();
        for entry in self.documents.range::<&str>((start, Bound::Unbounded)).map_err(failure)? {
            let (key, value) = entry.map_err(failure)?;
            if listed.len() == limit || !key.value().starts_with(prefix) {
                break;
            }
            listed.push((key.value().to_owned(), document(value.value())));
        }
        Ok(listed)
    }
}

impl Snapshot for EmbeddedSnapshot {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &str) -> Result<Option<Document>> {
        self.file.note(self.generation, self.find(key))
    }

    fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Document)>> {
        self.file.note(self.generation, self.list(prefix, after, limit))
    }
}

fn document((revision, bytes): (u64, &[u8])) -> Document {
    Document { bytes: bytes.into(), revision: Revision::new(revision) }
}

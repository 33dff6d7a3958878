//! Typed documents in the store: how they are named and encoded.
//!
//! A key is `{kind}/{account}/{region}/{id}/{id}…`, each part escaped, so that a prefix names everything of one
//! kind, of one owner, or of one parent. A document is JSON.

use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use stagedoor_store::{Error, Transaction};

use crate::{Fault, Result};

/// A type that is stored. `KIND` is the first part of its keys and never changes.
pub trait Kind: Serialize + DeserializeOwned {
    const KIND: &'static str;
}

/// The parts of a document's key after its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub account: String,
    pub region: String,
    pub ids: Vec<String>,
}

impl Key {
    /// Reads the key of a document of this kind; `None` if it is of another one.
    pub fn parse<T: Kind>(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        if parts.next()? != T::KIND {
            return None;
        }
        let mut parts = parts.map(unescape);
        Some(Self { account: parts.next()?, region: parts.next()?, ids: parts.collect() })
    }
}

/// The key of one document.
pub fn key<T: Kind>(account: &str, region: &str, ids: &[&str]) -> String {
    let mut key = String::from(T::KIND);
    for part in [account, region].iter().chain(ids) {
        key.push('/');
        escape(part, &mut key);
    }
    key
}

/// What the keys of all documents of this kind start with.
pub fn prefix<T: Kind>() -> String {
    format!("{}/", T::KIND)
}

fn escape(part: &str, key: &mut String) {
    for char in part.chars() {
        match char {
            '/' => key.push_str("%2F"),
            '%' => key.push_str("%25"),
            other => key.push(other),
        }
    }
}

fn unescape(part: &str) -> String {
    part.replace("%2F", "/").replace("%25", "%")
}

/// A document as it is stored.
pub fn encode<T: Kind>(document: &T) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents have string keys and finite numbers")
}

/// A document from its stored form. Fails on bytes that this version cannot read.
pub fn decode<T: Kind>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        tracing::error!(kind = T::KIND, %error, "stored document cannot be read");
        Fault::internal()
    })
}

/// Typed access for one account and region within a transaction. [`crate::Cx`] derefs to it.
pub struct Documents<'a> {
    transaction: &'a mut Transaction,
    account: &'a str,
    region: &'a str,
    tells: bool,
}

/// Called with each document's ids below the parent and its bytes.
type Visit<'v> = dyn FnMut(Vec<String>, &[u8]) -> Result<()> + 'v;

impl<'a> Documents<'a> {
    pub fn new(transaction: &'a mut Transaction, account: &'a str, region: &'a str) -> Self {
        Self { transaction, account, region, tells: true }
    }

    /// Without a word to EventBridge if nobody would be told: see [`crate::ivs::notice`].
    #[must_use]
    pub fn telling(self, anybody: bool) -> Self {
        Self { tells: anybody, ..self }
    }

    /// Whether events for EventBridge are put into the outbox.
    pub(crate) fn tells(&self) -> bool {
        self.tells
    }

    pub fn account(&self) -> &'a str {
        self.account
    }

    pub fn region(&self) -> &'a str {
        self.region
    }

    /// The same transaction, for another account in this region.
    pub fn of_account<'d>(&'d mut self, account: &'d str) -> Documents<'d> {
        Documents { transaction: &mut *self.transaction, account, region: self.region, tells: self.tells }
    }

    fn key<T: Kind>(&self, ids: &[&str]) -> String {
        key::<T>(self.account, self.region, ids)
    }

    pub fn get<T: Kind>(&mut self, ids: &[&str]) -> Result<Option<T>> {
        let document = self.transaction.get(&self.key::<T>(ids)).or_else(absent_if_unnameable)?;
        document.map(|document| decode(&document.bytes)).transpose()
    }

    pub fn exists<T: Kind>(&mut self, ids: &[&str]) -> Result<bool> {
        let document = self.transaction.get(&self.key::<T>(ids)).or_else(absent_if_unnameable)?;
        Ok(document.is_some())
    }

    pub fn put<T: Kind>(&mut self, ids: &[&str], document: &T) -> Result<()> {
        let key = self.key::<T>(ids);
        self.transaction.put(&key, encode(document)).map_err(store_fault)
    }

    /// Deletes one document; no error if there is none.
    pub fn delete<T: Kind>(&mut self, ids: &[&str]) -> Result<()> {
        let key = self.key::<T>(ids);
        self.transaction.delete(&key).map_err(store_fault)
    }

    /// All documents of this kind below `parent`, each with the ids that follow it, in the order of their keys.
    pub fn list<T: Kind>(&mut self, parent: &[&str]) -> Result<Vec<(Vec<String>, T)>> {
        let mut found = Vec::new();
        self.visit::<T>(parent, &mut |ids, bytes| {
            found.push((ids, decode(bytes)?));
            Ok(())
        })?;
        Ok(found)
    }

    /// As [`Self::list`], without the ids.
    pub fn all<T: Kind>(&mut self, parent: &[&str]) -> Result<Vec<T>> {
        Ok(self.list(parent)?.into_iter().map(|(_, document)| document).collect())
    }

    /// How many documents of this kind there are below `parent`.
    pub fn count<T: Kind>(&mut self, parent: &[&str]) -> Result<usize> {
        let mut count = 0;
        self.visit::<T>(parent, &mut |_, _| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    /// Deletes all documents of this kind below `parent`.
    pub fn delete_all<T: Kind>(&mut self, parent: &[&str]) -> Result<()> {
        let mut doomed = Vec::new();
        self.visit::<T>(parent, &mut |ids, _| {
            doomed.push(ids);
            Ok(())
        })?;
        for ids in doomed {
            let ids: Vec<&str> = parent.iter().copied().chain(ids.iter().map(String::as_str)).collect();
            self.delete::<T>(&ids)?;
        }
        Ok(())
    }

    fn visit<T: Kind>(&mut self, parent: &[&str], each: &mut Visit<'_>) -> Result<()> {
        let prefix = self.key::<T>(parent) + "/";
        let ended = self.transaction.visit(&prefix, |key, document| {
            let ids = key[prefix.len()..].split('/').map(unescape).collect();
            match each(ids, &document.bytes) {
                Ok(()) => ControlFlow::Continue(()),
                Err(fault) => ControlFlow::Break(fault),
            }
        });
        ended.map_err(store_fault)?.map_or(Ok(()), Err)
    }
}

/// An id too long to be a key names nothing.
fn absent_if_unnameable<T>(error: Error) -> Result<Option<T>> {
    match error {
        Error::KeyTooLong { .. } | Error::KeyEmpty => Ok(None),
        other => Err(store_fault(other)),
    }
}

/// What a client is told when the store refuses.
pub fn store_fault(error: Error) -> Fault {
    tracing::warn!(%error, "store refused");
    match error {
        Error::Unavailable { .. } | Error::Conflict => Fault::unavailable(),
        _ => Fault::internal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Note(String);

    impl Kind for Note {
        const KIND: &'static str = "note";
    }

    #[test]
    fn keys_keep_awkward_ids_apart() {
        let awkward = key::<Note>("1", "eu", &["a/b", "50%2F"]);
        assert_eq!(awkward, "note/1/eu/a%2Fb/50%252F");
        let parsed = Key::parse::<Note>(&awkward).expect("it is a note");
        assert_eq!(parsed.ids, ["a/b", "50%2F"]);
        assert_eq!(Key::parse::<Note>("other/1/eu/a"), None);
    }
}

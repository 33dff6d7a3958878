//! Random transactions, compared with a `BTreeMap` operation by operation.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::feed::{contents, replay};
use super::{FEED_COMMITS_MAX, block_on};
use crate::{Result, Revision, Store, Transaction};

type Map = BTreeMap<String, Vec<u8>>;

#[derive(Debug, Clone)]
enum Operation {
    Get(String),
    Put(String, Vec<u8>),
    Delete(String),
    Scan {
        prefix: String,
        after: Option<String>,
        limit: usize,
    },
    /// Reads a range page by page.
    Pages {
        prefix: String,
        size: usize,
    },
}

/// Some operations, and whether they are committed.
type Batch = (Vec<Operation>, bool);

/// Few keys, so that operations meet; of different lengths, so that prefixes matter.
fn key() -> impl Strategy<Value = String> {
    "[abé]{1,3}"
}

fn operation() -> impl Strategy<Value = Operation> {
    let prefix = || "[abé]{0,2}";
    prop_oneof![
        2 => key().prop_map(Operation::Get),
        4 => (key(), vec(any::<u8>(), 0..4)).prop_map(|(key, value)| Operation::Put(key, value)),
        2 => key().prop_map(Operation::Delete),
        2 => (prefix(), proptest::option::of(key()), 0..6_usize)
            .prop_map(|(prefix, after, limit)| Operation::Scan { prefix, after, limit }),
        1 => (prefix(), 1..4_usize).prop_map(|(prefix, size)| Operation::Pages { prefix, size }),
    ]
}

pub(super) fn random(store: &Store) {
    const CASES: u32 = 100;
    const BATCHES: usize = 8;
    // The feed is read back after every case.
    assert!((BATCHES as u64) < FEED_COMMITS_MAX);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let batches = vec((vec(operation(), 0..16), proptest::bool::weighted(0.8)), 0..BATCHES);
    let tested = TestRunner::new(config).run(&batches, |batches| case(store, &batches));
    tested.unwrap_or_else(|failure| panic!("{failure}"));
}

fn case(store: &Store, batches: &[Batch]) -> Result<(), TestCaseError> {
    let start = store.clear()?;
    let mut committed = Map::new();
    for (operations, commit) in batches {
        committed = batch(store, &committed, operations, *commit)?;
        let stored: Map =
            contents(store).into_iter().map(|(key, (bytes, _))| (key, bytes.to_vec())).collect();
        prop_assert_eq!(&stored, &committed);
    }
    check_feed(store, start)
}

/// Runs one transaction, and returns what is stored after it.
fn batch(store: &Store, before: &Map, operations: &[Operation], commit: bool) -> Result<Map, TestCaseError> {
    let mut map = before.clone();
    let done = store.transact(|transaction| {
        map = before.clone();
        for operation in operations {
            apply(transaction, &mut map, operation)?;
        }
        if commit { Ok(()) } else { Err(TestCaseError::reject("rolled back")) }
    });
    match done {
        Ok(()) => Ok(map),
        Err(TestCaseError::Reject(_)) => Ok(before.clone()),
        Err(failure) => Err(failure),
    }
}

fn apply(transaction: &mut Transaction, map: &mut Map, operation: &Operation) -> Result<(), TestCaseError> {
    match operation {
        Operation::Get(key) => {
            let found = transaction.get(key)?.map(|document| document.bytes.to_vec());
            prop_assert_eq!(found.as_ref(), map.get(key), "{:?}", operation);
        }
        Operation::Put(key, value) => {
            transaction.put(key, value.as_slice())?;
            map.insert(key.clone(), value.clone());
        }
        Operation::Delete(key) => {
            transaction.delete(key)?;
            map.remove(key);
        }
        Operation::Scan { prefix, after, limit } => {
            let expected = expected(map, prefix, after.as_deref(), *limit);
            prop_assert_eq!(
                scan(transaction, prefix, after.as_deref(), *limit)?,
                expected,
                "{:?}",
                operation
            );
        }
        Operation::Pages { prefix, size } => {
            let expected = expected(map, prefix, None, usize::MAX);
            prop_assert_eq!(pages(transaction, prefix, *size)?, expected, "{:?}", operation);
        }
    }
    Ok(())
}

type Listed = Vec<(String, Vec<u8>)>;

fn scan(transaction: &mut Transaction, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listed> {
    let found = transaction.scan(prefix, after, limit)?;
    Ok(found.into_iter().map(|(key, document)| (key, document.bytes.to_vec())).collect())
}

fn pages(transaction: &mut Transaction, prefix: &str, size: usize) -> Result<Listed> {
    let mut listed = Listed::new();
    loop {
        let after = listed.last().map(|(key, _)| key.clone());
        let page = scan(transaction, prefix, after.as_deref(), size)?;
        if page.is_empty() {
            return Ok(listed);
        }
        listed.extend(page);
    }
}

fn expected(map: &Map, prefix: &str, after: Option<&str>, limit: usize) -> Listed {
    let in_range = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
    let found = map.iter().filter(|(key, _)| in_range(key)).take(limit);
    found.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// What the feed says since the store was cleared is what is stored.
fn check_feed(store: &Store, start: Revision) -> Result<(), TestCaseError> {
    let head = store.head();
    let mut follower = store.follow(start);
    let mut commits = Vec::new();
    while follower.position() < head {
        commits.push(block_on(follower.next())?);
    }
    prop_assert_eq!(replay(&commits), contents(store));
    Ok(())
}

//! Tests of what only the embedded back end has: a file, its lock, restarts, and (in `faults.rs`) a disk that fails.

mod faults;

use super::*;
use crate::{Store, Transaction};

fn put(transaction: &mut Transaction, key: &str, value: &[u8]) -> Result<()> {
    transaction.put(key, value)
}

fn get(store: &Store, key: &str) -> Result<Option<Vec<u8>>> {
    Ok(store.read(|transaction| transaction.get(key))?.map(|document| document.bytes.to_vec()))
}

fn next(follower: &mut crate::Follower) -> Result<Commit> {
    tokio::runtime::Builder::new_current_thread().build().expect("start a runtime").block_on(follower.next())
}

#[test]
fn a_restart_keeps_documents_revisions_and_feed() {
    let directory = tempfile::tempdir().expect("make a directory");
    let path = directory.path().join("store.redb");
    for restart in 1..5_u64 {
        let store = Store::open_embedded(&path).expect("open");
        assert_eq!(store.head().get(), restart - 1);
        store.transact(|t| put(t, &format!("key/{restart}"), b"value")).expect("write");
        let mut follower = store.follow(Revision::ZERO);
        for revision in 1..=restart {
            let commit = next(&mut follower).expect("the next commit");
            assert_eq!(
                (commit.revision.get(), &commit.changes[0].key),
                (revision, &format!("key/{revision}"))
            );
        }
        let documents = store.read(|t| t.scan("key/", None, 9)).expect("scan");
        let revisions: Vec<u64> = documents.iter().map(|(_, document)| document.revision.get()).collect();
        assert_eq!(revisions, (1..=restart).collect::<Vec<_>>());
    }
}

#[test]
fn a_file_is_open_only_once() {
    let directory = tempfile::tempdir().expect("make a directory");
    let path = directory.path().join("store.redb");
    let store = Store::open_embedded(&path).expect("open");
    let error = Store::open_embedded(&path).err().expect("the file is open");
    assert_eq!(
        error.to_string(),
        format!("{} is already open: only one server can use a data directory at a time", path.display())
    );
    drop(store);
    Store::open_embedded(&path).expect("open again");
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("make a directory");
    let path = directory.path().join("store.redb");
    let content = b"something else\n".repeat(500);
    std::fs::write(&path, &content).expect("write");
    assert!(matches!(Store::open_embedded(&path), Err(Error::Corrupt { .. })));
    assert_eq!(std::fs::read(&path).expect("read"), content);
}

#[test]
fn a_shortened_file_is_refused() {
    let directory = tempfile::tempdir().expect("make a directory");
    let path = directory.path().join("store.redb");
    let store = Store::open_embedded(&path).expect("open");
    for number in 0..20 {
        store.transact(|t| put(t, &format!("key/{number}"), &[7; 10_000])).expect("write");
    }
    drop(store);
    let whole = std::fs::read(&path).expect("read");
    for length in [0, 1, 5, 100, 320, 512, 4096, 5000, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).expect("write");
        let opened = Store::open_embedded(&path);
        assert!(matches!(opened, Err(Error::Corrupt { .. })), "{length}: {:?}", opened.err());
    }
}

/// A bit that turned, a page that was never written: a server on a bad disk served all but what stood there.
#[test]
fn a_damaged_file_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("make a directory");
    let path = directory.path().join("store.redb");
    let store = Store::open_embedded(&path).expect("open");
    for number in 0..10 {
        store.transact(|t| put(t, &format!("key/{number}"), &[7; 10_000])).expect("write");
    }
    drop(store);
    let whole = std::fs::read(&path).expect("read");
    let values: Vec<usize> = whole
        .windows(64)
        .enumerate()
        .step_by(4096)
        .filter(|(_, bytes)| **bytes == [7; 64])
        .map(|(at, _)| at)
        .collect();
    const HEAD_BYTES: usize = 4096;
    let mut refused = 0;
    for at in values {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).expect("write");
        match Store::open_embedded(&path) {
            // A page that is free.
            Ok(store) => assert_eq!(get(&store, "key/9").expect("a value"), Some(vec![7; 10_000])),
            Err(error) => {
                assert!(matches!(error, Error::Corrupt { .. }), "{at}: {error}");
                // But for redb's mark in the head that the file was opened.
                assert!(std::fs::read(&path).expect("read")[HEAD_BYTES..] == damaged[HEAD_BYTES..], "{at}");
                refused += 1;
            }
        }
    }
    assert!(refused >= 10, "{refused}");
}

#[test]
fn a_missing_directory_is_an_error() {
    let directory = tempfile::tempdir().expect("make a directory");
    let opened = Store::open_embedded(directory.path().join("missing").join("store.redb"));
    assert!(matches!(opened, Err(Error::Unavailable { .. })));
}

#[test]
fn a_follower_ends_with_the_store_and_does_not_keep_it_open() {
    let directory = tempfile::tempdir().expect("make a directory");
    let path = directory.path().join("store.redb");
    let store = Store::open_embedded(&path).expect("open");
    let mut follower = store.follow(Revision::ZERO);
    drop(store);
    assert!(matches!(next(&mut follower), Err(Error::Closed)));
    Store::open_embedded(&path).expect("open again");
}

#[test]
fn the_feed_is_trimmed_by_bytes_too() {
    let config = Config { feed_bytes_max: 1000, ..Config::default() };
    let store = Store::new(Embedded::in_memory(config).expect("open"));
    for _ in 0..20 {
        store.transact(|t| put(t, "key", &[0; 300])).expect("write");
    }
    // Three commits of 300 bytes and the one whose successors they are.
    let mut oldest = store.follow(Revision::new(16));
    assert_eq!(next(&mut oldest).expect("the oldest commit").revision, Revision::new(17));
    assert!(matches!(next(&mut store.follow(Revision::new(15))), Err(Error::Lagged { .. })));
    // The last one is kept however long it is.
    store.transact(|t| put(t, "key", &[0; 3000])).expect("write");
    assert_eq!(
        next(&mut store.follow(Revision::new(20))).expect("the last commit").revision,
        Revision::new(21)
    );
}

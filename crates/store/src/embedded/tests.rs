//! Tests of what only the embedded back end has: a file, its lock, restarts, and a disk that fails.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;
use redb::backends::FileBackend;

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
    for length in [1, 5, 100, 320, 512, 4096, 5000, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).expect("write");
        let opened = Store::open_embedded(&path);
        assert!(matches!(opened, Err(Error::Corrupt { .. })), "{length}: {:?}", opened.err());
    }
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

/// A file whose writes or reads fail on demand.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    faults: Arc<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    sync: AtomicBool,
    write: AtomicBool,
    read: AtomicBool,
    open: AtomicBool,
}

fn fault(happens: &AtomicBool) -> io::Result<()> {
    if happens.load(Ordering::Relaxed) { Err(io::Error::other("the disk is broken")) } else { Ok(()) }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        fault(&self.faults.read)?;
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        fault(&self.faults.write)?;
        self.file.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        fault(&self.faults.sync)?;
        self.file.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        fault(&self.faults.write)?;
        self.file.write(offset, data)
    }
    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

/// A store on a disk that can be made to fail, with the document `before` in it.
fn on_disk(directory: &Path) -> (Store, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let (path, faults_of_disk) = (directory.join("store.redb"), Arc::clone(&faults));
    let opener: Opener = {
        let path = path.clone();
        Box::new(move || {
            fault(&faults_of_disk.open).map_err(redb::StorageError::Io)?;
            let options =
                std::fs::File::options().read(true).write(true).create(true).truncate(false).open(&path);
            let file = FileBackend::new(options.map_err(redb::StorageError::Io)?)?;
            let disk = Disk { file, faults: Arc::clone(&faults_of_disk) };
            // No cache, so that reads reach the disk.
            Database::builder().set_cache_size(0).create_with_backend(disk)
        })
    };
    let embedded =
        Embedded::start(File::open(path, opener).expect("open"), Config::default()).expect("start");
    let store = Store::new(embedded);
    store.transact(|t| put(t, "before", b"1")).expect("write");
    (store, faults)
}

/// While the disk fails, writes are refused; when it works again, so does the store, and it holds every commit that
/// it acknowledged. One that it did not acknowledge is there as a whole or not at all.
fn check_recovery(happens: fn(&Faults) -> [&AtomicBool; 2]) {
    let directory = tempfile::tempdir().expect("make a directory");
    let (store, faults) = on_disk(directory.path());
    let set = |to| happens(&faults).into_iter().for_each(|fault| fault.store(to, Ordering::Relaxed));
    for round in 0..3 {
        let lost = format!("lost/{round}");
        set(true);
        for _ in 0..2 {
            let failed = store.transact(|t| put(t, &lost, b"1").and_then(|()| put(t, "lost too", b"1")));
            assert!(matches!(failed, Err(Error::Unavailable { .. })), "{failed:?}");
        }
        set(false);
        // The first call after a fault may be the one that finds out about it.
        let _ = get(&store, "before");
        store.transact(|t| put(t, &format!("after/{round}"), b"1")).expect("write again");
    }
    let keys = ["before", "after/0", "after/1", "after/2"];
    let check = |store: &Store| {
        for key in keys {
            assert_eq!(get(store, key).expect("read").as_deref(), Some(b"1".as_slice()), "{key}");
        }
        let lost = store.read(|t| t.scan("lost/", None, 9)).expect("scan");
        assert_eq!(get(store, "lost too").expect("read").is_some(), !lost.is_empty());
        let mut follower = store.follow(Revision::ZERO);
        let mut written = Vec::new();
        while follower.position() < store.head() {
            let commit = next(&mut follower).expect("the next commit");
            written.extend(commit.changes.into_iter().map(|change| change.key));
        }
        let stored = store.read(|t| t.scan("", None, usize::MAX)).expect("scan");
        written.sort();
        written.dedup();
        assert_eq!(stored.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), written);
    };
    check(&store);
    drop(store);
    check(&Store::open_embedded(directory.path().join("store.redb")).expect("open"));
}

#[test]
fn recovers_from_failing_writes() {
    check_recovery(|faults| [&faults.write, &faults.write]);
}

#[test]
fn recovers_from_failing_syncs() {
    check_recovery(|faults| [&faults.sync, &faults.sync]);
}

#[test]
fn recovers_from_failing_syncs_and_opens() {
    check_recovery(|faults| [&faults.sync, &faults.open]);
}

#[test]
fn recovers_from_failing_reads() {
    check_recovery(|faults| [&faults.read, &faults.open]);
}

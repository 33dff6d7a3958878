//! A disk that fails: what was acknowledged stays, what was not is there as a whole or not at all, the feed agrees
//! with the documents, and the store works again when the disk does.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use redb::StorageBackend;
use redb::backends::FileBackend;

use super::*;
use crate::suite::feed::{contents, replay};

/// A file that fails on demand.
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
    /// The one sync that fails, counted from 1.
    sync_in: AtomicI32,
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
        if self.faults.sync_in.fetch_sub(1, Ordering::Relaxed) == 1 {
            return Err(io::Error::other("the disk was broken"));
        }
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
    let path = directory.join("store.redb");
    let opener = opener(path.clone(), Arc::clone(&faults));
    let embedded = Embedded::start(File::open(path, opener).expect("open"), Config::default());
    let store = Store::new(embedded.expect("start"));
    store.transact(|t| put(t, "before", b"1")).expect("write");
    (store, faults)
}

fn opener(path: std::path::PathBuf, faults: Arc<Faults>) -> Opener {
    Box::new(move || {
        fault(&faults.open).map_err(redb::StorageError::Io)?;
        let options =
            std::fs::File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = FileBackend::new(options.map_err(redb::StorageError::Io)?)?;
        let disk = Disk { file, faults: Arc::clone(&faults) };
        // No cache, so that reads reach the disk.
        Database::builder().set_cache_size(0).create_with_backend(disk)
    })
}

/// Writes two documents, which must fail.
fn fail(store: &Store, name: &str) {
    let failed = store.transact(|t| put(t, name, b"1").and_then(|()| put(t, &format!("{name} too"), b"1")));
    assert!(matches!(failed, Err(Error::Unavailable { .. })), "{failed:?}");
}

/// The documents and what the feed says about them are the same, and announced.
fn check_agreement(store: &Store) {
    let mut follower = store.follow(Revision::ZERO);
    let mut commits = Vec::new();
    while follower.position() < store.head() {
        commits.push(next(&mut follower).expect("the next commit"));
    }
    assert_eq!(replay(&commits), contents(store));
}

fn check_whole(store: &Store, name: &str) -> bool {
    let [one, other] =
        [name.to_owned(), format!("{name} too")].map(|key| get(store, &key).expect("read").is_some());
    assert_eq!(one, other, "half of {name} is there");
    one
}

/// Breaks and repairs the disk three times.
fn check_recovery(happens: fn(&Faults) -> Vec<&AtomicBool>) {
    let directory = tempfile::tempdir().expect("make a directory");
    let (store, faults) = on_disk(directory.path());
    let set = |to| happens(&faults).into_iter().for_each(|fault| fault.store(to, Ordering::Relaxed));
    for round in 0..3 {
        set(true);
        fail(&store, "lost");
        fail(&store, "lost");
        set(false);
        // The first call after a fault may be the one that finds out about it.
        let _ = get(&store, "before");
        store.transact(|t| put(t, &format!("after/{round}"), b"1")).expect("write again");
    }
    let check = |store: &Store| {
        for key in ["before", "after/0", "after/1", "after/2"] {
            assert_eq!(get(store, key).expect("read").as_deref(), Some(b"1".as_slice()), "{key}");
        }
        check_whole(store, "lost");
        check_agreement(store);
    };
    check(&store);
    drop(store);
    check(&Store::open_embedded(directory.path().join("store.redb")).expect("open"));
}

#[test]
fn recovers_from_failing_writes() {
    check_recovery(|faults| vec![&faults.write]);
}

#[test]
fn recovers_from_failing_syncs() {
    check_recovery(|faults| vec![&faults.sync]);
}

#[test]
fn recovers_from_failing_syncs_and_opens() {
    check_recovery(|faults| vec![&faults.sync, &faults.open]);
}

#[test]
fn recovers_from_failing_reads() {
    check_recovery(|faults| vec![&faults.read]);
}

#[test]
fn recovers_from_failing_reads_and_opens() {
    check_recovery(|faults| vec![&faults.read, &faults.open]);
}

/// The first sync of a commit is before it counts, the second after: a commit whose second sync fails is reported as
/// failed and stored all the same. Followers must get it, and the next commit must not take its number.
#[test]
fn a_failed_commit_that_was_stored_is_announced() {
    let mut stored = Vec::new();
    for (failing_sync, opens) in [(1, true), (1, false), (2, true), (2, false)] {
        let directory = tempfile::tempdir().expect("make a directory");
        let (store, faults) = on_disk(directory.path());
        faults.sync_in.store(failing_sync, Ordering::Relaxed);
        faults.open.store(!opens, Ordering::Relaxed);
        fail(&store, "unknown");
        faults.open.store(false, Ordering::Relaxed);
        if opens {
            check_agreement(&store);
        }
        store.transact(|t| put(t, "after", b"1")).expect("write again");
        check_agreement(&store);
        stored.push(check_whole(&store, "unknown"));
        assert_eq!(store.head().get(), 2 + u64::from(check_whole(&store, "unknown")));
    }
    assert_eq!(stored, [false, false, true, true]);
}

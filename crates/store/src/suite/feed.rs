//! What followers get.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;

use super::{FEED_COMMITS_MAX, block_on, keys, put_number};
use crate::{Commit, Error, Revision, Store};

const THREADS: u64 = 8;
const EACH: u64 = 40;
const COMMITS: u64 = THREADS * EACH;

/// Two followers, one of which begins anew after every seventh commit, get what eight threads commit.
pub(super) fn once_in_order(store: &Store) {
    let (patient, restarting) = thread::scope(|scope| {
        let patient = scope.spawn(|| follow(store, usize::MAX));
        let restarting = scope.spawn(|| follow(store, 7));
        for thread in 0..THREADS {
            scope.spawn(move || write(store, thread));
        }
        (patient.join().expect("follow"), restarting.join().expect("follow"))
    });
    assert_eq!(patient, restarting);
    let revisions: Vec<u64> = patient.iter().map(|commit| commit.revision.get()).collect();
    assert_eq!(revisions, (1..=COMMITS).collect::<Vec<_>>());
    assert_eq!(replay(&patient), contents(store));
    for thread in 0..THREADS {
        let key = format!("own/{thread}");
        let written: Vec<_> =
            patient.iter().flat_map(|commit| &commit.changes).filter(|c| c.key == key).collect();
        let expected: Vec<Vec<u8>> = (0..EACH).map(|step| step.to_string().into_bytes()).collect();
        assert_eq!(written.iter().filter_map(|change| change.value.as_deref()).collect::<Vec<_>>(), expected);
    }
}

/// Writes one document over and over, a second one from time to time, and deletes what it wrote as second.
fn write(store: &Store, thread: u64) {
    for step in 0..EACH {
        let written = store.transact(|t| {
            put_number(t, &format!("own/{thread}"), step)?;
            match step % 3 {
                0 => put_number(t, &format!("new/{thread}/{step}"), step),
                1 => t.delete(&format!("new/{thread}/{}", step - 1)),
                _ => Ok(()),
            }
        });
        written.expect("write");
    }
}

/// All commits, by a follower that begins anew after so many.
fn follow(store: &Store, restart_after: usize) -> Vec<Commit> {
    block_on(async {
        let mut commits = Vec::new();
        let mut follower = store.follow(Revision::ZERO);
        while (commits.len() as u64) < COMMITS {
            if commits.len() % restart_after == restart_after - 1 {
                follower = store.follow(follower.position());
            }
            commits.push(follower.next().await.expect("the next commit"));
        }
        commits
    })
}

pub(crate) type Contents = BTreeMap<String, (Arc<[u8]>, Revision)>;

/// The documents that a sequence of commits leaves.
pub(crate) fn replay(commits: &[Commit]) -> Contents {
    let mut documents = Contents::new();
    for commit in commits {
        if commit.cleared {
            documents.clear();
        }
        for change in &commit.changes {
            match &change.value {
                Some(bytes) => documents.insert(change.key.clone(), (Arc::clone(bytes), commit.revision)),
                None => documents.remove(&change.key),
            };
        }
    }
    documents
}

/// The documents in the store.
pub(crate) fn contents(store: &Store) -> Contents {
    let found = store.read(|transaction| transaction.scan("", None, usize::MAX)).expect("scan");
    found.into_iter().map(|(key, document)| (key, (document.bytes, document.revision))).collect()
}

pub(super) fn waits(store: &Store) {
    block_on(async {
        let mut follower = store.follow(store.head());
        let mut next = pin!(follower.next());
        assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let writer = store.clone();
        let written = tokio::task::spawn_blocking(move || writer.transact(|t| put_number(t, "a", 1)));
        written.await.expect("the writing thread").expect("write");
        let next = next.await.expect("the next commit");
        assert_eq!((next.revision, next.cleared, next.changes.len()), (Revision::new(1), false, 1));
        assert_eq!(store.head(), next.revision);
    });
}

pub(super) fn lagged(store: &Store) {
    let mut late = store.follow(Revision::ZERO);
    // A back end may trim its feed a little later than it could.
    for number in 1..=2 * FEED_COMMITS_MAX {
        store.transact(|t| put_number(t, "a", number)).expect("write");
    }
    block_on(async {
        assert!(matches!(late.next().await, Err(Error::Lagged { after: Revision::ZERO })));
        let head = store.head();
        let mut in_time = store.follow(Revision::new(head.get() - FEED_COMMITS_MAX / 2));
        assert_eq!(in_time.next().await.expect("the next commit").revision, in_time.position());
        let beyond = store.follow(head.next()).next().await;
        assert!(matches!(beyond, Err(Error::Lagged { after }) if after == head.next()));
    });
}

pub(super) fn clear(store: &Store) {
    store.transact(|t| put_number(t, "a", 1)).expect("write");
    let revision = store.clear().expect("clear");
    assert_eq!((revision, store.head()), (Revision::new(2), Revision::new(2)));
    assert!(keys(store, "").is_empty());
    store.transact(|t| put_number(t, "b", 1)).expect("write");
    let commits = block_on(async {
        let mut follower = store.follow(Revision::ZERO);
        [follower.next().await, follower.next().await, follower.next().await]
            .map(|next| next.expect("a commit"))
    });
    assert_eq!(commits[1], Commit { revision, cleared: true, changes: Vec::new() });
    assert_eq!(replay(&commits), contents(store));
    assert_eq!(keys(store, ""), ["b"]);
}

/// That the last handle does close it is tested where the back end is: the suite cannot drop the last one.
pub(super) fn clones(store: &Store) {
    let clone = store.clone();
    let mut follower = clone.follow(Revision::ZERO);
    drop(clone);
    store.transact(|t| put_number(t, "a", 1)).expect("write");
    assert!(block_on(follower.next()).is_ok());
}

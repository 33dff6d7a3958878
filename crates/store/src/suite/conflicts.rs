//! Which transactions conflict, one at a time, without threads.

use std::thread;

use super::{keys, put_number};
use crate::{Error, Result, Revision, Store, Transaction};

type Step = fn(&mut Transaction) -> Result<()>;

struct Case {
    what: &'static str,
    /// What the transaction does before it writes something.
    before: Step,
    /// What another transaction commits meanwhile.
    meanwhile: Step,
    conflict: bool,
}

const fn conflict(what: &'static str, before: Step, meanwhile: Step) -> Case {
    Case { what, before, meanwhile, conflict: true }
}

const fn no_conflict(what: &'static str, before: Step, meanwhile: Step) -> Case {
    Case { what, before, meanwhile, conflict: false }
}

fn put(transaction: &mut Transaction, key: &str) -> Result<()> {
    put_number(transaction, key, 1)
}

fn scan(transaction: &mut Transaction, after: Option<&str>, limit: usize) -> Result<()> {
    transaction.scan("a", after, limit).map(|_| ())
}

fn get(transaction: &mut Transaction, key: &str) -> Result<()> {
    transaction.get(key).map(|_| ())
}

/// The documents at the start are a1, a2, a3 and b1.
const CASES: [Case; 24] = [
    conflict("a key read is written", |t| get(t, "a1"), |t| put(t, "a1")),
    conflict("a key read is deleted", |t| get(t, "a1"), |t| t.delete("a1")),
    conflict("an absent key read is written", |t| get(t, "a9"), |t| put(t, "a9")),
    no_conflict("another key is written", |t| get(t, "a1"), |t| put(t, "a2")),
    no_conflict("nothing was read", |_| Ok(()), |t| put(t, "x")),
    conflict("a key appears in a range", |t| scan(t, None, usize::MAX), |t| put(t, "a9")),
    conflict("a key in a range is written", |t| scan(t, None, usize::MAX), |t| put(t, "a2")),
    conflict("a key in a range is deleted", |t| scan(t, None, usize::MAX), |t| t.delete("a2")),
    no_conflict("a key appears outside a range", |t| scan(t, None, usize::MAX), |t| put(t, "b9")),
    no_conflict("a page ends before the key", |t| scan(t, None, 2), |t| put(t, "a3")),
    no_conflict("a full page ends with its last key", |t| scan(t, None, 3), |t| put(t, "a4")),
    conflict("a page with room left goes on", |t| scan(t, None, 4), |t| put(t, "a4")),
    conflict("the last key of a page is written", |t| scan(t, None, 2), |t| put(t, "a2")),
    conflict("a key appears within a page", |t| scan(t, None, 2), |t| put(t, "a15")),
    no_conflict("a page begins after the key", |t| scan(t, Some("a1"), 1), |t| put(t, "a1")),
    conflict("a key appears at the start of a page", |t| scan(t, Some("a1"), 1), |t| put(t, "a11")),
    conflict("a range without documents is entered", |t| scan(t, Some("a5"), 1), |t| put(t, "a7")),
    conflict("the first of two pages", pages, |t| put(t, "a1")),
    conflict("the second of two pages", pages, |t| put(t, "a2")),
    no_conflict("behind two pages", pages, |t| put(t, "a3")),
    no_conflict(
        "only its own write was read",
        |t| put(t, "a1").and_then(|()| get(t, "a1")),
        |t| put(t, "a1"),
    ),
    conflict("its own deletion makes a page longer", own_deletion, |t| put(t, "a2")),
    no_conflict("its own write makes a page shorter", own_write, |t| put(t, "a1")),
    no_conflict("a page of no documents", |t| scan(t, None, 0), |t| put(t, "a1")),
];

fn pages(transaction: &mut Transaction) -> Result<()> {
    scan(transaction, None, 1)?;
    scan(transaction, Some("a1"), 1)
}

fn own_deletion(transaction: &mut Transaction) -> Result<()> {
    transaction.delete("a1")?;
    scan(transaction, None, 1)
}

fn own_write(transaction: &mut Transaction) -> Result<()> {
    put(transaction, "a0")?;
    scan(transaction, None, 1)
}

pub(super) fn exact(store: &Store) {
    for case in CASES {
        store.clear().expect("clear");
        store
            .transact(|t| ["a1", "a2", "a3", "b1"].into_iter().try_for_each(|key| put(t, key)))
            .expect("prepare");
        let attempts = attempts(store, case.before, |store| {
            store.transact(case.meanwhile).expect("the other transaction");
        });
        assert_eq!(attempts, if case.conflict { 2 } else { 1 }, "{}", case.what);
    }
}

pub(super) fn clear(store: &Store) {
    let attempts = attempts(
        store,
        |t| get(t, "a1"),
        |store| {
            store.clear().expect("clear");
        },
    );
    assert_eq!(attempts, 2);
}

/// How often a transaction is tried that does `before`, when `meanwhile` happens during its first attempt.
fn attempts(store: &Store, before: Step, meanwhile: impl Fn(&Store) + Sync) -> u32 {
    let mut attempts = 0;
    let done = store.transact(|transaction| {
        attempts += 1;
        before(transaction)?;
        if attempts == 1 {
            elsewhere(|| meanwhile(store));
        }
        put(transaction, "written")
    });
    done.expect("the transaction");
    assert!(keys(store, "w") == ["written"]);
    attempts
}

/// Does something on another thread, as other transactions do.
fn elsewhere<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(f).join()).expect("the other thread")
}

pub(super) fn failed(store: &Store) {
    #[derive(Debug)]
    enum Failure {
        Own,
        Store(Error),
    }
    impl From<Error> for Failure {
        fn from(error: Error) -> Self {
            Self::Store(error)
        }
    }
    let result = store.transact(|transaction| {
        put(transaction, "a")?;
        Err::<(), _>(Failure::Own)
    });
    match result {
        Err(Failure::Own) => {}
        Err(Failure::Store(error)) => panic!("{error}"),
        Ok(()) => panic!("the error was lost"),
    }
    assert_eq!((keys(store, ""), store.head()), (Vec::new(), Revision::ZERO));
}

pub(super) fn without_writes(store: &Store) {
    let attempts_of_reader = {
        let mut attempts = 0;
        let read = store.transact(|transaction| {
            attempts += 1;
            get(transaction, "a")?;
            elsewhere(|| store.transact(|other| put(other, "a")))
        });
        read.expect("read");
        attempts
    };
    assert_eq!(attempts_of_reader, 1);
    assert_eq!(store.head(), Revision::new(1));
}

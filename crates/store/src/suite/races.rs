//! What must hold when transactions run at the same time, on threads.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};

use super::{keys, number, put_number};
use crate::{Result, Store, Transaction};

const THREADS: u64 = 8;

pub(super) fn increments(store: &Store) {
    const EACH: u64 = 50;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for _ in 0..EACH {
                    store.transact(|t| increment_both(t, thread)).expect("increment");
                }
            });
        }
    });
    let read = store.read(|t| {
        let own: Result<Vec<u64>> = (0..THREADS).map(|thread| number(t, &format!("own/{thread}"))).collect();
        Ok::<_, crate::Error>((number(t, "shared")?, own?))
    });
    assert_eq!(read.expect("read"), (THREADS * EACH, vec![EACH; THREADS as usize]));
}

fn increment_both(transaction: &mut Transaction, thread: u64) -> Result<()> {
    for key in ["shared".to_owned(), format!("own/{thread}")] {
        let before = number(transaction, &key)?;
        put_number(transaction, &key, before + 1)?;
    }
    Ok(())
}

/// Runs a transaction for each of two doctors at once, and has both wait for each other after `read`, the first
/// time they get there.
fn both<T>(
    store: &Store,
    read: fn(&mut Transaction) -> Result<T>,
    write: fn(&mut Transaction, T, &str) -> Result<()>,
) {
    let barrier = Barrier::new(2);
    let run = |name: &str| {
        let mut first = true;
        let done = store.transact(|transaction| {
            let seen = read(transaction)?;
            if std::mem::take(&mut first) {
                barrier.wait();
            }
            write(transaction, seen, name)
        });
        done.expect("the transaction");
    };
    thread::scope(|scope| {
        for name in ["anna", "boris"] {
            scope.spawn(move || run(name));
        }
    });
}

/// Each of two doctors may leave if the other stays.
pub(super) fn write_skew(store: &Store) {
    fn on_call(transaction: &mut Transaction) -> Result<u64> {
        Ok(number(transaction, "on-call/anna")? + number(transaction, "on-call/boris")?)
    }
    fn leave(transaction: &mut Transaction, on_call: u64, name: &str) -> Result<()> {
        if on_call < 2 {
            return Ok(());
        }
        put_number(transaction, &format!("on-call/{name}"), 0)
    }
    for _ in 0..10 {
        let prepared = store.transact(|t| {
            put_number(t, "on-call/anna", 1)?;
            put_number(t, "on-call/boris", 1)
        });
        prepared.expect("prepare");
        both(store, on_call, leave);
        assert_eq!(store.read(on_call).expect("read"), 1);
    }
}

/// A room can be booked if nobody has booked it.
pub(super) fn phantom(store: &Store) {
    fn booked(transaction: &mut Transaction) -> Result<bool> {
        Ok(!transaction.scan("booked/", None, 1)?.is_empty())
    }
    fn book(transaction: &mut Transaction, booked: bool, name: &str) -> Result<()> {
        if booked { Ok(()) } else { put_number(transaction, &format!("booked/{name}"), 1) }
    }
    for _ in 0..10 {
        store.clear().expect("clear");
        both(store, booked, book);
        assert_eq!(keys(store, "booked/").len(), 1);
    }
}

/// Money moves between two accounts; whoever looks sees all of it.
pub(super) fn snapshot(store: &Store) {
    const MONEY: u64 = 1000;
    const MOVES: u64 = 100;
    fn total(transaction: &mut Transaction) -> Result<(u64, u64)> {
        let one = number(transaction, "account/one")?;
        // Gives the movers time to get in between.
        thread::yield_now();
        let both = transaction.scan("account/", None, usize::MAX)?;
        let other = number(transaction, "account/other")?;
        Ok((one + other, both.iter().map(|(_, document)| super::parse(document)).sum()))
    }
    let prepared = store.transact(|t| {
        put_number(t, "account/one", MONEY)?;
        put_number(t, "account/other", 0)
    });
    prepared.expect("prepare");
    let moving = AtomicBool::new(true);
    thread::scope(|scope| {
        let movers: Vec<_> = (1..3).map(|seed| scope.spawn(move || move_money(store, seed, MOVES))).collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while moving.load(Ordering::Relaxed) {
                    assert_eq!(store.read(total).expect("read"), (MONEY, MONEY));
                }
            });
        }
        let moved: Vec<_> = movers.into_iter().map(ScopedJoinHandle::join).collect();
        // First the readers are told, lest they read forever if a mover has failed.
        moving.store(false, Ordering::Relaxed);
        assert!(moved.iter().all(Result::is_ok));
    });
    assert_eq!(store.read(total).expect("read"), (MONEY, MONEY));
}

fn move_money(store: &Store, seed: u64, moves: u64) {
    for step in 0..moves {
        let moved = store.transact(|t| {
            let (one, other) = (number(t, "account/one")?, number(t, "account/other")?);
            let one_after = (one + other) * (step * seed % 7) / 7;
            put_number(t, "account/one", one_after)?;
            put_number(t, "account/other", one + other - one_after)
        });
        moved.expect("move money");
    }
}

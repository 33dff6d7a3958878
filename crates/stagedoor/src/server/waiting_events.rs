//! Keeps the asynchronous invocations of functions in the store until they are done: written by a thread of its own,
//! many at a time, so that accepting one costs a share of a write to the disk.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use stagedoor_gateway::WaitingEvents;
use stagedoor_state::Result;
use stagedoor_state::document::{decode, encode, prefix, store_fault};
use stagedoor_state::lambda::{WaitingEvent, WaitingKey};
use stagedoor_state::transact::{read, transact};
use stagedoor_store::{Store, Transaction};
use tokio::sync::oneshot;

/// Changes that the store has not taken and that are tried again, at most. More can only pile up while it is out of order.
const LATE_MAX: usize = 65_536;
/// Changes written in one transaction at most, and their bytes.
const BATCH_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Pause before a failed write is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The thread that writes, and its queue.
#[derive(Debug)]
pub struct StoredEvents(Mutex<Option<Open>>);

#[derive(Debug)]
struct Open {
    /// As long as there may be waiting invocations, which are bounded where they are accepted: a queue with room for all
    /// of them from the start would be most of an idle server's memory.
    changes: Sender<Change>,
    thread: JoinHandle<()>,
}

/// What becomes of one invocation.
#[derive(Debug)]
struct Change {
    key: WaitingKey,
    what: What,
}

#[derive(Debug)]
enum What {
    Add(WaitingEvent, oneshot::Sender<()>),
    Change(WaitingEvent),
    Remove,
}

impl StoredEvents {
    /// Starts the thread.
    pub fn start(store: Store) -> Self {
        let (changes, queue) = channel();
        let thread =
            std::thread::Builder::new().name("events".to_owned()).spawn(move || write(&store, &queue));
        let thread = thread.expect("the system can start a thread");
        Self(Mutex::new(Some(Open { changes, thread })))
    }

    /// Waits until everything queued is written.
    pub fn close(&self) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Open { changes, thread }) = open {
            drop(changes);
            let _ = thread.join();
        }
    }

    fn put(&self, key: WaitingKey, what: What) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = open.as_ref()
            && let Err(error) = open.changes.send(Change { key, what })
        {
            tracing::error!(%error, "what became of an asynchronous invocation could not be recorded");
        }
    }
}

impl WaitingEvents for StoredEvents {
    fn add(&self, key: WaitingKey, event: WaitingEvent) -> oneshot::Receiver<()> {
        let (written, hears) = oneshot::channel();
        self.put(key, What::Add(event, written));
        hears
    }

    fn change(&self, key: WaitingKey, event: WaitingEvent) {
        self.put(key, What::Change(event));
    }

    fn remove(&self, key: WaitingKey) {
        self.put(key, What::Remove);
    }
}

/// What an earlier server accepted and did not do.
pub fn waiting(store: &Store) -> Result<Vec<(WaitingKey, WaitingEvent)>> {
    read(store, |transaction| {
        let mut found = Vec::new();
        let ended = transaction.visit(&prefix::<WaitingEvent>(), |key, document| {
            let Some(key) = WaitingKey::parse(key) else { return ControlFlow::Continue(()) };
            match decode(&document.bytes) {
                Ok(event) => found.push((key, event)),
                Err(fault) => return ControlFlow::Break(fault),
            }
            ControlFlow::Continue(())
        });
        ended.map_err(store_fault)?.map_or(Ok(found), Err)
    })
}

fn write(store: &Store, queue: &Receiver<Change>) {
    // What the store has not taken, and nobody waits for.
    let mut late = Vec::new();
    loop {
        let first = if late.is_empty() {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            queue.recv_timeout(RETRY)
        };
        let ended = matches!(first, Err(RecvTimeoutError::Disconnected));
        if ended && late.is_empty() {
            return;
        }
        let mut batch = std::mem::take(&mut late);
        batch.extend(first.into_iter().chain(gather(queue)));
        late = write_batch(store, batch);
        if ended && !late.is_empty() {
            return tracing::error!("what became of asynchronous invocations could not be recorded");
        }
    }
}

/// What waits in the queue, as far as it is written together.
fn gather(queue: &Receiver<Change>) -> Vec<Change> {
    let (mut gathered, mut bytes) = (Vec::new(), 0);
    while gathered.len() < BATCH_MAX && bytes < BATCH_BYTES_MAX {
        let Ok(change) = queue.try_recv() else { break };
        bytes += change.bytes();
        gathered.push(change);
    }
    gathered
}

/// Writes these, and returns what is to be tried again. Whoever waits learns at once that the store does not take it.
fn write_batch(store: &Store, mut batch: Vec<Change>) -> Vec<Change> {
    if let Err(fault) = write_all(store, &batch) {
        batch.retain(|change| !matches!(change.what, What::Add(..)));
        if fault.status != 503 {
            // It would fail again.
            tracing::error!(%fault, "what became of asynchronous invocations could not be recorded");
            batch.clear();
        }
        batch.truncate(LATE_MAX);
        return batch;
    }
    for change in batch {
        if let What::Add(_, written) = change.what {
            // Whoever asked may have gone; the invocation goes on.
            let _ = written.send(());
        }
    }
    Vec::new()
}

fn write_all(store: &Store, batch: &[Change]) -> Result<()> {
    transact(store, |transaction| batch.iter().try_for_each(|change| change.write(transaction)))
}

impl Change {
    fn bytes(&self) -> usize {
        match &self.what {
            What::Add(event, _) | What::Change(event) => event.payload.len(),
            What::Remove => 0,
        }
    }

    fn write(&self, transaction: &mut Transaction) -> Result<()> {
        let key = self.key.text();
        let written = match &self.what {
            What::Add(event, _) => transaction.put(&key, encode(event)),
            // One that was deleted meanwhile, with all others, stays so.
            What::Change(event) => match transaction.get(&key) {
                Ok(Some(_)) => transaction.put(&key, encode(event)),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            What::Remove => transaction.delete(&key),
        };
        written.map_err(store_fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(payload: &str, attempts: u32) -> WaitingEvent {
        WaitingEvent {
            function: "arn:aws:lambda:eu-west-1:111122223333:function:pets".to_owned(),
            payload: payload.to_owned(),
            trace: String::new(),
            client_context: None,
            accepted_millis: 1,
            attempts,
            due_millis: 2,
            failure: None,
        }
    }

    fn key(id: &str) -> WaitingKey {
        WaitingKey { account: "111122223333".to_owned(), region: "eu-west-1".to_owned(), id: id.to_owned() }
    }

    #[test]
    fn what_was_added_and_not_removed_is_found_again() {
        let store = Store::in_memory().expect("memory suffices");
        let events = StoredEvents::start(store.clone());
        let added = ["a", "b", "c"].map(|id| events.add(key(id), event(r#"{"a":"\u0000"}"#, 0)));
        for written in added {
            written.blocking_recv().expect("it is written");
        }
        assert_eq!(waiting(&store).expect("the store is there").len(), 3);
        events.remove(key("a"));
        events.change(key("b"), event("{}", 2));
        store.clear().expect("the store is there");
        events.add(key("c"), event("{}", 1)).blocking_recv().expect("it is written");
        events.change(key("b"), event("{}", 3));
        events.close();
        assert_eq!(waiting(&store).expect("the store is there"), [(key("c"), event("{}", 1))]);
        // What comes after the end is not accepted.
        events.add(key("d"), event("{}", 0)).blocking_recv().expect_err("nobody writes");
    }

    #[test]
    fn who_waits_learns_that_the_store_does_not_take_it() {
        let store = Store::in_memory().expect("memory suffices");
        let events = StoredEvents::start(store.clone());
        let too_long = "x".repeat(17 * 1024 * 1024);
        events.add(key("a"), event(&too_long, 0)).blocking_recv().expect_err("it is too long");
        events.add(key("b"), event("{}", 0)).blocking_recv().expect("the next is written");
        events.close();
        assert_eq!(waiting(&store).expect("the store is there").len(), 1);
    }
}

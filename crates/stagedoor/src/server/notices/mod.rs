//! Delivers the events of stages, which AWS sends to EventBridge, to the configured targets.
//!
//! The store's outbox (`stagedoor_state::ivs::notice`) holds them until every target has them, so they survive a
//! restart; without a target it stays empty. Each target has a task of its own: a target that is down keeps no other waiting. Events of a stage go out
//! in order, each at least once; what no target took within a day is given up, as EventBridge does.

mod client;
mod envelope;
mod file;
mod put_events;
mod webhook;

use std::time::Duration;

use stagedoor_state::document::store_fault;
use stagedoor_state::ivs::notice::{self, Notice};
use stagedoor_state::transact::{read, transact};
use stagedoor_state::{Fault, Result};
use stagedoor_store::{Revision, Store};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

use self::client::Client;
use self::envelope::Event;
use super::clock::now;
use super::told;
use crate::config::event_targets::{EventTarget, EventTargetKind};

/// Events that are read at a time at most.
const BATCH_MAX: usize = 256;
/// Pauses after a failure: the first, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How long an event may wait: EventBridge's own default.
const KEPT_SECONDS: i64 = 24 * 3600;
/// Events that may wait.
const WAITING_MAX: usize = 100_000;
/// How often is looked for those that wait too long, and how many are given up in one transaction.
const SWEEP: Duration = Duration::from_secs(60);
const SWEPT_MAX: usize = 1000;

/// Why a target did not take an event.
#[derive(Debug)]
enum Failure {
    /// It will not take this one: there is no use in trying again.
    Refused(String),
    /// It may take it later, and has not said anything of other stages.
    Later(String),
    /// It cannot be reached.
    Down(String),
}

/// Delivers until the server stops. `noticed` tells when there is something new in the outbox.
pub async fn run(
    store: Store,
    targets: Vec<EventTarget>,
    noticed: watch::Receiver<Revision>,
    stopped: watch::Receiver<bool>,
) {
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    let mut tasks = JoinSet::new();
    tasks.spawn(sweep(store.clone(), names.is_empty()));
    for target in targets {
        let (store, names) = (store.clone(), names.clone());
        tasks.spawn(Courier { store, target, names, client: Client::new() }.run(noticed.clone()));
    }
    told(stopped).await;
    tasks.shutdown().await;
}

/// Gives up what waits too long. If nobody is to be told, it is done when what is left of former targets has gone.
async fn sweep(store: Store, nobody: bool) {
    loop {
        let store = store.clone();
        let given_up = spawn_blocking(move || {
            let (oldest, max) =
                if nobody { (now(), 0) } else { (now().plus_seconds(-KEPT_SECONDS), WAITING_MAX) };
            transact(&store, |transaction| {
                let keys = notice::surplus(transaction, oldest, max, SWEPT_MAX)?;
                keys.iter().try_for_each(|key| transaction.delete(key).map_err(store_fault))?;
                Ok(keys.len())
            })
        });
        match given_up.await {
            Ok(Ok(SWEPT_MAX)) => continue,
            Ok(Ok(count)) if count > 0 && !nobody => {
                tracing::error!(count, "events of stages were given up: their targets did not take them");
            }
            Ok(Err(fault)) => tracing::warn!(%fault, "old events of stages could not be looked for"),
            Ok(Ok(_)) if nobody => return,
            _ => {}
        }
        tokio::time::sleep(SWEEP).await;
    }
}

/// Brings the events to one target.
struct Courier {
    store: Store,
    target: EventTarget,
    /// Of all targets.
    names: Vec<String>,
    client: Client,
}

impl Courier {
    async fn run(self, mut noticed: watch::Receiver<Revision>) {
        let mut pause = PAUSE_MIN;
        loop {
            noticed.borrow_and_update();
            match self.round().await {
                Ok(Round::Nothing) => {
                    pause = PAUSE_MIN;
                    if noticed.changed().await.is_err() {
                        return;
                    }
                }
                Ok(Round::All) => pause = PAUSE_MIN,
                failed => {
                    if let Err(fault) = failed {
                        tracing::warn!(%fault, target = self.target.name, "events of stages wait for the store");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Delivers what waits, or the first part of it.
    async fn round(&self) -> Result<Round> {
        let waiting = self.waiting().await?;
        if waiting.is_empty() {
            return Ok(Round::Nothing);
        }
        let events: Vec<Event> = waiting.iter().filter_map(|(key, notice)| Event::new(key, notice)).collect();
        let mut done: Vec<String> = Vec::new();
        let mut whole = true;
        for of_stage in events.chunk_by(|one, next| one.stage == next.stage) {
            let (count, failure) = self.deliver(of_stage).await;
            done.extend(of_stage[..count].iter().map(|event| event.key.clone()));
            match failure {
                None => {}
                Some(Failure::Refused(why)) => {
                    let event = &of_stage[count];
                    tracing::error!(target = self.target.name, id = event.id, why, "an event was refused");
                    done.push(event.key.clone());
                }
                Some(Failure::Later(why)) => {
                    tracing::warn!(target = self.target.name, why, "an event is delivered later");
                    whole = false;
                }
                Some(Failure::Down(why)) => {
                    tracing::warn!(target = self.target.name, why, "the target of events cannot be reached");
                    whole = false;
                    break;
                }
            }
        }
        self.note(done).await?;
        Ok(if whole { Round::All } else { Round::Part })
    }

    /// Delivers events of one stage in their order; how many from the first on, and why not the next one.
    async fn deliver(&self, events: &[Event]) -> (usize, Option<Failure>) {
        match &self.target.kind {
            EventTargetKind::Webhook { url, authorization } => {
                webhook::deliver(&self.client, url, authorization.as_ref(), events).await
            }
            EventTargetKind::File(path) => file::deliver(path, events).await,
            EventTargetKind::PutEvents { endpoint, bus, source, key } => {
                let to = put_events::Bus { endpoint, name: bus, source, key };
                put_events::deliver(&self.client, &to, events).await
            }
        }
    }

    async fn waiting(&self) -> Result<Vec<(String, Notice)>> {
        let (store, target) = (self.store.clone(), self.target.name.clone());
        let found = spawn_blocking(move || {
            read(&store, |transaction| notice::waiting(transaction, &target, BATCH_MAX))
        });
        found.await.unwrap_or_else(|_| Err(Fault::internal()))
    }

    async fn note(&self, keys: Vec<String>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let (store, target, names) = (self.store.clone(), self.target.name.clone(), self.names.clone());
        let noted = spawn_blocking(move || {
            transact(&store, |transaction| notice::note_delivered(transaction, &keys, &target, &names))
        });
        noted.await.unwrap_or_else(|_| Err(Fault::internal()))
    }
}

/// What became of a round.
enum Round {
    /// There was nothing to deliver.
    Nothing,
    /// All that was read is done with.
    All,
    /// Something has to be tried again.
    Part,
}

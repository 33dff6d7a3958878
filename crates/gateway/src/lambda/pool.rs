//! One function: its processes, and the invocations that wait for one of them to be free.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stagedoor_state::ids::SystemEntropy;
use tokio::sync::{Semaphore, oneshot};
use tracing::warn;

use super::census::Census;
use super::job::{Job, Order, Returned};
use super::{Function, process};
use crate::fault::GatewayFault;
use crate::ids::RequestIds;

/// Invocations of kind `Event` that are not done yet; more are refused.
const EVENTS_MAX: usize = 100;
/// Invocations of both kinds that wait for a free process; more are refused, as AWS throttles.
const WAITING_MAX: usize = 100 + EVENTS_MAX;
/// What waits of all of them together, in bytes.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) struct Pool {
    pub(super) function: Function,
    /// The wall clock: the time since 1970-01-01T00:00:00Z.
    pub(super) now: fn() -> Duration,
    pub(super) census: Arc<Census>,
    ids: RequestIds,
    events: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Oldest first.
    waiting: VecDeque<Job>,
    /// Processes that have asked for an invocation; the last one asked most recently.
    idle: Vec<oneshot::Sender<Job>>,
    processes: usize,
    /// Those of `processes` that have not asked for an invocation yet.
    starting: usize,
}

/// What a process gets when it asks for an invocation.
pub(super) enum Next {
    Now(Job),
    Later(oneshot::Receiver<Job>),
}

impl Pool {
    pub(super) fn new(function: Function, now: fn() -> Duration, census: Arc<Census>) -> Self {
        Self {
            function,
            now,
            census,
            ids: RequestIds::new(&SystemEntropy),
            events: Arc::new(Semaphore::new(EVENTS_MAX)),
            state: Mutex::default(),
        }
    }

    /// Hands an invocation to a process and waits for its result.
    ///
    /// # Errors
    /// If too many wait already, or the server stops.
    pub(super) async fn invoke(self: &Arc<Self>, order: Order) -> Result<Returned, GatewayFault> {
        self.check_room(&order)?;
        self.wait_for(order).await
    }

    /// Takes an invocation on without waiting for its result.
    ///
    /// # Errors
    /// If too many are under way.
    pub(super) fn accept(self: &Arc<Self>, order: Order) -> Result<(), GatewayFault> {
        self.check_room(&order)?;
        let slot = Arc::clone(&self.events).try_acquire_owned();
        let slot =
            slot.map_err(|_| GatewayFault::IntegrationFailure("too many events of the function wait"))?;
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let _slot = slot;
            let _counted = Census::count(&pool.census.invocations);
            let function = &pool.function.name;
            match pool.wait_for(order).await {
                Ok(Returned { failed: false, .. }) => {}
                Ok(returned) => {
                    let error = String::from_utf8_lossy(&returned.payload);
                    warn!(function, %error, "an asynchronous invocation failed");
                }
                Err(error) => warn!(function, %error, "an asynchronous invocation was not done"),
            }
        });
        Ok(())
    }

    fn check_room(&self, order: &Order) -> Result<(), GatewayFault> {
        let state = self.state();
        let bytes: usize = state.waiting.iter().map(|job| job.payload.len()).sum();
        if state.waiting.len() >= WAITING_MAX || bytes + order.payload.len() > WAITING_BYTES_MAX {
            return Err(GatewayFault::IntegrationFailure("too many invocations of the function wait"));
        }
        Ok(())
    }

    async fn wait_for(self: &Arc<Self>, order: Order) -> Result<Returned, GatewayFault> {
        while !self.census.is_stopped() {
            let (reply, answer) = oneshot::channel();
            self.hand_over(Job {
                id: self.ids.next().uuid_text(),
                arn: order.function.to_string(),
                payload: order.payload.clone(),
                trace: order.trace.clone(),
                stream: order.stream.clone(),
                reply,
            });
            if let Ok(returned) = answer.await {
                return Ok(returned);
            }
            // An idle process ended at the moment in which it was given the job: it cannot have begun with it.
        }
        Err(GatewayFault::IntegrationFailure("the server stops"))
    }

    fn hand_over(self: &Arc<Self>, mut job: Job) {
        let mut state = self.state();
        while let Some(process) = state.idle.pop() {
            match process.send(job) {
                Ok(()) => return,
                Err(back) => job = back,
            }
        }
        state.waiting.push_back(job);
        self.start_missing(&mut state);
    }

    /// Starts processes for what waits, as far as none is about to take it and there may be more.
    fn start_missing(self: &Arc<Self>, state: &mut State) {
        while state.starting < state.waiting.len() && state.processes < self.function.concurrency {
            state.starting += 1;
            state.processes += 1;
            tokio::spawn(process::run(Arc::clone(self)));
        }
    }

    /// A process asks for an invocation. Those whose callers have gone are dropped.
    pub(super) fn next(&self) -> Next {
        let mut state = self.state();
        while let Some(job) = state.waiting.pop_front() {
            if !job.reply.is_closed() {
                return Next::Now(job);
            }
        }
        let (sender, receiver) = oneshot::channel();
        state.idle.retain(|process| !process.is_closed());
        state.idle.push(sender);
        Next::Later(receiver)
    }

    /// A process asks for the first time.
    pub(super) fn is_ready(&self) {
        self.state().starting -= 1;
    }

    /// A process has ended. One that never got ready answers the oldest invocation, for which it was started: so a
    /// function that cannot start fails its callers instead of being started for ever.
    pub(super) fn has_ended(self: &Arc<Self>, was_ready: bool, failure: impl FnOnce(&str) -> Returned) {
        let mut state = self.state();
        state.processes -= 1;
        if !was_ready {
            state.starting -= 1;
            if let Some(job) = state.waiting.pop_front() {
                let failure = failure(&job.id);
                job.reply.send(failure).ok();
            }
        }
        state.waiting.retain(|job| !job.reply.is_closed());
        if self.census.is_stopped() {
            state.waiting.clear();
        } else {
            self.start_missing(&mut state);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

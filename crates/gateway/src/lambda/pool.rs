//! One function: its processes, and the invocations that wait for one of them to be free.
//!
//! As at AWS nobody waits for a function whose concurrency is used up, except events ([`super::events`]).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stagedoor_state::ids::SystemEntropy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::census::Census;
use super::events::Room;
use super::job::{Job, Order, Returned};
use super::{Function, process};
use crate::fault::GatewayFault;
use crate::ids::RequestIds;

/// Events that wait for a free process, together, in bytes.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why nothing more is begun.
const STOPS: GatewayFault = GatewayFault::IntegrationFailure("the server stops");

pub(super) struct Pool {
    pub(super) function: Function,
    /// The wall clock: the time since 1970-01-01T00:00:00Z.
    pub(super) now: fn() -> Duration,
    pub(super) census: Arc<Census>,
    ids: RequestIds,
    /// A share for each invocation under way, of both kinds.
    concurrency: Arc<Semaphore>,
    pub(super) events: Room,
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
            concurrency: Arc::new(Semaphore::new(function.concurrency)),
            events: Room::default(),
            function,
            now,
            census,
            ids: RequestIds::new(&SystemEntropy),
            state: Mutex::default(),
        }
    }

    /// Hands an invocation to a process and waits for its result.
    ///
    /// # Errors
    /// [`GatewayFault::FunctionThrottled`] if as many are under way as there may be, or what waits is too long; if the
    /// server stops.
    pub(super) async fn invoke(self: &Arc<Self>, order: &Order) -> Result<Returned, GatewayFault> {
        let waiting: usize = self.state().waiting.iter().map(|job| job.payload.len()).sum();
        if waiting + order.payload.len() > WAITING_BYTES_MAX {
            return Err(GatewayFault::FunctionThrottled);
        }
        let share = Arc::clone(&self.concurrency).try_acquire_owned();
        let share = share.map_err(|_| GatewayFault::FunctionThrottled)?;
        self.wait_for(order, &self.new_id(), share).await
    }

    /// As [`Self::invoke`], but waits this long for its share of the concurrency.
    pub(super) async fn invoke_event(
        self: &Arc<Self>,
        order: &Order,
        id: &str,
        patience: Duration,
    ) -> Result<Returned, GatewayFault> {
        let share = Arc::clone(&self.concurrency).acquire_owned();
        let share = tokio::select! {
            share = tokio::time::timeout(patience, share) => share,
            () = self.census.until_stopped() => return Err(STOPS),
        };
        let Ok(Ok(share)) = share else { return Err(GatewayFault::FunctionThrottled) };
        self.wait_for(order, id, share).await
    }

    /// A new invocation's id.
    pub(super) fn new_id(&self) -> String {
        self.ids.next().uuid_text()
    }

    async fn wait_for(
        self: &Arc<Self>,
        order: &Order,
        id: &str,
        share: OwnedSemaphorePermit,
    ) -> Result<Returned, GatewayFault> {
        let share = Arc::new(share);
        while !self.census.is_stopped() {
            let (reply, answer) = oneshot::channel();
            self.hand_over(Job {
                id: id.to_owned(),
                arn: order.function.to_string(),
                payload: order.payload.clone(),
                trace: order.trace.clone(),
                client_context: order.client_context.clone(),
                tail: order.tail,
                stream: order.stream.clone(),
                reply,
                share: Arc::clone(&share),
            });
            if let Ok(returned) = answer.await {
                return Ok(returned);
            }
            // An idle process ended at the moment in which it was given the job: it cannot have begun with it.
        }
        Err(STOPS)
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
        while state.starting < state.waiting.len() && state.processes < self.function.processes {
            state.starting += 1;
            state.processes += 1;
            self.census.spawn(process::run(Arc::clone(self)));
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
                job.answer(failure);
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

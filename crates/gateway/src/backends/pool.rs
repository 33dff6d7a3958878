//! Connections that wait for a request, a stack for each backend. Used by one thread most of the time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use tokio::time::sleep;

use super::exchange::Connection;
use crate::Config;

/// How often in [`Config::idle_connection_timeout`] connections are looked at that are idle for too long.
const LOOKS: u32 = 4;

pub(super) struct Pool {
    idle: Mutex<Stacks>,
    idle_max: usize,
    idle_timeout: Duration,
}

#[derive(Default)]
struct Stacks {
    /// By authority, the last used on top.
    by_backend: HashMap<String, Vec<Idle>, RandomState>,
    /// Whether somebody closes what is idle for too long.
    swept: bool,
    /// How often that was done: the clock of what is idle, cheaper than the system's.
    looks: u32,
}

struct Idle {
    connection: Connection,
    /// [`Stacks::looks`] when it was put there.
    since: u32,
}

impl Idle {
    /// Whether it can be used. At the last look of its time it may have waited for all of it.
    fn is_usable(&mut self, looks: u32) -> bool {
        looks.wrapping_sub(self.since) < LOOKS && self.connection.is_usable()
    }
}

impl Pool {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            idle: Mutex::default(),
            idle_max: config.idle_connections_per_backend_max,
            idle_timeout: config.idle_connection_timeout,
        }
    }

    /// A connection on which a request can be sent, as far as is known.
    pub(super) fn take(&self, backend: &str) -> Option<Connection> {
        let mut idle = self.idle();
        let looks = idle.looks;
        let stack = idle.by_backend.get_mut(backend)?;
        while let Some(mut idle) = stack.pop() {
            if idle.is_usable(looks) {
                return Some(idle.connection);
            }
        }
        None
    }

    /// Keeps a connection whose last answer has ended.
    pub(super) fn give_back(self: &Arc<Self>, backend: &str, mut connection: Connection) {
        connection.forget();
        let mut idle = self.idle();
        let entry = Idle { connection, since: idle.looks };
        match idle.by_backend.get_mut(backend) {
            Some(stack) if stack.len() >= self.idle_max => {}
            Some(stack) => stack.push(entry),
            None => drop(idle.by_backend.insert(backend.to_owned(), vec![entry])),
        }
        if !std::mem::replace(&mut idle.swept, true) {
            tokio::spawn(Arc::clone(self).sweep());
        }
    }

    /// Closes what is idle for too long, or was closed by the backend, until nothing is idle.
    async fn sweep(self: Arc<Self>) {
        loop {
            sleep(self.idle_timeout / LOOKS).await;
            let mut idle = self.idle();
            idle.looks = idle.looks.wrapping_add(1);
            let looks = idle.looks;
            idle.by_backend.retain(|_, stack| {
                stack.retain_mut(|idle| idle.is_usable(looks));
                !stack.is_empty()
            });
            if idle.by_backend.is_empty() {
                idle.swept = false;
                return;
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Stacks> {
        // The stacks are whole at every moment: nothing in here panics between two changes.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

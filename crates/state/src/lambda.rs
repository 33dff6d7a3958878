//! Invocations of functions that nobody waits for: accepted, and not done yet.
//!
//! The gateway says what is to be written; it is written before the caller hears that the invocation is accepted, and
//! deleted when it is done or given up.

use serde::{Deserialize, Serialize};

use crate::document::{Key, Kind, key};

/// One invocation. Ids: `[id of the invocation]`, of the function's account and region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingEvent {
    /// ARN of the function, as it was named.
    pub function: String,
    /// The event: JSON.
    pub payload: String,
    /// `X-Amzn-Trace-Id`, perhaps empty.
    pub trace: String,
    /// What the caller tells of itself, as JSON.
    pub client_context: Option<String>,
    /// When it was accepted, in milliseconds since 1970-01-01T00:00:00Z.
    pub accepted_millis: u64,
    /// How often the function was invoked.
    pub attempts: u32,
    /// When it is to be invoked again, in the same time.
    pub due_millis: u64,
    /// How the last attempt failed, in the function's words.
    pub failure: Option<String>,
}

impl Kind for WaitingEvent {
    const KIND: &'static str = "lambda-waiting-event";
}

/// What an invocation is stored under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingKey {
    pub account: String,
    pub region: String,
    pub id: String,
}

impl WaitingKey {
    /// The key in the store.
    pub fn text(&self) -> String {
        key::<WaitingEvent>(&self.account, &self.region, &[&self.id])
    }

    /// Reads a key of the store; `None` if it is of no such invocation.
    pub fn parse(text: &str) -> Option<Self> {
        let Key { account, region, ids } = Key::parse::<WaitingEvent>(text)?;
        Some(Self { account, region, id: ids.into_iter().next()? })
    }
}

//! Where asynchronous invocations are written down while they are not done: this crate writes no documents, whoever
//! runs it does.

use std::fmt::Debug;

use stagedoor_state::lambda::{WaitingEvent, WaitingKey};
use tokio::sync::oneshot;

/// Keeps invocations over the end of the server. No call waits; what is told of one invocation is written in the order
/// in which it was told.
pub trait WaitingEvents: Debug + Send + Sync {
    /// Writes an invocation that is about to be accepted. The receiver hears when it is durable; it fails if it could
    /// not be written.
    fn add(&self, key: WaitingKey, event: WaitingEvent) -> oneshot::Receiver<()>;

    /// Writes what has become of an invocation that is to be tried again.
    fn change(&self, key: WaitingKey, event: WaitingEvent);

    /// Forgets one that is done or given up.
    fn remove(&self, key: WaitingKey);
}

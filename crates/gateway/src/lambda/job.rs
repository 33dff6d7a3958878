//! An invocation: what is asked, what waits for it, and what comes back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::FunctionArn;

/// Whether the caller waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RequestResponse,
    Event,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) function: FunctionArn,
    pub(crate) kind: Kind,
    /// The event: JSON.
    pub(crate) payload: Bytes,
    /// `X-Amzn-Trace-Id`
    pub(crate) trace: String,
    /// What the caller tells of itself, as JSON.
    pub(crate) client_context: Option<String>,
    /// Whether the end of what the function prints is wanted with the result.
    pub(crate) tail: bool,
    /// Takes the result as it is written, if the caller wants it so and the function can.
    pub(crate) stream: Option<mpsc::Sender<Bytes>>,
}

/// What a function returned, or how it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) payload: Bytes,
    /// Whether the payload tells of an error that the function did not handle.
    pub(crate) failed: bool,
    /// The end of what it printed, if it was wanted and is known.
    pub(crate) tail: Option<Bytes>,
    /// The invocation's id, if it had one.
    pub(crate) request_id: Option<String>,
}

impl Returned {
    pub(super) fn well(payload: Bytes) -> Self {
        Self { payload, failed: false, tail: None, request_id: None }
    }

    /// A failure in the function's own words.
    pub(super) fn failed(payload: Bytes) -> Self {
        Self { payload, failed: true, tail: None, request_id: None }
    }

    /// A failure of which the function itself cannot tell.
    pub(super) fn failure(kind: &str, message: &str) -> Self {
        let payload = serde_json::json!({"errorType": kind, "errorMessage": message}).to_string();
        Self::failed(payload.into())
    }

    pub(super) fn timed_out(id: &str, limit: Duration) -> Self {
        let seconds = limit.as_secs_f64();
        Self::failure(
            "Sandbox.Timedout",
            &format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds"),
        )
    }

    pub(super) fn exited(id: &str, how: &str) -> Self {
        let message = format!("RequestId: {id} Error: Runtime exited {how}");
        Self::failure("Runtime.ExitError", &message)
    }
}

/// An invocation on its way to a process.
pub(super) struct Job {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) payload: Bytes,
    pub(super) trace: String,
    pub(super) client_context: Option<String>,
    pub(super) tail: bool,
    pub(super) stream: Option<mpsc::Sender<Bytes>>,
    pub(super) reply: oneshot::Sender<Returned>,
    /// Its share of the function's concurrency.
    pub(super) share: Arc<OwnedSemaphorePermit>,
}

impl Job {
    /// Ends the invocation. Its share is free before its caller knows.
    pub(super) fn answer(self, returned: Returned) {
        drop(self.share);
        self.reply.send(Returned { request_id: Some(self.id), ..returned }).ok();
    }
}

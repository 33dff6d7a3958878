//! What an operation answers when it fails: an error shape of the model and AWS's words.

use std::fmt;

use stagedoor_model::Value;

/// An error on its way to the client. `wire::encode` turns it into bytes, in each service's dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// AWS's name of the error, which clients match on: `NotFoundException`.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    pub message: String,
    /// Members of the error's body besides the message, e.g. `resourceType`.
    pub members: Vec<(&'static str, Value)>,
    /// Seconds for a `Retry-After` header.
    pub retry_after: Option<u32>,
}

impl Fault {
    pub fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), members: Vec::new(), retry_after: None }
    }

    // === Errors that every service may answer; those of one service stand in its `messages.rs` ===

    /// An operation that Stagedoor knows and does not implement yet.
    pub fn not_implemented(operation: &str) -> Self {
        Self::new("NotImplementedException", 501, format!("{operation} is not implemented by Stagedoor yet"))
    }

    /// Something broke on our side. The cause belongs into the log, not into the answer.
    pub fn internal() -> Self {
        Self::new("InternalFailure", 500, "Internal server error")
    }

    /// The store cannot be reached or is overloaded; nothing was changed.
    pub fn unavailable() -> Self {
        let mut fault = Self::new("ServiceUnavailableException", 503, "Service Unavailable");
        fault.retry_after = Some(1);
        fault
    }

    /// The body or a parameter is not of the shape that the model demands.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", 400, message)
    }

    /// Whose fault it is: ours (5xx) or the client's.
    pub fn is_server_error(&self) -> bool {
        self.status >= 500
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for Fault {}

//! The one place where the server reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use stagedoor_model::Timestamp;

/// The present.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

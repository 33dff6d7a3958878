//! Reading a whole request body within bounds of size and time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use stagedoor_gateway::gathered;

/// How long a body may take to arrive.
const READ_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    TooSlow,
    /// The connection ended or the encoding was wrong.
    Broken,
}

/// The body, if it has at most `bytes_max` bytes.
pub async fn read(incoming: Incoming, bytes_max: usize) -> Result<Bytes, BodyError> {
    if incoming.size_hint().lower() > bytes_max as u64 {
        return Err(BodyError::TooLarge);
    }
    let collected = tokio::time::timeout(READ_MAX, gathered(Limited::new(incoming, bytes_max))).await;
    match collected {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
    }
}

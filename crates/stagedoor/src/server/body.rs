//! Reading a whole request body within bounds of size and time, and within the room that all bodies share.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use stagedoor_gateway::BodyShare;

/// How long a body may take to arrive.
const READ_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    TooSlow,
    /// The bodies of other requests take up all the room.
    NoRoom,
    /// The connection ended or the encoding was wrong.
    Broken,
}

/// The body, if it has at most `bytes_max` bytes. Its room is taken until `share` is dropped.
pub async fn read(incoming: Incoming, bytes_max: usize, share: &BodyShare) -> Result<Bytes, BodyError> {
    if incoming.size_hint().lower() > bytes_max as u64 {
        return Err(BodyError::TooLarge);
    }
    let collected = collect(Limited::new(incoming, bytes_max), share);
    tokio::time::timeout(READ_MAX, collected).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(mut body: Limited<Incoming>, share: &BodyShare) -> Result<Bytes, BodyError> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
            true => BodyError::TooLarge,
            false => BodyError::Broken,
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if !share.take(data.len()) {
            return Err(BodyError::NoRoom);
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}

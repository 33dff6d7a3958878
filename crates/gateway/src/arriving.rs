//! A request's body on its way from the client: how long it may be, how long it may take, whether there is room for it,
//! and whose fault it is when it does not come whole.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Config;
use crate::body::{Body, BodyError};
use crate::fault::GatewayFault;
use crate::room::Share;

/// A body that comes slower than this, in bytes a second, after the client's time is over is not waited for.
const BYTES_A_SECOND_MIN: u32 = 500;
/// The same when room gets tight: nobody keeps others out by sending slowly.
const BYTES_A_SECOND_MIN_TIGHT: u32 = 100_000;

/// Why a body breaks off. Whoever reads it may wrap this in an error of its own: [`fault_of`] finds it.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("the client sends too little of the request's body")]
    TooSlow,
    #[error("the bodies of other requests take up all the room")]
    NoRoom,
    #[error("the request's body breaks off")]
    Broken(#[source] BodyError),
}

/// The body of a request: streamed, an error once it is longer than the quota, too slow, or has no room in memory. A step
/// that has to read it puts what it read in its place.
pub(crate) fn body(incoming: Incoming, config: &Config, share: Arc<Share>) -> Body {
    Arriving {
        body: Limited::new(incoming, config.payload_bytes_max),
        patience: Patience::new(config.client_timeout),
        share,
        waking: None,
    }
    .boxed()
}

/// What the client did wrong, if a body of [`body`] is at the bottom of this error.
pub(crate) fn fault_of(error: &(dyn Error + 'static)) -> Option<GatewayFault> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return Some(GatewayFault::RequestTooLarge);
        }
        if let Some(unfinished) = error.downcast_ref() {
            return Some(match unfinished {
                Unfinished::TooSlow => GatewayFault::RequestTimeout,
                Unfinished::NoRoom => GatewayFault::NoRoom,
                Unfinished::Broken(_) => GatewayFault::RequestUnreadable,
            });
        }
        cause = error.source();
    }
    None
}

struct Arriving {
    body: Limited<Incoming>,
    patience: Patience,
    share: Arc<Share>,
    /// Made when the client is first waited for; the bodies of most requests come with their heads.
    waking: Option<Pin<Box<Sleep>>>,
}

/// How long a client has been waited for, and how long it may be.
#[derive(Debug)]
struct Patience {
    /// How long nothing may come, and how long a body of few bytes may take altogether.
    longest: Duration,
    waited: Duration,
    received: u64,
    /// Since when the client is being waited for. Time in which nobody asks for more is not the client's.
    since: Option<Instant>,
}

impl Patience {
    fn new(longest: Duration) -> Self {
        Self { longest, waited: Duration::ZERO, received: 0, since: None }
    }

    /// Nothing has come: until when to wait.
    fn wait(&mut self, now: Instant, bytes_a_second_min: u32) -> Instant {
        let since = *self.since.get_or_insert(now);
        let earned =
            Duration::from_millis(self.received.saturating_mul(1000) / u64::from(bytes_a_second_min));
        let left = self.longest.saturating_add(earned).saturating_sub(self.waited);
        since + left.min(self.longest)
    }

    /// So many bytes have come.
    fn receive(&mut self, bytes: usize, now: impl FnOnce() -> Instant) {
        self.received = self.received.saturating_add(bytes as u64);
        if let Some(since) = self.since.take() {
            self.waited += now().saturating_duration_since(since);
        }
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            let bytes = match &frame {
                Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
                _ => 0,
            };
            self.patience.receive(bytes, Instant::now);
            if !self.share.take(bytes) {
                return Poll::Ready(Some(Err(Unfinished::NoRoom.into())));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(named)));
        }
        let until = match self.patience.since {
            // The timer is set already.
            Some(_) => None,
            None => {
                let tight = self.share.is_tight();
                let slowest = if tight { BYTES_A_SECOND_MIN_TIGHT } else { BYTES_A_SECOND_MIN };
                Some(self.patience.wait(Instant::now(), slowest))
            }
        };
        let waking = match (&mut self.waking, until) {
            (Some(waking), Some(until)) => {
                waking.as_mut().reset(until);
                waking
            }
            (Some(waking), None) => waking,
            (none, until) => none.insert(Box::pin(sleep_until(until.unwrap_or_else(Instant::now)))),
        };
        waking.as_mut().poll(cx).map(|()| Some(Err(Unfinished::TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn named(error: BodyError) -> BodyError {
    if error.is::<LengthLimitError>() { error } else { Unfinished::Broken(error).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    /// Parts of a body as bytes and the seconds they are waited for; whether each comes in time.
    fn check(bytes_a_second_min: u32, parts: &[(usize, u64, bool)]) {
        let mut patience = Patience::new(LONGEST);
        let mut now = Instant::now();
        for (bytes, seconds, in_time) in parts {
            let until = patience.wait(now, bytes_a_second_min);
            now += Duration::from_secs(*seconds);
            assert_eq!(now < until, *in_time, "{bytes} after {seconds} s: {patience:?}");
            patience.receive(*bytes, || now);
        }
    }

    #[test]
    fn slow_bodies_are_waited_for_and_dripping_ones_are_not() {
        check(BYTES_A_SECOND_MIN, &[(1, 29, true)]);
        check(BYTES_A_SECOND_MIN, &[(1, 31, false)]);
        check(BYTES_A_SECOND_MIN, &[(1, 20, true), (1, 11, false)]);
        // 500 bytes a second are enough.
        check(
            BYTES_A_SECOND_MIN,
            &[(10_000, 20, true), (10_000, 20, true), (10_000, 20, true), (10_000, 25, true)],
        );
        check(BYTES_A_SECOND_MIN, &[(10_000, 29, true), (100, 20, true), (100, 2, false)]);
        // Nobody may pause for ever, whatever came before.
        check(BYTES_A_SECOND_MIN, &[(5_000_000, 1, true), (1, 31, false)]);
        // Where room is tight, whoever sent much has to go on.
        check(BYTES_A_SECOND_MIN, &[(1_000_000, 29, true), (1, 15, true)]);
        check(BYTES_A_SECOND_MIN_TIGHT, &[(1_000_000, 29, true), (1, 15, false)]);
    }

    #[test]
    fn time_in_which_nobody_reads_is_not_the_clients() {
        let mut patience = Patience::new(LONGEST);
        let began = Instant::now();
        patience.receive(1, || began);
        let later = began + Duration::from_secs(100);
        assert_eq!(patience.wait(later, BYTES_A_SECOND_MIN), later + LONGEST);
    }
}

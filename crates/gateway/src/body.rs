//! Bodies on their way through: streamed, with a limit on their length and a time by which they must end.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::backends::AnswerBody;

/// Why a body broke off.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// Any body.
pub type Body = BoxBody<Bytes, BodyError>;

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A whole body in memory.
///
/// # Errors
/// If it is longer than `bytes_max` or breaks off.
pub(crate) async fn collected(body: AnswerBody, bytes_max: usize) -> Result<Bytes, BodyError> {
    Ok(Limited::new(body, bytes_max).collect().await?.to_bytes())
}

/// A whole body that is limited already.
///
/// # Errors
/// As of [`collected`].
pub(crate) async fn whole(body: Body) -> Result<Bytes, BodyError> {
    body.collect().await.map(|collected| collected.to_bytes())
}

/// An answer's body, streamed; breaks off at its limit and at its deadline. Time in which the client takes nothing of it
/// is not the integration's.
pub(crate) fn until(deadline: Instant, incoming: AnswerBody, bytes_max: usize) -> Body {
    use http_body::Body as _;
    if incoming.is_end_stream() {
        return empty();
    }
    Until { body: Limited::new(incoming, bytes_max), deadline, sleep: None, handed_over: None }.boxed()
}

struct Until {
    body: Limited<AnswerBody>,
    deadline: Instant,
    /// Made when the body first has to wait; most need none.
    sleep: Option<Pin<Box<Sleep>>>,
    /// Since when nobody has asked for more.
    handed_over: Option<Instant>,
}

impl http_body::Body for Until {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(since) = self.handed_over.take() {
            self.deadline += since.elapsed();
            let deadline = self.deadline;
            if let Some(sleep) = &mut self.sleep {
                sleep.as_mut().reset(deadline);
            }
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            // Most bodies end with their first frame, and cost no look at the clock.
            if !self.body.is_end_stream() {
                self.handed_over = Some(Instant::now());
            }
            return Poll::Ready(frame);
        }
        let deadline = self.deadline;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        sleep.as_mut().poll(cx).map(|()| Some(Err("the integration's time is over".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

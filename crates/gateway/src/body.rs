//! Bodies on their way through: streamed, with a limit on their length and a time by which they must end.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::backends::AnswerBody;

/// So many parts of a body are taken before other requests of the thread have their turn.
const PARTS_MAX: u32 = 16;

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
    gathered(Limited::new(body, bytes_max)).await
}

/// A whole body that is limited already.
///
/// # Errors
/// As of [`collected`].
pub(crate) async fn whole(body: Body) -> Result<Bytes, BodyError> {
    gathered(body).await
}

/// All of a body. Its parts are put together as they come: kept apart, those of a body that comes byte by byte would
/// take forty times its length.
///
/// # Errors
/// If it breaks off.
pub async fn gathered<B>(mut body: B) -> Result<Bytes, BodyError>
where
    B: http_body::Body<Data = Bytes, Error = BodyError> + Unpin,
{
    let (mut first, mut all, mut parts) = (Bytes::new(), BytesMut::new(), 0_u32);
    while let Some(frame) = body.frame().await {
        parts = (parts + 1) % PARTS_MAX;
        if parts == 0 {
            yield_now().await;
        }
        let Ok(part) = frame?.into_data() else { continue };
        if first.is_empty() && all.is_empty() {
            // Of most bodies there is no second one.
            first = part;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&part);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A body in parts of a byte, of which it knows how many were kept at a time.
    struct InBytes {
        left: usize,
        kept: Arc<()>,
        kept_most: usize,
    }

    struct Byte {
        _kept: Arc<()>,
    }

    impl AsRef<[u8]> for Byte {
        fn as_ref(&self) -> &[u8] {
            b"x"
        }
    }

    impl http_body::Body for &mut InBytes {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            self.kept_most = self.kept_most.max(Arc::strong_count(&self.kept) - 1);
            let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(None) };
            self.left = left;
            let byte = Byte { _kept: Arc::clone(&self.kept) };
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(byte)))))
        }
    }

    /// A client sent megabytes in chunks of a byte, and each was kept as a part of its own: 40 times its memory.
    #[tokio::test]
    async fn parts_are_not_kept() {
        for (length, kept_most) in [(0, 0), (1, 1), (2, 1), (1000, 1)] {
            let mut body = InBytes { left: length, kept: Arc::default(), kept_most: 0 };
            let bytes = gathered(&mut body).await.expect("a whole body");
            assert_eq!((&bytes[..], body.kept_most), (&vec![b'x'; length][..], kept_most));
        }
    }
}

//! A client's connection: the requests that come, the answers that go, and how long the client is waited for.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use stagedoor_http1::{Asked, RequestReader, Usual};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::body::BodyError;
use crate::sending::{Sending, Unsent};

/// How much is read at once, in bytes.
const READ_BYTES: usize = 8 * 1024;
/// How far is read ahead of the answers, in bytes.
const AHEAD_MAX: usize = 64 * 1024;
/// A buffer for answers that is larger is not kept.
const KEPT_MAX: usize = 16 * 1024;

pub(super) struct Connection<S> {
    stream: S,
    reader: RequestReader,
    /// What has come and is not served yet.
    arrived: BytesMut,
    /// For the next answer, empty.
    outgoing: Vec<u8>,
    /// The client has said everything.
    half_closed: bool,
    patience: Duration,
    /// Until when the client is waited for, if it is.
    waits_until: Option<Instant>,
    /// Set when it has been waited for once, and again when it runs out: to set it for each request would cost more.
    timer: Option<Pin<Box<Sleep>>>,
}

/// What a connection brings next.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once; a box would cost each request more"
)]
pub(super) enum Next {
    Request(Usual),
    /// What has come is something else.
    Unusual,
    End,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            reader: RequestReader::default(),
            arrived: BytesMut::new(),
            outgoing: Vec::with_capacity(1024),
            half_closed: false,
            patience,
            waits_until: None,
            timer: None,
        }
    }

    /// The connection itself, and what has come and is not served.
    pub(super) fn into_rest(self) -> (S, Bytes) {
        (self.stream, self.arrived.freeze())
    }

    /// Whether something has come that is not served yet.
    pub(super) fn has_more(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// An empty buffer for [`Self::send`].
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    /// Waits for the next request; between two of them only until it is stopped.
    pub(super) async fn next(&mut self, is_stopped: &mut impl FnMut(&mut Context<'_>) -> bool) -> Next {
        poll_fn(|cx| self.poll_next(cx, is_stopped)).await
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        is_stopped: &mut impl FnMut(&mut Context<'_>) -> bool,
    ) -> Poll<Next> {
        loop {
            match self.reader.read(&mut self.arrived) {
                Asked::Request(usual) => {
                    self.waits_until = None;
                    return Poll::Ready(Next::Request(usual));
                }
                Asked::Unusual => return Poll::Ready(Next::Unusual),
                Asked::More if self.half_closed => return Poll::Ready(Next::End),
                Asked::More => {}
            }
            match self.poll_arrive(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Next::End),
                Poll::Pending => {
                    if self.arrived.is_empty() && is_stopped(cx) {
                        return Poll::Ready(Next::End);
                    }
                    return self.poll_patience(cx).map(|()| Next::End);
                }
            }
        }
    }

    /// Waits for something to come, also for the end.
    fn poll_arrive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.arrived.capacity() - self.arrived.len() < READ_BYTES / 2 {
            self.arrived.reserve(READ_BYTES);
        }
        let reading = pin!(self.stream.read_buf(&mut self.arrived));
        reading.poll(cx).map_ok(|read| self.half_closed |= read == 0)
    }

    /// Ready once the client has been waited for too long.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience;
        let until = *self.waits_until.get_or_insert_with(|| Instant::now() + patience);
        let timer = match &mut self.timer {
            // It wakes this task, which is always the same.
            Some(timer) if !timer.is_elapsed() && timer.deadline() <= until => return Poll::Pending,
            Some(timer) => {
                timer.as_mut().reset(until);
                timer
            }
            none => none.insert(Box::pin(sleep_until(until))),
        };
        timer.as_mut().poll(cx)
    }

    /// Waits for what serves a request; `None` if the client resets the connection first.
    pub(super) async fn wait_for<T>(&mut self, mut serving: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        poll_fn(|cx| match serving.as_mut().poll(cx) {
            Poll::Ready(served) => Poll::Ready(Some(served)),
            Poll::Pending => self.poll_ahead(cx).map(|_| None),
        })
        .await
    }

    /// Reads ahead of the answers; ready when the connection has failed.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        while !self.half_closed && self.arrived.len() < AHEAD_MAX {
            match self.poll_arrive(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(error),
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    /// Sends an answer; `None` if the connection has failed, the client takes nothing, or the body breaks off, of which
    /// the connection's end tells.
    pub(super) async fn send(&mut self, mut sending: Sending) -> Option<()> {
        let sent = poll_fn(|cx| self.poll_send(cx, &mut sending)).await?;
        self.waits_until = None;
        if sent.is_err() {
            // What came before belongs to the answer, as far as it goes.
            let _ = timeout(self.patience, poll_fn(|cx| sending.poll_gathered(cx, &mut self.stream))).await;
            return None;
        }
        let buffer = sending.into_buffer();
        if buffer.capacity() <= KEPT_MAX {
            self.outgoing = buffer;
        }
        Some(())
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
    ) -> Poll<Option<Result<(), BodyError>>> {
        let before = sending.sent();
        match sending.poll(cx, &mut self.stream) {
            Poll::Ready(Ok(())) => Poll::Ready(Some(Ok(()))),
            Poll::Ready(Err(Unsent::Body(error))) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Err(Unsent::Connection(_))) => Poll::Ready(None),
            Poll::Pending => {
                // Who takes some of it is waited for anew.
                if !sending.waits_for_peer() || sending.sent() != before {
                    self.waits_until = None;
                }
                if sending.waits_for_peer() {
                    return self.poll_patience(cx).map(|()| None);
                }
                self.poll_ahead(cx).map(|_| None)
            }
        }
    }

    /// Ends the connection after what was sent.
    pub(super) async fn shut_down(&mut self) {
        // Whoever does not take it is not waited for.
        let _ = timeout(self.patience, self.stream.shutdown()).await;
    }
}

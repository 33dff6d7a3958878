//! A message of HTTP/1.1 on its way out: its head and what its body has ready in one write, then the rest as it comes.

use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body as _;
use stagedoor_http1::Length;
use tokio::io::AsyncWrite;

use crate::body::{Body, BodyError};

/// Parts of a body up to this size, in bytes, are copied behind what is to be written before them.
const COPIED_MAX: usize = 4 * 1024;
/// How much is gathered before it is written.
const GATHERED_MAX: usize = 16 * 1024;
/// So many parts of a body are taken before other connections of the thread have their turn.
const PARTS_MAX: u32 = 16;

pub(crate) struct Sending {
    /// To be written first; then `part`, then `end`.
    bytes: Vec<u8>,
    part: Bytes,
    end: &'static [u8],
    /// How much of the three is written.
    written: usize,
    /// How much was written in all.
    sent: u64,
    /// The body, as long as something may come of it.
    body: Option<Body>,
    coding: Coding,
    /// Parts of the body that were taken since others had their turn.
    parts: u32,
}

#[derive(Clone, Copy)]
enum Coding {
    /// So many bytes follow.
    Length(u64),
    Chunked,
}

/// Why a message is not sent.
pub(crate) enum Unsent {
    /// The connection has failed.
    Connection(io::Error),
    /// The body breaks off, or is not as long as it says.
    Body(BodyError),
}

impl Sending {
    /// `bytes` is the head.
    pub(crate) fn new(bytes: Vec<u8>, body: Body, length: Length) -> Self {
        let (body, coding) = match length {
            Length::None => (None, Coding::Length(0)),
            Length::Known(length) => (Some(body), Coding::Length(length)),
            Length::Unknown => (Some(body), Coding::Chunked),
        };
        Self { bytes, part: Bytes::new(), end: b"", written: 0, sent: 0, body, coding, parts: 0 }
    }

    /// The buffer, for another message.
    pub(crate) fn into_buffer(mut self) -> Vec<u8> {
        self.bytes.clear();
        self.bytes
    }

    /// How many bytes the connection has taken.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the peer is waited for, not the body.
    pub(crate) fn waits_for_peer(&self) -> bool {
        self.unwritten() > 0
    }

    /// Sends on, to the end.
    ///
    /// # Errors
    /// As the connection or the body has them.
    pub(crate) fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<Result<(), Unsent>> {
        self.parts = 0;
        loop {
            let waits = self.gather(cx).map_err(Unsent::Body)?;
            let gathers = self.unwritten() > 0;
            ready!(self.poll_gathered(cx, stream)).map_err(Unsent::Connection)?;
            match (gathers, waits) {
                (_, false) => return Poll::Ready(Ok(())),
                (_, true) if self.parts >= PARTS_MAX => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                (true, true) => {}
                (false, true) => return Poll::Pending,
            }
        }
    }

    /// Sends what the body had ready so far.
    ///
    /// # Errors
    /// Those of the connection.
    pub(crate) fn poll_gathered<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<io::Result<()>> {
        while self.unwritten() > 0 {
            let written = ready!(self.poll_write(cx, Pin::new(stream)))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
            self.sent += written as u64;
        }
        self.bytes.clear();
        (self.part, self.end, self.written) = (Bytes::new(), b"", 0);
        Pin::new(stream).poll_flush(cx)
    }

    fn unwritten(&self) -> usize {
        self.bytes.len() + self.part.len() + self.end.len() - self.written
    }

    fn poll_write<S: AsyncWrite>(
        &self,
        cx: &mut Context<'_>,
        stream: Pin<&mut S>,
    ) -> Poll<io::Result<usize>> {
        if self.part.is_empty() {
            return stream.poll_write(cx, &self.bytes[self.written..]);
        }
        let mut slices = [IoSlice::new(&self.bytes), IoSlice::new(&self.part), IoSlice::new(self.end)];
        let mut left = &mut slices[..];
        IoSlice::advance_slices(&mut left, self.written);
        stream.poll_write_vectored(cx, left)
    }

    /// Takes what the body has ready; whether it may have more later.
    fn gather(&mut self, cx: &mut Context<'_>) -> Result<bool, BodyError> {
        while let Some(body) = &mut self.body {
            let enough = self.bytes.len() > GATHERED_MAX || self.parts >= PARTS_MAX;
            if !self.part.is_empty() || enough {
                break;
            }
            match Pin::new(body).poll_frame(cx) {
                Poll::Pending => break,
                Poll::Ready(Some(frame)) => {
                    self.parts += 1;
                    // Trailers are those of another connection.
                    if let Ok(part) = frame?.into_data()
                        && !part.is_empty()
                    {
                        self.add(part)?;
                    }
                    if matches!(self.coding, Coding::Length(0)) {
                        self.body = None;
                    }
                }
                Poll::Ready(None) => {
                    self.body = None;
                    match self.coding {
                        Coding::Length(0) => {}
                        Coding::Length(_) => return Err("the body is shorter than it says".into()),
                        Coding::Chunked => self.bytes.extend_from_slice(b"0\r\n\r\n"),
                    }
                }
            }
        }
        Ok(self.body.is_some())
    }

    fn add(&mut self, part: Bytes) -> Result<(), BodyError> {
        let end: &[u8] = match &mut self.coding {
            Coding::Length(left) => {
                let rest = left.checked_sub(part.len() as u64);
                *left = rest.ok_or("the body is longer than it says")?;
                b""
            }
            Coding::Chunked => {
                write!(self.bytes, "{:x}\r\n", part.len())?;
                b"\r\n"
            }
        };
        if part.len() <= COPIED_MAX {
            self.bytes.extend_from_slice(&part);
            self.bytes.extend_from_slice(end);
        } else {
            (self.part, self.end) = (part, end);
        }
        Ok(())
    }
}

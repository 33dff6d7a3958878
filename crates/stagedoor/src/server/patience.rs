//! A client's connection that ends when the client leaves the server waiting: without a word after connecting, or
//! without taking what it asked for. What is read is shown to who follows the heads of requests.
//!
//! The time of a request's head is hyper's to watch, that of its body `stagedoor_gateway`'s, that of HTTP/2's answers and
//! pauses [`super::untaken`]'s. hyper's timer begins when it knows the version of HTTP, so that the time before is
//! watched here.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use stagedoor_gateway::Heads;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::untaken::Untaken;

/// What every HTTP/2 connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose client may be late by so much, but not by more.
pub struct Patient<S> {
    stream: S,
    /// What was read of the stream by somebody else, and comes first.
    unread: Bytes,
    patience: Duration,
    /// How much of [`PREFACE`] was read; all of it once the version is known.
    preface_read: usize,
    /// Runs while a client that has said nothing is waited for.
    reading: Option<Pin<Box<Sleep>>>,
    /// Runs while the client takes nothing.
    writing: Option<Pin<Box<Sleep>>>,
    /// Who follows the requests' heads, as long as there is something to learn.
    heads: Option<Arc<Heads>>,
    /// Who watches the answers of HTTP/2.
    untaken: Arc<Untaken>,
}

impl<S> Patient<S> {
    /// `unread` comes before what the stream still brings.
    pub fn new(
        stream: S,
        unread: Bytes,
        patience: Duration,
        heads: Arc<Heads>,
        untaken: Arc<Untaken>,
    ) -> Self {
        let heads = Some(heads);
        Self { stream, unread, patience, preface_read: 0, reading: None, writing: None, heads, untaken }
    }

    fn read(&mut self, bytes: &[u8]) {
        let expected = &PREFACE[self.preface_read..];
        let compared = expected.len().min(bytes.len());
        // hyper takes whatever does not begin like HTTP/2, also the end, for HTTP/1.
        let is_preface = compared > 0 && bytes[..compared] == expected[..compared];
        self.preface_read = if is_preface { self.preface_read + compared } else { PREFACE.len() };
        if self.knows_version() {
            self.reading = None;
            if is_preface {
                self.untaken.speaks_http2();
            }
        }
    }

    fn knows_version(&self) -> bool {
        self.preface_read == PREFACE.len()
    }

    /// Bounds the time in which nothing is written.
    fn written<T>(&mut self, polled: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.writing = None;
            return polled;
        }
        let patience = self.patience;
        let limit = self.writing.get_or_insert_with(|| Box::pin(sleep(patience)));
        limit.as_mut().poll(cx).map(|()| Err(late("takes no answer")))
    }
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the client {what}"))
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = if self.unread.is_empty() {
            Pin::new(&mut self.stream).poll_read(cx, buffer)
        } else {
            let taken = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread.split_to(taken));
            Poll::Ready(Ok(()))
        };
        if polled.is_ready() {
            let read = &buffer.filled()[before..];
            if self.heads.as_ref().is_some_and(|heads| !heads.read(read)) {
                self.heads = None;
            }
            if !self.knows_version() {
                self.read(read);
            }
            return polled;
        }
        if self.knows_version() {
            return polled;
        }
        let patience = self.patience;
        let limit = self.reading.get_or_insert_with(|| Box::pin(sleep(patience)));
        limit.as_mut().poll(cx).map(|()| Err(late("asks nothing")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(polled, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(polled, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(polled, cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(300);

    /// Whether a client that sends these parts, each in time, and then nothing, is waited for no longer.
    async fn is_given_up(parts: &'static [&'static [u8]]) -> bool {
        let (mut client, server) = duplex(1000);
        let mut server = Patient::new(server, Bytes::new(), PATIENCE, Arc::default(), Arc::default());
        let sending = tokio::spawn(async move {
            for part in parts {
                client.write_all(part).await.expect("the server reads");
                tokio::time::sleep(PATIENCE / 10).await;
            }
            // Until the server has hung up.
            let _ = client.read(&mut [0]).await;
        });
        let began = Instant::now();
        let mut read = Vec::new();
        let ended = tokio::time::timeout(PATIENCE * 4, server.read_to_end(&mut read)).await;
        drop(server);
        sending.await.expect("the client ends");
        assert_eq!(read, parts.concat());
        let Ok(ended) = ended else { return false };
        assert_eq!(ended.expect_err("an end by time").kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= PATIENCE);
        true
    }

    #[tokio::test]
    async fn clients_must_say_what_they_speak() {
        assert!(is_given_up(&[]).await);
        assert!(is_given_up(&[b"PRI", b" * HTTP", b"/2.0\r\n"]).await);
        // From then on others watch.
        assert!(!is_given_up(&[b"G"]).await);
        assert!(!is_given_up(&[b"PRI", b"NT /"]).await);
        assert!(!is_given_up(&[PREFACE]).await);
    }

    #[tokio::test]
    async fn clients_must_take_their_answers() {
        let (mut client, server) = duplex(1000);
        let mut server = Patient::new(server, Bytes::new(), PATIENCE, Arc::default(), Arc::default());
        let began = Instant::now();
        let reading = tokio::spawn(async move {
            // A slow client is no dead one.
            for _ in 0..5 {
                tokio::time::sleep(PATIENCE / 3).await;
                client.read_exact(&mut [0; 500]).await.expect("the server writes");
            }
            client
        });
        let written = server.write_all(&[0; 10_000]).await;
        assert_eq!(written.expect_err("an end by time").kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= PATIENCE * 2);
        drop(reading.await);
    }
}

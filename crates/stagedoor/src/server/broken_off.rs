//! Answers by hyper that break off: what came before is sent first.
//!
//! hyper gives up a connection, or a stream of HTTP/2, at once when a body fails, with all that it has not written yet: of
//! a function that fails as soon as it has begun to stream, the client would not even see the status.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body whose error comes one turn late, in which hyper writes as much as the client takes.
pub struct BrokenOff<B: Body> {
    body: B,
    error: Option<B::Error>,
}

impl<B: Body> BrokenOff<B> {
    pub fn new(body: B) -> Self {
        Self { body, error: None }
    }
}

impl<B: Body<Data = Bytes, Error: Unpin> + Unpin> Body for BrokenOff<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Err(error))) => {
                self.error = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.error.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use http_body_util::{BodyExt as _, Empty};
    use hyper::client::conn::{http1, http2};
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use tokio::io::duplex;

    use super::*;

    /// Begins, and fails at once.
    #[derive(Default)]
    struct Failing {
        begun: bool,
    }

    impl Body for Failing {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            Poll::Ready(Some(match std::mem::replace(&mut self.begun, true) {
                false => Ok(Frame::data(Bytes::from_static(b"first"))),
                true => Err("it failed"),
            }))
        }
    }

    /// A client sees the head, the beginning, and that the rest is missing.
    async fn check(is_http_2: bool) {
        let (client, server) = duplex(64 * 1024);
        let service = service_fn(|_| {
            std::future::ready(Ok::<_, Infallible>(Response::new(BrokenOff::new(Failing::default()))))
        });
        tokio::spawn(async move {
            Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(server), service).await
        });
        let request = Request::new(Empty::<Bytes>::new());
        let client = TokioIo::new(client);
        let answer = if is_http_2 {
            let (mut asking, connection) =
                http2::handshake(TokioExecutor::new(), client).await.expect("it speaks HTTP/2");
            tokio::spawn(connection);
            asking.send_request(request).await
        } else {
            let (mut asking, connection) = http1::handshake(client).await.expect("it speaks HTTP/1");
            tokio::spawn(connection);
            asking.send_request(request).await
        };
        let mut body = answer.expect("the head is there").into_body();
        let first = body.frame().await.expect("there is more").expect("it is well");
        assert_eq!(first.into_data().ok().as_deref(), Some(&b"first"[..]));
        assert!(body.frame().await.expect("there is more").is_err(), "it breaks off");
    }

    #[tokio::test]
    async fn what_came_before_is_sent() {
        check(false).await;
        check(true).await;
    }
}

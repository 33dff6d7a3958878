//! Requests of HTTP/1 as they come, in two parts: what follows their heads sees the same requests as hyper, which
//! serves them, and as httparse, which reads them. Where it did not, a request with two lengths could pass.
#![no_main]

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use stagedoor_gateway::{Heads, fuzz::written};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest head that is followed, in bytes.
const HEAD_BYTES_MAX: usize = 12 * 1024;

/// A client that has sent this and reads no answer.
struct Sent {
    parts: Vec<Bytes>,
    heads: Arc<Heads>,
}

impl AsyncRead for Sent {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(part) = self.parts.last_mut() {
            let now = part.split_to(part.len().min(buffer.remaining()));
            if part.is_empty() {
                self.parts.pop();
            }
            self.heads.read(&now);
            buffer.put_slice(&now);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sent {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    if bytes.len() > HEAD_BYTES_MAX {
        return;
    }
    let bytes = Bytes::copy_from_slice(bytes);
    let cut = usize::from(*cut).min(bytes.len());
    let mut parts = vec![bytes.slice(cut..), bytes.slice(..cut)];
    parts.retain(|part| !part.is_empty());
    let heads = Arc::new(Heads::default());
    let seen = Arc::clone(&heads);
    let service = service_fn(move |request: Request<Incoming>| {
        let heads = Arc::clone(&seen);
        async move {
            let two_lengths = heads.begin();
            let head = written(&heads, request.method(), request.headers()).expect("a head that is known");
            let (target, has_two_lengths) = read(&head);
            assert_eq!(target.parse().ok().as_ref(), Some(request.uri()));
            assert_eq!(two_lengths, has_two_lengths);
            // What the listener does: nothing of this connection is served any more.
            if two_lengths {
                return Err(io::Error::other("two lengths"));
            }
            let _ = request.into_body().collect().await;
            Ok::<_, io::Error>(Response::new(Full::new(Bytes::new())))
        }
    });
    let connection =
        http1::Builder::new().half_close(true).serve_connection(TokioIo::new(Sent { parts, heads }), service);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _ = runtime.block_on(connection);
});

/// A head as `httparse` reads it: its target, and whether it has two lengths.
fn read(head: &[u8]) -> (String, bool) {
    let mut headers = [httparse::EMPTY_HEADER; 200];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(head);
    assert_eq!(parsed, Ok(httparse::Status::Complete(head.len())));
    let has = |name: &str| request.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
    (request.path.unwrap_or_default().to_owned(), has("content-length") && has("transfer-encoding"))
}

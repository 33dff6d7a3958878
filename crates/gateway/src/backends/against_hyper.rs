//! Any requests, one after the other, over kept connections to hyper: it sees them as they were sent, and what it answers
//! comes back whole.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::net::TcpListener;

use super::client::{Client, Connector};
use super::exchange::Asking;
use crate::Config;
use crate::body::{Body, BodyError};

/// A body in parts, each of which has to be waited for; its length is known or not.
struct Parts {
    parts: VecDeque<Bytes>,
    length: Option<u64>,
    waited: bool,
}

impl Parts {
    fn body(parts: &[Vec<u8>], known: bool) -> Body {
        let length = known.then(|| parts.iter().map(|part| part.len() as u64).sum());
        let parts = parts.iter().cloned().map(Bytes::from).collect();
        Self { parts, length, waited: false }.boxed()
    }
}

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.parts.pop_front().map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// What the client asks: method, body in parts, whether its length is known; and whether the answer is in chunks.
type Asked = (Method, Vec<Vec<u8>>, bool, bool);

fn asked() -> impl Strategy<Value = Asked> {
    let method = prop::sample::select(vec![Method::POST, Method::PUT, Method::DELETE, Method::PATCH]);
    let size = prop_oneof![4 => 0_usize..50, 1 => 4_000_usize..40_000];
    let part = (size, any::<u8>()).prop_map(|(size, byte)| vec![byte; size]);
    (method, prop::collection::vec(part, 0..5), any::<bool>(), any::<bool>())
}

/// Answers with the body that it was sent, and `x-asked` with the method and how the body was framed.
async fn echo(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let framing = if head.headers.contains_key("transfer-encoding") { "chunked" } else { "length" };
    let answer = if head.headers.contains_key("x-chunked") {
        let parts = body.chunks(3000).map(|part| Ok(Frame::data(Bytes::copy_from_slice(part))));
        StreamBody::new(futures_util::stream::iter(parts.collect::<Vec<_>>())).boxed()
    } else {
        crate::body::full(body)
    };
    let told = format!("{} {} {framing}", head.method, head.uri);
    Ok(Response::builder().header("x-asked", told).body(answer).expect("a response"))
}

async fn ask(requests: Vec<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move {
        let mut connections = 0;
        while let Ok((stream, _)) = listener.accept().await {
            connections += 1;
            assert_eq!(connections, 1, "one connection is kept");
            let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(echo));
            tokio::spawn(async move { drop(serving.await) });
        }
    });
    let client = Client::new(&Config::new(|| Duration::ZERO), Connector::Plain(HttpConnector::new()));
    for (number, (method, parts, known, chunked)) in requests.into_iter().enumerate() {
        let uri = format!("http://{address}/{number}?q");
        let mut request = Request::builder().method(method.clone()).uri(uri);
        if chunked {
            request = request.header("x-chunked", "1");
        }
        let request = request.body(Parts::body(&parts, known)).expect("a request");
        let (head, body) = request.into_parts();
        let answer = client.request(&head, body, Asking::default()).await.expect("an answer");
        let framing = if known || parts.is_empty() { "length" } else { "chunked" };
        assert_eq!(answer.headers()["x-asked"], format!("{method} /{number}?q {framing}"));
        let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
        assert!(body == parts.concat(), "another body");
    }
    serving.abort();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn requests_arrive_and_answers_return(requests in prop::collection::vec(asked(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(ask(requests));
    }
}

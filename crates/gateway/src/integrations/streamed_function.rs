//! `AWS_PROXY` of REST APIs with `responseTransferMode` `STREAM`: the answer goes on as the function writes it.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html>: what the function
//! writes begins with JSON that says status and headers, and eight NUL bytes; all that follows is the body.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body::Frame;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use crate::body::{self, Body, BodyError};
use crate::fault::GatewayFault;
use crate::headers::TRACE_ID;
use crate::integrations::function;
use crate::lambda::{FunctionArn, Kind, Order, Returned, Streamed};
use crate::rest::call::Call;
use crate::rest::plan::AwsProxy;
use crate::steps::{function_answer, method_response};

/// What stands between the head and the body.
const DELIMITER: [u8; 8] = [0; 8];
/// Longest head, in bytes. AWS says no number; headers of 10 KiB and their JSON fit.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Invokes the function, waits for its head, and leaves the body to come.
///
/// # Errors
/// As of [`function::Function::invoke`]; a malformed answer when what the function writes has no head.
pub(crate) async fn answer(
    proxy: &AwsProxy,
    call: &Call<'_>,
    payload: Bytes,
) -> Result<Response<Body>, GatewayFault> {
    let began = Instant::now();
    let deadline = began + proxy.function.timeout;
    let opened = timeout_at(deadline, open(proxy, call, payload)).await;
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    call.visit.integration_micros.store(micros, Ordering::Relaxed);
    let opened = opened.unwrap_or(Err(GatewayFault::IntegrationTimeout));
    function::note_status(call.visit, Kind::RequestResponse, opened.as_ref().map(|_| None));
    let (head, begun) = opened?;
    let response = method_response::of_function(function_answer::of_head(&head)?, call);
    if !method_response::may_have_body(response.status()) {
        return Ok(response);
    }
    Ok(response.map(|_| begun.into_body(deadline)))
}

/// A body of which the beginning is there.
struct Begun {
    beginning: Bytes,
    /// `None` if that was all.
    rest: Option<Streamed>,
}

async fn open(proxy: &AwsProxy, call: &Call<'_>, payload: Bytes) -> Result<(Bytes, Begun), GatewayFault> {
    let uri = proxy.function.uri.fill(&call.stage.variables, |_| None);
    let function = FunctionArn::of_integration(&uri)
        .ok_or_else(|| GatewayFault::Configuration(format!("{uri:?} names no Lambda function").into()))?;
    let trace = call.visit.function_trace(call.head.headers.get(TRACE_ID));
    let trace = trace.to_str().unwrap_or_default().to_owned();
    let order = Order {
        function,
        kind: Kind::RequestResponse,
        payload,
        trace,
        client_context: None,
        tail: false,
        stream: None,
    };
    let lambda = &call.shared.lambda;
    let mut streamed = lambda.stream(&call.shared.backends, &order).await?;
    let mut written = BytesMut::new();
    while let Some(chunk) = streamed.chunks.recv().await {
        written.extend_from_slice(&chunk);
        if let Some(at) = delimiter(&written) {
            let (head, beginning) = split(written.freeze(), at);
            return Ok((head, Begun { beginning, rest: Some(streamed) }));
        }
        if written.len() > HEAD_BYTES_MAX {
            return Err(GatewayFault::FunctionFailure("what it streams has no head".into()));
        }
    }
    // It has ended, or answered without streaming.
    whole(streamed.ended().await?)
}

/// The parts of an answer that came at once.
fn whole(returned: Returned) -> Result<(Bytes, Begun), GatewayFault> {
    let payload = function::succeeded(returned)?;
    let at = delimiter(&payload)
        .ok_or_else(|| GatewayFault::FunctionFailure("what it answers has no head of a stream".into()))?;
    let (head, beginning) = split(payload, at);
    Ok((head, Begun { beginning, rest: None }))
}

fn delimiter(written: &[u8]) -> Option<usize> {
    written.windows(DELIMITER.len()).position(|window| window == DELIMITER)
}

fn split(written: Bytes, at: usize) -> (Bytes, Bytes) {
    (written.slice(..at), written.slice(at + DELIMITER.len()..))
}

impl Begun {
    fn into_body(self, deadline: Instant) -> Body {
        match self.rest {
            None => body::full(self.beginning),
            Some(rest) => Streaming {
                beginning: Some(self.beginning).filter(|beginning| !beginning.is_empty()),
                rest,
                deadline: Box::pin(sleep_until(deadline)),
                ended: false,
            }
            .boxed(),
        }
    }
}

/// Breaks off when the function fails or its time is over.
struct Streaming {
    beginning: Option<Bytes>,
    rest: Streamed,
    deadline: Pin<Box<Sleep>>,
    ended: bool,
}

impl http_body::Body for Streaming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(beginning) = self.beginning.take() {
            return Poll::Ready(Some(Ok(Frame::data(beginning))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        match self.rest.chunks.poll_recv(cx) {
            Poll::Ready(Some(chunk)) => return Poll::Ready(Some(Ok(Frame::data(chunk)))),
            Poll::Ready(None) => {
                let ended = ready!(self.rest.poll_ended(cx));
                self.ended = true;
                return Poll::Ready(match ended.and_then(function::succeeded) {
                    Ok(_) => None,
                    Err(fault) => Some(Err(fault.into())),
                });
            }
            Poll::Pending => {}
        }
        ready!(self.deadline.as_mut().poll(cx));
        self.ended = true;
        Poll::Ready(Some(Err(GatewayFault::IntegrationTimeout.into())))
    }
}

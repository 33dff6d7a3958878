//! Calls a backend over HTTP, for `HTTP_PROXY` and `HTTP` integrations of both kinds of API.
//!
//! What is sent and what becomes of the answer is decided by the steps before and after.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, response};
use http_body::Body as _;
use tokio::time::{Instant, timeout_at};

use crate::Config;
use crate::arriving;
use crate::backends::{AnswerBody, Asking, Trust};
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::shared::Shared;
use crate::visit::{Integrated, Visit};

/// A backend's answer, its body still on the way.
pub(crate) struct Answer {
    pub(crate) head: response::Parts,
    pub(crate) body: AnswerBody,
    /// When the integration's time is over.
    pub(crate) deadline: Instant,
}

/// A whole answer.
pub(crate) struct Collected {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Calls the backend once the client has said everything: only then the integration and its time begin. Headers that
/// pass are sent before the request's own.
///
/// # Errors
/// As of [`crate::backends::Backends::send`]; also when the backend switches to another protocol.
pub(crate) async fn send(
    shared: &Shared,
    visit: &Visit,
    request: Request<Body>,
    passing: &[(&HeaderName, &HeaderValue)],
    trust: Trust,
    timeout: Duration,
) -> Result<Answer, GatewayFault> {
    let (head, mut body) = request.into_parts();
    if !body.is_end_stream() {
        body = body::full(request_body(body).await?);
    }
    let began = Instant::now();
    let deadline = began + timeout;
    let asking = Asking { names: Some(&visit.names()), passing, deadline: Some(deadline) };
    let answer = shared.backends.ask(&head, body, trust, asking).await;
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    visit.integration_micros.store(micros, Ordering::Relaxed);
    let (head, body) = answer?.into_parts();
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        // Nobody asked for it: `Upgrade` is not passed on.
        return Err(GatewayFault::Unreachable("it switches protocols".to_owned()));
    }
    let _ = visit.integration.set(Integrated::of(head.status.as_u16(), &head.headers));
    Ok(Answer { head, body, deadline })
}

/// Waits for the rest of an answer.
///
/// # Errors
/// [`GatewayFault::IntegrationTimeout`], or [`GatewayFault::IntegrationFailure`] when it is too long or breaks off.
pub(crate) async fn collected(answer: Answer, config: &Config) -> Result<Collected, GatewayFault> {
    let body = timeout_at(answer.deadline, body::collected(answer.body, config.payload_bytes_max)).await;
    let body = body.map_err(|_| GatewayFault::IntegrationTimeout)?;
    let body = body.map_err(|_| GatewayFault::IntegrationFailure("its answer is too long or broke off"))?;
    Ok(Collected { status: answer.head.status.as_u16(), headers: answer.head.headers, body })
}

/// The whole body of a request, for integrations that read it.
///
/// # Errors
/// What the client is to blame for.
pub(crate) async fn request_body(body: Body) -> Result<Bytes, GatewayFault> {
    body::whole(body)
        .await
        .map_err(|error| arriving::fault_of(&*error).unwrap_or(GatewayFault::RequestUnreadable))
}

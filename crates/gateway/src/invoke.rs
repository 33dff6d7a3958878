//! Functions invoked by themselves, without an API in front: what the Invoke API of Lambda asks of this server.
//!
//! Its words on the wire, and who may ask, are the binary's.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use stagedoor_auth::policy::{self, Decision};

use crate::body::{Body, BodyError};
use crate::fault::GatewayFault;
use crate::lambda::event_stream::{self, Complete, Event};
use crate::lambda::{FunctionArn, Kind, Order, Returned, Streamed, payload_bytes_max};
use crate::shared::Shared;

/// What policies call it, streamed or not.
const INVOKE_FUNCTION: &str = "lambda:InvokeFunction";

/// What is asked.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Id of the key that signed it.
    pub access_key: String,
    /// The caller's.
    pub account: String,
    pub region: String,
    /// A name, perhaps with a qualifier, a partial ARN or an ARN.
    pub function: String,
    /// A version or an alias.
    pub qualifier: Option<String>,
    pub kind: InvocationKind,
    /// JSON; nothing stands for the empty object.
    pub payload: Bytes,
    /// Whether the end of what the function prints is wanted.
    pub tail: bool,
    /// `X-Amzn-Trace-Id`, perhaps empty.
    pub trace: String,
    /// What the caller tells of itself, as JSON.
    pub client_context: Option<String>,
}

/// AWS's `InvocationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvocationKind {
    RequestResponse,
    Event,
    /// Only asks whether the function could be invoked.
    DryRun,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked {
    pub payload: Bytes,
    /// Whether the payload tells of an error that the function did not handle.
    pub failed: bool,
    /// The end of what the function printed, if it was wanted.
    pub tail: Option<Bytes>,
    /// The invocation's id; a dry run has none.
    pub request_id: Option<String>,
}

/// Why nothing was invoked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    #[error("{0:?} is no name of a function")]
    NoName(String),
    /// The key's policy does not let it; holds AWS's text.
    #[error("{0}")]
    NotAllowed(String),
    /// Holds its ARN.
    #[error("Function not found: {0}")]
    NoFunction(String),
    #[error("Rate Exceeded.")]
    Throttled,
    /// Holds the longest payload, in bytes.
    #[error("Request must be smaller than {0} bytes for the InvokeFunction operation")]
    TooLarge(usize),
    #[error("Could not parse request body into json: {0}")]
    InvalidJson(String),
    /// For the log; the endpoint behind this server is to blame, or this server.
    #[error("{0}")]
    Failed(String),
}

impl InvokeError {
    /// Of a payload that no kind of invocation takes.
    pub fn too_large() -> Self {
        Self::TooLarge(payload_bytes_max(Kind::RequestResponse))
    }
}

/// Invokes a function; for an event waits only until it is accepted.
pub(crate) async fn invoke(shared: &Shared, invocation: Invocation) -> Result<Invoked, InvokeError> {
    let is_dry = invocation.kind == InvocationKind::DryRun;
    let order = order(shared, invocation)?;
    if is_dry {
        return Ok(Invoked { payload: Bytes::new(), failed: false, tail: None, request_id: None });
    }
    let kind = order.kind;
    let returned = shared.lambda.invoke(&shared.backends, order).await;
    let Returned { payload, failed, tail, request_id } = returned.map_err(|fault| refused(fault, kind))?;
    Ok(Invoked { payload, failed, tail, request_id })
}

/// Invokes a function whose result comes as it is written: the body is the event stream of `InvokeWithResponseStream`.
pub(crate) async fn stream(shared: &Shared, invocation: Invocation) -> Result<Body, InvokeError> {
    let order = order(shared, invocation)?;
    let refused = |fault| refused(fault, Kind::RequestResponse);
    let mut streamed = shared.lambda.stream(&shared.backends, &order).await.map_err(refused)?;
    // What is refused is refused before anything was written.
    let first = streamed.chunks.recv().await;
    let streaming = match first {
        Some(chunk) => Streaming { ready: vec![Event::Chunk(chunk)], rest: Some(streamed) },
        None => Streaming { ready: last(streamed.ended().await.map_err(refused)?), rest: None },
    };
    Ok(streaming.boxed())
}

fn order(shared: &Shared, invocation: Invocation) -> Result<Order, InvokeError> {
    let Invocation { access_key, account, region, function, qualifier, .. } = invocation;
    let Invocation { kind, payload, tail, trace, client_context, .. } = invocation;
    let named = FunctionArn::of_invocation(&function, qualifier.as_deref(), &account, &region);
    let Some(named) = named else { return Err(InvokeError::NoName(function)) };
    permit(shared, &access_key, &named.to_string())?;
    if !shared.lambda.knows(&named.name) {
        return Err(InvokeError::NoFunction(named.to_string()));
    }
    let kind = if kind == InvocationKind::Event { Kind::Event } else { Kind::RequestResponse };
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    Ok(Order { function: named, kind, payload, trace, client_context, tail, stream: None })
}

/// Asks the key's policy, if it has one.
fn permit(shared: &Shared, access_key: &str, arn: &str) -> Result<(), InvokeError> {
    let Some(key) = shared.access_keys.get(access_key) else { return Ok(()) };
    let Some(policy) = &key.policy else { return Ok(()) };
    let (principal, context) = (key.principal(), policy::Context::default());
    let request = policy::Request {
        action: INVOKE_FUNCTION,
        resource: arn,
        principal: Some(&principal),
        context: &context,
    };
    let why = match policy.decide(&request) {
        Decision::Allow => return Ok(()),
        Decision::ExplicitDeny => "with an explicit deny in an identity-based policy".to_owned(),
        Decision::Neither => format!("because no identity-based policy allows the {INVOKE_FUNCTION} action"),
    };
    let who = key.arn();
    Err(InvokeError::NotAllowed(format!(
        "User: {who} is not authorized to perform: {INVOKE_FUNCTION} on resource: {arn} {why}"
    )))
}

fn refused(fault: GatewayFault, kind: Kind) -> InvokeError {
    match fault {
        GatewayFault::FunctionThrottled => InvokeError::Throttled,
        GatewayFault::RequestTooLarge => InvokeError::TooLarge(payload_bytes_max(kind)),
        GatewayFault::InvalidJson(why) => InvokeError::InvalidJson(why),
        fault => InvokeError::Failed(fault.to_string()),
    }
}

/// The events that end a stream; what is left of the result is one of them.
fn last(returned: Returned) -> Vec<Event> {
    let Returned { payload, failed, tail, .. } = returned;
    let told = String::from_utf8_lossy(&payload).into_owned();
    let complete = Complete::new(failed.then(|| ("Unhandled".to_owned(), told)), tail.as_ref());
    let rest = (!failed && !payload.is_empty()).then_some(Event::Chunk(payload));
    // The last is taken first.
    [Event::Complete(complete)].into_iter().chain(rest).collect()
}

/// Frames as the function writes.
struct Streaming {
    /// The next at the end.
    ready: Vec<Event>,
    rest: Option<Streamed>,
}

impl http_body::Body for Streaming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(event) = self.ready.pop() {
                return Poll::Ready(Some(Ok(Frame::data(event_stream::frame(&event)))));
            }
            let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
            match ready!(rest.chunks.poll_recv(cx)) {
                Some(chunk) => self.ready.push(Event::Chunk(chunk)),
                None => {
                    let ended = ready!(rest.poll_ended(cx));
                    self.rest = None;
                    self.ready = last(ended.map_err(BodyError::from)?);
                }
            }
        }
    }
}

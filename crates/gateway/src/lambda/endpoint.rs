//! Invokes functions that are not declared, by the Invoke API of the configured endpoint.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use stagedoor_auth::sigv4;

use super::{EVENT_BYTES_MAX, Kind, LambdaEndpoint, Order, Returned};
use crate::backends::{AnswerBody, Backends, Trust};
use crate::body;
use crate::fault::GatewayFault;
use crate::headers::TRACE_ID;

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
/// Longest answer, in bytes: a result of the greatest length, and some space.
const ANSWER_BYTES_MAX: usize = EVENT_BYTES_MAX + 1024;

/// An operation of the API: what stands in its path before and after the function.
type Operation = (&'static str, &'static str);
const INVOKE: Operation = ("/2015-03-31/functions/", "/invocations");
const INVOKE_WITH_RESPONSE_STREAM: Operation = ("/2021-11-15/functions/", "/response-streaming-invocations");

/// Invokes a function. The caller limits the time.
///
/// # Errors
/// If the endpoint cannot be reached or refuses the invocation.
pub(super) async fn invoke(
    endpoint: &LambdaEndpoint,
    backends: &Backends,
    now: fn() -> Duration,
    order: Order,
) -> Result<Returned, GatewayFault> {
    let request = signed(endpoint, INVOKE, now(), &order)?;
    let answer = backends.send_unhurried(request, Trust::System).await?;
    if !answer.status().is_success() {
        return Err(refused(answer).await);
    }
    let failed = answer.headers().contains_key(FUNCTION_ERROR);
    let tail = answer.headers().get(LOG_RESULT).and_then(|tail| STANDARD.decode(tail.as_bytes()).ok());
    let tail = tail.map(Bytes::from);
    let request_id = answer.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    Ok(Returned { payload: payload(answer).await?, failed, tail, request_id })
}

/// Invokes a function that writes its result piece by piece; returns the events as they come.
///
/// <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>
///
/// # Errors
/// As of [`invoke`].
pub(super) async fn stream(
    endpoint: &LambdaEndpoint,
    backends: &Backends,
    now: fn() -> Duration,
    order: &Order,
) -> Result<AnswerBody, GatewayFault> {
    let request = signed(endpoint, INVOKE_WITH_RESPONSE_STREAM, now(), order)?;
    let answer = backends.send_unhurried(request, Trust::System).await?;
    if answer.status().is_success() { Ok(answer.into_body()) } else { Err(refused(answer).await) }
}

async fn refused(answer: Response<AnswerBody>) -> GatewayFault {
    let status = answer.status();
    let said = payload(answer).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said).chars().take(1000).collect::<String>();
    match status {
        StatusCode::TOO_MANY_REQUESTS => GatewayFault::FunctionThrottled,
        StatusCode::PAYLOAD_TOO_LARGE => GatewayFault::RequestTooLarge,
        _ => GatewayFault::Configuration(format!("the Lambda endpoint answered {status}: {said}").into()),
    }
}

async fn payload(answer: Response<AnswerBody>) -> Result<Bytes, GatewayFault> {
    let payload = body::collected(answer.into_body(), ANSWER_BYTES_MAX).await;
    payload.map_err(|_| GatewayFault::IntegrationFailure("its answer is too long or broke off"))
}

fn signed(
    endpoint: &LambdaEndpoint,
    operation: Operation,
    now: Duration,
    order: &Order,
) -> Result<Request<crate::Body>, GatewayFault> {
    let unusable = |why: &dyn std::fmt::Display| {
        GatewayFault::Configuration(format!("the Lambda endpoint cannot be asked: {why}").into())
    };
    let uri =
        address(&endpoint.url, operation, &order.function.to_string()).map_err(|error| unusable(&error))?;
    let mut request = Request::new(body::full(order.payload.clone()));
    *request.method_mut() = Method::POST;
    let host = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::from_str(host).map_err(|error| unusable(&error))?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let kind = if order.kind == Kind::Event { "Event" } else { "RequestResponse" };
    headers.insert(INVOCATION_TYPE, HeaderValue::from_static(kind));
    if order.tail {
        headers.insert(LOG_TYPE, HeaderValue::from_static("Tail"));
    }
    let context =
        order.client_context.as_ref().and_then(|text| HeaderValue::from_str(&STANDARD.encode(text)).ok());
    headers.extend(context.map(|value| (CLIENT_CONTEXT, value)));
    headers.extend(HeaderValue::from_str(&order.trace).ok().map(|trace| (TRACE_ID, trace)));
    let parts = sigv4::Request {
        method: &Method::POST,
        path: uri.path(),
        query: "",
        headers,
        host: None,
        payload: sigv4::Payload::Bytes(&order.payload),
    };
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let added = sigv4::sign(&parts, &endpoint.key, &order.function.region, "lambda", time)
        .map_err(|error| unusable(&error))?;
    headers.extend(added);
    *request.uri_mut() = uri;
    Ok(request)
}

/// The path of an operation on a function, at the endpoint.
fn address(endpoint: &Uri, (before, after): Operation, arn: &str) -> Result<Uri, http::Error> {
    let path = format!("{before}{}{after}", arn.replace(':', "%3A").replace('$', "%24"));
    let mut parts = endpoint.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path)?);
    Ok(Uri::from_parts(parts)?)
}

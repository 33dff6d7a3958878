//! Invokes functions that are not declared, by the Invoke API of the configured endpoint.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::time::Duration;

use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use jiff::Timestamp;
use stagedoor_auth::sigv4;

use super::{EVENT_BYTES_MAX, Kind, LambdaEndpoint, Order, Returned};
use crate::backends::{Backends, Trust};
use crate::body;
use crate::fault::GatewayFault;
use crate::headers::TRACE_ID;

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
/// Longest answer, in bytes: a result of the greatest length, and some space.
const ANSWER_BYTES_MAX: usize = EVENT_BYTES_MAX + 1024;

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
    let request = signed(endpoint, now(), &order)?;
    let answer = backends.send_unhurried(request, Trust::System).await?;
    let (status, failed) = (answer.status(), answer.headers().contains_key(FUNCTION_ERROR));
    let payload = payload(answer).await?;
    if status.is_success() {
        return Ok(Returned { payload, failed });
    }
    let said = String::from_utf8_lossy(&payload).chars().take(1000).collect::<String>();
    Err(match status {
        StatusCode::PAYLOAD_TOO_LARGE => GatewayFault::RequestTooLarge,
        _ => GatewayFault::Configuration(format!("the Lambda endpoint answered {status}: {said}").into()),
    })
}

async fn payload(answer: Response<Incoming>) -> Result<Bytes, GatewayFault> {
    let payload = body::collected(answer.into_body(), ANSWER_BYTES_MAX).await;
    payload.map_err(|_| GatewayFault::IntegrationFailure("its answer is too long or broke off"))
}

fn signed(
    endpoint: &LambdaEndpoint,
    now: Duration,
    order: &Order,
) -> Result<Request<crate::Body>, GatewayFault> {
    let unusable = |why: &dyn std::fmt::Display| {
        GatewayFault::Configuration(format!("the Lambda endpoint cannot be asked: {why}").into())
    };
    let uri = invocations(&endpoint.url, &order.function.to_string()).map_err(|error| unusable(&error))?;
    let mut request = Request::new(body::full(order.payload.clone()));
    *request.method_mut() = Method::POST;
    let host = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::from_str(host).map_err(|error| unusable(&error))?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let kind = if order.kind == Kind::Event { "Event" } else { "RequestResponse" };
    headers.insert(INVOCATION_TYPE, HeaderValue::from_static(kind));
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

/// `/2015-03-31/functions/{ARN}/invocations` of the endpoint.
fn invocations(endpoint: &Uri, arn: &str) -> Result<Uri, http::Error> {
    let path = format!("/2015-03-31/functions/{}/invocations", arn.replace(':', "%3A").replace('$', "%24"));
    let mut parts = endpoint.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path)?);
    Ok(Uri::from_parts(parts)?)
}

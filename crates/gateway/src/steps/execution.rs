//! What the steps of a REST API say in its execution log, in API Gateway's words. Without a log nothing is done.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use percent_encoding::percent_decode_str;

use super::function_request::Event;
use crate::authorize::permission;
use crate::body::{self, Body};
use crate::execution_log::map;
use crate::fault::GatewayFault;
use crate::forwarded::Way;
use crate::headers;
use crate::integrations::function::Function;
use crate::integrations::http_proxy::{self, Collected};
use crate::lambda::Returned;
use crate::rest::call::Call;
use crate::uri;

/// The request as it reached the method.
///
/// # Errors
/// When the body, which the log tells, is too long or breaks off.
pub(crate) async fn begin(call: &Call<'_>, body: Body) -> Result<Body, GatewayFault> {
    let Some(log) = call.visit.log.get() else { return Ok(body) };
    log.write(format!("Starting execution for request: {}", call.visit.request_id_text()));
    log.write(format!("HTTP Method: {}, Resource Path: {}", call.verb, call.path));
    if !log.tells_data() {
        return Ok(body);
    }
    let bytes = http_proxy::request_body(body).await?;
    let variables = call.variables.iter().map(|(name, value)| ((*name).to_owned(), decoded(value)));
    log.write(format!("Method request path: {}", map(variables)));
    let query = uri::query_pairs(call.query()).map(|(name, value)| (name.into_owned(), value.into_owned()));
    log.write(format!("Method request query string: {}", map(query)));
    log.write(format!("Method request headers: {}", log.sent_headers(&told_headers(call))));
    log.write(format!("Method request body before transformations: {}", text(&bytes)));
    Ok(whole(bytes))
}

/// The client's headers and what the gateway adds to them; those of a test as they are given.
fn told_headers<'c>(call: &'c Call<'_>) -> Cow<'c, HeaderMap> {
    let sent = &call.head.headers;
    let Some(way) = Way::of(call.visit, &call.shared.config) else { return Cow::Borrowed(sent) };
    let mut told = sent.clone();
    headers::remove_hop_by_hop(&mut told);
    told.remove(header::CONTENT_LENGTH);
    for name in Way::ADDED {
        if let Some(value) = way.header(&name, sent) {
            told.insert(name, value);
        }
    }
    Cow::Owned(told)
}

fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn whole(bytes: Bytes) -> Body {
    if bytes.is_empty() { body::empty() } else { body::full(bytes) }
}

/// The request to a backend.
///
/// # Errors
/// As of [`begin`].
pub(crate) async fn request(call: &Call<'_>, request: Request<Body>) -> Result<Request<Body>, GatewayFault> {
    if !call.visit.tells_data() {
        call.visit.note(|_| format!("Sending request to {}", request.uri()));
        return Ok(request);
    }
    let (head, body) = request.into_parts();
    let bytes = http_proxy::request_body(body).await?;
    requested(call, &head.uri.to_string(), &head.headers, &bytes);
    Ok(Request::from_parts(head, whole(bytes)))
}

fn requested(call: &Call<'_>, uri: &str, headers: &HeaderMap, body: &[u8]) {
    call.visit.note(|_| format!("Endpoint request URI: {uri}"));
    call.visit.note(|log| format!("Endpoint request headers: {}", log.headers(headers)));
    call.visit.note(|_| format!("Endpoint request body after transformations: {}", text(body)));
    call.visit.note(|_| format!("Sending request to {uri}"));
}

/// The invocation of a function, told as the call of the Lambda API that it stands for.
pub(crate) fn event(call: &Call<'_>, function: &Function, event: &Event) {
    if !call.visit.tells_data() {
        return;
    }
    let source = (!function.by_role).then(|| source(call));
    told_invocation(call, &function.uri.fill(&call.stage.variables, |_| None), source, &event.payload);
}

/// The same, of an authorizer's function by the URI that names it.
pub(crate) fn invocation(call: &Call<'_>, named: &str, payload: &[u8]) {
    if call.visit.tells_data() {
        told_invocation(call, named, None, payload);
    }
}

/// The method, as functions' policies name it: by its resource.
fn source(call: &Call<'_>) -> String {
    let [stage, resource] = ["stage", "resourcePath"].map(|name| call.context(name).unwrap_or_default());
    permission::arn(&call.api.owner, &stage, call.verb.as_str(), &resource)
}

fn told_invocation(call: &Call<'_>, named: &str, source: Option<String>, payload: &[u8]) {
    let arn = named.split_once("/functions/").map_or(named, |(_, arn)| arn);
    let arn = arn.strip_suffix("/invocations").unwrap_or(arn);
    let region = arn.split(':').nth(3).unwrap_or_default();
    let uri = format!("https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations");
    let api = &call.api.owner.api;
    let mut told = HeaderMap::new();
    for (name, value) in [
        ("x-amzn-lambda-integration-tag", Some(call.visit.request_id_text().into_owned())),
        ("x-amzn-apigateway-api-id", Some(api.clone())),
        ("x-amz-source-arn", source),
        ("accept", Some("application/json".to_owned())),
        ("user-agent", Some(format!("AmazonAPIGateway_{api}"))),
        ("content-type", Some("application/json".to_owned())),
    ] {
        if let Some(value) = value {
            headers::set(&mut told, HeaderName::from_static(name), &value);
        }
    }
    requested(call, &uri, &told, payload);
}

/// The head of a backend's answer.
pub(crate) fn answer_head(call: &Call<'_>, status: u16, headers: &HeaderMap) {
    let millis = call.visit.integration_micros.load(std::sync::atomic::Ordering::Relaxed) / 1000;
    call.visit.note(|_| format!("Received response. Status: {status}, Integration latency: {millis} ms"));
    call.visit.note(|log| format!("Endpoint response headers: {}", log.headers(headers)));
}

fn answer_body(call: &Call<'_>, body: &[u8]) {
    call.visit.note(|_| format!("Endpoint response body before transformations: {}", text(body)));
}

/// A backend's whole answer.
pub(crate) fn answer(call: &Call<'_>, answer: &Collected) {
    answer_head(call, answer.status, &answer.headers);
    answer_body(call, &answer.body);
}

/// What a function returned.
pub(crate) fn returned(call: &Call<'_>, returned: &Returned) {
    if !call.visit.tells_data() {
        return;
    }
    let mut told = HeaderMap::new();
    told.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    told.insert(header::CONTENT_LENGTH, HeaderValue::from(returned.payload.len()));
    let trace = call.visit.function_trace(call.head.headers.get(headers::TRACE_ID));
    told.insert(headers::TRACE_ID, trace);
    let status = call.visit.integration.get().map_or(200, |answered| answered.status);
    answer_head(call, status, &told);
    answer_body(call, &returned.payload);
}

/// An answer that passes as the backend gave it.
///
/// # Errors
/// When it breaks off before the log has told it.
pub(crate) async fn passed(
    call: &Call<'_>,
    response: Response<Body>,
) -> Result<Response<Body>, GatewayFault> {
    if !call.visit.tells_data() {
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let bytes = body::whole(body).await;
    let bytes = bytes.map_err(|_| GatewayFault::IntegrationFailure("its answer is too long or broke off"))?;
    answer_body(call, &bytes);
    Ok(Response::from_parts(head, whole(bytes)))
}

/// The answer, or why there is none.
pub(crate) fn end(
    call: &Call<'_>,
    outcome: &Result<(http::response::Parts, Bytes), GatewayFault>,
    status: u16,
) {
    match outcome {
        Ok((head, body)) => {
            call.visit.note(|_| format!("Method response body after transformations: {}", text(body)));
            call.visit.note(|log| format!("Method response headers: {}", log.headers(&head.headers)));
            call.visit.note(|_| "Successfully completed execution".to_owned());
        }
        Err(fault) => {
            let line = fault.execution_log(&call.visit.request_id_text());
            line.into_iter().for_each(|line| call.visit.note(|_| line));
        }
    }
    call.visit.note(|_| format!("Method completed with status: {status}"));
}

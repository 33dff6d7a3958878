//! Makes the event that a Lambda function is invoked with, and says how it is invoked.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method as Verb};
use serde_json::Value;
use stagedoor_vtl::Overrides;

use super::{integration_request, request_template};
use crate::body::Body;
use crate::events;
use crate::fault::GatewayFault;
use crate::headers;
use crate::http_api::{self, plan::PayloadFormat};
use crate::integrations::function::Function;
use crate::integrations::http_proxy::{self, Collected};
use crate::lambda::{Kind, Returned};
use crate::mapping::{Target, View};
use crate::rest::call::Call;
use crate::rest::payload::Payload;
use crate::rest::plan::{AwsProxy, Lambda};

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");

/// The event, whether its result is waited for, and whether the end of what the function prints is wanted with it.
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) payload: Bytes,
    pub(crate) tail: bool,
}

impl Event {
    fn of_proxy(payload: Bytes) -> Self {
        Self { kind: Kind::RequestResponse, payload, tail: false }
    }
}

/// `AWS_PROXY` of a REST API: the whole request.
///
/// # Errors
/// When the integration's method is not `POST`, or the body cannot be read.
pub(crate) async fn proxied(proxy: &AwsProxy, call: &Call<'_>, body: Body) -> Result<Event, GatewayFault> {
    must_be_post(proxy.verb.as_ref(), call)?;
    let body = http_proxy::request_body(body).await?;
    Ok(Event::of_proxy(events::rest::event(call, &body)))
}

/// `AWS` of a REST API: what the template makes, or the body.
///
/// # Errors
/// As of [`proxied`]; 415 when no template takes the body.
pub(crate) async fn built(
    lambda: &Lambda,
    call: &Call<'_>,
    body: Body,
) -> Result<(Event, Overrides), GatewayFault> {
    must_be_post(lambda.verb.as_ref(), call)?;
    let payload = Payload::of_request(body, call, lambda.handling).await?;
    let made = request_template::apply(&lambda.templates, lambda.passthrough, call, &payload).await?;
    let asked = |header| asked(header, lambda, call, &payload, &made.overrides);
    let kind =
        if asked(INVOCATION_TYPE)?.as_deref() == Some("Event") { Kind::Event } else { Kind::RequestResponse };
    let tail = asked(LOG_TYPE)?.as_deref() == Some("Tail");
    // An event is JSON; no body is the empty object, as in templates.
    let event = if made.body.is_empty() { Bytes::from_static(b"{}") } else { made.body };
    Ok((Event { kind, payload: event, tail }, made.overrides))
}

/// `AWS_PROXY` of an HTTP API: the whole request.
///
/// # Errors
/// When the body cannot be read, or the path cannot be told.
pub(crate) async fn of_http(
    proxy: &http_api::plan::AwsProxy,
    call: &http_api::call::Call<'_>,
    body: Body,
) -> Result<Event, GatewayFault> {
    let body = http_proxy::request_body(body).await?;
    let event = match proxy.format {
        PayloadFormat::V1 => events::http_v1::event(call, &body),
        PayloadFormat::V2 => events::http_v2::event(call, &body)?,
    };
    Ok(Event::of_proxy(event))
}

/// Invokes a REST API's function with its stage's variables and the request's trace.
pub(crate) async fn invoke(
    function: &Function,
    call: &Call<'_>,
    event: Event,
) -> Result<Returned, GatewayFault> {
    let trace = call.visit.function_trace(call.head.headers.get(headers::TRACE_ID));
    let trace = trace.to_str().unwrap_or_default().to_owned();
    function.invoke(call.shared, call.visit, &call.stage.variables, trace, event).await
}

/// Invokes an HTTP API's function with its stage's variables and the request's trace.
pub(crate) async fn invoke_http(
    function: &Function,
    call: &http_api::call::Call<'_>,
    event: Event,
) -> Result<Returned, GatewayFault> {
    let trace = call.visit.function_trace(call.head.headers.get(headers::TRACE_ID));
    let trace = trace.to_str().unwrap_or_default().to_owned();
    function.invoke(call.shared, call.visit, &call.located.stage.variables, trace, event).await
}

/// A result as the integration responses of `AWS` see it, and the text that chooses among them: the error message,
/// empty for a result without one.
pub(crate) fn collected(returned: Returned) -> (Collected, String) {
    let error = serde_json::from_slice::<Value>(&returned.payload).ok();
    let message = error.and_then(|error| error.get("errorMessage")?.as_str().map(str::to_owned));
    let tail = returned.tail.and_then(|tail| HeaderValue::from_str(&STANDARD.encode(tail)).ok());
    let headers = HeaderMap::from_iter(tail.map(|tail| (LOG_RESULT, tail)));
    let answer = Collected { status: 200, headers, body: returned.payload };
    (answer, message.unwrap_or_default())
}

/// The Invoke API knows no other verb (recorded).
fn must_be_post(verb: Option<&Verb>, call: &Call<'_>) -> Result<(), GatewayFault> {
    if verb.unwrap_or(&call.verb) == Verb::POST {
        Ok(())
    } else {
        Err(GatewayFault::IntegrationFailure(
            "functions are invoked by POST, the integration's method is another",
        ))
    }
}

/// A header of the call of Lambda's API, if it is mapped or set by the template.
fn asked(
    header: HeaderName,
    lambda: &Lambda,
    call: &Call<'_>,
    payload: &Payload,
    overrides: &Overrides,
) -> Result<Option<String>, GatewayFault> {
    let readable = integration_request::readable(&lambda.parameters, payload)?;
    let context = |name: &str| call.context(name);
    let view = View { body: readable.view(), ..call.request_view(&context) };
    let is_asked = |target: &Target| matches!(target, Target::Header(name) if *name == header);
    let mapped = lambda.parameters.iter().find(|(target, _)| is_asked(target));
    let mapped = mapped.and_then(|(_, source)| source.values(&view).pop()).map(Cow::into_owned);
    let mut overridden = overrides.of_request().header.into_iter();
    let overridden = overridden.find(|(name, _)| header.as_str().eq_ignore_ascii_case(name));
    Ok(overridden.map(|(_, value)| value).or(mapped))
}

//! The last step before a REST API's answer leaves: headers that would confuse the client's connection are renamed or
//! dropped.

use http::{HeaderMap, HeaderName, HeaderValue, Method as Verb, Response, StatusCode, header};

use super::function_answer::Answered;
use super::integration_response::Mapped;
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::headers::{self, Returned};
use crate::integrations::http_proxy::Answer;
use crate::rest::call::Call;
use crate::rest::plan::Outgoing;

/// An `HTTP_PROXY` backend's answer, streamed.
///
/// # Errors
/// [`GatewayFault::IntegrationFailure`] when the answer says that it is longer than the quota.
pub(crate) fn of_proxy(
    answer: Answer,
    call: &Call<'_>,
    outgoing: &Outgoing,
) -> Result<Response<Body>, GatewayFault> {
    let bytes_max = if outgoing.unlimited { usize::MAX } else { call.shared.config.payload_bytes_max };
    if content_length(&answer.head.headers).is_some_and(|length| length > bytes_max) {
        return Err(GatewayFault::IntegrationFailure("its answer is too long"));
    }
    let length_of_head = answer.head.headers.get(header::CONTENT_LENGTH).cloned();
    let mut response = Response::new(body::until(answer.deadline, answer.body, bytes_max));
    *response.status_mut() = answer.head.status;
    *response.headers_mut() = returned(answer.head.headers, headers::returned_by_proxy);
    // An answer to HEAD has no body from which its length could be told.
    if call.verb == Verb::HEAD
        && let Some(length) = length_of_head
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    Ok(response)
}

/// The answer that an integration response made.
pub(crate) fn of_mapping(mapped: Mapped) -> Response<Body> {
    let mut response =
        Response::new(if mapped.body.is_empty() { body::empty() } else { body::full(mapped.body) });
    *response.status_mut() = mapped.status;
    *response.headers_mut() = returned(mapped.headers, headers::returned_by_mapping);
    mapped.spelt.put_on(response.extensions_mut());
    response
}

/// What a function of an `AWS_PROXY` method answered. Its length is counted, not believed.
pub(crate) fn of_function(mut answer: Answered, call: &Call<'_>) -> Response<Body> {
    answer.headers.remove(header::CONTENT_LENGTH);
    let has_body = !answer.body.is_empty() && may_have_body(answer.status);
    let mut response = Response::new(if has_body { body::full(answer.body) } else { body::empty() });
    *response.status_mut() = answer.status;
    *response.headers_mut() = returned(answer.headers, headers::returned_by_proxy);
    answer.spelt.put_on(response.extensions_mut());
    with_function_trace(response, call)
}

/// Adds the trace as answers of Lambda integrations have it.
pub(crate) fn with_function_trace(mut response: Response<Body>, call: &Call<'_>) -> Response<Body> {
    let trace = call.visit.function_trace(call.head.headers.get(headers::TRACE_ID));
    response.headers_mut().insert(headers::TRACE_ID, trace);
    response
}

/// Adds the trace as answers of other integrations have it that are no proxies (recorded).
pub(crate) fn with_trace(mut response: Response<Body>, call: &Call<'_>) -> Response<Body> {
    let trace = call.visit.trace(call.head.headers.get(headers::TRACE_ID));
    response.headers_mut().insert(headers::TRACE_ID, trace);
    response
}

/// RFC 9110, sections 15.3.5 and 15.4.5.
pub(crate) fn may_have_body(status: StatusCode) -> bool {
    ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status)
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn returned(headers: HeaderMap, of: fn(&HeaderName) -> Returned) -> HeaderMap {
    let mut returned = HeaderMap::with_capacity(headers.len());
    let mut last: Option<HeaderName> = None;
    for (name, value) in headers {
        // A name is given once, with the first of its values.
        let Some(name) = name.or_else(|| last.clone()) else { continue };
        add(&mut returned, &name, value, of(&name));
        last = Some(name);
    }
    returned
}

fn add(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue, fate: Returned) {
    match fate {
        Returned::Pass => drop(headers.append(name, value)),
        Returned::Remap => drop(headers.append(headers::remapped(name), value)),
        Returned::Drop => {}
    }
}

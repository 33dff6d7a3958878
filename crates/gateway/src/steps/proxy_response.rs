//! Makes an HTTP API's answer from its backend's or function's: the same, without the headers of the connection.

use http::{Method as Verb, Response, header};

use super::function_answer::Answered;
use super::method_response::may_have_body;
use crate::Config;
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::headers;
use crate::integrations::http_proxy::Answer;

/// # Errors
/// [`GatewayFault::IntegrationFailure`] when the answer says that it is longer than the quota.
pub(crate) fn make(answer: Answer, verb: &Verb, config: &Config) -> Result<Response<Body>, GatewayFault> {
    let mut headers = answer.head.headers;
    headers::remove_hop_by_hop(&mut headers);
    let length = headers.remove(header::CONTENT_LENGTH);
    let bytes = length.as_ref().and_then(|length| length.to_str().ok()?.parse().ok());
    if bytes.is_some_and(|bytes: usize| bytes > config.payload_bytes_max) {
        return Err(GatewayFault::IntegrationFailure("its answer is too long"));
    }
    // An answer to HEAD has no body from which its length could be told; of others the server tells it.
    if let Some(length) = length.filter(|_| *verb == Verb::HEAD) {
        headers.insert(header::CONTENT_LENGTH, length);
    }
    let mut response = Response::new(body::until(answer.deadline, answer.body, config.payload_bytes_max));
    *response.status_mut() = answer.head.status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// What a function answered. Its length is counted, not believed.
pub(crate) fn of_function(mut answer: Answered) -> Response<Body> {
    headers::remove_hop_by_hop(&mut answer.headers);
    answer.headers.remove(header::CONTENT_LENGTH);
    let has_body = !answer.body.is_empty() && may_have_body(answer.status);
    let mut response = Response::new(if has_body { body::full(answer.body) } else { body::empty() });
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    answer.spelt.put_on(response.extensions_mut());
    response
}

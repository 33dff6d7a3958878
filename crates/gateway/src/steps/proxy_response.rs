//! Makes an HTTP API's answer from its backend's: the same, without the headers of the connection to the backend.

use http::{Method as Verb, Response, header};

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
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > config.payload_bytes_max) {
        return Err(GatewayFault::IntegrationFailure("its answer is too long"));
    }
    // An answer to HEAD has no body from which its length could be told; of others the server tells it.
    if *verb != Verb::HEAD {
        headers.remove(header::CONTENT_LENGTH);
    }
    let mut response = Response::new(body::until(answer.deadline, answer.body, config.payload_bytes_max));
    *response.status_mut() = answer.head.status;
    *response.headers_mut() = headers;
    Ok(response)
}

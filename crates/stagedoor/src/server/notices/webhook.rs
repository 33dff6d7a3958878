//! Webhooks: one POST of JSON for each event, the next after the answer. Any 2xx means that it was taken.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Full;

use super::Failure;
use super::client::Client;
use super::envelope::Event;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("stagedoor/", env!("CARGO_PKG_VERSION")));

/// As [`super::Courier::deliver`].
pub async fn deliver(
    client: &Client,
    url: &Uri,
    authorization: Option<&HeaderValue>,
    events: &[Event],
) -> (usize, Option<Failure>) {
    for (count, event) in events.iter().enumerate() {
        let mut request = Request::new(Full::new(Bytes::from(event.json())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, AGENT);
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.clone());
        }
        let failure = match client.send(request).await {
            Ok((status, _)) => judge(status),
            Err(failure) => Some(failure),
        };
        if failure.is_some() {
            return (count, failure);
        }
    }
    (events.len(), None)
}

/// What a status means. Only those that are about this very event make it useless to try again.
fn judge(status: StatusCode) -> Option<Failure> {
    match status {
        status if status.is_success() => None,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Some(Failure::Refused(format!("it answered {status}")))
        }
        status => Some(Failure::Later(format!("it answered {status}"))),
    }
}

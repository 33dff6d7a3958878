//! EventBridge's `PutEvents`, signed, up to ten events in a call.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use serde_json::{Value, json};
use stagedoor_auth::sigv4::{self, Key};

use super::Failure;
use super::client::Client;
use super::envelope::Event;
use crate::server::clock::now;

/// Entries of a call.
const ENTRIES_MAX: usize = 10;
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// An event bus.
pub struct Bus<'a> {
    pub endpoint: &'a Uri,
    pub name: &'a str,
    /// AWS keeps `aws.ivs` to itself; other servers take it.
    pub source: &'a str,
    pub key: &'a Key,
}

/// As [`super::Courier::deliver`].
pub async fn deliver(client: &Client, bus: &Bus<'_>, events: &[Event]) -> (usize, Option<Failure>) {
    let mut delivered = 0;
    for batch in events.chunks(ENTRIES_MAX) {
        let (count, failure) = put(client, bus, batch).await;
        delivered += count;
        if failure.is_some() {
            return (delivered, failure);
        }
    }
    (delivered, None)
}

async fn put(client: &Client, bus: &Bus<'_>, batch: &[Event]) -> (usize, Option<Failure>) {
    let request = match request(bus, batch) {
        Ok(request) => request,
        Err(why) => return (0, Some(Failure::Down(why))),
    };
    let (status, body) = match client.send(request).await {
        Ok(answer) => answer,
        Err(failure) => return (0, Some(failure)),
    };
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !status.is_success() {
        let why = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
        return (0, Some(Failure::Down(format!("PutEvents answered {status}: {why}"))));
    }
    taken(&answer, batch.len())
}

/// Entries are refused one by one. What comes after a refused one is put again, so that the order is right in the end.
fn taken(answer: &Value, sent: usize) -> (usize, Option<Failure>) {
    let entries = answer["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let refused = entries.iter().position(|entry| entry["ErrorCode"].is_string());
    match refused {
        Some(count) if count < sent => {
            let word = |name: &str| entries[count][name].as_str().unwrap_or_default().to_owned();
            let why = format!("{}: {}", word("ErrorCode"), word("ErrorMessage"));
            (count, Some(Failure::Later(why)))
        }
        _ => (sent, None),
    }
}

fn request(bus: &Bus<'_>, batch: &[Event]) -> Result<Request<Full<Bytes>>, String> {
    let entries: Vec<Value> = batch.iter().map(|event| entry(bus, event)).collect();
    let body = json!({ "Entries": entries }).to_string();
    let region = batch.first().map_or("us-east-1", |event| event.region.as_str());
    let host = bus.endpoint.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_str(host).map_err(|error| error.to_string())?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    headers.insert(TARGET, HeaderValue::from_static("AWSEvents.PutEvents"));
    let signed = sigv4::Request {
        method: &Method::POST,
        path: "/",
        query: "",
        headers: &headers,
        host: None,
        payload: sigv4::Payload::Bytes(body.as_bytes()),
    };
    let added = sigv4::sign(&signed, bus.key, region, "events", now().to_jiff())
        .map_err(|error| error.to_string())?;
    for (name, value) in added {
        headers.insert(name, value);
    }
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = bus.endpoint.clone();
    *request.headers_mut() = headers;
    Ok(request)
}

/// The bus adds version, id, account and region by itself.
fn entry(bus: &Bus<'_>, event: &Event) -> Value {
    json!({
        "Time": event.time.as_seconds(),
        "Source": bus.source,
        "Resources": [event.resource],
        "DetailType": event.detail_type,
        "Detail": event.detail.to_string(),
        "EventBusName": bus.name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_refused_entry_is_put_again() {
        let answer = json!({"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "InternalFailure"}, {"EventId": "3"}]});
        assert!(matches!(taken(&answer, 3), (1, Some(Failure::Later(_)))));
        assert!(matches!(
            taken(&json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}), 1),
            (1, None)
        ));
    }
}

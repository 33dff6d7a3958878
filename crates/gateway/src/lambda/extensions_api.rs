//! As much of the Lambda Extensions API, version 2020-01-01, as extensions need that ask for no events, as the Lambda Web
//! Adapter: they register, and then wait for an event until their process ends. Events are not sent.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::process::Process;
use super::runtime_api::{Answer, json, refuse};

pub(super) const PREFIX: &str = "/2020-01-01/extension/";
/// Longest registration that is read, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

const NAME: HeaderName = HeaderName::from_static("lambda-extension-name");
const IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// What an extension registers for.
#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    events: Vec<String>,
}

/// Answers a request whose path is `path` behind [`PREFIX`].
pub(super) async fn answer(process: &Process, head: &Parts, path: &str, body: Bytes) -> Answer {
    match (&head.method, path) {
        (&Method::POST, "register") if !head.headers.contains_key(NAME) => {
            refuse(StatusCode::BAD_REQUEST, "Extension.MissingName", "Lambda-Extension-Name is missing")
        }
        (&Method::POST, "register") => register(process, &body),
        (&Method::GET, "event/next") if head.headers.contains_key(IDENTIFIER) => std::future::pending().await,
        (&Method::GET, "event/next") => {
            let missing = "Lambda-Extension-Identifier is missing";
            refuse(StatusCode::FORBIDDEN, "Extension.MissingExtensionIdentifier", missing)
        }
        _ => refuse(StatusCode::NOT_FOUND, "InvalidPath", "no such path"),
    }
}

fn register(process: &Process, body: &[u8]) -> Answer {
    match serde_json::from_slice::<Registration>(body) {
        Err(error) => refuse(StatusCode::BAD_REQUEST, "Extension.InvalidRequest", &error.to_string()),
        Ok(Registration { events }) if !events.is_empty() => {
            let why = "extensions that ask for events are not supported";
            refuse(StatusCode::NOT_IMPLEMENTED, "Extension.NotImplemented", why)
        }
        Ok(_) => {
            let function = &process.pool.function;
            let handler = function.environment.get("_HANDLER");
            let told = json!({
                "functionName": function.name,
                "functionVersion": "$LATEST",
                "handler": handler.map_or("", String::as_str),
            });
            let mut answer = json(StatusCode::OK, told.to_string());
            let identifier = HeaderValue::from_str(&process.pool.new_id()).ok();
            answer.headers_mut().extend(identifier.map(|identifier| (IDENTIFIER, identifier)));
            answer
        }
    }
}

//! The Lambda Runtime API, version 2018-06-01, as one process of a function sees it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. Each process has a listener of its own, so the
//! listener says which process asks.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tracing::debug;

use super::extensions_api;
use super::job::Returned;
use super::process::{Announced, Process};

const PREFIX: &str = "/2018-06-01/runtime/";
/// Longest result, in bytes: 6 MiB and what AWS allows around it.
const RESULT_BYTES_MAX: usize = 6_291_556;
/// How much of a result that is too long is still read, so that its sender can read why it is refused.
const REFUSED_BYTES_MAX: usize = 64 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) type Answer = Response<Full<Bytes>>;

/// Serves one connection of a process.
pub(super) async fn serve(process: Arc<Process>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let process = Arc::clone(&process);
        async move { Ok::<_, Infallible>(answer(&process, request).await) }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        debug!(%error, "connection of a function ended");
    }
}

async fn answer(process: &Process, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    if let Some(path) = head.uri.path().strip_prefix(extensions_api::PREFIX) {
        let Ok(body) = Limited::new(body, extensions_api::BODY_BYTES_MAX).collect().await else {
            return broken_off();
        };
        return extensions_api::answer(process, &head, path, body.to_bytes()).await;
    }
    let Some(path) = head.uri.path().strip_prefix(PREFIX) else {
        return refuse(StatusCode::NOT_FOUND, "InvalidPath", "no such path");
    };
    let segments: Vec<&str> = path.split('/').collect();
    match (&head.method, &*segments) {
        (&Method::GET, ["invocation", "next"]) => match process.next().await {
            Some(announced) => invocation(announced),
            None => refuse(StatusCode::INTERNAL_SERVER_ERROR, "ServiceError", "the server stops"),
        },
        (&Method::POST, ["invocation", id, "response"]) => {
            if is_streamed(&head.headers)
                && let Some(stream) = process.stream_of(id)
            {
                return streamed(process, id, stream, body).await;
            }
            let too_long = || {
                let text = format!(
                    "Response payload size exceeded maximum allowed payload size ({RESULT_BYTES_MAX} bytes)."
                );
                Returned::failure("Function.ResponseSizeTooLarge", &text)
            };
            match read(body).await {
                Read::Whole(payload) => finished(process, id, Returned::well(payload)).await,
                Read::TooLong if process.finish(id, too_long()).await => refuse(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "RequestEntityTooLarge",
                    &format!("Exceeded maximum allowed payload size ({RESULT_BYTES_MAX} bytes)."),
                ),
                Read::TooLong => unknown_invocation(),
                Read::BrokenOff => broken_off(),
            }
        }
        (&Method::POST, ["invocation", id, "error"]) => match read(body).await {
            Read::Whole(payload) => finished(process, id, Returned::failed(error(payload))).await,
            Read::TooLong => {
                finished(process, id, Returned::failure("Unhandled", "an error too long to tell")).await
            }
            Read::BrokenOff => broken_off(),
        },
        (&Method::POST, ["init", "error"]) => {
            if let Read::Whole(payload) = read(body).await {
                process.could_not_start(error(payload));
            }
            accepted()
        }
        _ => refuse(StatusCode::NOT_FOUND, "InvalidPath", "no such path"),
    }
}

fn invocation(announced: Announced) -> Answer {
    let mut response = Response::new(Full::new(announced.payload));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    let deadline = announced.deadline.as_millis().to_string();
    for (name, text) in [
        (REQUEST_ID, &announced.id),
        (DEADLINE, &deadline),
        (FUNCTION_ARN, &announced.arn),
        (TRACE_ID, &announced.trace),
    ] {
        headers.extend(HeaderValue::from_str(text).ok().map(|value| (name, value)));
    }
    let client_context = announced.client_context.and_then(|text| HeaderValue::from_str(&text).ok());
    headers.extend(client_context.map(|value| (CLIENT_CONTEXT, value)));
    response
}

async fn finished(process: &Process, id: &str, returned: Returned) -> Answer {
    if process.finish(id, returned).await { accepted() } else { unknown_invocation() }
}

/// Whether a runtime writes a result while it makes it.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>
fn is_streamed(headers: &HeaderMap) -> bool {
    headers.get(RESPONSE_MODE).is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"streaming"))
}

/// Passes a result on as it comes. One whose reader has gone is read to its end all the same.
async fn streamed(process: &Process, id: &str, stream: mpsc::Sender<Bytes>, mut body: Incoming) -> Answer {
    let mut failed = false;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let failure = Returned::failure("Runtime.TruncatedResponse", "the response broke off");
            process.finish(id, failure).await;
            return broken_off();
        };
        match frame.into_data() {
            Ok(data) => drop(stream.send(data).await),
            Err(frame) => {
                failed |= frame.trailers_ref().is_some_and(|trailers| trailers.contains_key(ERROR_TYPE));
            }
        }
    }
    if failed {
        let failure = Returned::failure("Unhandled", "the function failed while it streamed");
        return finished(process, id, failure).await;
    }
    finished(process, id, Returned::well(Bytes::new())).await
}

/// What a runtime says of an error, if it is JSON.
fn error(payload: Bytes) -> Bytes {
    match serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        Ok(_) => payload,
        Err(_) => Returned::failure("Unhandled", &String::from_utf8_lossy(&payload)).payload,
    }
}

enum Read {
    Whole(Bytes),
    TooLong,
    BrokenOff,
}

async fn read(mut body: Incoming) -> Read {
    let mut whole = BytesMut::new();
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Read::BrokenOff };
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= RESULT_BYTES_MAX {
            whole.extend_from_slice(&data);
        } else if length > REFUSED_BYTES_MAX {
            return Read::TooLong;
        } else {
            whole = BytesMut::new();
        }
    }
    if length > RESULT_BYTES_MAX { Read::TooLong } else { Read::Whole(whole.freeze()) }
}

fn accepted() -> Answer {
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.into())
}

fn unknown_invocation() -> Answer {
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

fn broken_off() -> Answer {
    refuse(StatusCode::BAD_REQUEST, "InvalidRequest", "the body broke off")
}

pub(super) fn refuse(status: StatusCode, kind: &str, message: &str) -> Answer {
    json(status, serde_json::json!({"errorMessage": message, "errorType": kind}).to_string())
}

pub(super) fn json(status: StatusCode, body: String) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

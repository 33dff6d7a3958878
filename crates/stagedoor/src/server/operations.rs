//! What is for those who run the server: health, metrics, reset.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value as Json, json};

use super::Server;

/// Paths that start like this are never an API's.
pub const PREFIX: &str = "/_stagedoor/";

/// Answers a request below [`PREFIX`].
pub async fn answer(server: &Arc<Server>, request: &Request<Incoming>, peer: SocketAddr) -> Response<Bytes> {
    match (request.method(), &request.uri().path()[PREFIX.len()..]) {
        (&Method::GET | &Method::HEAD, "health") => health(server),
        (&Method::GET, "metrics") => metrics(server).await,
        (&Method::POST, "reset") => reset(server, peer).await,
        (_, "health" | "metrics" | "reset") => {
            problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not have that method")
        }
        _ => problem(StatusCode::NOT_FOUND, "there is nothing at this address"),
    }
}

fn health(server: &Server) -> Response<Bytes> {
    // A read proves that the store answers.
    let store = server.store.read(|transaction| transaction.get("server-secrets/-/-").map(|_| ()));
    let status = if store.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_response(
        status,
        &json!({
            "status": if store.is_ok() { "ok" } else { "store unavailable" },
            "version": env!("CARGO_PKG_VERSION"),
            "revision": server.store.head().get(),
            "uptimeSeconds": server.started.elapsed().as_secs(),
        }),
    )
}

/// Prometheus' text format, version 0.0.4.
async fn metrics(server: &Server) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(super::metrics::text(server).await));
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, format);
    response
}

/// Empties the store, for test suites. Only where the operator allowed it and only from this machine.
async fn reset(server: &Arc<Server>, peer: SocketAddr) -> Response<Bytes> {
    if !server.allow_reset {
        return problem(StatusCode::FORBIDDEN, "the server was started without --allow-reset");
    }
    if !peer.ip().to_canonical().is_loopback() {
        return problem(StatusCode::FORBIDDEN, "only this machine may reset the server");
    }
    let store = server.store.clone();
    let cleared = tokio::task::spawn_blocking(move || store.clear()).await;
    match cleared {
        Ok(Ok(revision)) => {
            tokio::join!(server.gateway.caught_up(revision), server.ledger.caught_up(revision));
            json_response(StatusCode::OK, &json!({"status": "empty"}))
        }
        _ => problem(StatusCode::SERVICE_UNAVAILABLE, "the store could not be emptied"),
    }
}

fn problem(status: StatusCode, message: &str) -> Response<Bytes> {
    json_response(status, &json!({"message": message}))
}

fn json_response(status: StatusCode, body: &Json) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

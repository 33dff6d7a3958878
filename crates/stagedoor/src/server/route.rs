//! Which part of the server answers a request. The addresses are the table of `ARCHITECTURE.md`.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use stagedoor_gateway::{Body, Gateway, Peer};
use tokio::task::JoinSet;

use super::{Server, console, control, functions, management, operations};

/// Answers one request. `gateway` is the handle of the thread that serves the connection.
pub async fn answer(
    server: &Arc<Server>,
    gateway: &Gateway,
    request: Request<Incoming>,
    client: Peer,
) -> Response<Body> {
    let peer = client.address;
    // A stage's own host name comes first: there every path is the API's.
    if let Some(address) = gateway.address(&request) {
        if let Some(managed) = gateway.managed(&address, &request) {
            return whole(management::call(server, request, managed).await.map(Full::new));
        }
        return gateway.serve(address, request, client).await;
    }
    // All else works in larger pieces, and must not hold up the stages' requests. Dropped, it ends there too.
    let mut elsewhere = JoinSet::new();
    let server = Arc::clone(server);
    let runtime = server.runtime.clone();
    elsewhere.spawn_on(async move { own(&server, request, peer).await }, &runtime);
    match elsewhere.join_next().await {
        Some(Ok(response)) => response,
        failed => {
            tracing::error!(?failed, "a request was not answered");
            let mut response = whole(Response::new(Full::default()));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// Answers a request that is no stage's.
async fn own(server: &Arc<Server>, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    let path = request.uri().path();
    if below(path, console::PATH) {
        return whole(console::answer(server, request, peer).await.map(Full::new));
    }
    if path.starts_with(operations::PREFIX) {
        return whole(operations::answer(server, &request, peer).await.map(Full::new));
    }
    if below(path, "/whip") || below(path, "/whep") {
        return whole(server.media.serve(request).await);
    }
    if below(path, "/events") {
        return whole(server.media.events(request));
    }
    if let Some(called) = functions::called(request.method(), path) {
        return functions::answer(server, request, called).await;
    }
    whole(control::call(server, request).await.map(Full::new))
}

/// Whether a server in front of this one may have read a request of HTTP/1 otherwise, or would pass on what follows it
/// unread: it does not name its host in one line, which only HTTP/1.0 may leave out (RFC 9112, section 3.2), has
/// another coding than `chunked` or has that twice (sections 6.1 and 7), or asks for a tunnel.
pub fn is_ambiguous<B>(request: &Request<B>) -> bool {
    let lines = |name| request.headers().get_all(name).iter();
    let names_host = match lines(header::HOST).count() {
        0 => request.version() < Version::HTTP_11,
        lines => lines == 1,
    };
    let mut codings = lines(header::TRANSFER_ENCODING);
    let is_chunked = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    !names_host || !is_chunked || codings.next().is_some() || *request.method() == Method::CONNECT
}

/// What is answered to a request that is ambiguous, also by having two lengths: it is refused, and the connection ends
/// (RFC 9112, section 6.1).
pub fn ambiguous() -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from_static(br#"{"message":"Bad Request"}"#)));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    whole(response)
}

fn below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn whole(response: Response<Full<Bytes>>) -> Response<Body> {
    response.map(|body| body.map_err(|never| match never {}).boxed())
}

//! Which part of the server answers a request. The addresses are the table of `ARCHITECTURE.md`.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use stagedoor_gateway::Body;

use super::{Server, console, control, functions, management, operations};

/// Answers one request.
pub async fn answer(server: &Arc<Server>, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    // A stage's own host name comes first: there every path is the API's.
    if let Some(address) = server.gateway.address(&request) {
        if let Some(managed) = server.gateway.managed(&address, &request) {
            return whole(management::call(server, request, managed).await.map(Full::new));
        }
        return server.gateway.serve(address, request, peer).await;
    }
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

fn below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn whole(response: Response<Full<Bytes>>) -> Response<Body> {
    response.map(|body| body.map_err(|never| match never {}).boxed())
}

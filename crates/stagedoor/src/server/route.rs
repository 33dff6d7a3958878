//! Which part of the server answers a request. The addresses are the table of `ARCHITECTURE.md`.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use super::{Server, control, operations};

/// The body of every answer.
pub type Body = BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Answers one request.
pub async fn answer(server: &Arc<Server>, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    // A stage's own host name comes first: there every path is the API's.
    if let Some(address) = server.gateway.address(&request) {
        return server.gateway.serve(address, request, peer).await;
    }
    let path = request.uri().path();
    if path.starts_with(operations::PREFIX) {
        return whole(operations::answer(server, request, peer).await);
    }
    if server.media.is_for(path) {
        return whole(server.media.serve(request, peer).await);
    }
    whole(control::call(server, request).await)
}

fn whole(response: Response<Bytes>) -> Response<Body> {
    response.map(|bytes| Full::new(bytes).map_err(|never| match never {}).boxed())
}

//! The backend behind the demo's proxied stages: tells what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Starts the backend on a free port of the loopback. It ends with the program.
pub async fn start() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(tell));
            tokio::spawn(connection);
        }
    });
    Ok(address)
}

async fn tell(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let asked = serde_json::json!({"method": request.method().as_str(), "uri": request.uri().to_string()});
    Ok(Response::new(Full::new(Bytes::from(asked.to_string()))))
}

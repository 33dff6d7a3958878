//! Accepting connections, HTTP/1.1 and HTTP/2, within bounds, until told to stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{Server, route, told};

/// Connections at a time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 20_000;
/// How long a client may take to send a request's head.
const HEAD_READ_MAX: Duration = Duration::from_secs(30);
/// Bytes of a request's head that are buffered at most.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long requests under way may take to finish after a stop.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Serves until `stopped`, then lets requests under way finish.
pub async fn serve(server: Arc<Server>, listener: TcpListener, stopped: watch::Receiver<bool>) {
    let builder = builder();
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(stopped.clone()) => break,
        };
        match accepted {
            Ok((stream, peer)) => connection(&server, &builder, &graceful, stream, peer, slot),
            Err(error) => {
                // Mostly too many open files: pause instead of spinning.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    if tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_READ_MAX).max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(60))
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(250);
    builder
}

fn connection(
    server: &Arc<Server>,
    builder: &Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    stream: TcpStream,
    peer: SocketAddr,
    slot: OwnedSemaphorePermit,
) {
    // Answers are written whole; waiting to coalesce them only adds delay.
    let _ = stream.set_nodelay(true);
    let server = Arc::clone(server);
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(route::answer(&server, request, peer).await) }
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let watched = graceful.watch(connection.into_owned());
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%peer, %error, "connection ended");
        }
        drop(slot);
    });
}

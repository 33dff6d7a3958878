//! Accepting connections, HTTP/1.1 and HTTP/2, plain or by TLS, within bounds, until told to stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use stagedoor_gateway::{Client, ClientCert, Heads, Listener, Peer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::answer_names::AnswerNames;
use super::broken_off::BrokenOff;
use super::lanes::{Lanes, Place};
use super::patience::Patient;
use super::tls::{Tls, session};
use super::untaken::{Answer, Untaken};
use super::{Server, route, told};

/// Connections at a time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 20_000;
/// How long a client may take to shake hands, if it may be that late at all.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Bytes of a request's head that are buffered at most.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests of one HTTP/2 connection at a time.
const STREAMS_MAX: u32 = 128;
/// How long a client that has to leave may take to read why.
const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// How long requests under way may take to finish after a stop.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Serves until `stopped`, by TLS if that is given, then lets requests under way finish.
pub async fn serve(
    server: Arc<Server>,
    lanes: Arc<Lanes>,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    stopped: watch::Receiver<bool>,
) {
    let port = listener.local_addr().map_or(0, |address| address.port());
    let builder = builder(server.client_timeout);
    let names = Arc::new(AnswerNames::learn().await);
    // Each connection holds a receiver until it has ended.
    let ending = watch::Sender::new(false);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(stopped.clone()) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Answers are written whole; waiting to coalesce them only adds delay.
                let _ = stream.set_nodelay(true);
                let (server, ending) = (Arc::clone(&server), ending.subscribe());
                let (builder, tls, stopped) = (builder.clone(), tls.clone(), stopped.clone());
                let names = Arc::clone(&names);
                let taken = lanes.serve(stream, move |stream, place| async move {
                    let connection = Connection { server, place, peer, names, ending, slot, stopped };
                    match tls {
                        None => connection.serve(builder, stream, None).await,
                        Some(tls) => connection.shake_hands(builder, stream, tls, port).await,
                    }
                });
                if let Err(error) = taken {
                    tracing::warn!(%error, "cannot serve a connection");
                }
            }
            Err(error) => {
                // Mostly too many open files: pause instead of spinning.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    ending.send_replace(true);
    if tokio::time::timeout(DRAIN_MAX, ending.closed()).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
}

fn builder(client_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(client_timeout)
        // Who has said everything may say so, and still gets the answer.
        .half_close(true)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(60))
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_MAX);
    builder
}

/// A connection that was accepted.
struct Connection {
    server: Arc<Server>,
    place: Place,
    peer: SocketAddr,
    names: Arc<AnswerNames>,
    ending: watch::Receiver<bool>,
    slot: OwnedSemaphorePermit,
    stopped: watch::Receiver<bool>,
}

/// What a TLS connection says of all requests on it.
type Secured = (Listener, Option<Arc<ClientCert>>);

impl Connection {
    async fn shake_hands(self, builder: Builder<TokioExecutor>, stream: TcpStream, tls: Arc<Tls>, port: u16) {
        let peer = self.peer;
        let handshake_max = HANDSHAKE_MAX.min(self.server.client_timeout);
        match tokio::time::timeout(handshake_max, tls.accept(stream, &self.server.gateway)).await {
            Ok(Ok((stream, cert))) => {
                let session = session::of(stream.get_ref().1);
                self.serve(builder, stream, Some((Listener { tls: true, port, session }, cert))).await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no handshake"),
            Err(_) => tracing::debug!(%peer, "no handshake in time"),
        }
    }

    async fn serve<S>(self, builder: Builder<TokioExecutor>, stream: S, secured: Option<Secured>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { server, place, peer, names, ending, slot, stopped } = self;
        let patience = server.client_timeout;
        let (heads, untaken) = (Arc::<Heads>::default(), Arc::<Untaken>::default());
        let (listener, certificate) = secured.clone().unzip();
        let client = Client {
            address: peer,
            heads: Arc::clone(&heads),
            listener,
            certificate: certificate.flatten(),
            patience,
        };
        // What the stages leave is hyper's.
        let Some((stream, unread)) = place.gateway.converse(stream, client, stopped).await else { return };
        let stream = Patient::new(stream, unread, patience, Arc::clone(&heads), Arc::clone(&untaken));
        let here = Arc::new((server, place));
        let requests = Arc::clone(&untaken);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let (here, names) = (Arc::clone(&here), Arc::clone(&names));
            let is_http_1 = request.version() < Version::HTTP_2;
            let two_lengths = is_http_1 && heads.begin();
            let is_ambiguous = two_lengths || (is_http_1 && route::is_ambiguous(&request));
            let under_way = (!is_http_1).then(|| requests.request());
            let client = Peer { address: peer, heads: is_http_1.then(|| Arc::clone(&heads)) };
            if let Some((listener, cert)) = &secured {
                request.extensions_mut().insert(*listener);
                if let Some(cert) = cert {
                    request.extensions_mut().insert(Arc::clone(cert));
                }
            }
            async move {
                if let Some(under_way) = &under_way {
                    under_way.room().await;
                }
                let (server, place) = &*here;
                let mut response = match is_ambiguous {
                    false => route::answer(server, &place.gateway, request, client).await,
                    true => route::ambiguous(),
                };
                if is_http_1 {
                    names.put_on(response.extensions_mut());
                }
                Ok::<_, Infallible>(response.map(|body| BrokenOff::new(Answer::new(body, under_way))))
            }
        });
        let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told(ending.clone()) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            why = untaken.leave(patience) => {
                tracing::debug!(%peer, ?why, "a client has to leave");
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(GOODBYE_MAX, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "connection ended");
        }
        drop(slot);
    }
}

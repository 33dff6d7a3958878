//! A store, a gateway over it, a server around the gateway, and a client.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::Value;
use stagedoor_gateway::{Body, BodyError, Config, Gateway};
use stagedoor_state::document::{self, Kind};
use stagedoor_store::{Error, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-west-1";

/// A document to be stored.
pub(crate) type Entry = (String, Option<Vec<u8>>);

pub(crate) fn entry<T: Kind>(ids: &[&str], document: &T) -> Entry {
    (document::key::<T>(ACCOUNT, REGION, ids), Some(document::encode(document)))
}

pub(crate) fn gone<T: Kind>(ids: &[&str]) -> Entry {
    (document::key::<T>(ACCOUNT, REGION, ids), None)
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(|| Duration::from_secs(1_700_000_000));
        change(&mut config);
        let store = Store::in_memory().expect("a store in memory");
        let gateway = Gateway::new(store.clone(), config);
        let running = gateway.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move { running.run(async { drop(stopped.await) }).await });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound socket has an address");
        tokio::spawn(listen(listener, gateway.clone()));
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { store, gateway, address, client, running: Some((stop, task)) }
    }

    /// Tells the gateway to end, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            drop(stop);
            task.await.expect("the gateway ends");
        }
    }

    /// Stores documents in one commit and waits until they are served.
    pub(crate) async fn store(&self, entries: Vec<Entry>) {
        let store = self.store.clone();
        let written = tokio::task::spawn_blocking(move || {
            store.transact(|transaction| {
                for (key, value) in &entries {
                    match value {
                        Some(bytes) => transaction.put(key, bytes.clone())?,
                        None => transaction.delete(key)?,
                    }
                }
                Ok::<_, Error>(())
            })
        });
        written.await.expect("the thread ends").expect("the documents are stored");
        self.gateway.caught_up(self.store.head()).await;
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn get_from(&self, host: &str, path: &str) -> Seen {
        self.send(Method::GET, path, &[("host", host)], "").await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Seen {
        let answer = self.open(method, path, headers, body).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("the answer is complete").to_bytes();
        Seen { status: head.status, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// As [`Self::send`], with bytes both ways.
    pub(crate) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (Seen, Bytes) {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).expect("a request");
        let (head, body) = self.client.request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("the answer is complete").to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        (Seen { status: head.status, headers: head.headers, body: text }, body)
    }

    /// The answer with its body still to come.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).expect("a request");
        self.client.request(request).await.expect("an answer")
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible characters"))
    }

    /// The body as JSON: what the echoing backend saw.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The URI that the echoing backend saw.
    pub(crate) fn uri(&self) -> String {
        self.json()["uri"].as_str().unwrap_or_default().to_owned()
    }

    /// A header that the echoing backend saw.
    pub(crate) fn sent(&self, name: &str) -> String {
        self.json()["headers"][name].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status.as_u16(), self.body.as_str()), (status, body), "{self:?}");
    }
}

async fn listen(listener: TcpListener, gateway: Gateway) {
    while let Ok((socket, peer)) = listener.accept().await {
        let gateway = gateway.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(gateway.clone(), request, peer));
            let server = auto::Builder::new(TokioExecutor::new());
            server.serve_connection(TokioIo::new(socket), service).await.ok();
        });
    }
}

type Answered = Response<Either<Body, Full<Bytes>>>;

/// What the binary does, as far as stages are concerned.
async fn answer(
    gateway: Gateway,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Answered, BodyError> {
    match gateway.address(&request) {
        Some(address) => Ok(gateway.serve(address, request, peer).await.map(Either::Left)),
        None => Ok(Response::new(Either::Right(Full::new(Bytes::from_static(b"not for the data plane"))))),
    }
}

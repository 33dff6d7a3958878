//! The backend that tests' integrations call: says what it was asked, or misbehaves as its path says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_rustls::TlsAcceptor;

/// A running backend; it ends with the test's runtime.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    /// Lets `/drip` go on after its first part.
    pub(crate) drip: Arc<Notify>,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        Self::start_as(None).await
    }

    /// A backend with TLS, whose certificate for `localhost` nobody vouches for.
    pub(crate) async fn start_with_tls() -> Self {
        Self::start_as(Some(acceptor("localhost"))).await
    }

    async fn start_as(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound socket has an address");
        let drip = Arc::new(Notify::new());
        let dripping = Arc::clone(&drip);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let drip = Arc::clone(&dripping);
                match &tls {
                    None => serve(socket, drip),
                    Some(tls) => {
                        let Ok(socket) = tls.accept(socket).await else { continue };
                        serve(socket, drip);
                    }
                }
            }
        });
        Self { address, drip }
    }

    /// A URL of this backend.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn serve(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, drip: Arc<Notify>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&drip)));
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
}

fn acceptor(name: &str) -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("the key just made");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the key is the certificate's");
    TlsAcceptor::from(Arc::new(config))
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

async fn answer(request: Request<Incoming>, drip: Arc<Notify>) -> io::Result<Answer> {
    let path = request.uri().path().to_owned();
    match path.split('/').nth(1).unwrap_or_default() {
        "status" => Ok(status(&path)),
        "headers" => Ok(odd_headers()),
        "redirect" => Ok(redirect()),
        "never" => std::future::pending().await,
        "hang-up" => Err(io::Error::other("as the test wants")),
        "drip" => Ok(dripping(drip)),
        "first" => first_part(request).await,
        "count" => count(request).await,
        "image" => Ok(image()),
        "large" => Ok(full(vec![b'x'; 11 * 1024 * 1024])),
        _ => echo(request).await,
    }
}

fn full(body: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(body.into()).boxed())
}

/// What arrived, as JSON.
async fn echo(request: Request<Incoming>) -> io::Result<Answer> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let known = headers.entry(name.to_string()).or_default();
        *known = if known.is_empty() { value.into_owned() } else { format!("{known} | {value}") };
    }
    let seen = json!({
        "method": head.method.as_str(),
        "uri": head.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let mut answer = full(seen.to_string());
    answer.headers_mut().insert("content-type", "application/vnd.echo+json".parse().expect("a header"));
    Ok(answer)
}

/// How many bytes arrived.
async fn count(request: Request<Incoming>) -> io::Result<Answer> {
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(full(body.len().to_string()))
}

/// The first part of the body, without waiting for the rest.
async fn first_part(request: Request<Incoming>) -> io::Result<Answer> {
    let frame = request.into_body().frame().await.ok_or_else(|| io::Error::other("no body"))?;
    let data = frame.map_err(io::Error::other)?.into_data().map_err(|_| io::Error::other("no data"))?;
    Ok(full(data))
}

fn status(path: &str) -> Answer {
    let code = path.rsplit('/').next().and_then(|code| code.parse().ok()).expect("the test names a status");
    let mut answer = full(format!("status {code}"));
    *answer.status_mut() = StatusCode::from_u16(code).expect("the test names a status");
    answer.headers_mut().insert("x-backend", "yes".parse().expect("a header"));
    answer
}

fn odd_headers() -> Answer {
    let mut answer = full("odd");
    for (name, value) in [
        ("server", "backend/1.0"),
        ("date", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ("x-amzn-requestid", "the-backends-own"),
        ("x-amz-id-2", "its-other"),
        ("www-authenticate", "Basic"),
        ("via", "1.1 backend"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("access-control-allow-origin", "https://backend.example"),
        ("x-own", "kept"),
    ] {
        answer.headers_mut().append(name, value.parse().expect("a header"));
    }
    answer
}

/// Bytes that are no text.
pub(crate) const PNG: &[u8] = &[0x89, b'P', b'N', b'G'];

fn image() -> Answer {
    let mut answer = full(PNG);
    answer.headers_mut().insert("content-type", "image/png".parse().expect("a header"));
    answer
}

fn redirect() -> Answer {
    let mut answer = full("");
    *answer.status_mut() = StatusCode::FOUND;
    answer.headers_mut().insert("location", "/elsewhere".parse().expect("a header"));
    answer
}

/// One part at once, the other when the test says so.
fn dripping(drip: Arc<Notify>) -> Answer {
    let (send, receive) = mpsc::channel(1);
    tokio::spawn(async move {
        send.send(Bytes::from_static(b"first,")).await.ok();
        drip.notified().await;
        send.send(Bytes::from_static(b"second")).await.ok();
    });
    Response::new(Parts(receive).boxed())
}

struct Parts(mpsc::Receiver<Bytes>);

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}

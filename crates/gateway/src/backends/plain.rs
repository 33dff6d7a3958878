//! Connections to `http` backends: HTTP/1.1, kept alive, in a pool that is used by one thread most of the time.
//!
//! hyper-util's client has a pool too, which costs each request several tasks and locks; a connection here is taken
//! off a stack and put back when its answer has ended.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::{Instant, sleep};
use tower_service::Service as _;

use super::Refused;
use crate::Config;
use crate::body::Body;

/// Sends requests to `http` backends.
pub(super) struct PlainClient {
    pool: Arc<Pool>,
    connector: HttpConnector,
}

struct Pool {
    idle: Mutex<Stacks>,
    idle_max: usize,
    idle_timeout: Duration,
}

/// Connections that wait for a request, the last used on top.
#[derive(Default)]
struct Stacks {
    by_backend: HashMap<Authority, Vec<Idle>>,
    /// Whether somebody closes what is idle for too long.
    swept: bool,
}

struct Idle {
    sender: SendRequest<Body>,
    since: Instant,
}

impl PlainClient {
    pub(super) fn new(config: &Config, connector: HttpConnector) -> Self {
        let pool = Pool {
            idle: Mutex::default(),
            idle_max: config.idle_connections_per_backend_max,
            idle_timeout: config.idle_connection_timeout,
        };
        Self { pool: Arc::new(pool), connector }
    }

    /// Sends a request and waits for the head of its answer. One that a kept connection had not begun to send when it
    /// ended is sent over another.
    ///
    /// # Errors
    /// As the connection or the request's body has them.
    pub(super) async fn request(&self, mut request: Request<Body>) -> Result<Response<AnswerBody>, Refused> {
        let uri = std::mem::take(request.uri_mut());
        let backend = uri.authority().ok_or("the address has no host")?.clone();
        if !request.headers().contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, host(&backend)?);
        }
        *request.uri_mut() = target(request.method(), &uri)?;
        while let Some(mut sender) = self.pool.take(&backend) {
            match sender.try_send_request(request).await {
                Ok(answer) => return Ok(self.arriving(answer, backend, sender)),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(failed.into_error().into()),
                },
            }
        }
        let mut sender = self.connect(uri).await?;
        let answer = sender.send_request(request).await?;
        Ok(self.arriving(answer, backend, sender))
    }

    async fn connect(&self, uri: Uri) -> Result<SendRequest<Body>, Refused> {
        let stream = self.connector.clone().call(uri).await?;
        let (sender, connection) = http1::handshake(stream).await?;
        // What goes wrong is the request's to say; without one, the connection just ends.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn arriving(
        &self,
        answer: Response<Incoming>,
        backend: Authority,
        sender: SendRequest<Body>,
    ) -> Response<AnswerBody> {
        let connection = Used { pool: Arc::clone(&self.pool), backend, sender: Some(sender) };
        answer.map(|incoming| AnswerBody { incoming, _connection: Some(connection) })
    }
}

/// The port only where it is not the usual one.
fn host(backend: &Authority) -> Result<HeaderValue, Refused> {
    // What a configuration says is it in most cases.
    if !backend.as_str().contains('@') && !backend.as_str().ends_with(":80") {
        return Ok(HeaderValue::from_str(backend.as_str())?);
    }
    Ok(match backend.port_u16() {
        None | Some(80) => HeaderValue::from_str(backend.host())?,
        Some(port) => HeaderValue::try_from(format!("{}:{port}", backend.host()))?,
    })
}

/// What stands in the request's line (RFC 9112, section 3.2).
fn target(method: &Method, uri: &Uri) -> Result<Uri, Refused> {
    let mut parts = http::uri::Parts::default();
    if method == Method::CONNECT {
        parts.authority = uri.authority().cloned();
    } else {
        parts.path_and_query = uri.path_and_query().cloned();
    }
    Ok(Uri::from_parts(parts)?)
}

impl Pool {
    /// A connection on which a request can be sent, as far as is known.
    fn take(&self, backend: &Authority) -> Option<SendRequest<Body>> {
        let mut idle = self.idle();
        let stack = idle.by_backend.get_mut(backend)?;
        while let Some(Idle { sender, since }) = stack.pop() {
            if sender.is_ready() && since.elapsed() < self.idle_timeout {
                return Some(sender);
            }
        }
        None
    }

    fn give_back(self: &Arc<Self>, backend: &Authority, sender: SendRequest<Body>) {
        // One that has not ended its message, or that the backend closes, is of no further use.
        if !sender.is_ready() {
            return;
        }
        let entry = Idle { sender, since: Instant::now() };
        let mut idle = self.idle();
        match idle.by_backend.get_mut(backend) {
            Some(stack) if stack.len() >= self.idle_max => {}
            Some(stack) => stack.push(entry),
            None => drop(idle.by_backend.insert(backend.clone(), vec![entry])),
        }
        if !std::mem::replace(&mut idle.swept, true) {
            tokio::spawn(Arc::clone(self).sweep());
        }
    }

    /// Closes what is idle for too long, until nothing is idle.
    async fn sweep(self: Arc<Self>) {
        loop {
            sleep(self.idle_timeout / 4).await;
            let mut idle = self.idle();
            idle.by_backend.retain(|_, stack| {
                stack.retain(|idle| !idle.sender.is_closed() && idle.since.elapsed() < self.idle_timeout);
                !stack.is_empty()
            });
            if idle.by_backend.is_empty() {
                idle.swept = false;
                return;
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Stacks> {
        // The stacks are whole at every moment: nothing in here panics between two changes.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a backend's answer. It keeps the connection to itself until it has ended.
pub(crate) struct AnswerBody {
    incoming: Incoming,
    _connection: Option<Used>,
}

impl AnswerBody {
    /// A body whose connection somebody else looks after.
    pub(super) fn pooled_elsewhere(incoming: Incoming) -> Self {
        Self { incoming, _connection: None }
    }
}

/// A connection that goes back into its pool.
struct Used {
    pool: Arc<Pool>,
    backend: Authority,
    sender: Option<SendRequest<Body>>,
}

impl Drop for Used {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            self.pool.give_back(&self.backend, sender);
        }
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

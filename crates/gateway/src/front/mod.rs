//! Serves requests to APIs on a connection of HTTP/1.1, as long as they are usual: with few system calls, in one task,
//! without hyper. At the first that is not, or is for nobody here, the connection goes to hyper for good, with the
//! bytes that were read and not served; so what is unusual is decided in one place.
//!
//! `docs/decisions/0011-own-http-client.md` has the figures.

mod connection;
mod date;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body as _;
use stagedoor_http1::{Length, Usual, write_reply};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use self::connection::{Connection, Next};
use self::date::Date;
use crate::answer_names;
use crate::body::{self, Body};
use crate::heads::{Heads, Peer};
use crate::sending::Sending;
use crate::steps::method_response::may_have_body;
use crate::{Address, ClientCert, Gateway, Listener};

/// Who is at the other end of a connection, and what its listener knows of it.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: SocketAddr,
    /// How it writes its requests.
    pub heads: Arc<Heads>,
    /// If it is not as [`crate::Config`] says.
    pub listener: Option<Listener>,
    pub certificate: Option<Arc<ClientCert>>,
    /// How long it may take for a request's head, and take nothing of an answer.
    pub patience: Duration,
}

/// Requests that wait already for those before them are served in groups of so many: other connections of the thread
/// have their turn between two.
const AHEAD_MAX: u32 = 8;
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// As [`Gateway::converse`].
pub(crate) async fn converse<S>(
    gateway: &Gateway,
    stream: S,
    client: Client,
    mut stopped: watch::Receiver<bool>,
) -> Option<(S, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stopping = stopped.clone();
    let mut told = pin!(async move { drop(stopped.wait_for(|stopped| *stopped).await) });
    let mut listens = false;
    let mut is_stopped = |cx: &mut Context<'_>| {
        // Once it listens it is woken when there is news, and need not ask before.
        (!std::mem::replace(&mut listens, true) || stopping.has_changed().unwrap_or(true))
            && told.as_mut().poll(cx).is_ready()
    };
    let mut connection = Connection::new(stream, client.patience);
    let (mut date, mut ahead) = (Date::default(), 0_u32);
    loop {
        let usual = match connection.next(&mut is_stopped).await {
            Next::Request(usual) => usual,
            Next::Unusual => return Some(connection.into_rest()),
            Next::End => {
                connection.shut_down().await;
                return None;
            }
        };
        let Usual { method, uri, headers, head, body } = usual;
        let mut request = Request::new(body::empty());
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
        let Some(address) = address_of(gateway, &request, &body) else {
            let (stream, rest) = connection.into_rest();
            return Some((stream, [head, body, rest].concat().into()));
        };
        if !body.is_empty() {
            *request.body_mut() = body::full(body);
        }
        let mut response = {
            let peer = client.begin(&mut request, &head);
            let serving = pin!(gateway.serve_any(address, request, peer));
            connection.wait_for(serving).await?
        };
        if stopping.has_changed().unwrap_or(true) {
            // Who learns it from the answer sends no request that nobody reads (RFC 9112, section 9.6).
            response.headers_mut().insert(header::CONNECTION, CLOSE);
        }
        let closes = says_close(&response);
        let sending = sending(response, connection.buffer(), date.at((gateway.config().now)()));
        connection.send(sending).await?;
        if closes {
            connection.shut_down().await;
            return None;
        }
        if connection.has_more() {
            ahead = (ahead + 1) % AHEAD_MAX;
            if ahead == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The API that a request is for, if it is served here.
fn address_of(gateway: &Gateway, request: &Request<Body>, body: &[u8]) -> Option<Address> {
    if body.len() > gateway.config().payload_bytes_max {
        return None;
    }
    let address = gateway.address(request)?;
    gateway.managed(&address, request).is_none().then_some(address)
}

impl Client {
    /// What is told of the client with a request whose head was this.
    fn begin(&self, request: &mut Request<Body>, head: &[u8]) -> Peer {
        self.heads.begin_with(head);
        if let Some(listener) = self.listener {
            request.extensions_mut().insert(listener);
        }
        if let Some(certificate) = &self.certificate {
            request.extensions_mut().insert(Arc::clone(certificate));
        }
        Peer { address: self.address, heads: Some(Arc::clone(&self.heads)) }
    }
}

fn says_close(response: &Response<Body>) -> bool {
    let mut said = response.headers().get_all(header::CONNECTION).iter();
    response.status().is_informational() || said.any(|said| said.as_bytes().eq_ignore_ascii_case(b"close"))
}

/// An answer on its way.
fn sending(response: Response<Body>, mut bytes: Vec<u8>, date: &[u8]) -> Sending {
    let (mut head, mut body) = response.into_parts();
    if head.status.is_informational() {
        // None of these ends a request: RFC 9110, section 15.2.
        head.status = StatusCode::INTERNAL_SERVER_ERROR;
        body = body::empty();
    }
    let length = match body.size_hint().exact() {
        _ if !may_have_body(head.status) => Length::None,
        Some(length) => Length::Known(length),
        None => Length::Unknown,
    };
    let spelt = head.extensions.get();
    write_reply(&mut bytes, head.status, &head.headers, length, date, |bytes, name| {
        answer_names::write(bytes, name, spelt);
    });
    Sending::new(bytes, body, length)
}

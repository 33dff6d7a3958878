//! Asks backends over HTTP/1.1: takes a kept connection or makes one, sends the request, waits for the answer's head.
//!
//! Everything happens in the task that asks. `docs/decisions/0011-own-http-client.md` says why it is our own.

use std::future::poll_fn;
use std::sync::Arc;

use http::uri::{Authority, Scheme};
use http::{Method, Response, Uri, request};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::time::timeout_at;
use tower_service::Service as _;

use super::Refused;
use super::answer_body::AnswerBody;
use super::exchange::{Asking, Connection, Exchange, Late};
use super::pool::Pool;
use super::stream::Stream;
use crate::Config;
use crate::body::{self, Body};

/// Sends requests to backends that are reached and trusted in one way.
#[derive(Clone)]
pub(super) struct Client {
    pool: Arc<Pool>,
    connector: Connector,
}

/// How backends are reached.
#[derive(Clone)]
pub(super) enum Connector {
    Plain(HttpConnector),
    Tls(HttpsConnector<HttpConnector>),
}

impl Client {
    pub(super) fn new(config: &Config, connector: Connector) -> Self {
        Self { pool: Arc::new(Pool::new(config)), connector }
    }

    /// Sends a request and waits for the head of its answer, in time. A safe request without a body that a kept connection did
    /// not answer with a single byte is sent once more, over a new one (RFC 9112, section 9.3.1): the backend may have
    /// closed it at that moment.
    ///
    /// # Errors
    /// As the connection or the request's body has them; [`Late`].
    pub(super) async fn request(
        &self,
        head: &request::Parts,
        body: Body,
        asking: Asking<'_>,
    ) -> Result<Response<AnswerBody>, Refused> {
        let backend = head.uri.authority().ok_or("the address has no host")?;
        let Some(kept) = self.pool.take(backend.as_str()) else {
            return self.ask_anew(head, body, asking).await;
        };
        let repeatable = is_repeatable(&head.method, &body);
        let mut exchange = Exchange::begin(kept, head, host(&head.uri, backend), body, asking);
        match poll_fn(|cx| exchange.poll_head(cx)).await {
            Ok(answer) => Ok(AnswerBody::answer(answer, exchange, &self.pool, backend)),
            Err(error) if repeatable && exchange.is_unanswered() && !error.is::<Late>() => {
                self.ask_anew(head, body::empty(), asking).await
            }
            Err(error) => Err(error),
        }
    }

    /// Over a new connection.
    async fn ask_anew(
        &self,
        head: &request::Parts,
        body: Body,
        asking: Asking<'_>,
    ) -> Result<Response<AnswerBody>, Refused> {
        let backend = head.uri.authority().ok_or("the address has no host")?;
        let connecting = self.connect(&head.uri);
        let stream = match asking.deadline {
            Some(deadline) => timeout_at(deadline, connecting).await.map_err(|_| Late)??,
            None => connecting.await?,
        };
        let connection = Connection::new(stream);
        let mut exchange = Exchange::begin(connection, head, host(&head.uri, backend), body, asking);
        let answer = poll_fn(|cx| exchange.poll_head(cx)).await?;
        Ok(AnswerBody::answer(answer, exchange, &self.pool, backend))
    }

    async fn connect(&self, uri: &Uri) -> Result<Stream, Refused> {
        Ok(match &self.connector {
            Connector::Plain(connector) => {
                Stream::Plain(connector.clone().call(uri.clone()).await?.into_inner())
            }
            Connector::Tls(connector) => {
                Stream::Tls(Box::new(TokioIo::new(connector.clone().call(uri.clone()).await?)))
            }
        })
    }
}

/// Whether sending a request twice does nothing that sending it once does not (RFC 9110, section 9.2.1).
fn is_repeatable(method: &Method, body: &Body) -> bool {
    use http_body::Body as _;
    method.is_safe() && body.is_end_stream()
}

/// What `Host` says of a backend: the port only where it is not the usual one.
fn host<'a>(uri: &Uri, backend: &'a Authority) -> &'a str {
    let usual = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    match backend.port_u16() {
        None => backend.host(),
        Some(port) if port == usual => backend.host(),
        Some(_) => backend.as_str().rsplit_once('@').map_or(backend.as_str(), |(_user, host)| host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_unusual_ports() {
        for (uri, expected) in [
            ("http://h", "h"),
            ("http://h:80/x", "h"),
            ("http://h:81", "h:81"),
            ("https://h:443", "h"),
            ("https://h:80", "h:80"),
            ("http://[::1]:8080", "[::1]:8080"),
            ("http://[::1]", "[::1]"),
            ("http://me:word@h:81", "h:81"),
            ("http://me:word@h", "h"),
        ] {
            let uri = Uri::from_static(uri);
            assert_eq!(host(&uri, uri.authority().expect("a host")), expected);
        }
    }
}

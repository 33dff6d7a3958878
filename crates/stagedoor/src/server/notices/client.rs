//! The HTTP client of targets: one connection that is kept, HTTP/1.1, certificates that the system trusts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::Failure;

/// For a target to answer.
const ANSWER: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

type Https = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Reading the system's certificates takes long, so it waits for the first `https` request.
pub struct Client {
    plain: legacy::Client<HttpConnector, Full<Bytes>>,
    tls: OnceCell<Https>,
}

impl Client {
    pub fn new() -> Self {
        Self { plain: legacy::Client::builder(TokioExecutor::new()).build_http(), tls: OnceCell::new() }
    }

    /// Sends a request; the answer's status and body.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
        let exchange = async {
            let answer = if request.uri().scheme() == Some(&http::uri::Scheme::HTTPS) {
                self.tls.get_or_try_init(https).await?.request(request).await
            } else {
                self.plain.request(request).await
            };
            let answer = answer.map_err(|error| Failure::Down(with_causes(&error)))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| Failure::Down(error.to_string()))?;
            Ok((status, body.to_bytes()))
        };
        timeout(ANSWER, exchange)
            .await
            .unwrap_or_else(|_| Err(Failure::Down("it does not answer".to_owned())))
    }
}

async fn https() -> Result<Https, Failure> {
    let made = tokio::task::spawn_blocking(|| {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = versions.map_err(std::io::Error::other)?.with_native_roots()?.with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1();
        Ok::<_, std::io::Error>(
            legacy::Client::builder(TokioExecutor::new()).build(connector.wrap_connector(tcp)),
        )
    });
    let made = made.await.map_err(|error| Failure::Down(error.to_string()))?;
    made.map_err(|error| Failure::Down(format!("no TLS: {error}")))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

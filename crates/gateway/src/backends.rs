//! Connections to the backends of HTTP integrations: one pool, HTTP/1.1, kept alive. Redirects are never followed.

#[cfg(test)]
mod against_hyper;
mod answer_body;
mod client;
mod exchange;
mod pool;
mod stream;
mod unverified;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Response, Uri, request};
use hyper_rustls::{ConfigBuilderExt as _, FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use tokio::sync::OnceCell;
use tokio::task;
use tokio::time::Instant;

pub(crate) use self::answer_body::AnswerBody;
pub(crate) use self::exchange::Asking;

use self::client::{Client, Connector};
use self::exchange::Late;
use self::unverified::AnyIssuer;
use crate::Config;
use crate::arriving;
use crate::body::Body;
use crate::fault::GatewayFault;

/// The pool. Reading the system's certificates takes long, so it waits for the first `https` request.
pub(crate) struct Backends {
    plain: Client,
    verified: OnceCell<Client>,
    unverified: OnceCell<Client>,
    /// Those that verify another name than the host's.
    named: Mutex<HashMap<String, Client>>,
    config: Config,
}

/// Clients for other names than the host's; beyond, all are made anew.
const NAMED_CLIENTS_MAX: usize = 256;

/// Which certificates a backend may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those that the system trusts.
    #[default]
    System,
    /// Any, for its own host name.
    AnyIssuer,
}

impl Backends {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            plain: Client::new(config, Connector::Plain(connector())),
            verified: OnceCell::new(),
            unverified: OnceCell::new(),
            named: Mutex::default(),
            config: config.clone(),
        }
    }

    /// Sends a request and waits for the head of its answer, until `deadline`.
    ///
    /// # Errors
    /// [`GatewayFault::IntegrationTimeout`], what the client is to blame for when the request's body broke off,
    /// [`GatewayFault::Unreachable`] otherwise.
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        trust: Trust,
        deadline: Instant,
    ) -> Result<Response<AnswerBody>, GatewayFault> {
        let (head, body) = request.into_parts();
        self.ask(&head, body, trust, Asking { deadline: Some(deadline), ..Asking::default() }).await
    }

    /// As [`Self::send`]; the caller limits the time.
    pub(crate) async fn send_unhurried(
        &self,
        request: Request<Body>,
        trust: Trust,
    ) -> Result<Response<AnswerBody>, GatewayFault> {
        let (head, body) = request.into_parts();
        self.ask(&head, body, trust, Asking::default()).await
    }

    /// As [`Self::send`], in a way of the caller's.
    ///
    /// # Errors
    /// As of [`Self::send`].
    pub(crate) async fn ask(
        &self,
        head: &request::Parts,
        body: Body,
        trust: Trust,
        asking: Asking<'_>,
    ) -> Result<Response<AnswerBody>, GatewayFault> {
        let named;
        let client = if !is_https(&head.uri) {
            &self.plain
        } else if let Some(ServerName(name)) = head.extensions.get() {
            named = self.named_client(name).await?;
            &named
        } else {
            let client = match trust {
                Trust::System => &self.verified,
                Trust::AnyIssuer => &self.unverified,
            };
            client.get_or_try_init(|| tls_client(&self.config, trust, None)).await?
        };
        client.request(head, body, asking).await.map_err(|error| refused(&*error))
    }
}

/// Why a request had no answer.
type Refused = crate::body::BodyError;

/// The name in a backend's certificate, where it is not the host's: an extension of the request to it.
#[derive(Clone, Debug)]
pub(crate) struct ServerName(pub(crate) String);

impl Backends {
    async fn named_client(&self, name: &str) -> Result<Client, GatewayFault> {
        if let Some(known) = self.named.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(known.clone());
        }
        let resolved = rustls::pki_types::ServerName::try_from(name.to_owned())
            .map_err(|_| GatewayFault::Configuration(format!("{name:?} is no server name").into()))?;
        let client = tls_client(&self.config, Trust::System, Some(resolved)).await?;
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() >= NAMED_CLIENTS_MAX {
            named.clear();
        }
        named.insert(name.to_owned(), client.clone());
        Ok(client)
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&http::uri::Scheme::HTTPS)
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}

async fn tls_client(
    config: &Config,
    trust: Trust,
    name: Option<rustls::pki_types::ServerName<'static>>,
) -> Result<Client, GatewayFault> {
    let unusable = |error: String| GatewayFault::Unreachable(format!("no TLS: {error}"));
    let tls =
        task::spawn_blocking(move || tls_config(trust)).await.map_err(|error| unusable(error.to_string()))?;
    let tls = tls.map_err(|error| unusable(error.to_string()))?;
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
    let https = match name {
        Some(name) => https.with_server_name_resolver(FixedServerNameResolver::new(name)),
        None => https,
    };
    let https = https.enable_http1();
    Ok(Client::new(config, Connector::Tls(https.wrap_connector(connector()))))
}

fn tls_config(trust: Trust) -> std::io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let versions = versions.map_err(std::io::Error::other)?;
    let verifying = match trust {
        Trust::System => versions.with_native_roots()?,
        Trust::AnyIssuer => {
            versions.dangerous().with_custom_certificate_verifier(Arc::new(AnyIssuer(provider)))
        }
    };
    Ok(verifying.with_no_client_auth())
}

fn refused(error: &(dyn Error + 'static)) -> GatewayFault {
    if error.is::<Late>() {
        return GatewayFault::IntegrationTimeout;
    }
    if let Some(fault) = arriving::fault_of(error) {
        return fault;
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    GatewayFault::Unreachable(text)
}

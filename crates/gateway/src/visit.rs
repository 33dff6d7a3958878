//! What is known of one request from its beginning to its end: ids, times, the client. The source of `$context`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Uri, Version, header};
use tokio::time::Instant;

use crate::execution_log::ExecutionLog;
use crate::fault::GatewayFault;
use crate::forwarded::Listener;
use crate::ids::RequestId;
use crate::{ClientCert, Config};

/// The base path that a request to a custom domain matched, perhaps empty: an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct BasePath(pub(crate) Arc<str>);

/// `$context.identity.sourceIp` of a test.
const TEST_SOURCE_IP: &str = "test-invoke-source-ip";

/// One request's own facts.
pub(crate) struct Visit {
    pub(crate) id: RequestId,
    pub(crate) began: Instant,
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) time: Duration,
    pub(crate) peer: SocketAddr,
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// The host that the client named, with its port.
    pub(crate) host: Option<HeaderValue>,
    pub(crate) user_agent: Option<HeaderValue>,
    listener: Option<Listener>,
    /// The base path of a custom domain that the request matched.
    pub(crate) base_path: Option<BasePath>,
    /// The certificate that the client showed to a domain with mutual TLS.
    pub(crate) client_cert: Option<Arc<ClientCert>>,
    /// How long the integration took, once it has answered, in microseconds.
    pub(crate) integration_micros: AtomicU64,
    /// Why the gateway answers by itself, once it does.
    pub(crate) fault: OnceLock<GatewayFault>,
    /// Hears what the steps do, if somebody wants to know.
    pub(crate) log: Option<ExecutionLog>,
    /// No client sent it: a control plane tries out a method.
    pub(crate) is_test: bool,
    /// Variables that only a test gives.
    pub(crate) test_context: BTreeMap<String, String>,
}

impl Visit {
    pub(crate) fn begin(
        id: RequestId,
        time: Duration,
        peer: SocketAddr,
        head: &http::request::Parts,
    ) -> Self {
        Self {
            id,
            began: Instant::now(),
            time,
            peer,
            method: head.method.clone(),
            version: head.version,
            host: host(&head.uri, &head.headers),
            user_agent: head.headers.get(header::USER_AGENT).cloned(),
            listener: head.extensions.get().copied(),
            base_path: head.extensions.get().cloned(),
            client_cert: head.extensions.get().cloned(),
            integration_micros: AtomicU64::new(0),
            fault: OnceLock::new(),
            log: None,
            is_test: false,
            test_context: BTreeMap::new(),
        }
    }

    /// Writes a line of the execution log; the text is made only if there is one.
    pub(crate) fn note(&self, text: impl FnOnce(&ExecutionLog) -> String) {
        if let Some(log) = &self.log {
            log.write(text(log));
        }
    }

    /// The host that the client named, with its port; empty if it named none.
    pub(crate) fn host(&self) -> &str {
        text(self.host.as_ref())
    }

    /// The listener that the request came by.
    pub(crate) fn listener(&self, config: &Config) -> Listener {
        self.listener.unwrap_or(Listener { tls: config.tls, port: config.port })
    }

    fn domain_name(&self) -> &str {
        let host = self.host();
        host.rsplit_once(':').map_or(host, |(name, _port)| name)
    }

    /// The variables of `$context` that do not depend on the API; `None` if there is none of that name.
    pub(crate) fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = match name {
            "requestId" => self.id.uuid_text().into(),
            "extendedRequestId" => self.id.extended_text().into(),
            "httpMethod" => self.method.as_str().into(),
            "protocol" => format!("{:?}", self.version).into(),
            "domainName" => self.domain_name().into(),
            "domainPrefix" => self.domain_name().split('.').next().unwrap_or_default().into(),
            "identity.sourceIp" if self.is_test => TEST_SOURCE_IP.into(),
            "identity.sourceIp" => self.peer.ip().to_canonical().to_string().into(),
            "identity.userAgent" => text(self.user_agent.as_ref()).into(),
            "requestTime" => self.common_log_time().into(),
            "requestTimeEpoch" => self.time.as_millis().to_string().into(),
            "customDomain.basePathMatched" => {
                (*self.base_path.as_ref().filter(|BasePath(path)| !path.is_empty())?.0).into()
            }
            _ => {
                if let Some(member) = name.strip_prefix("error.") {
                    return self.fault.get()?.context(member).map(Cow::Owned);
                }
                if let Some(value) = self.test_context.get(name) {
                    return Some(value.into());
                }
                let name = name.strip_prefix("identity.clientCert.")?;
                return self.client_cert.as_ref()?.context(name);
            }
        };
        Some(value)
    }

    /// `01/Jan/2024:12:00:00 +0000`
    fn common_log_time(&self) -> String {
        let seconds = i64::try_from(self.time.as_secs()).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
        time.strftime("%d/%b/%Y:%H:%M:%S %z").to_string()
    }

    /// The client's `X-Amzn-Trace-Id` if it says root and parent; completed or made otherwise.
    pub(crate) fn trace(&self, sent: Option<&HeaderValue>) -> HeaderValue {
        let sent = text(sent);
        if sent.contains("Root=") {
            if sent.contains("Parent=") {
                return header_value(sent);
            }
            let parent = &self.id.trace()[..16];
            return header_value(&format!("{};Parent={parent};Sampled=0", sent.trim_end_matches(';')));
        }
        header_value(&format!("Root=1-{:08x}-{}", self.time.as_secs(), self.id.trace()))
    }
}

fn text(value: Option<&HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("made of visible characters of a header that was read")
}

/// HTTP/2 has the host in the target, HTTP/1.1 in a header.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<HeaderValue> {
    match uri.authority() {
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => headers.get(header::HOST).cloned(),
    }
}

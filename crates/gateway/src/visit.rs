//! What is known of one request from its beginning to its end: ids, times, the client. The source of `$context`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header};
use tokio::time::Instant;

use crate::digits;
use crate::execution_log::ExecutionLog;
use crate::fault::GatewayFault;
use crate::forwarded::Listener;
use crate::headers;
use crate::heads::{Heads, Peer};
use crate::ids::RequestId;
use crate::observe::Observed;
use crate::spelling::{Names, Spelling};
use crate::{ClientCert, Config, Denial, address};

/// The base path that a request to a custom domain matched, perhaps empty: an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct BasePath(pub(crate) Arc<str>);

/// `$context.identity.sourceIp` of a test.
const TEST_SOURCE_IP: &str = "test-invoke-source-ip";

const REQUEST_ID_OF_S3: HeaderName = HeaderName::from_static("x-amz-request-id");
const ID_2_OF_S3: HeaderName = HeaderName::from_static("x-amz-id-2");

/// What access logs have for the id of a client that is none.
const NO_ID: &str = "UUID_REPLACED_INVALID_REQUEST_ID";

/// The id that a client gave its request.
enum Named {
    Id(HeaderValue),
    /// It is no UUID and does not count.
    NoId,
}

impl Named {
    fn of(value: &HeaderValue) -> Self {
        let lengths = value.as_bytes().split(|byte| *byte == b'-').map(<[u8]>::len);
        let digits = value.as_bytes().iter().all(|byte| *byte == b'-' || byte.is_ascii_hexdigit());
        if digits && lengths.eq([8, 4, 4, 4, 12]) { Self::Id(value.clone()) } else { Self::NoId }
    }
}

/// One request's own facts.
pub(crate) struct Visit {
    pub(crate) id: RequestId,
    pub(crate) began: Instant,
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) time: Duration,
    pub(crate) peer: SocketAddr,
    heads: Option<Arc<Heads>>,
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// The host that the client named, with its port.
    pub(crate) host: Option<HeaderValue>,
    pub(crate) user_agent: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    /// The connection goes on after the answer, as far as the client says, and HTTP has a header for it.
    pub(crate) keeps_connection: bool,
    /// What the client calls its request, instead of [`Self::id`].
    named: Option<Named>,
    listener: Option<Listener>,
    /// The base path of a custom domain that the request matched.
    pub(crate) base_path: Option<BasePath>,
    /// The certificate that the client showed to a domain with mutual TLS.
    pub(crate) client_cert: Option<Arc<ClientCert>>,
    /// How long the integration took, once it has answered, in microseconds.
    pub(crate) integration_micros: AtomicU64,
    /// Why the gateway answers by itself, once it does.
    pub(crate) fault: OnceLock<GatewayFault>,
    /// What became of the invocation of the authorizer's function, once it has ended.
    pub(crate) authorized: OnceLock<Authorized>,
    /// What came of the signature of a method with `AWS_IAM`, and of the policies that decide: `$context.authenticate`
    /// and `$context.authorize`.
    pub(crate) authenticate: OnceLock<Phase>,
    pub(crate) authorize: OnceLock<Phase>,
    /// What the integration answered, once it has.
    pub(crate) integration: OnceLock<Integrated>,
    /// Bytes of the body, as the client announced them.
    pub(crate) request_bytes: u64,
    /// `X-Amzn-Trace-Id` as the client sent it.
    trace: Option<HeaderValue>,
    /// What its stage wants to know, once the stage is found.
    pub(crate) observed: OnceLock<Observed>,
    /// Hears what the steps do, if somebody wants to know.
    pub(crate) log: OnceLock<ExecutionLog>,
    /// No client sent it: a control plane tries out a method.
    pub(crate) is_test: bool,
    /// Variables that only a test gives.
    pub(crate) test_context: BTreeMap<String, String>,
}

impl Visit {
    pub(crate) fn begin(id: RequestId, time: Duration, peer: Peer, head: &http::request::Parts) -> Self {
        let said = Said::of(&head.headers);
        Self {
            id,
            began: Instant::now(),
            time,
            peer: peer.address,
            heads: peer.heads,
            method: head.method.clone(),
            version: head.version,
            host: host(&head.uri, said.host),
            user_agent: said.user_agent.cloned(),
            referer: said.referer.cloned(),
            keeps_connection: keeps_connection(head.version, said.connection),
            named: None,
            listener: head.extensions.get().copied(),
            base_path: head.extensions.get().cloned(),
            client_cert: head.extensions.get().cloned(),
            integration_micros: AtomicU64::new(0),
            fault: OnceLock::new(),
            authorized: OnceLock::new(),
            authenticate: OnceLock::new(),
            authorize: OnceLock::new(),
            integration: OnceLock::new(),
            request_bytes: text(said.content_length).parse().unwrap_or_default(),
            trace: said.trace.cloned(),
            observed: OnceLock::new(),
            log: OnceLock::new(),
            is_test: false,
            test_context: BTreeMap::new(),
        }
    }

    /// Takes over the id that a client of a REST API has given its request (rest-data C5).
    pub(crate) fn take_id(&mut self, headers: &HeaderMap) {
        self.named = headers.get(headers::REQUEST_ID).map(Named::of);
    }

    /// `x-amzn-RequestId`
    pub(crate) fn request_id(&self) -> HeaderValue {
        match &self.named {
            Some(Named::Id(id)) => id.clone(),
            Some(Named::NoId) | None => self.id.uuid(),
        }
    }

    /// The same as text: `$context.requestId`.
    pub(crate) fn request_id_text(&self) -> Cow<'_, str> {
        match &self.named {
            Some(Named::Id(id)) => text(Some(id)).into(),
            Some(Named::NoId) | None => self.id.uuid_text().into(),
        }
    }

    /// What access logs have for it, where that is something else.
    pub(crate) fn logged_id(&self) -> Option<&'static str> {
        matches!(self.named, Some(Named::NoId)).then_some(NO_ID)
    }

    /// What the client says of the page that led it here; empty if nothing.
    pub(crate) fn referer(&self) -> &str {
        text(self.referer.as_ref())
    }

    /// Writes a line of the execution log; the text is made only if there is one.
    pub(crate) fn note(&self, text: impl FnOnce(&ExecutionLog) -> String) {
        if let Some(log) = self.log.get() {
            log.write(text(log));
        }
    }

    /// Whether an execution log wants headers and bodies too.
    pub(crate) fn tells_data(&self) -> bool {
        self.log.get().is_some_and(ExecutionLog::tells_data)
    }

    /// The host that the client named, with its port; empty if it named none.
    pub(crate) fn host(&self) -> &str {
        text(self.host.as_ref())
    }

    /// How the client spells its headers.
    pub(crate) fn spelling(&self) -> Spelling {
        let written = self.heads.as_ref().and_then(|heads| heads.current(&self.method));
        Spelling::new(self.version, written)
    }

    /// How the names of headers are written to a backend.
    pub(crate) fn names(&self) -> Names {
        Names { method: self.method.clone(), heads: self.heads.clone() }
    }

    /// The listener that the request came by.
    pub(crate) fn listener(&self, config: &Config) -> Listener {
        self.listener.unwrap_or(Listener { tls: config.tls, port: config.port, session: None })
    }

    fn domain_name(&self) -> &str {
        let host = self.host();
        host.rsplit_once(':').map_or(host, |(name, _port)| name)
    }

    /// The variables of `$context` that do not depend on the API; `None` if there is none of that name.
    pub(crate) fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = match name {
            "requestId" => self.request_id_text(),
            "extendedRequestId" => self.id.extended_text().into(),
            "httpMethod" => self.method.as_str().into(),
            "protocol" => protocol(self.version).into(),
            "domainName" => self.domain_name().into(),
            "domainPrefix" => self.domain_name().split('.').next().unwrap_or_default().into(),
            "identity.sourceIp" if self.is_test => TEST_SOURCE_IP.into(),
            "identity.sourceIp" => digits::address(self.peer.ip().to_canonical()).into(),
            "identity.vpceId" => address::vpc_endpoint(self.host())?.into(),
            "identity.userAgent" => text(self.user_agent.as_ref()).into(),
            "requestTime" => self.common_log_time().into(),
            "requestTimeEpoch" => {
                digits::decimal(u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX)).into()
            }
            "tlsVersion" => self.listener?.session?.version.into(),
            "cipherSuite" => self.listener?.session?.cipher_suite.into(),
            "awsEndpointRequestId" => self.integration.get()?.request_id.as_deref()?.into(),
            "awsEndpointRequestId2" => self.integration.get()?.request_id_2.as_deref()?.into(),
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
        let mut text = String::with_capacity(26);
        digits::push_common_log_time(&mut text, self.time.as_secs());
        text
    }

    /// The client's `X-Amzn-Trace-Id` if it says root and parent; completed or made otherwise.
    pub(crate) fn trace(&self, sent: Option<&HeaderValue>) -> HeaderValue {
        if let Some(Traced { root, segment, .. }) = self.traced() {
            return header_value(&format!("Root={root};Parent={segment};Sampled=1"));
        }
        let sent = text(sent);
        if sent.contains("Root=") {
            if sent.contains("Parent=") {
                return header_value(sent);
            }
            let parent = &self.id.trace()[..16];
            return header_value(&format!("{};Parent={parent};Sampled=0", sent.trim_end_matches(';')));
        }
        let mut root = *b"Root=1-00000000-000000000000000000000000";
        self.write_own_root(&mut root[7..]);
        HeaderValue::from_bytes(&root).expect("made of hexadecimal digits and hyphens")
    }

    /// The same as a function is told it, and as answers of functions have it: complete, and with the lineage that the
    /// Lambda service adds. The form is one that AWS's test tool for .NET holds real answers against.
    pub(crate) fn function_trace(&self, sent: Option<&HeaderValue>) -> HeaderValue {
        let trace = self.trace(sent);
        let mut trace = text(Some(&trace)).trim_end_matches(';').to_owned();
        let id = self.id.trace();
        let lineage = format!("1:{}:0", &id[16..]);
        for (name, value) in [("Parent=", &id[..16]), ("Sampled=", "0"), ("Lineage=", lineage.as_str())] {
            if !trace.contains(name) {
                trace.extend([";", name, value]);
            }
        }
        header_value(&trace)
    }
}

/// How an authorizer's function was invoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorized {
    pub(crate) request_id: Option<String>,
    /// What the Lambda service answered.
    pub(crate) status: u16,
    pub(crate) latency_millis: u64,
}

/// A step of authorization, as access logs tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    /// 200, or what the client is answered.
    status: u16,
    error: Option<String>,
    latency_millis: u128,
}

impl Phase {
    /// What a step has come to that began then.
    pub(crate) fn ended<T>(began: Instant, outcome: Result<&T, &Denial>) -> Self {
        let refused = outcome.err().map(Denial::rest);
        Self {
            status: refused.as_ref().map_or(200, |refused| refused.status.as_u16()),
            error: refused.and_then(|refused| refused.message.map(str::to_owned)),
            latency_millis: began.elapsed().as_millis(),
        }
    }

    /// A variable's last part.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        match name {
            "status" => Some(self.status.to_string()),
            "error" => self.error.clone(),
            "latency" => Some(self.latency_millis.to_string()),
            _ => None,
        }
    }
}

/// What an integration answered, whatever became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Integrated {
    pub(crate) status: u16,
    /// Of an AWS service.
    pub(crate) request_id: Option<String>,
    /// `x-amz-id-2` of one: S3 has it.
    pub(crate) request_id_2: Option<String>,
}

impl Integrated {
    pub(crate) fn of(status: u16, headers: &HeaderMap) -> Self {
        let mut ids = [const { None }; 3];
        for (name, value) in headers {
            let place = [headers::REQUEST_ID, REQUEST_ID_OF_S3, ID_2_OF_S3].iter().position(|id| id == name);
            if let Some(place) = place {
                ids[place] = value.to_str().ok();
            }
        }
        let [id, id_of_s3, id_2] = ids.map(|id: Option<&str>| id.map(str::to_owned));
        Self { status, request_id: id.or(id_of_s3), request_id_2: id_2 }
    }
}

/// The parts of a trace that is kept.
pub(crate) struct Traced {
    /// `1-…-…`
    pub(crate) root: String,
    /// The client's segment.
    pub(crate) parent: Option<String>,
    /// The gateway's own segment, and that of its integration.
    pub(crate) segment: String,
    pub(crate) integration: String,
}

impl Visit {
    /// How long the integration took; `None` if it was not asked.
    pub(crate) fn integration_took(&self) -> Option<Duration> {
        let micros = self.integration_micros.load(std::sync::atomic::Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// The trace of a stage with X-Ray tracing, unless the client says that it is not sampled.
    pub(crate) fn traced(&self) -> Option<Traced> {
        if !self.observed.get()?.stage.wanted.tracing {
            return None;
        }
        let sent = text(self.trace.as_ref());
        let member = |name: &str| {
            let found = sent.split(';').find_map(|part| part.trim().strip_prefix(name));
            found.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        if member("Sampled=").as_deref() == Some("0") {
            return None;
        }
        let id = self.id.trace();
        Some(Traced {
            root: member("Root=").unwrap_or_else(|| self.own_root()),
            parent: member("Parent="),
            segment: id[..16].to_owned(),
            integration: format!("{}{}", &id[16..], &id[..8]),
        })
    }

    /// `$context.xrayTraceId`: only of stages with tracing.
    pub(crate) fn xray_trace_id(&self) -> Option<String> {
        if !self.observed.get()?.stage.wanted.tracing {
            return None;
        }
        let trace = self.trace(self.trace.as_ref());
        text(Some(&trace)).split(';').find_map(|part| part.strip_prefix("Root=").map(str::to_owned))
    }

    fn own_root(&self) -> String {
        let mut root = *b"1-00000000-000000000000000000000000";
        self.write_own_root(&mut root[2..]);
        String::from_utf8_lossy(&root).into_owned()
    }

    /// Writes time and random bits over the zeros of `00000000-000000000000000000000000`.
    fn write_own_root(&self, root: &mut [u8]) {
        digits::write_hex(&mut root[..8], self.time.as_secs());
        self.id.write_trace(&mut root[9..]);
    }
}

/// The headers that every request is asked for, found in one go.
#[derive(Default)]
struct Said<'h> {
    host: Option<&'h HeaderValue>,
    user_agent: Option<&'h HeaderValue>,
    referer: Option<&'h HeaderValue>,
    connection: Option<&'h HeaderValue>,
    content_length: Option<&'h HeaderValue>,
    trace: Option<&'h HeaderValue>,
}

impl<'h> Said<'h> {
    fn of(headers: &'h HeaderMap) -> Self {
        let mut said = Self::default();
        for (name, value) in headers {
            let place = match *name {
                header::HOST => &mut said.host,
                header::USER_AGENT => &mut said.user_agent,
                header::REFERER => &mut said.referer,
                header::CONNECTION => &mut said.connection,
                header::CONTENT_LENGTH => &mut said.content_length,
                _ if *name == headers::TRACE_ID => &mut said.trace,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        said
    }
}

fn keeps_connection(version: Version, connection: Option<&HeaderValue>) -> bool {
    let asked = text(connection);
    version == Version::HTTP_11 && !asked.split(',').any(|word| word.trim().eq_ignore_ascii_case("close"))
}

/// As in the first line of HTTP/1. AWS knows requests of HTTP/2 as such of HTTP/1.1: curl's by HTTP/2, which are told by
/// their lower-case names, have that in the events that hotsock/voker keeps in `vokerhttp/testdata`.
fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

fn text(value: Option<&HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("made of visible characters of a header that was read")
}

/// HTTP/2 has the host in the target, HTTP/1.1 in a header.
fn host(uri: &Uri, said: Option<&HeaderValue>) -> Option<HeaderValue> {
    match uri.authority() {
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => said.cloned(),
    }
}

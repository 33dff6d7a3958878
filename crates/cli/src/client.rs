//! Calling an operation: encode → sign → send → decode.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use stagedoor_auth::sigv4::{self, Key, Payload};
use stagedoor_model::{Mismatch, Operation, Service, Shape, Timestamp, Value};
use stagedoor_wire::client::{ServiceError, decode_response, encode_request};

use crate::tls;

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A client of one endpoint, with one key, in one region. Cheap to clone; connections are shared.
#[derive(Clone)]
pub struct Client {
    http: hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: Uri,
    config: Config,
}

/// How a [`Client`] calls.
#[derive(Clone, Debug)]
pub struct Config {
    pub region: String,
    /// `None` sends requests without a signature.
    pub key: Option<Key>,
    pub connect_timeout: Duration,
    /// From the request to the whole answer.
    pub answer_timeout: Duration,
    /// A file of certificates in PEM to trust instead of the system's.
    pub ca_bundle: Option<String>,
    /// Told about every request and answer, in lines.
    pub trace: Option<fn(&str)>,
}

impl Config {
    /// A minute for everything, and the system's certificates.
    pub fn new(region: &str, key: Option<Key>) -> Self {
        Self {
            region: region.to_owned(),
            key,
            connect_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(60),
            ca_bundle: None,
            trace: None,
        }
    }
}

/// Why a call gave no output.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("there is no operation {0}")]
    UnknownOperation(String),
    #[error("Could not connect to the endpoint URL: \"{url}\" ({cause})")]
    Unreachable { url: String, cause: String },
    #[error("Connect timeout on endpoint URL: \"{0}\"")]
    ConnectTimeout(String),
    #[error("Read timeout on endpoint URL: \"{0}\"")]
    AnswerTimeout(String),
    #[error("the request cannot be made: {0}")]
    BadRequest(String),
    #[error("the answer is not what the model says: {0}")]
    BadAnswer(#[from] Mismatch),
}

impl Client {
    /// `endpoint` is an `http` or `https` address; operations are below its path.
    ///
    /// # Errors
    /// [`ClientError::BadRequest`] for another address, or certificates that cannot be read.
    pub fn new(endpoint: &str, config: Config) -> Result<Self, ClientError> {
        let endpoint: Uri = endpoint.parse().map_err(|_| invalid_endpoint(endpoint))?;
        let is_https = match endpoint.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(invalid_endpoint(&endpoint.to_string())),
        };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector
            .set_connect_timeout((config.connect_timeout != Duration::MAX).then_some(config.connect_timeout));
        let connector =
            tls::connector(connector, is_https, config.ca_bundle.as_deref()).map_err(bad_request)?;
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { http, endpoint, config })
    }

    /// Calls an operation with its typed input, for its typed output.
    pub async fn call<I: Shape, O: Shape>(
        &self,
        service: &'static Service,
        operation: &str,
        input: I,
    ) -> Result<O, ClientError> {
        let output = self.call_value(service, operation, &input.into_value()).await?;
        Ok(O::from_value(output)?)
    }

    /// Calls an operation with values, as they stand in the model.
    pub async fn call_value(
        &self,
        service: &'static Service,
        operation: &str,
        input: &Value,
    ) -> Result<Value, ClientError> {
        let unknown = || ClientError::UnknownOperation(operation.to_owned());
        let operation = service.operation(operation).ok_or_else(unknown)?;
        let request = self.signed(service, operation, input)?;
        self.trace_request(&request);
        let url = request.uri().to_string();
        let sending = async {
            let sent = self.send(request, &url).await;
            if let (Err(error), Some(trace)) = (&sent, self.config.trace) {
                trace(&error.to_string());
            }
            sent
        };
        let response = match self.config.answer_timeout {
            Duration::MAX => sending.await?,
            limit => {
                let response = tokio::time::timeout(limit, sending).await;
                response.map_err(|_| ClientError::AnswerTimeout(url.clone()))??
            }
        };
        self.trace_response(&response);
        Ok(decode_response(operation, &response)?)
    }

    fn signed(
        &self,
        service: &Service,
        operation: &'static Operation,
        input: &Value,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let (mut parts, body) = encode_request(operation, input).map_err(bad_request)?.into_parts();
        let authority =
            self.endpoint.authority().ok_or_else(|| invalid_endpoint(&self.endpoint.to_string()))?;
        let host = http::HeaderValue::from_str(authority.as_str()).map_err(bad_request)?;
        parts.headers.insert(http::header::HOST, host);
        let base = self.endpoint.path().trim_end_matches('/');
        let scheme = self.endpoint.scheme_str().unwrap_or("http");
        parts.uri = format!("{scheme}://{authority}{base}{}", parts.uri).parse().map_err(bad_request)?;
        if let Some(key) = &self.config.key {
            let unsigned = sigv4::Request {
                method: &parts.method,
                path: parts.uri.path(),
                query: parts.uri.query().unwrap_or(""),
                headers: &parts.headers,
                host: None,
                payload: Payload::Bytes(&body),
            };
            let region = &self.config.region;
            let headers = sigv4::sign(&unsigned, key, region, service.signing_name, now().to_jiff());
            for (name, value) in headers.map_err(bad_request)? {
                parts.headers.insert(name, value);
            }
        }
        Ok(Request::from_parts(parts, Full::new(body)))
    }

    async fn send(&self, request: Request<Full<Bytes>>, url: &str) -> Result<Response<Bytes>, ClientError> {
        let response = self.http.request(request).await.map_err(|error| unreachable(&error, url))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| unreachable(&*error, url))?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }

    fn trace_request(&self, request: &Request<Full<Bytes>>) {
        if let Some(trace) = self.config.trace {
            trace(&format!("request: {} {}", request.method(), request.uri()));
            let shown = request.headers().iter().filter(|(name, _)| *name != "x-amz-security-token");
            shown.for_each(|(name, value)| trace(&format!("request header: {name}: {value:?}")));
        }
    }

    fn trace_response(&self, response: &Response<Bytes>) {
        if let Some(trace) = self.config.trace {
            trace(&format!("answer: {}", response.status()));
            response
                .headers()
                .iter()
                .for_each(|(name, value)| trace(&format!("answer header: {name}: {value:?}")));
            trace(&format!("answer body: {}", String::from_utf8_lossy(response.body())));
        }
    }
}

/// The last cause of an error says the most: `connection refused`, not `client error`.
fn unreachable(error: &(dyn std::error::Error + 'static), url: &str) -> ClientError {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    let timed_out =
        last.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut);
    if timed_out || last.to_string().contains("timed out") {
        return ClientError::ConnectTimeout(url.to_owned());
    }
    ClientError::Unreachable { url: url.to_owned(), cause: last.to_string() }
}

fn invalid_endpoint(endpoint: &str) -> ClientError {
    ClientError::BadRequest(format!("Invalid endpoint: {endpoint}"))
}

fn bad_request(error: impl std::fmt::Display) -> ClientError {
    ClientError::BadRequest(error.to_string())
}

#[expect(clippy::disallowed_methods, reason = "a client signs with the present time")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

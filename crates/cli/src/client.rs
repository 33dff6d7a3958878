//! Calling an operation: encode → sign → send → decode.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use stagedoor_auth::sigv4::{self, Key, Payload};
use stagedoor_model::{Kind, Mismatch, Operation, Service, Shape, Timestamp, Value};
use stagedoor_wire::client::{ServiceError, decode_response, encode_request};

use crate::redact;
use crate::retry::{Attempt, Policy, Retries, Verdict};
use crate::tls::{self, Trust};

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A client of one endpoint, with one key, in one region. Cheap to clone; connections are shared.
#[derive(Clone)]
pub struct Client {
    http: hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: Uri,
    config: Config,
    retries: Option<Arc<Mutex<Retries>>>,
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
    /// Whose certificates an `https` endpoint may show.
    pub trust: Trust,
    /// How often a failed call is made; `None` makes it once.
    pub retries: Option<Policy>,
    /// Told about every request and answer, in lines.
    pub trace: Option<fn(&str)>,
}

impl Config {
    /// A minute for everything, the system's certificates, no retries.
    pub fn new(region: &str, key: Option<Key>) -> Self {
        Self {
            region: region.to_owned(),
            key,
            connect_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(60),
            trust: Trust::default(),
            retries: None,
            trace: None,
        }
    }
}

/// Why a call gave no output.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The last error of a call that was not made again because it had been made often enough.
    #[error("{error} (reached max retries: {retries})")]
    Exhausted { error: ServiceError, retries: u32 },
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

impl ClientError {
    /// What the service answered, if it did.
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) | Self::Exhausted { error, .. } => Some(error),
            _ => None,
        }
    }
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
        let connector = tls::connector(connector, is_https, &config.trust).map_err(bad_request)?;
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        let retries = config.retries.map(|policy| Arc::new(Mutex::new(Retries::new(policy, seconds()))));
        Ok(Self { http, endpoint, config, retries })
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

    /// Calls an operation with values, as they stand in the model; again if it failed and that may help.
    pub async fn call_value(
        &self,
        service: &'static Service,
        operation: &str,
        input: &Value,
    ) -> Result<Value, ClientError> {
        let unknown = || ClientError::UnknownOperation(operation.to_owned());
        let operation = service.operation(operation).ok_or_else(unknown)?;
        let tokened = with_token(operation, input);
        let input = tokened.as_ref().unwrap_or(input);
        let mut cost = None;
        for number in 1.. {
            let wait = self.with_retries(|retries| retries.wait_before_sending(seconds()));
            tokio::time::sleep(wait.unwrap_or_default()).await;
            let mut retry_after = None;
            let error = match self.attempt(service, operation, input, &mut retry_after).await {
                Ok(answer) => {
                    self.with_retries(|retries| retries.succeeded(cost, seconds()));
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let attempt = Attempt { number, error: &error, retry_after };
            cost = self.with_retries(|retries| retries.cost(&error));
            match (self.with_retries(|retries| retries.judge(&attempt, seconds(), chance())), error) {
                (Some(Verdict::Again(delay)), _) => {
                    self.trace(|| format!("attempt {number} failed, the next one in {delay:?}"));
                    tokio::time::sleep(delay).await;
                }
                (Some(Verdict::Stop { exhausted: true }), ClientError::Service(error)) => {
                    return Err(ClientError::Exhausted { error, retries: number - 1 });
                }
                (_, error) => return Err(error),
            }
        }
        Err(ClientError::BadRequest("no attempt".to_owned()))
    }

    async fn attempt(
        &self,
        service: &'static Service,
        operation: &'static Operation,
        input: &Value,
        retry_after: &mut Option<u64>,
    ) -> Result<Value, ClientError> {
        let request = self.signed(service, operation, input)?;
        self.trace_request(&request);
        let url = request.uri().to_string();
        let sending = async {
            let sent = self.send(request, &url).await;
            if let Err(error) = &sent {
                self.trace(|| error.to_string());
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
        let wished = response.headers().get("x-amz-retry-after");
        *retry_after = wished.and_then(|wished| wished.to_str().ok()?.parse().ok());
        let answer = decode_response(operation, &response);
        self.trace_response(operation, &response, answer.as_ref().ok());
        Ok(answer?)
    }

    fn with_retries<T>(&self, act: impl FnOnce(&mut Retries) -> T) -> Option<T> {
        let retries = self.retries.as_ref()?;
        Some(act(&mut retries.lock().unwrap_or_else(PoisonError::into_inner)))
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

    fn trace(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = self.config.trace {
            trace(&line());
        }
    }

    fn trace_request(&self, request: &Request<Full<Bytes>>) {
        if let Some(trace) = self.config.trace {
            trace(&format!("request: {} {}", request.method(), request.uri()));
            for (name, value) in request.headers() {
                trace(&format!("request header: {name}: {}", redact::header(name, value)));
            }
        }
    }

    fn trace_response(
        &self,
        operation: &'static Operation,
        response: &Response<Bytes>,
        answer: Option<&Value>,
    ) {
        if let Some(trace) = self.config.trace {
            trace(&format!("answer: {}", response.status()));
            for (name, value) in response.headers() {
                trace(&format!("answer header: {name}: {}", redact::header(name, value)));
            }
            trace(&format!("answer body: {}", redact::body(operation.output, answer, response.body())));
        }
    }
}

/// The input with an idempotency token where the model wants one and none was given: a random UUID, as botocore
/// fills it in. All attempts of a call carry the same.
fn with_token(operation: &'static Operation, input: &Value) -> Option<Value> {
    let (Kind::Structure { members, .. }, Value::Map(entries)) = (&operation.input.kind, input) else {
        return None;
    };
    let member = members.iter().find(|member| member.idempotency_token)?;
    if input.get(member.name).is_some_and(|value| !value.is_null()) {
        return None;
    }
    let mut entries = entries.clone();
    entries.push((member.name.into(), Value::String(uuid(random()))));
    Some(Value::Map(entries))
}

/// RFC 9562, section 5.4.
fn uuid(random: u128) -> String {
    let hex = format!("{:032x}", random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    // A failure leaves zeros, which only costs the spread of delays.
    let _ = getrandom::fill(&mut bytes);
    u128::from_ne_bytes(bytes)
}

/// From 0 to 1.
fn chance() -> f64 {
    f64::from((random() >> 96) as u32) / f64::from(u32::MAX)
}

fn seconds() -> f64 {
    now().as_seconds_f64()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_idempotency_token_is_made_up() {
        let start =
            stagedoor_model::ivs_realtime::SERVICE.operation("StartComposition").expect("in the model");
        let made = with_token(start, &Value::Map(Vec::new())).expect("there is a token");
        let token = made.get("idempotencyToken").and_then(Value::as_str).expect("a string").to_owned();
        assert_eq!(token.len(), 36);
        assert!(token[14..].starts_with('4') && token[19..].starts_with(['8', '9', 'a', 'b']), "{token}");
        assert!(with_token(start, &made).is_none(), "a given one is kept");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}

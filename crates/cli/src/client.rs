//! Calling an operation: encode → sign → send → decode.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use stagedoor_auth::sigv4::{self, Key, Payload};
use stagedoor_model::{Mismatch, Operation, Service, Shape, Timestamp, Value};
use stagedoor_wire::client::{ServiceError, decode_response, encode_request};

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long a call may take.
const CALL_MAX: Duration = Duration::from_secs(60);

/// A client of one endpoint, with one key, in one region. Cheap to clone; connections are shared.
#[derive(Clone)]
pub struct Client {
    http: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
    endpoint: Uri,
    region: String,
    key: Key,
}

/// Why a call gave no output.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("there is no operation {0}")]
    UnknownOperation(String),
    #[error("cannot reach the endpoint: {0}")]
    Unreachable(String),
    #[error("no answer within {} s", CALL_MAX.as_secs())]
    TimedOut,
    #[error("the request cannot be made: {0}")]
    BadRequest(String),
    #[error("the answer is not what the model says: {0}")]
    BadAnswer(#[from] Mismatch),
}

impl Client {
    /// `endpoint` is an origin such as `http://127.0.0.1:4566`; only `http` is spoken.
    pub fn new(endpoint: &str, region: &str, key: Key) -> Result<Self, ClientError> {
        let endpoint: Uri = endpoint.parse().map_err(bad_request)?;
        if endpoint.scheme_str() != Some("http") || endpoint.authority().is_none() {
            return Err(ClientError::BadRequest(format!("{endpoint} is not an http:// origin")));
        }
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { http, endpoint, region: region.to_owned(), key })
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
        let response = tokio::time::timeout(CALL_MAX, self.send(request)).await;
        let response = response.map_err(|_| ClientError::TimedOut)??;
        Ok(decode_response(operation, &response)?)
    }

    fn signed(
        &self,
        service: &Service,
        operation: &'static Operation,
        input: &Value,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let (mut parts, body) = encode_request(operation, input).map_err(bad_request)?.into_parts();
        let authority = self.endpoint.authority().expect("checked in new").as_str();
        let host = http::HeaderValue::from_str(authority).map_err(bad_request)?;
        parts.headers.insert(http::header::HOST, host);
        let unsigned = sigv4::Request {
            method: &parts.method,
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            headers: &parts.headers,
            host: None,
            payload: Payload::Bytes(&body),
        };
        let headers = sigv4::sign(&unsigned, &self.key, &self.region, service.signing_name, now().to_jiff());
        for (name, value) in headers.map_err(bad_request)? {
            parts.headers.insert(name, value);
        }
        parts.uri = format!("http://{authority}{}", parts.uri).parse().map_err(bad_request)?;
        Ok(Request::from_parts(parts, Full::new(body)))
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, ClientError> {
        let unreachable = |error: &dyn std::error::Error| {
            let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
            ClientError::Unreachable(format!("{error}{cause}"))
        };
        let response = self.http.request(request).await.map_err(|error| unreachable(&error))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| unreachable(&*error))?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

fn bad_request(error: impl std::fmt::Display) -> ClientError {
    ClientError::BadRequest(error.to_string())
}

#[expect(clippy::disallowed_methods, reason = "a client signs with the present time")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

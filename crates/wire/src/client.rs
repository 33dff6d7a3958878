//! The client's side of a call: the same tables, the other direction. Signing and sending are the caller's.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use stagedoor_auth::percent;
use stagedoor_model::value::Key;
use stagedoor_model::{Kind, Location, Member, Operation, Value};

use crate::decode::typed;
use crate::encode::write_structure;

/// An error that the service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    pub code: String,
    pub status: u16,
    pub message: String,
}

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for ServiceError {}

/// The unsigned request for a call. Its URI has path and query only.
pub fn encode_request(operation: &'static Operation, input: &Value) -> Result<Request<Bytes>, http::Error> {
    let Kind::Structure { members, payload } = &operation.input.kind else {
        return Request::builder().method(operation.method).uri(operation.path).body(Bytes::new());
    };
    let mut path = operation.path.to_owned();
    let mut query: Vec<(String, String)> = Vec::new();
    query.extend(operation.query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let mut headers = HeaderMap::new();
    for member in members.iter() {
        let Some(value) = input.get(member.name).filter(|value| !value.is_null()) else { continue };
        match member.location {
            Location::Body => {}
            Location::Uri => {
                path = path.replace(&format!("{{{}}}", member.wire), &percent::encode(&plain(value)));
            }
            Location::Query => match value {
                Value::List(items) => {
                    query.extend(items.iter().map(|item| (member.wire.into(), plain(item))))
                }
                Value::Map(entries) => {
                    query.extend(entries.iter().map(|(key, value)| (key.clone().into_owned(), plain(value))));
                }
                scalar => query.push((member.wire.into(), plain(scalar))),
            },
            Location::Header => {
                let name = http::header::HeaderName::from_bytes(member.wire.as_bytes())?;
                headers.insert(name, HeaderValue::from_str(&plain(value))?);
            }
        }
    }
    let body = match payload {
        Some(name) => match input.get(name) {
            Some(Value::Blob(bytes)) => bytes.clone(),
            _ => Bytes::new(),
        },
        None if members.iter().any(|member| member.location == Location::Body) => {
            let mut json = Vec::new();
            write_structure(members, input, &mut json);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            json.into()
        }
        None => Bytes::new(),
    };
    let pairs =
        query.iter().map(|(key, value)| format!("{}={}", percent::encode(key), percent::encode(value)));
    let query = pairs.collect::<Vec<_>>().join("&");
    let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
    // API Gateway answers HAL unless told otherwise; every SDK tells it.
    headers.entry("accept").or_insert(HeaderValue::from_static("application/json"));
    let mut request = Request::builder().method(operation.method).uri(uri).body(body)?;
    request.headers_mut().extend(headers);
    Ok(request)
}

/// The output of a call, or the error that the service answered.
pub fn decode_response(
    operation: &'static Operation,
    response: &Response<Bytes>,
) -> Result<Value, ServiceError> {
    let (status, body) = (response.status().as_u16(), response.body());
    if status >= 300 {
        return Err(service_error(response));
    }
    let malformed = |message: String| ServiceError { code: "MalformedResponse".to_owned(), status, message };
    let Some(Kind::Structure { members, payload }) = operation.output.map(|shape| &shape.kind) else {
        return Ok(Value::Null);
    };
    let mut output = headers_of(members, response.headers());
    if let Some(name) = payload {
        output.push(((*name).into(), Value::Blob(body.clone())));
    } else if !body.is_empty() {
        let json: Value = serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
        let shape = operation.output.expect("matched above");
        if let Value::Map(entries) = typed(shape, json).map_err(|fault| malformed(fault.message))? {
            output.extend(entries);
        }
    }
    Ok(Value::Map(output))
}

/// What the headers say, which comes before what the body says.
fn headers_of(members: &[Member], headers: &HeaderMap) -> Vec<(Key, Value)> {
    let members = members.iter().filter(|member| member.location == Location::Header);
    let said = members.filter_map(|member| Some((member, headers.get(member.wire)?.to_str().ok()?)));
    said.map(|(member, text)| (member.name.into(), Value::String(text.to_owned()))).collect()
}

fn service_error(response: &Response<Bytes>) -> ServiceError {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let header = response.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    // `Code:http://…` and `namespace#Code` are older spellings.
    let code = header.map(str::to_owned).or_else(|| text("__type")).unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
    let message = text("message").or_else(|| text("Message")).or_else(|| text("exceptionMessage"));
    ServiceError { code, status: response.status().as_u16(), message: message.unwrap_or_default() }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Time(time) => time.to_string(),
        _ => String::new(),
    }
}

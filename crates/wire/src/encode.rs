//! From an operation's output, or its fault, to the bytes of an answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use stagedoor_model::{Kind, Location, Member, Operation, Service, ShapeTable, TimeFormat, Value};

use crate::dialect::Dialect;
use crate::fault::Fault;

/// The answer to a call that may have failed.
pub fn answer(
    service: &Service,
    operation: Option<&'static Operation>,
    result: Result<Value, Fault>,
    request_id: &str,
) -> Response<Bytes> {
    let mut response = match (result, operation) {
        (Ok(output), Some(operation)) => encode_output(operation, output),
        (Ok(_), None) => encode_fault(service, &Fault::internal()),
        (Err(fault), _) => encode_fault(service, &fault),
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    for (name, value) in Dialect::of(service).headers {
        headers.entry(*name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A successful answer: status, bound headers, and the body members or the payload.
fn encode_output(operation: &'static Operation, output: Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(operation.status).unwrap_or(StatusCode::OK);
    let Some(Kind::Structure { members, payload }) = operation.output.map(|shape| &shape.kind) else {
        return response;
    };
    for member in members.iter().filter(|member| member.location == Location::Header) {
        let text = output.get(member.name).and_then(header_text);
        let name = HeaderName::from_bytes(member.wire.as_bytes());
        if let (Some(text), Ok(name)) = (text, name)
            && let Ok(value) = HeaderValue::from_str(&text)
        {
            response.headers_mut().insert(name, value);
        }
    }
    if let Some(name) = payload {
        if let Some(Value::Blob(bytes)) = output.get(name) {
            *response.body_mut() = bytes.clone();
        }
    } else {
        let mut json = Vec::with_capacity(256);
        write_structure(members, &output, &mut json);
        *response.body_mut() = json.into();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// An error answer: `x-amzn-ErrorType` names it, the body explains it.
pub fn encode_fault(service: &Service, fault: &Fault) -> Response<Bytes> {
    let members = Dialect::of(service).message_members.iter();
    let message = Value::String(fault.message.clone());
    let members = members.map(|name| ((*name).into(), message.clone()));
    let members = members.chain(fault.members.iter().map(|(name, value)| ((*name).into(), value.clone())));
    let body = serde_json::to_vec(&Value::Map(members.collect())).unwrap_or_default();
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-amzn-errortype", HeaderValue::from_static(fault.code));
    if let Some(seconds) = fault.retry_after {
        headers.insert("retry-after", HeaderValue::from(seconds));
    }
    response
}

fn header_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// JSON text of a value, with the wire's names. Shared by answers and by the client's requests.
pub(crate) fn write(shape: &ShapeTable, value: &Value, json: &mut Vec<u8>) {
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, value) => write_structure(members, value, json),
        (Kind::List(item), Value::List(items)) => {
            json.push(b'[');
            for (at, value) in items.iter().enumerate() {
                if at > 0 {
                    json.push(b',');
                }
                write(item, value, json);
            }
            json.push(b']');
        }
        (Kind::Map { value: entry, .. }, Value::Map(entries)) => {
            json.push(b'{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    json.push(b',');
                }
                write_text(key, json);
                json.push(b':');
                write(entry, value, json);
            }
            json.push(b'}');
        }
        (Kind::Timestamp(TimeFormat::Iso8601), Value::Time(time)) => write_text(&time.to_string(), json),
        (Kind::Timestamp(TimeFormat::EpochSeconds), Value::Time(time)) => {
            let whole = time.as_seconds();
            if *time == time.whole_seconds() {
                json.extend_from_slice(whole.to_string().as_bytes());
            } else {
                write_scalar(&Value::Float(time.as_seconds_f64()), json);
            }
        }
        (_, Value::Blob(bytes)) => write_text(&STANDARD.encode(bytes), json),
        (Kind::Float | Kind::Double, Value::Int(number)) => write_scalar(&Value::Float(*number as f64), json),
        (_, scalar) => write_scalar(scalar, json),
    }
}

/// Body members only; those that are absent are left out.
pub(crate) fn write_structure(members: &[Member], value: &Value, json: &mut Vec<u8>) {
    let entries = if let Value::Map(entries) = value { entries.as_slice() } else { &[] };
    json.push(b'{');
    let mut first = true;
    for (name, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        let member = members.iter().find(|member| member.name == name && member.location == Location::Body);
        let Some(member) = member else { continue };
        if !first {
            json.push(b',');
        }
        first = false;
        write_text(member.wire, json);
        json.push(b':');
        write(member.shape, value, json);
    }
    json.push(b'}');
}

fn write_text(text: &str, json: &mut Vec<u8>) {
    serde_json::to_writer(json, text).expect("writing to memory cannot fail");
}

fn write_scalar(value: &Value, json: &mut Vec<u8>) {
    serde_json::to_writer(json, value).expect("writing to memory cannot fail");
}

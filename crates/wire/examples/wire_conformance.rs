//! Shows what the wire engine makes of requests, for comparison with another implementation.
//!
//! One JSON object per line in, one out. A request `{"service", "method", "uri", "headers", "body"}` (body in
//! base64) is answered by `{"operation", "input"}` or `{"operation", "fault"}`; an output
//! `{"encode": true, "service", "operation", "output"}` by `{"status", "headers", "body"}`. Blobs are written
//! `{"$blob": base64}`, times `{"$time": seconds}`.
#![expect(clippy::print_stdout, reason = "talks through standard output")]

use std::error::Error;
use std::io::BufRead as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};
use stagedoor_model::{Operation, SERVICES, Service, Timestamp, Value};
use stagedoor_wire::check::check;
use stagedoor_wire::decode::decode;
use stagedoor_wire::dialect::Dialect;
use stagedoor_wire::route::route;
use stagedoor_wire::{Fault, encode};

fn main() -> Result<(), Box<dyn Error>> {
    for line in std::io::stdin().lock().lines() {
        let case: Json = serde_json::from_str(&line?)?;
        let answer = if case["encode"] == true { encode_case(&case)? } else { decode_case(&case)? };
        println!("{answer}");
    }
    Ok(())
}

fn service(case: &Json) -> Result<&'static Service, Box<dyn Error>> {
    let name = text(case, "service");
    Ok(SERVICES.iter().copied().find(|service| service.name == name).ok_or("unknown service")?)
}

fn decode_case(case: &Json) -> Result<Json, Box<dyn Error>> {
    let service = service(case)?;
    let (path, query) = text(case, "uri").split_once('?').unwrap_or((text(case, "uri"), ""));
    let mut headers = HeaderMap::new();
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    let body = STANDARD.decode(text(case, "body"))?.into();
    let Some(routed) = route(service, text(case, "method"), path, query) else {
        return Ok(fault(None, &Dialect::of(service).unknown_operation()));
    };
    let operation = routed.operation;
    let input = match decode(&routed, query, &headers, &body) {
        Ok(input) => input,
        Err(wrong) => return Ok(fault(Some(operation), &wrong)),
    };
    let violations = check(operation, &input);
    if violations.is_empty() {
        return Ok(json!({"operation": operation.name, "input": noted(&input)}));
    }
    Ok(fault(Some(operation), &Dialect::of(service).violations(operation, &violations)))
}

fn fault(operation: Option<&Operation>, fault: &Fault) -> Json {
    let fault = json!({"code": fault.code, "status": fault.status, "message": fault.message});
    json!({"operation": operation.map(|operation| operation.name), "fault": fault})
}

fn encode_case(case: &Json) -> Result<Json, Box<dyn Error>> {
    let service = service(case)?;
    let operation = service.operation(text(case, "operation")).ok_or("unknown operation")?;
    let output = read(&case["output"])?;
    let response =
        encode::answer(service, Some(operation), Ok(output), "00000000-0000-4000-8000-000000000000");
    let headers = response.headers().iter();
    let headers: serde_json::Map<String, Json> = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    let body = STANDARD.encode(response.body());
    Ok(json!({"status": response.status().as_u16(), "headers": headers, "body": body}))
}

fn text<'c>(case: &'c Json, key: &str) -> &'c str {
    case[key].as_str().unwrap_or_default()
}

// === The notation of values ===

fn noted(value: &Value) -> Json {
    match value {
        Value::Blob(bytes) => json!({"$blob": STANDARD.encode(bytes)}),
        Value::Time(time) => json!({"$time": time.as_seconds_f64()}),
        Value::List(items) => items.iter().map(noted).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.to_string(), noted(value))).collect())
        }
        scalar => serde_json::to_value(scalar).unwrap_or_default(),
    }
}

fn read(json: &Json) -> Result<Value, Box<dyn Error>> {
    Ok(match json {
        Json::Array(items) => Value::List(items.iter().map(read).collect::<Result<_, _>>()?),
        Json::Object(object) => {
            if let Some(blob) = object.get("$blob").and_then(Json::as_str) {
                Value::Blob(STANDARD.decode(blob)?.into())
            } else if let Some(time) = object.get("$time").and_then(Json::as_f64) {
                Value::Time(Timestamp::from_seconds_f64(time).ok_or("time out of range")?)
            } else {
                let entries = object.iter().map(|(key, value)| Ok((key.clone().into(), read(value)?)));
                Value::Map(entries.collect::<Result<_, Box<dyn Error>>>()?)
            }
        }
        scalar => serde_json::from_value(scalar.clone())?,
    })
}

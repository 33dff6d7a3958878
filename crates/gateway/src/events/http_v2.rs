//! The event of an HTTP API's `AWS_PROXY` integration, payload format 2.0: members without a value are absent.

use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use super::{body, lists};
use crate::forwarded;
use crate::headers;
use crate::http_api::call::Call;

pub(crate) fn event(call: &Call<'_>, sent: &Bytes) -> Bytes {
    let told = body::of_http(sent, &call.head.headers);
    let mut event = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            event.insert(name.to_owned(), value);
        }
    };
    add("version", "2.0".into());
    add("routeKey", call.routed.route.key.as_str().into());
    add("rawPath", call.full_path.as_ref().into());
    add("rawQueryString", call.query().into());
    add("cookies", cookies(&call.head.headers));
    add("headers", told_headers(call, sent.len()));
    add("queryStringParameters", lists::Lists::of_query(call.query()).joined());
    add("requestContext", context(call));
    add("body", told.text.into());
    add("pathParameters", lists::variables(&call.routed.variables));
    add("isBase64Encoded", told.is_base64.into());
    let variables = &call.located.stage.variables;
    add("stageVariables", if variables.is_empty() { Value::Null } else { json!(variables) });
    Value::Object(event).to_string().into()
}

pub(super) fn cookies(headers: &HeaderMap) -> Value {
    let lines = lists::values(headers, &header::COOKIE);
    let cookies: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split(';'))
        .map(str::trim)
        .filter(|cookie| !cookie.is_empty())
        .collect();
    if cookies.is_empty() { Value::Null } else { json!(cookies) }
}

/// Lower-case names; several values become one.
pub(super) fn told_headers(call: &Call<'_>, body_bytes: usize) -> Value {
    let told = sent_headers(call, body_bytes);
    let names = told.keys().filter(|name| *name != header::COOKIE);
    lists::object(names.map(|name| (name.to_string(), lists::values(&told, name).join(",").into())))
}

/// The client's headers and what the gateway adds. The body's length is told also if it is 0.
pub(super) fn sent_headers(call: &Call<'_>, body_bytes: usize) -> HeaderMap {
    let mut told = call.head.headers.clone();
    headers::remove_hop_by_hop(&mut told);
    told.insert(header::CONTENT_LENGTH, body_bytes.into());
    forwarded::add_with_host(&mut told, call.visit, &call.shared.config);
    told
}

pub(super) fn context(call: &Call<'_>) -> Value {
    let text = |name: &str| call.context(name).unwrap_or_default();
    let mut context = json!({
        "accountId": text("accountId"),
        "apiId": text("apiId"),
        "domainName": text("domainName"),
        "domainPrefix": text("domainPrefix"),
        "http": {
            "method": call.routed.verb.as_str(),
            "path": call.full_path,
            "protocol": text("protocol"),
            "sourceIp": text("identity.sourceIp"),
            "userAgent": text("identity.userAgent"),
        },
        "requestId": text("requestId"),
        "routeKey": call.routed.route.key,
        "stage": call.located.stage.name,
        "time": text("requestTime"),
        "timeEpoch": u64::try_from(call.visit.time.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(cert) = &call.visit.client_cert {
        context["authentication"] = json!({"clientCert": cert.told()});
    }
    let authorizer = call.caller.http_v2_authorizer();
    if !authorizer.is_null() {
        context["authorizer"] = authorizer;
    }
    context
}

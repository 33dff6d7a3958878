//! The event of an HTTP API's `AWS_PROXY` integration, payload format 1.0: a REST API's event, nearly.

use bytes::Bytes;
use serde_json::{Value, json};

use super::http_v2::sent_headers;
use super::{body, identity, lists};
use crate::http_api::call::Call;

pub(crate) fn event(call: &Call<'_>, sent: &Bytes) -> Bytes {
    let told = body::of_http(sent, &call.head.headers);
    let told_headers = lists::Lists::of_headers(&sent_headers(call, sent.len()), &call.visit.spelling());
    let query = lists::Lists::of_query(call.query());
    let variables = &call.located.stage.variables;
    let event = json!({
        "version": "1.0",
        "resource": resource(&call.routed.route.key),
        "path": call.full_path,
        "httpMethod": call.routed.verb.as_str(),
        "headers": told_headers.last_of_each(),
        "multiValueHeaders": told_headers.all_of_each(),
        "queryStringParameters": query.last_of_each(),
        "multiValueQueryStringParameters": query.all_of_each(),
        "requestContext": context(call),
        "pathParameters": lists::variables(&call.routed.variables),
        "stageVariables": if variables.is_empty() { Value::Null } else { json!(variables) },
        "body": told.text,
        "isBase64Encoded": told.is_base64,
    });
    event.to_string().into()
}

/// `/pets/{id}` of `GET /pets/{id}`; `$default` as it is.
pub(super) fn resource(key: &str) -> &str {
    key.split_once(' ').map_or(key, |(_verb, path)| path.trim_start())
}

pub(super) fn context(call: &Call<'_>) -> Value {
    let text = |name: &str| call.context(name).unwrap_or_default();
    json!({
        "accountId": text("accountId"),
        "apiId": text("apiId"),
        "authorizer": call.caller.http_v1_authorizer(),
        "domainName": text("domainName"),
        "domainPrefix": text("domainPrefix"),
        "extendedRequestId": text("extendedRequestId"),
        "httpMethod": call.routed.verb.as_str(),
        "identity": identity::of(call.visit, &call.caller),
        "path": call.full_path,
        "protocol": text("protocol"),
        "requestId": text("requestId"),
        "requestTime": text("requestTime"),
        "requestTimeEpoch": u64::try_from(call.visit.time.as_millis()).unwrap_or(u64::MAX),
        "resourceId": null,
        "resourcePath": resource(&call.routed.route.key),
        "stage": call.located.stage.name,
    })
}

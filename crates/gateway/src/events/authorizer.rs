//! What a Lambda authorizer is told: the token alone, or the request without its body.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{http_v1, http_v2, lists, rest};
use crate::{http_api, rest as rest_api};

/// `TOKEN` of a REST API.
pub(crate) fn token(token: &str, method_arn: &str) -> Bytes {
    let event = json!({"type": "TOKEN", "authorizationToken": token, "methodArn": method_arn});
    event.to_string().into()
}

/// `REQUEST` of a REST API: what is empty is an empty object, not null.
pub(crate) fn rest_request(call: &rest_api::call::Call<'_>, method_arn: &str) -> Bytes {
    let headers = rest::told_headers(call);
    let query = lists::Lists::of_query(call.query());
    let event = json!({
        "type": "REQUEST",
        "methodArn": method_arn,
        "resource": call.method.resource_path,
        "path": rest::path(call),
        "httpMethod": call.verb.as_str(),
        "headers": or_empty(headers.last_of_each()),
        "multiValueHeaders": or_empty(headers.all_of_each()),
        "queryStringParameters": or_empty(query.last_of_each()),
        "multiValueQueryStringParameters": or_empty(query.all_of_each()),
        "pathParameters": or_empty(lists::raw_variables(&call.variables)),
        "stageVariables": call.stage.variables,
        "requestContext": rest::context(call),
    });
    event.to_string().into()
}

/// Format 1.0 of an HTTP API: nearly a REST API's.
pub(crate) fn http_v1(call: &http_api::call::Call<'_>, method_arn: &str, identities: &[String]) -> Bytes {
    let headers = lists::Lists::of_headers(&http_v2::sent_headers(call, 0), &call.visit.spelling());
    let query = lists::Lists::of_query(call.query());
    let mut context = http_v1::context(call);
    if let Some(context) = context.as_object_mut() {
        context.shift_remove("authorizer");
    }
    let identity = identities.join(",");
    let event = json!({
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": method_arn,
        "identitySource": identity,
        "authorizationToken": identity,
        "resource": http_v1::resource(&call.routed.route.key),
        "path": call.full_path,
        "httpMethod": call.routed.verb.as_str(),
        "headers": or_empty(headers.last_of_each()),
        "queryStringParameters": or_empty(query.last_of_each()),
        "pathParameters": or_empty(lists::variables(&call.routed.variables)),
        "stageVariables": call.located.stage.variables,
        "requestContext": context,
    });
    event.to_string().into()
}

/// Format 2.0 of an HTTP API: what is empty is absent.
pub(crate) fn http_v2(call: &http_api::call::Call<'_>, route_arn: &str, identities: &[String]) -> Bytes {
    let variables = &call.located.stage.variables;
    // A path that has no decoded form is refused after the authorizer, by the route's function.
    let path = http_v2::told_path(&call.full_path).unwrap_or_else(|| call.full_path.to_string());
    let members = [
        ("version", "2.0".into()),
        ("type", "REQUEST".into()),
        ("routeArn", route_arn.into()),
        ("identitySource", if identities.is_empty() { Value::Null } else { json!(identities) }),
        ("routeKey", call.routed.route.key.as_str().into()),
        ("rawPath", path.as_str().into()),
        ("rawQueryString", call.query().into()),
        ("cookies", http_v2::cookies(&call.head.headers)),
        ("headers", http_v2::told_headers(call, 0)),
        ("queryStringParameters", lists::Lists::of_query(call.query()).joined()),
        ("requestContext", http_v2::context(call, &path)),
        ("pathParameters", lists::variables(&call.routed.variables)),
        ("stageVariables", if variables.is_empty() { Value::Null } else { json!(variables) }),
    ];
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    let event: Map<String, Value> = members.map(|(name, value)| (name.to_owned(), value)).collect();
    Value::Object(event).to_string().into()
}

fn or_empty(value: Value) -> Value {
    if value.is_null() { json!({}) } else { value }
}

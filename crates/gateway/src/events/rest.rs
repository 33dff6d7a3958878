//! The event of a REST API's `AWS_PROXY` method, as recorded: members without a value are null.

use bytes::Bytes;
use http::header;
use serde_json::{Value, json};

use super::{body, identity, lists};
use crate::rest::call::Call;
use crate::{forwarded, headers};

pub(crate) fn event(call: &Call<'_>, sent: &Bytes) -> Bytes {
    let told_headers = told_headers(call);
    let query = lists::Lists::of_query(call.query());
    let is_binary = call.stage.deployed.binary.contain(&call.head.headers, header::CONTENT_TYPE);
    let told = body::of_rest(sent, is_binary);
    let variables = &call.stage.variables;
    let event = json!({
        "resource": call.method.resource_path,
        "path": path(call),
        "httpMethod": call.verb.as_str(),
        "headers": told_headers.last_of_each(),
        "multiValueHeaders": told_headers.all_of_each(),
        "queryStringParameters": query.last_of_each(),
        "multiValueQueryStringParameters": query.all_of_each(),
        "pathParameters": lists::raw_variables(&call.variables),
        "stageVariables": if variables.is_empty() { Value::Null } else { json!(variables) },
        "requestContext": context(call),
        "body": told.text,
        "isBase64Encoded": told.is_base64,
    });
    event.to_string().into()
}

/// The path without the stage's name. On a custom domain the base path belongs to it.
pub(super) fn path<'c>(call: &'c Call<'_>) -> &'c str {
    if call.visit.base_path.is_some() { &call.full_path } else { call.path }
}

/// The client's headers and what the gateway adds.
pub(super) fn told_headers(call: &Call<'_>) -> lists::Lists {
    let mut sent_headers = call.head.headers.clone();
    headers::leave_for_function(&mut sent_headers);
    forwarded::add_with_host(&mut sent_headers, call.visit, &call.shared.config);
    lists::Lists::of_headers(&sent_headers, &call.visit.spelling())
}

pub(super) fn context(call: &Call<'_>) -> Value {
    let text = |name: &str| call.context(name).unwrap_or_default();
    let mut context = json!({
        "resourceId": call.method.resource_id,
        "resourcePath": call.method.resource_path,
        "httpMethod": call.verb.as_str(),
        "extendedRequestId": text("extendedRequestId"),
        "requestTime": text("requestTime"),
        "path": call.full_path,
        "accountId": text("accountId"),
        "protocol": text("protocol"),
        "stage": call.stage.name,
        "domainPrefix": text("domainPrefix"),
        "requestTimeEpoch": u64::try_from(call.visit.time.as_millis()).unwrap_or(u64::MAX),
        "requestId": text("requestId"),
        "identity": identity::of(call.visit, &call.caller),
        "domainName": text("domainName"),
        "deploymentId": text("deploymentId"),
        "apiId": text("apiId"),
    });
    if let Some(authorizer) = call.caller.rest_authorizer() {
        context["authorizer"] = authorizer;
    }
    if let Some(name) = &call.method.operation_name {
        context["operationName"] = json!(name);
    }
    context
}

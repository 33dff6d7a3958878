//! Trying out what is configured, before it is deployed: `TestInvokeMethod`, `TestInvokeAuthorizer`.
//!
//! The data plane runs the method, or asks the authorizer, through [`stagedoor_state::ports`].

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    Resource, TestInvokeAuthorizerRequest, TestInvokeAuthorizerResponse, TestInvokeMethodRequest,
    TestInvokeMethodResponse,
};
use stagedoor_state::ports::{AuthorizerTest, MethodTest};
use stagedoor_state::{Cx, Result};

use crate::{authorizer, deployment, messages, resource, rest_api};

/// `POST /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html>
pub fn test_invoke_method(
    cx: &mut Cx<'_>,
    input: TestInvokeMethodRequest,
) -> Result<TestInvokeMethodResponse> {
    let api_id = input.rest_api_id.as_str();
    // Of an unknown API AWS says that it has no such resource.
    let resource = resource::existing(cx, api_id, &input.resource_id)?;
    let api = rest_api::existing(cx, api_id)?;
    check_method(&resource, &input.http_method)?;
    let resources = cx.all::<Resource>(&[api_id])?;
    let snapshot = deployment::snapshot(cx, api, resources)?;
    let tested = cx.environment.stages.test_method(MethodTest {
        account: cx.account().to_owned(),
        region: cx.region().to_owned(),
        api: snapshot,
        resource_id: input.resource_id,
        verb: input.http_method,
        path_and_query: input.path_with_query_string.unwrap_or_default(),
        headers: headers(input.headers, input.multi_value_headers),
        body: input.body.unwrap_or_default(),
        stage_variables: input.stage_variables.unwrap_or_default(),
    })?;
    let last = |values: &Vec<String>| values.last().cloned().unwrap_or_default();
    Ok(TestInvokeMethodResponse {
        status: Some(i64::from(tested.status)),
        body: Some(tested.body),
        headers: Some(tested.headers.iter().map(|(name, values)| (name.clone(), last(values))).collect()),
        multi_value_headers: Some(tested.headers.into_iter().collect()),
        log: Some(tested.log),
        latency: Some(tested.latency_millis),
    })
}

/// `POST /restapis/{restapi_id}/authorizers/{authorizer_id}`: what the authorizer says is not judged here, so a policy that
/// denies is a success.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeAuthorizer.html>
pub fn test_invoke_authorizer(
    cx: &mut Cx<'_>,
    input: TestInvokeAuthorizerRequest,
) -> Result<TestInvokeAuthorizerResponse> {
    let api_id = input.rest_api_id.as_str();
    authorizer::existing(cx, api_id, &input.authorizer_id)?;
    let api = rest_api::existing(cx, api_id)?;
    let tested = cx.environment.stages.test_authorizer(AuthorizerTest {
        account: cx.account().to_owned(),
        region: cx.region().to_owned(),
        api: deployment::snapshot(cx, api, Vec::new())?,
        authorizer_id: input.authorizer_id,
        path_and_query: input.path_with_query_string.unwrap_or_default(),
        headers: headers(input.headers, input.multi_value_headers),
        stage_variables: input.stage_variables.unwrap_or_default(),
        additional_context: input.additional_context.unwrap_or_default(),
    })?;
    Ok(TestInvokeAuthorizerResponse {
        client_status: Some(i64::from(tested.client_status)),
        log: Some(tested.log),
        latency: Some(tested.latency_millis),
        principal_id: tested.principal_id,
        policy: tested.policy,
        authorization: None,
        claims: tested.claims,
    })
}

/// The method itself, or the one for every verb.
fn check_method(resource: &Resource, verb: &str) -> Result<()> {
    let methods = resource.resource_methods.as_ref();
    let served = methods.is_some_and(|methods| methods.contains_key(verb) || methods.contains_key("ANY"));
    if served { Ok(()) } else { Err(messages::no_method()) }
}

/// Both forms together; of a name in both, the list counts.
fn headers(
    single: Option<BTreeMap<String, String>>,
    multiple: Option<BTreeMap<String, Vec<String>>>,
) -> Vec<(String, String)> {
    let multiple = multiple.unwrap_or_default();
    let single = single.unwrap_or_default().into_iter();
    let mut headers: Vec<(String, String)> =
        single.filter(|(name, _)| !multiple.contains_key(name)).collect();
    for (name, values) in multiple {
        headers.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    headers
}

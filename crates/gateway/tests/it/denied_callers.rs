//! What gateway responses and logs know of callers who are turned away (rest-data C6 and C7).

use http::Method;
use serde_json::json;
use stagedoor_api::apigateway as rest;

use crate::build::{RestApi, function_uri, map, mock, rest_api, stage_of_rest};
use crate::functions::function;
use crate::logs::{Directory, access, world};
use crate::world::{Seen, World};

const BASE: &str = "/_aws/execute-api/abc/dev";

fn responses(templates: &[(rest::GatewayResponseType, &str)]) -> Vec<rest::GatewayResponse> {
    let response = |(response_type, template): &(rest::GatewayResponseType, &str)| rest::GatewayResponse {
        response_type: Some(*response_type),
        response_templates: Some(map(&[("application/json", template)])),
        ..Default::default()
    };
    templates.iter().map(response).collect()
}

/// `GET /asked` behind a Lambda authorizer, and what a gateway response tells of it.
fn api(ttl: i64, templates: &[(rest::GatewayResponseType, &str)]) -> RestApi {
    let guarded = rest::Method {
        authorization_type: Some("CUSTOM".to_owned()),
        authorizer_id: Some("token".to_owned()),
        method_integration: Some(mock("{statusCode: 200}")),
        ..Default::default()
    };
    let authorizer = rest::Authorizer {
        id: Some("token".to_owned()),
        r#type: Some(rest::AuthorizerType::Token),
        authorizer_uri: Some(function_uri("guard")),
        authorizer_result_ttl_in_seconds: Some(ttl),
        identity_source: Some("method.request.header.X-Token".to_owned()),
        ..Default::default()
    };
    rest_api("abc")
        .method_with("GET /asked", guarded)
        .authorizer(authorizer)
        .with(|snapshot| snapshot.gateway_responses = responses(templates))
}

async fn ask(world: &World, token: &str) -> Seen {
    world.send(Method::GET, &format!("{BASE}/asked"), &[("x-token", token)], "").await
}

fn with_guard(config: &mut stagedoor_gateway::Config) {
    config.functions = vec![function("guard", "well")];
}

/// The context of an authorizer that says no is what customers make their own messages of.
#[tokio::test]
async fn the_authorizers_context_reaches_the_gateway_response() {
    let directory = Directory::new("denied");
    let world = world(&directory, with_guard).await;
    let told = "$context.authorizer.text|$context.authorizer.flag|$context.authorizer.principalId|\
                $context.error.message";
    for ttl in [0, 300] {
        let api = api(ttl, &[(rest::GatewayResponseType::AccessDenied, told)]);
        let log = access("$context.requestId $context.authorizer.principalId $context.status");
        world.store(stage_of_rest(&api, |stage| stage.access_log_settings = log)).await;
        for _ in 0..2 {
            ask(&world, "deny me").await.is(
                403,
                "t|true|deny me|User is not authorized to access this resource with an explicit deny",
            );
        }
        ask(&world, "other").await.is(403, "t|true|other|User is not authorized to access this resource");
    }
    let lines = directory.lines(&world, "access").await;
    let ends: Vec<&str> = lines.iter().map(|line| line.split_once(' ').expect("an id first").1).collect();
    assert_eq!(ends[..3], ["deny me 403", "deny me 403", "other 403"]);
}

/// An authorizer that fails says nothing: the default template of a customised response makes null of it.
#[tokio::test]
async fn nothing_said_is_null_also_in_templates() {
    let world = World::start_with(with_guard).await;
    let template = r#"{"message":$context.error.messageString,"type":"$context.error.responseType"}"#;
    let api = api(0, &[(rest::GatewayResponseType::Default5xx, template)]);
    world.store(api.deployed_to("dev")).await;
    let failed = ask(&world, "fail").await;
    failed.is(500, r#"{"message":null,"type":"AUTHORIZER_CONFIGURATION_ERROR"}"#);
}

/// Also where no method was found, the API, its stage and the path are known.
#[tokio::test]
async fn responses_without_a_method_know_their_stage() {
    let world = World::start().await;
    let told = "$context.apiId $context.accountId $context.stage $context.path $context.deploymentId \
                $context.resourcePath|$method.request.header.X-Token";
    let api = api(0, &[(rest::GatewayResponseType::MissingAuthenticationToken, told)]);
    world.store(api.deployed_to("dev")).await;
    let seen = world.send(Method::GET, &format!("{BASE}/no/where"), &[("x-token", "t")], "").await;
    seen.is(403, "abc 111122223333 dev /dev/no/where dep1 |t");
}

/// Cognito's and IAM's callers too: a resource policy that refuses a verified caller leaves their identity known.
#[tokio::test]
async fn a_refused_key_is_known_to_the_log() {
    let directory = Directory::new("refused-key");
    let world = world(&directory, |_| {}).await;
    let method = rest::Method {
        api_key_required: Some(true),
        method_integration: Some(mock("{statusCode: 200}")),
        ..Default::default()
    };
    let api = rest_api("abc").method_with("GET /", method);
    let log = access("$context.requestId $context.identity.apiKeyId $context.status");
    world.store(stage_of_rest(&api, |stage| stage.access_log_settings = log)).await;
    let throttled = |plan: &mut rest::UsagePlan| {
        plan.throttle = Some(rest::ThrottleSettings { rate_limit: Some(0.0), burst_limit: Some(0) });
    };
    let entries = vec![
        crate::api_keys::key("k1", true),
        crate::api_keys::member("k1"),
        crate::api_keys::plan(throttled),
    ];
    world.store(entries).await;
    let seen = world.send(Method::GET, BASE, &[("x-api-key", "value-of-k1")], "").await;
    assert_eq!(seen.status, 429, "{seen:?}");
    assert_eq!(seen.json(), json!({"message": "Too Many Requests"}));
    let line = directory.line(&world, "access").await;
    assert!(line.ends_with(" k1 429"), "{line}");
}
